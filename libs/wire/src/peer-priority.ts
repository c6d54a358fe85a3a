/**
 * Canonical peer priority (BEP 40): both ends of a possible connection compute
 * the same number, and of too many peers those with the highest are kept. So
 * that nobody gains by having many addresses, distant ones count only roughly.
 */
import { writeUint16 } from './big-endian';
import { crc32c } from './crc32c';

export interface PeerAddress {
  /** 4 or 16 bytes, the same family at both ends. */
  readonly address: Uint8Array;
  readonly port: number;
}

/** 32 bits, the same whichever end comes first. */
export function peerPriority(a: PeerAddress, b: PeerAddress): number {
  const difference = firstDifference(a.address, b.address);
  if (difference < 0) {
    const ports = new Uint8Array(4);
    writeUint16(ports, 0, Math.min(a.port, b.port));
    writeUint16(ports, 2, Math.max(a.port, b.port));
    return crc32c(ports);
  }
  const exact = exactBytes(a.address.length, difference);
  const pair = [mask(a.address, exact), mask(b.address, exact)];
  pair.sort(Buffer.compare);
  return crc32c(Buffer.concat(pair));
}

/**
 * How many bytes count in full; of the rest every second bit does. The BEP's
 * text leaves IPv6 open to two readings: this is libtorrent's, since only equal
 * readings give both ends the same number.
 */
function exactBytes(length: number, difference: number): number {
  return length === 4
    ? Math.max(2, difference + 1)
    : Math.min(Math.max(6, difference + 2), length);
}

function firstDifference(a: Uint8Array, b: Uint8Array): number {
  return a.findIndex((byte, i) => byte !== b[i]);
}

function mask(address: Uint8Array, exact: number): Uint8Array {
  return address.map((byte, i) => (i < exact ? byte : byte & 0x55));
}
