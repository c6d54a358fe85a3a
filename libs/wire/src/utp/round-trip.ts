/** How long a packet and its acknowledgement take (BEP 29, as RFC 6298), in milliseconds. */
const LEAST_TIMEOUT = 500;
const FIRST_TIMEOUT = 1_000;
const LONGEST_TIMEOUT = 30_000;

export class RoundTrip {
  /** Smoothed; 0 before the first sample. */
  mean = 0;
  #variance = 0;
  #backoff = 1;

  /** After how long without an acknowledgement a packet counts as lost. */
  get timeout(): number {
    const base =
      this.mean === 0
        ? FIRST_TIMEOUT
        : Math.max(this.mean + 4 * this.#variance, LEAST_TIMEOUT);
    return Math.min(base * this.#backoff, LONGEST_TIMEOUT);
  }

  /** Of packets sent once only: of others nobody knows which was answered. */
  sample(time: number): void {
    if (this.mean === 0) {
      this.mean = Math.max(time, 0.001);
      this.#variance = time / 2;
      return;
    }
    const error = time - this.mean;
    this.#variance += (Math.abs(error) - this.#variance) / 4;
    this.mean += error / 8;
  }

  /** The remote answers: the time-out is its own again. */
  heard(): void {
    this.#backoff = 1;
  }

  timedOut(): void {
    this.#backoff = Math.min(this.#backoff * 2, 64);
  }
}
