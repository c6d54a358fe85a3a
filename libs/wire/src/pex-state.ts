/**
 * Peer exchange (BEP 11) on one connection: what the remote has been told, so
 * that each message carries only what changed, at most once a minute and at
 * most 50 peers a list; and how often the remote tells us.
 */
import type { PexMessage, PexPeer } from './pex-message';

const INTERVAL = 60_000;
const MAX_LISTED = 50;
/** Messages that may come early (clocks, a burst at the start) before it is a flood. */
const PATIENCE = 10;
const LEAST_GAP = 45_000;

export class PexState {
  readonly #told = new Map<string, PexPeer>();
  #dueAt = -Infinity;
  #heardAt = -Infinity;
  #early = 0;

  /** When `next` may say something again. */
  get dueAt(): number {
    return this.#dueAt;
  }

  /**
   * The message to send now, or undefined when it is too early or nothing
   * changed. `live` are the peers we are connected to, without the remote
   * itself; who is not among them any more is told as dropped.
   */
  next(live: Iterable<PexPeer>, now: number): PexMessage | undefined {
    if (now < this.#dueAt) return undefined;
    const added: PexPeer[] = [];
    const present = new Set<string>();
    for (const peer of live) {
      const key = keyOf(peer);
      present.add(key);
      if (this.#told.has(key) || added.length === MAX_LISTED) continue;
      this.#told.set(key, peer);
      added.push(peer);
    }
    const dropped: PexPeer[] = [];
    for (const [key, peer] of this.#told) {
      if (dropped.length === MAX_LISTED) break;
      if (present.has(key)) continue;
      this.#told.delete(key);
      dropped.push(peer);
    }
    if (added.length + dropped.length === 0) return undefined;
    this.#dueAt = now + INTERVAL;
    return { added, dropped };
  }

  /** What to do with a message that came now: a peer that floods is not worth its connection. */
  heard(now: number): 'take' | 'ignore' | 'close' {
    const early = now < this.#heardAt + LEAST_GAP;
    if (!early) {
      this.#heardAt = now;
      this.#early = Math.max(0, this.#early - 1);
      return 'take';
    }
    return ++this.#early > PATIENCE ? 'close' : 'ignore';
  }
}

function keyOf(peer: PexPeer): string {
  return `${Buffer.from(peer.address).toString('latin1')}${peer.port}`;
}
