/**
 * Which peers an asker is told of: those of its own subnet first (IPv4 /24, IPv6 /64), then the
 * others, both from a place in the block that the caller draws anew each time, so that every
 * peer is handed out as often as any other. The asker itself is left out, by entry or by id.
 */
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
  const page = slab.page;
  const first = slab.at;
  const second = slab.addressWords === 1 ? -1 : slab.plane(1);
  const lastOfId = slab.plane(slab.peerId + 4);
  const a0 = address[0];
  const a1 = address[1];
  const id4 = peerId[4];
  const mask = second < 0 ? 0xffffff00 : 0xffffffff;
  let count = 0;
  let far = 0;
  for (let k = 0, i = start; k < span && count < wanted; k++, i++) {
    if (i === to) i = from;
    const near =
      ((page[first + i] ^ a0) & mask) === 0 &&
      (second < 0 || page[second + i] === a1);
    if (!near) {
      far++;
      continue;
    }
    if (i === self || (page[lastOfId + i] === id4 && slab.sameId(i, peerId)))
      continue;
    chosen[count++] = i;
  }
  if (far === 0) return count;
  for (let k = 0, i = start; k < span && count < wanted; k++, i++) {
    if (i === to) i = from;
    const near =
      ((page[first + i] ^ a0) & mask) === 0 &&
      (second < 0 || page[second + i] === a1);
    if (near) continue;
    if (page[lastOfId + i] === id4 && slab.sameId(i, peerId)) continue;
    chosen[count++] = i;
  }
  return count;
}
