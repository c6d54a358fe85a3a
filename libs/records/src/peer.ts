/**
 * Peers of swarms as bytes. Swarms have too many peers for an object each, so they are packed
 * from the tracker's seam to the owner's table. All numbers are big-endian:
 *
 *     0  16  IPv6 address, or IPv4 as ::ffff:a.b.c.d (RFC 4291, 2.5.5.2)
 *    16   2  port
 *    18  20  peer id
 *    38   1  flags
 *    39   4  time to live in milliseconds            (announced and copied peers)
 *    43   6  sequence, 49 2 number of its origin     (copied peers)
 */
export const PEER_BYTES = 39;
/** A peer with its time to live: what is announced. */
export const ANNOUNCED_PEER_BYTES = 43;
/** A peer with what decides between two replicas: what is handed over. */
export const COPIED_PEER_BYTES = 51;

/** Address and port: what tells the peers of a swarm apart. */
export const ENDPOINT_BYTES = 18;
export const FLAGS_AT = 38;
export const TTL_AT = 39;
export const SEQUENCE_AT = 43;
export const ORIGIN_AT = 49;

/** It has everything. */
export const SEED = 1;
/** It has left; kept until its time is over, so that an older copy cannot bring it back. */
export const GONE = 2;
/** It has part of the torrent and wants no more (BEP 21). */
export const PARTIAL_SEED = 4;

/** No peer stays longer without announcing again, in milliseconds. */
export const MAX_TTL_MS = 2 * 3_600_000;

export interface Peer {
  /** 16 bytes, or 4 for IPv4. */
  readonly address: Uint8Array;
  readonly port: number;
  /** 20 bytes. */
  readonly id: Uint8Array;
  /** SEED, GONE, PARTIAL_SEED. */
  readonly flags: number;
}

export interface AnnouncedPeer extends Peer {
  /** Milliseconds, at most MAX_TTL_MS. A peer that is gone should keep the time it had. */
  readonly ttl: number;
}

/** Packs peers for an `announce`. */
export function packPeers(peers: readonly AnnouncedPeer[]): Uint8Array {
  const packed = new Uint8Array(peers.length * ANNOUNCED_PEER_BYTES);
  const view = new DataView(packed.buffer);
  peers.forEach((peer, i) => packPeer(peer, view, i * ANNOUNCED_PEER_BYTES));
  return packed;
}

/** Writes the ANNOUNCED_PEER_BYTES of one peer to `out` at `at`. */
export function packPeer(
  { address, port, id, flags, ttl }: AnnouncedPeer,
  out: DataView,
  at: number,
): void {
  const mapped = address.length === 4;
  for (let i = 0; i < 10; i++)
    out.setUint8(at + i, mapped ? 0 : byteAt(address, i));
  for (let i = 10; i < 12; i++)
    out.setUint8(at + i, mapped ? 0xff : byteAt(address, i));
  for (let i = 12; i < 16; i++)
    out.setUint8(at + i, byteAt(address, mapped ? i - 12 : i));
  out.setUint16(at + 16, port);
  for (let i = 0; i < 20; i++) out.setUint8(at + 18 + i, byteAt(id, i));
  out.setUint8(at + FLAGS_AT, flags);
  out.setUint32(at + TTL_AT, clampTtl(ttl));
}

/** Reads peers of PEER_BYTES each; an IPv4 address comes back as 4 bytes. Views, not copies. */
export function unpackPeers(packed: Uint8Array): Peer[] {
  const view = new DataView(packed.buffer, packed.byteOffset);
  const peers: Peer[] = [];
  for (let at = 0; at + PEER_BYTES <= packed.length; at += PEER_BYTES) {
    const address = packed.subarray(at, at + 16);
    peers.push({
      address: isMapped(address) ? address.subarray(12) : address,
      port: view.getUint16(at + 16),
      id: packed.subarray(at + 18, at + 38),
      flags: packed[at + FLAGS_AT] ?? 0,
    });
  }
  return peers;
}

/** Of what is too short, zeros. */
const byteAt = (bytes: Uint8Array, i: number): number => bytes[i] ?? 0;

export function clampTtl(ttl: number): number {
  return Math.max(0, Math.min(MAX_TTL_MS, Math.floor(ttl)));
}

function isMapped(address: Uint8Array): boolean {
  for (let i = 0; i < 10; i++) if (address[i] !== 0) return false;
  return address[10] === 0xff && address[11] === 0xff;
}
