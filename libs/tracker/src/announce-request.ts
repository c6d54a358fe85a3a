/**
 * One announce as every protocol states it, in a record that is filled anew for each and never
 * allocated on the way. The HTTP and UDP codecs fill it; the announce table reads it.
 */
import type { AddressLength } from './address';

/** Numbers as BEP 15 has them; `paused` is BEP 21's partial seed. */
export const AnnounceEvent = {
  none: 0,
  completed: 1,
  started: 2,
  stopped: 3,
  paused: 4,
} as const;
export type AnnounceEventCode =
  (typeof AnnounceEvent)[keyof typeof AnnounceEvent];

/** Peers in an answer where the asker names no number. */
export const DEFAULT_NUMWANT = 50;
/** The most peers in one answer. */
export const MAX_NUMWANT = 200;

export class AnnounceRequest {
  readonly infoHash = new Uint8Array(20);
  readonly peerId = new Uint8Array(20);
  /** The peer's address: the first `ipLength` bytes. */
  readonly ip = new Uint8Array(16);
  ipLength: AddressLength = 4;
  /** 1–65535; 0: the asker wants an answer but cannot be reached, and is not stored. */
  port = 0;
  event: AnnounceEventCode = AnnounceEvent.none;
  /** Nothing is left to download. */
  complete = false;
  /** BEP 7's `key`, 32 bits; meaningful when `hasKey`. */
  key = 0;
  hasKey = false;
  /** Peers wanted; negative means the default. */
  numwant = -1;
  /** HTTP only (BEP 23): 6- or 18-byte entries instead of dictionaries. */
  compact = true;
  /** HTTP only: dictionaries without the peer ids. */
  noPeerId = false;

  /** Everything but the address back to what an announce without parameters means. */
  reset(): void {
    this.port = 0;
    this.event = AnnounceEvent.none;
    this.complete = false;
    this.key = 0;
    this.hasKey = false;
    this.numwant = -1;
    this.compact = true;
    this.noPeerId = false;
  }

  /** How many peers the answer may hold. */
  wanted(): number {
    if (this.event === AnnounceEvent.stopped) return 0;
    return this.numwant < 0
      ? DEFAULT_NUMWANT
      : Math.min(this.numwant, MAX_NUMWANT);
  }
}
