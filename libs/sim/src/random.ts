/**
 * Seeded random numbers for simulations: fast, small, and the same on every machine.
 * The generator is sfc32 (Chris Doty-Humphrey's PractRand): 128 bits of state, period of at
 * least 2^32 whatever the seed. Not for secrets.
 */
// Looked up once: a test runner's context makes every use of a global slow.
const { floor, log, pow } = Math;

export class Random {
  private a = 0;
  private b = 0;
  private c = 0;
  private counter = 1;

  /** Any finite number is a seed; seeds that differ in any of their low 53 bits give different sequences. */
  constructor(seed: number) {
    this.a = seed | 0;
    this.b = floor(seed / 0x1_0000_0000) | 0;
    this.c = 0x9e3779b9 | 0;
    for (let i = 0; i < 15; i++) this.next();
  }

  /** 32 random bits, 0 … 2^32 - 1. */
  next(): number {
    const sum = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (this.c << 21) | (this.c >>> 11);
    this.c = (this.c + sum) | 0;
    return sum >>> 0;
  }

  /** 0 ≤ x < 1 with 53 random bits. Bound to the object, so that it can be handed on as a function. */
  readonly uniform = (): number =>
    ((this.next() >>> 5) * 0x400_0000 + (this.next() >>> 6)) /
    0x20_0000_0000_0000;

  /** A whole number, 0 ≤ n < `end`; 0 when `end` is below 1. */
  int(end: number): number {
    return floor(this.uniform() * end);
  }

  /** A whole number, `from` ≤ n ≤ `to`. */
  range(from: number, to: number): number {
    return from + this.int(to - from + 1);
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Exponentially distributed with this mean: the time to the next event of a Poisson process. */
  exponential(mean: number): number {
    return -log(1 - this.uniform()) * mean;
  }

  /** Pareto distributed, at least `min`; the smaller `alpha`, the heavier the tail (mean is infinite at 1 and below). */
  pareto(min: number, alpha: number): number {
    return min / pow(1 - this.uniform(), 1 / alpha);
  }

  /** One of the items; throws on an empty list. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError('nothing to pick from');
    return items[this.int(items.length)] as T;
  }

  /** A new list in random order (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[] {
    const list = [...items];
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const swapped = list[i] as T;
      list[i] = list[j] as T;
      list[j] = swapped;
    }
    return list;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.next() & 0xff);
  }

  /** Lower-case hex digits. */
  hex(digits: number): string {
    let text = '';
    while (text.length < digits) {
      text += this.next().toString(16).padStart(8, '0');
    }
    return text.slice(0, digits);
  }

  /** An independent generator, so that one part's draws do not shift another's. */
  fork(): Random {
    return new Random(this.next() * 0x20_0000 + (this.next() >>> 11));
  }
}
