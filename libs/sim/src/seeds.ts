/**
 * Which seeds a simulation spec runs. Normally 1 … n; when one is to be replayed, only that:
 * `nx test chord -- --seed 42`, or DND_SEED=42 in the environment. A project's jest.config
 * hands `--seed` on through the environment, because test workers do not see the command line.
 */
export function seeds(
  count: number,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): number[] {
  const replay = environment['DND_SEED'];
  if (replay !== undefined && /^\d{1,15}$/.test(replay))
    return [Number(replay)];
  return Array.from({ length: count }, (_, i) => i + 1);
}

/**
 * Runs one simulation for each seed and throws on the first that fails, naming it. For specs with
 * so many seeds that a test case for each would only be noise.
 */
export function forEachSeed(
  list: readonly number[],
  run: (seed: number) => void,
): void {
  for (const seed of list) {
    try {
      run(seed);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(
        `seed ${seed} (replay it with -- --seed ${seed}): ${reason}`,
        { cause: error },
      );
    }
  }
}
