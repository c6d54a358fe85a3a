/** Holepunching (BEP 55): a peer that both ends know tells each to dial the other at once, over uTP. */
import { readUint16, readUint32, writeUint16, writeUint32 } from './big-endian';

export type HolepunchType = 'rendezvous' | 'connect' | 'error';

/** Codes of an error; 0 in the other messages. */
export const HolepunchError = {
  none: 0,
  noSuchPeer: 1,
  notConnected: 2,
  noSupport: 3,
  noSelf: 4,
} as const;

export interface HolepunchMessage {
  readonly type: HolepunchType;
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
  readonly error: number;
}

const TYPES: readonly HolepunchType[] = ['rendezvous', 'connect', 'error'];

export function encodeHolepunch(message: HolepunchMessage): Uint8Array {
  const { address } = message;
  const bytes = new Uint8Array(8 + address.length);
  bytes[0] = TYPES.indexOf(message.type);
  bytes[1] = address.length === 16 ? 1 : 0;
  bytes.set(address, 2);
  writeUint16(bytes, 2 + address.length, message.port);
  writeUint32(bytes, 4 + address.length, message.error);
  return bytes;
}

/** Undefined for anything that is not exactly such a message with a port. */
export function decodeHolepunch(
  bytes: Uint8Array,
): HolepunchMessage | undefined {
  const type = TYPES[bytes[0]];
  const length = bytes[1] === 0 ? 4 : 16;
  if (type === undefined || bytes[1] > 1) return undefined;
  // The error code may be left out where there is none to tell.
  const short = type !== 'error' && bytes.length === 4 + length;
  if (bytes.length !== 8 + length && !short) return undefined;
  const port = readUint16(bytes, 2 + length);
  if (port === 0) return undefined;
  return {
    type,
    address: bytes.slice(2, 2 + length),
    port,
    error: short ? 0 : readUint32(bytes, 4 + length),
  };
}
