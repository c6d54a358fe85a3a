/**
 * Which peers an asker is told of: those of its own subnet first (IPv4 /24, IPv6 /64), then the
 * others, both from a place in the block that the caller draws anew each time, so that every
 * peer is handed out as often as any other. The asker itself is left out, by entry or by id.
 * Then how the chosen are written compactly.
 */
import { MAX_NUMWANT } from './announce-request';
import type { PeerSlab } from './peer-slab';

/** Entries `from` to `to` − 1 of the slab's open block are candidates; `self` is the asker's own entry or −1. */
export interface Candidates {
  from: number;
  to: number;
  self: number;
  /** The entry at which to begin, from `from` to `to` − 1. */
  start: number;
  wanted: number;
}

/** Writes the chosen entries' numbers to `chosen`, near ones first, and returns how many. */
export function choosePeers(
  slab: PeerSlab,
  candidates: Candidates,
  address: Uint32Array,
  peerId: Uint32Array,
  chosen: Uint16Array,
): number {
  const { from, to, self, start } = candidates;
  const span = to - from;
  const wanted = Math.min(candidates.wanted, span);
  if (wanted <= 0) return 0;
  // Of an IPv4 address the first 24 bits are compared, of an IPv6 address its first two words.
  const v4 = slab.addressWords === 1;
  const page = slab.page;
  const first = slab.at;
  const second = v4 ? first : slab.plane(1);
  const a0 = address[0];
  const a1 = v4 ? a0 : address[1];
  const mask = v4 ? 0xffffff00 | 0 : -1;
  const tails = slab.plane(slab.idTail);
  const tail = peerId[4];
  let count = 0;
  let far = 0;
  for (let k = 0, i = start; k < span; k++, i++) {
    if (i === to) i = from;
    const differs = (page[first + i] ^ a0) | (page[second + i] ^ a1);
    const near = (differs & mask) === 0;
    if (!near && far === wanted) continue;
    if (i === self || (page[tails + i] === tail && slab.sameId(i, peerId)))
      continue;
    if (!near) others[far++] = i;
    else {
      chosen[count++] = i;
      if (count === wanted) return count;
    }
  }
  for (let k = 0; k < far && count < wanted; k++) chosen[count++] = others[k];
  return count;
}

/** Candidates of other subnets, while those of the own are looked for. */
const others = new Uint16Array(MAX_NUMWANT);

/** Writes the first `count` of the chosen entries as 6 bytes each; returns the end. */
export function writeCompact4(
  slab: PeerSlab,
  chosen: Uint16Array,
  count: number,
  out: DataView,
  start: number,
): number {
  const { page, at: addresses } = slab;
  const ports = slab.plane(slab.port);
  let at = start;
  for (let k = 0; k < count; k++) {
    const entry = chosen[k];
    out.setUint32(at, page[addresses + entry]);
    out.setUint16(at + 4, page[ports + entry] >>> 16);
    at += 6;
  }
  return at;
}

/** The same for IPv6: 18 bytes each. */
export function writeCompact6(
  slab: PeerSlab,
  chosen: Uint16Array,
  count: number,
  out: DataView,
  start: number,
): number {
  const { page, capacity } = slab;
  const ports = slab.plane(slab.port);
  let at = start;
  for (let k = 0; k < count; k++) {
    const entry = chosen[k];
    for (let w = 0; w < 4; w++)
      out.setUint32(at + 4 * w, page[slab.at + w * capacity + entry]);
    out.setUint16(at + 16, page[ports + entry] >>> 16);
    at += 18;
  }
  return at;
}
