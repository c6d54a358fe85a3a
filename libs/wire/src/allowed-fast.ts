/** The canonical allowed-fast set (BEP 6): pieces that a peer may ask for while it is choked. */
import { createHash } from 'node:crypto';
import { readUint32 } from './big-endian';

/**
 * At most `count` piece indexes for the peer at this IPv4 address, in the
 * canonical order; never more than there are pieces. Empty for other families,
 * for which BEP 6 defines none. `infoHash` is the 20 bytes of the handshake.
 */
export function allowedFastSet(
  address: Uint8Array,
  infoHash: Uint8Array,
  pieceCount: number,
  count = 10,
): number[] {
  if (address.length !== 4) return [];
  const size = Math.min(count, pieceCount);
  const set = new Set<number>();
  const seed = Buffer.concat([address.subarray(0, 3), new Uint8Array(1)]);
  let hash: Uint8Array = Buffer.concat([seed, infoHash]);
  while (set.size < size) {
    hash = createHash('sha1').update(hash).digest();
    for (let i = 0; i < 20 && set.size < size; i += 4) {
      set.add(readUint32(hash, i) % pieceCount);
    }
  }
  return [...set];
}
