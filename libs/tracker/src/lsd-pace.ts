/**
 * When to shout which torrents (BEP 14): a datagram a minute at most, a torrent every five minutes at
 * most; what has never been shouted goes first, and waits for nothing else. Driven by the time it is
 * given, in milliseconds.
 */

/** Between two datagrams. */
export const LSD_DATAGRAM_GAP = 60_000;
/** Between two announces of one torrent. */
export const LSD_TORRENT_GAP = 300_000;
/** Torrents of one datagram: 20 lines of 52 bytes leave room for any header in 1,400. */
const MOST = 20;

export class LsdPace {
  /** Info-hash → when it was last shouted. */
  #shouted = new Map<string, number>();
  #lastAt = -Infinity;
  #lookAt = -Infinity;

  /** There may be torrents that have not been shouted yet. */
  added(): void {
    this.#lookAt = this.#lastAt + LSD_DATAGRAM_GAP;
  }

  /** The info-hashes of a datagram that is due now; `torrents` is asked only where there may be one. */
  next(torrents: () => Iterable<string>, now: number): string[] {
    if (now < this.#lookAt) return [];
    const before = this.#shouted;
    this.#shouted = new Map();
    const due: { hash: string; at: number }[] = [];
    let wakeAt = Infinity;
    for (const hash of torrents()) {
      const at = before.get(hash) ?? -Infinity;
      // Those that are gone are forgotten.
      this.#shouted.set(hash, at);
      if (at + LSD_TORRENT_GAP <= now) due.push({ hash, at });
      else wakeAt = Math.min(wakeAt, at + LSD_TORRENT_GAP);
    }
    due.sort((a, b) => a.at - b.at || 0);
    const said = due.slice(0, MOST).map(({ hash }) => hash);
    for (const hash of said) this.#shouted.set(hash, now);
    if (said.length > 0) {
      this.#lastAt = now;
      wakeAt = due.length > MOST ? now : now + LSD_TORRENT_GAP;
    }
    this.#lookAt = Math.max(wakeAt, this.#lastAt + LSD_DATAGRAM_GAP);
    return said;
  }
}
