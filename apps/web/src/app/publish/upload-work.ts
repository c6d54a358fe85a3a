/** What one upload of this page has under way: its bytes, its request, its next try, its rate. */
import type { Sending } from './upload-transport';

const firstPause = 1000;
const longestPause = 15_000;
/** Over how long the rate is measured, ms. */
const rateWindow = 3000;

export class UploadWork {
  readonly content: Blob;
  /** A pause that is over before its last request is does not begin a second. */
  busy = false;
  sending: Sending | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private pause = firstPause;
  private samples: { readonly at: number; readonly bytes: number }[] = [];

  constructor(
    files: readonly Blob[],
    /** Whether the node knows it; `asked` while the answer is missing. */
    public onNode: 'no' | 'asked' | 'yes' = 'no',
  ) {
    this.content = new Blob([...files]);
  }

  begin(): void {
    this.busy = true;
    this.samples = [];
  }

  /** The node has answered: the next lost connection is tried again soon. */
  reached(): void {
    this.onNode = 'yes';
    this.pause = firstPause;
  }

  /** Bytes per second, with `bytes` sent at `now` (ms). */
  rate(bytes: number, now: number): number {
    this.samples.push({ at: now, bytes });
    while (now - this.samples[0].at > rateWindow) this.samples.shift();
    const [first] = this.samples;
    return now > first.at
      ? Math.max(0, (1000 * (bytes - first.bytes)) / (now - first.at))
      : 0;
  }

  /** Calls `again` after a pause that doubles from try to try. */
  tryAgain(again: () => void): void {
    this.retry = setTimeout(again, this.pause);
    this.pause = Math.min(longestPause, this.pause * 2);
  }

  interrupt(): void {
    clearTimeout(this.retry);
    this.sending?.stop();
  }

  /** Browsers tell a file that was changed or deleted after it was chosen from a lost connection only here. */
  async isReadable(offset: number): Promise<boolean> {
    try {
      await this.content.slice(offset, offset + 1).arrayBuffer();
      return true;
    } catch {
      return false;
    }
  }
}
