/**
 * A beacon in as few bytes as it takes: 51 and the host name. The owner adds the ring's name and
 * authentication within its 200 bytes.
 *
 * Layout, integers big-endian: version 1 (u8), state (u8), id (20), successor (20, the node's own
 * id when it has none), incarnation (u48), port (u16), host length (u8), host (UTF-8).
 */
import type { Beacon } from './messages';
import { isBeacon } from './messages';

const VERSION = 1;
const HEAD_BYTES = 51;
const MAX_HOST_BYTES = 100;
const STATES = ['joining', 'member', 'leaving'] as const;

/** Throws a RangeError for a host name over 100 bytes. */
export function encodeBeacon(beacon: Beacon): Uint8Array {
  const { node, state, successor } = beacon;
  const host = Buffer.from(node.host, 'utf8');
  if (host.length > MAX_HOST_BYTES) {
    throw new RangeError(`host name of ${host.length} bytes in a beacon`);
  }
  const bytes = Buffer.alloc(HEAD_BYTES + host.length);
  bytes[0] = VERSION;
  bytes[1] = STATES.indexOf(state);
  bytes.write(node.id, 2, 'hex');
  bytes.write(successor ?? node.id, 22, 'hex');
  bytes.writeUIntBE(node.incarnation % 2 ** 48, 42, 6);
  bytes.writeUInt16BE(node.port, 48);
  bytes[50] = host.length;
  host.copy(bytes, HEAD_BYTES);
  return bytes;
}

/** The beacon in these bytes, or undefined when they are none of this version. */
export function decodeBeacon(bytes: Uint8Array): Beacon | undefined {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < HEAD_BYTES || view[0] !== VERSION) return undefined;
  const hostLength = view[50] ?? 0;
  if (hostLength > MAX_HOST_BYTES || view.length !== HEAD_BYTES + hostLength) {
    return undefined;
  }
  const id = view.toString('hex', 2, 22);
  const successor = view.toString('hex', 22, 42);
  const beacon = {
    node: {
      id,
      host: view.toString('utf8', HEAD_BYTES),
      port: view.readUInt16BE(48),
      incarnation: view.readUIntBE(42, 6),
    },
    state: STATES[view[1] ?? 3],
    ...(successor === id ? {} : { successor }),
  };
  return isBeacon(beacon) ? beacon : undefined;
}
