/** How long answers took, without keeping them: counts in buckets that grow by a quarter. */
const smallest = 1e-3;
const growth = 1.25;
const bucketCount = 64;
/** One of so many answers is timed. */
const sampled = 16;

export class AnswerMeter {
  private readonly buckets = new Float64Array(bucketCount);
  private turn = 0;

  /** When an answer began, or 0 where it is not one of those that are timed: looking at the clock costs as much as a tenth of an answer. */
  begin(): number {
    return ++this.turn % sampled === 0 ? performance.now() : 0;
  }

  end(began: number): void {
    if (began > 0) this.add(performance.now() - began);
  }

  /** One answer that took so many milliseconds. */
  add(milliseconds: number): void {
    const at =
      milliseconds <= smallest
        ? 0
        : Math.log(milliseconds / smallest) / Math.log(growth);
    this.buckets[Math.min(bucketCount - 1, Math.ceil(at))]++;
  }

  /** To be called each second; older answers weigh less and less in the percentiles. */
  everySecond(): void {
    for (let i = 0; i < bucketCount; i++) this.buckets[i] *= 0.98;
  }

  /** The time, in milliseconds, that `share` (0 to 1) of the answers did not exceed; 0 while there are none. */
  percentile(share: number): number {
    const sum = this.buckets.reduce((a, b) => a + b, 0);
    if (sum < 0.5) return 0;
    let seen = 0;
    for (let i = 0; i < bucketCount; i++) {
      seen += this.buckets[i];
      if (seen >= sum * share) return smallest * growth ** i;
    }
    return smallest * growth ** (bucketCount - 1);
  }
}
