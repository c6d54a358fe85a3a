/**
 * A rate limit: bytes flow in at `rate`, whoever sends takes them out. It may be overdrawn by one
 * block, so that a limit smaller than a block still lets blocks through. Driven by the time it is
 * given; shared by several swarms it is a global limit.
 */
export class TokenBucket {
  #rate: number;
  #level: number;
  #at: number;

  /** `rate` in bytes per second; `Infinity` is no limit. */
  constructor(rate: number, now: number) {
    this.#rate = rate;
    this.#level = this.#depth();
    this.#at = now;
  }

  get rate(): number {
    return this.#rate;
  }

  get limited(): boolean {
    return this.#rate !== Infinity;
  }

  setRate(rate: number, now: number): void {
    this.#refill(now);
    this.#rate = rate;
    this.#level = Math.min(Math.max(this.#level, 0), this.#depth());
    if (Number.isNaN(this.#level)) this.#level = 0;
  }

  /** Bytes that may be taken now; may be negative after an overdraft. */
  available(now: number): number {
    if (this.#rate === Infinity) return Infinity;
    this.#refill(now);
    return this.#level;
  }

  take(bytes: number): void {
    if (this.#rate !== Infinity) this.#level -= bytes;
  }

  /** Puts back what was taken and not used. */
  refund(bytes: number): void {
    if (this.#rate !== Infinity)
      this.#level = Math.min(this.#level + bytes, this.#depth());
  }

  /** When `bytes` (at most the bucket's depth) will be available; `Infinity` at rate 0. */
  readyAt(bytes: number, now: number): number {
    const missing = Math.min(bytes, this.#depth()) - this.available(now);
    if (!(missing > 0)) return now;
    return now + Math.ceil((missing * 1000) / this.#rate);
  }

  /** A tenth of a second's worth: enough to outlast a late timer, too little to be seen as a burst. */
  #depth(): number {
    return this.#rate === Infinity ? Infinity : this.#rate / 10;
  }

  #refill(now: number): void {
    const passed = now - this.#at;
    if (passed <= 0) return;
    this.#at = now;
    if (this.#rate !== Infinity)
      this.#level = Math.min(
        this.#level + (this.#rate * passed) / 1000,
        this.#depth(),
      );
  }
}

/** The tightest of several limits: bytes that all of them allow now. */
export function allowance(limits: readonly TokenBucket[], now: number): number {
  let least = Infinity;
  for (let i = 0; i < limits.length; i++)
    least = Math.min(least, limits[i].available(now));
  return least;
}
