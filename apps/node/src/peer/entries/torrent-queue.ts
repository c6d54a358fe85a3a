/**
 * Which of the wanted torrents run: all that are complete, and downloads up to a limit, in the order in
 * which they were added. A download that finds nobody for a while keeps no place from the others.
 */
import type { Entry } from './entry';

/** A download without a source for so long is not counted, milliseconds. */
const idleAfter = 60_000;

export class TorrentQueue {
  /** Since when a running download has had nobody to load from. */
  private readonly aloneSince = new Map<Entry, number>();

  /** To be called with all downloads every second or so. */
  watch(entries: Iterable<Entry>, now: number): void {
    for (const entry of entries) {
      const { session } = entry;
      const alone =
        isRunning(entry) &&
        session.peers.sockets.size === 0 &&
        !session.webSeeds?.working.length;
      if (!alone) this.aloneSince.delete(entry);
      else if (!this.aloneSince.has(entry)) this.aloneSince.set(entry, now);
    }
  }

  /** It is complete, or gone. */
  forget(entry: Entry): void {
    this.aloneSince.delete(entry);
  }

  /** Of the wanted torrents those that are to begin, and those that must wait. `strict`: also running ones beyond the limit. */
  plan(
    entries: Iterable<Entry>,
    limit: number,
    now: number,
    strict: boolean,
  ): { readonly begin: Entry[]; readonly wait: Entry[] } {
    const begin: Entry[] = [];
    const wait: Entry[] = [];
    const idle: Entry[] = [];
    let count = 0;
    for (const entry of entries) {
      if (entry.row.wish !== 'run' || !isRunning(entry)) continue;
      if (entry.row.completed_at !== null || this.isIdle(entry, now)) continue;
      if (strict && count >= limit) wait.push(entry);
      else count++;
    }
    for (const entry of entries) {
      if (entry.row.wish !== 'run' || isRunning(entry)) continue;
      if (entry.row.completed_at !== null) begin.push(entry);
      else idle.push(entry);
    }
    const places = Math.max(0, limit - count);
    return {
      begin: [...begin, ...idle.slice(0, places)],
      wait: [...wait, ...idle.slice(places)],
    };
  }

  private isIdle(entry: Entry, now: number): boolean {
    return now - (this.aloneSince.get(entry) ?? now) >= idleAfter;
  }
}

const isRunning = ({ session }: Entry): boolean =>
  session.phase !== 'stopped' && session.phase !== 'failed';
