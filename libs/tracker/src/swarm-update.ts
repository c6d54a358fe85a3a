/**
 * What one node tells another of a swarm, as bytes. All numbers are big-endian:
 *
 *      0   1  format, 1
 *      1   1  number of origins
 *      2   8  each: name of the origin 4, completed downloads that it counted 4
 *     then entries of 41 (IPv4) or 53 (IPv6) bytes:
 *      0   1  flags
 *      1   2  seconds to live
 *      3   4  sequence
 *      7   4  origin
 *     11   2  port
 *     13   4  key
 *     17  20  peer id
 *     37   4  address, or 16 for IPv6
 */
import { word } from './peer-store';
import { MAX_ORIGINS } from './completed-counts';

/** Another node's update is malformed. */
export class SwarmUpdateError extends Error {
  override readonly name = 'SwarmUpdateError';
}

export const FORMAT = 1;
/** Bytes of an entry before its address. */
export const ENTRY_HEAD = 37;
export const ENTRY_FLAG = {
  v6: 1,
  seed: 2,
  partial: 4,
  gone: 8,
  completed: 16,
  key: 32,
} as const;

/** One peer of an update, for whoever passes it on in a form of its own. */
export interface UpdatePeer {
  /** 4 or 16 bytes. */
  readonly ip: Uint8Array;
  readonly port: number;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly seed: boolean;
  /** BEP 21: has what it wants, but not everything. */
  readonly partial: boolean;
  /** It has stopped. */
  readonly gone: boolean;
  /** Remaining time to live. */
  readonly seconds: number;
  readonly sequence: number;
  readonly origin: number;
}

export interface ReadSwarmUpdate {
  readonly completed: readonly {
    readonly origin: number;
    readonly count: number;
  }[];
  readonly peers: readonly UpdatePeer[];
}

/** Reads an update whole; its peers are views into it. Throws SwarmUpdateError. */
export function readSwarmUpdate(update: Uint8Array): ReadSwarmUpdate {
  const first = checkHead(update);
  const completed = Array.from({ length: update[1] }, (_, k) => ({
    origin: word(update, 2 + 8 * k),
    count: word(update, 6 + 8 * k),
  }));
  const peers: UpdatePeer[] = [];
  for (let at = first; at < update.length;) {
    const end = entryEnd(update, at);
    const flags = update[at];
    peers.push({
      ip: update.subarray(at + ENTRY_HEAD, end),
      port: (update[at + 11] << 8) | update[at + 12],
      peerId: update.subarray(at + 17, at + 37),
      seed: (flags & ENTRY_FLAG.seed) !== 0,
      partial: (flags & ENTRY_FLAG.partial) !== 0,
      gone: (flags & ENTRY_FLAG.gone) !== 0,
      seconds: (update[at + 1] << 8) | update[at + 2],
      sequence: word(update, at + 3),
      origin: word(update, at + 7),
    });
    at = end;
  }
  return { completed, peers };
}

/** The offset of the first entry. Throws SwarmUpdateError. */
export function checkHead(update: Uint8Array): number {
  if (update.length < 2 || update[0] !== FORMAT)
    throw new SwarmUpdateError('unknown format');
  const first = 2 + update[1] * 8;
  if (first > update.length || update[1] > MAX_ORIGINS)
    throw new SwarmUpdateError('cut short in its counts');
  return first;
}

/** The offset after the entry at `at`. Throws SwarmUpdateError. */
export function entryEnd(update: Uint8Array, at: number): number {
  const end = at + ENTRY_HEAD + (update[at] & ENTRY_FLAG.v6 ? 16 : 4);
  if (end > update.length) throw new SwarmUpdateError('cut short in an entry');
  return end;
}

export function putWord(out: Uint8Array, at: number, value: number): number {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
  return at + 4;
}
