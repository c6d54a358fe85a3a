/** How much one source (another node, or an address) may have us do: a bucket of tokens for each, refilled with time. */

const BURST_SECONDS = 10;
const MAX_SOURCES = 1_024;

interface Bucket {
  writes: number;
  bytes: number;
  at: number;
}

export class Quota {
  private readonly buckets = new Map<string, Bucket>();

  constructor(
    private readonly writesPerSecond: number,
    private readonly bytesPerSecond: number,
  ) {}

  /** Takes the tokens if the source has them; `now` in milliseconds. */
  take(source: string, writes: number, bytes: number, now: number): boolean {
    const bucket = this.bucketOf(source, now);
    const passed = (now - bucket.at) / 1_000;
    bucket.at = now;
    bucket.writes = Math.min(
      this.writesPerSecond * BURST_SECONDS,
      bucket.writes + passed * this.writesPerSecond,
    );
    bucket.bytes = Math.min(
      this.bytesPerSecond * BURST_SECONDS,
      bucket.bytes + passed * this.bytesPerSecond,
    );
    if (bucket.writes < writes || bucket.bytes < bytes) return false;
    bucket.writes -= writes;
    bucket.bytes -= bytes;
    return true;
  }

  private bucketOf(source: string, now: number): Bucket {
    let bucket = this.buckets.get(source);
    if (!bucket) {
      if (this.buckets.size >= MAX_SOURCES) {
        const [oldest] = this.buckets.keys();
        if (oldest !== undefined) this.buckets.delete(oldest);
      }
      bucket = {
        writes: this.writesPerSecond * BURST_SECONDS,
        bytes: this.bytesPerSecond * BURST_SECONDS,
        at: now,
      };
      this.buckets.set(source, bucket);
    }
    return bucket;
  }
}
