/**
 * A moving average of bytes per second. Adding is one addition; the average is brought up to date by
 * `sample`, a few times a second at most.
 */
export class RateMeter {
  /** Bytes ever counted. */
  total = 0;
  /** Bytes per second, as of the last sample. */
  rate = 0;
  #fresh = 0;
  #at: number;
  #seen = 0;

  /** `span`: milliseconds after which a change has gone about two thirds of its way into the average. */
  constructor(
    now: number,
    private readonly span = 3_000,
  ) {
    this.#at = now;
  }

  add(bytes: number): void {
    this.total += bytes;
    this.#fresh += bytes;
  }

  /** Time that the average covers so far, at most `span`. */
  sample(now: number): number {
    const passed = now - this.#at;
    if (passed < 50) return this.rate;
    // While young the meter is a plain average, so that the first second already tells the truth.
    this.#seen = Math.min(this.#seen + passed, this.span);
    const weight = Math.min(
      1,
      Math.max(passed / this.#seen, 1 - Math.exp(-passed / this.span)),
    );
    this.rate += ((this.#fresh * 1000) / passed - this.rate) * weight;
    if (this.rate < 1) this.rate = 0;
    this.#fresh = 0;
    this.#at = now;
    return this.rate;
  }
}
