/** The rate limits of one torrent, bytes per second each way; 0 is none. */
import { TokenBucket } from '@dnd/swarm';

export class TransferLimits {
  readonly down: TokenBucket;
  readonly up: TokenBucket;

  /** `now` in milliseconds of the clock that the transfers use. */
  constructor(download: number, upload: number, now: number) {
    this.down = new TokenBucket(download || Infinity, now);
    this.up = new TokenBucket(upload || Infinity, now);
  }

  get download(): number {
    return this.down.limited ? this.down.rate : 0;
  }

  get upload(): number {
    return this.up.limited ? this.up.rate : 0;
  }

  /** Those that are undefined stay as they are. */
  set(
    download: number | undefined,
    upload: number | undefined,
    now: number,
  ): void {
    if (download !== undefined) this.down.setRate(download || Infinity, now);
    if (upload !== undefined) this.up.setRate(upload || Infinity, now);
  }
}
