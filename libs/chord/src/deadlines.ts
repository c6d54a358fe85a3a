/** Numbers with the time by which each is due, smallest time first: a binary heap. */
export class Deadlines {
  private readonly times: number[] = [];
  private readonly items: number[] = [];

  get size(): number {
    return this.times.length;
  }

  /** The earliest time, Infinity when empty. */
  get next(): number {
    return this.times[0] ?? Infinity;
  }

  push(time: number, item: number): void {
    let at = this.times.length;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if ((this.times[up] as number) <= time) break;
      this.times[at] = this.times[up] as number;
      this.items[at] = this.items[up] as number;
      at = up;
    }
    this.times[at] = time;
    this.items[at] = item;
  }

  /** Takes the item of the earliest time. */
  pop(): number | undefined {
    const first = this.items[0];
    const time = this.times.pop();
    const item = this.items.pop();
    const size = this.times.length;
    if (time === undefined || item === undefined || size === 0) return first;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= size) break;
      if (
        down + 1 < size &&
        (this.times[down + 1] as number) < (this.times[down] as number)
      ) {
        down++;
      }
      if ((this.times[down] as number) >= time) break;
      this.times[at] = this.times[down] as number;
      this.items[at] = this.items[down] as number;
      at = down;
    }
    this.times[at] = time;
    this.items[at] = item;
    return first;
  }

  /** Puts everything off by the same time. */
  shift(delay: number): void {
    for (let i = 0; i < this.times.length; i++) {
      this.times[i] = (this.times[i] as number) + delay;
    }
  }
}
