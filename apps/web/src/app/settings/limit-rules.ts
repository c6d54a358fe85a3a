/** Days of the week as the node has them: 1 is Monday, 7 is Sunday, each once and in order. */
export function toggleDay(days: readonly number[], day: number): number[] {
  return days.includes(day)
    ? days.filter((other) => other !== day)
    : [...days, day].sort((a, b) => a - b);
}
