/** The last changes of this peer, numbered; whoever was away too long is told everything anew. */
import type { PeerChanges, PeerEvent } from './peer';

const kept = 4096;

export class ChangeFeed {
  private readonly events: PeerEvent[] = [];
  /** Number of the newest event; starts at a time, so that a cursor of an earlier run is never taken for one of this. */
  private newest = Date.now();
  private waiting: (() => void)[] = [];

  /** `everything` describes the present state as events. */
  constructor(private readonly everything: () => PeerEvent[]) {}

  push(event: PeerEvent): void {
    this.events.push(event);
    this.newest++;
    if (this.events.length > kept * 2)
      this.events.splice(0, this.events.length - kept);
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  /** What came after `cursor`; waits for something at most `patience` milliseconds. */
  async after(cursor: number, patience: number): Promise<PeerChanges> {
    if (cursor === this.newest) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patience);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    const missing = this.newest - cursor;
    const known = missing >= 0 && missing <= this.events.length;
    const events = known
      ? this.events.slice(this.events.length - missing)
      : this.everything();
    return { cursor: this.newest, reset: !known, events };
  }

  /** Lets everybody go who waits. */
  close(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}
