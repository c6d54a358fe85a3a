/**
 * uTP's datagrams (BEP 29): a header of 20 bytes, a chain of extensions of
 * which only the selective acknowledgement is known, the payload. All numbers
 * are big-endian; sequence numbers are 16 bits and wrap.
 */
import {
  readUint16,
  readUint32,
  writeUint16,
  writeUint32,
} from '../big-endian';

export const UtpType = {
  data: 0,
  fin: 1,
  state: 2,
  reset: 3,
  syn: 4,
} as const;

export const UTP_HEADER = 20;
const VERSION = 1;
const SELECTIVE_ACK = 1;

/** The fields of one datagram; one object is read into again and again. */
export class UtpPacket {
  type = 0;
  connectionId = 0;
  /** Microseconds of the sender's clock, cut to 32 bits. */
  timestamp = 0;
  /** The delay that the sender saw of our last packet, in microseconds. */
  delay = 0;
  /** Bytes that the sender has room for. */
  window = 0;
  seq = 0;
  ack = 0;
  /** The bit mask of the selective acknowledgement stands in `bytes` from here … */
  sackFrom = 0;
  /** … to here; equal when there is none. */
  sackTo = 0;
  payloadFrom = 0;
  bytes: Uint8Array = new Uint8Array(0);

  /** False for what is no uTP datagram of version 1. */
  read(bytes: Uint8Array): boolean {
    if (bytes.length < UTP_HEADER) return false;
    const type = bytes[0] >> 4;
    if ((bytes[0] & 15) !== VERSION || type > UtpType.syn) return false;
    this.type = type;
    this.connectionId = readUint16(bytes, 2);
    this.timestamp = readUint32(bytes, 4);
    this.delay = readUint32(bytes, 8);
    this.window = readUint32(bytes, 12);
    this.seq = readUint16(bytes, 16);
    this.ack = readUint16(bytes, 18);
    this.bytes = bytes;
    return this.#readExtensions(bytes);
  }

  #readExtensions(bytes: Uint8Array): boolean {
    this.sackFrom = 0;
    this.sackTo = 0;
    let at = UTP_HEADER;
    for (let kind = bytes[1]; kind !== 0;) {
      if (at + 2 > bytes.length) return false;
      const end = at + 2 + bytes[at + 1];
      if (end > bytes.length) return false;
      if (kind === SELECTIVE_ACK) {
        this.sackFrom = at + 2;
        this.sackTo = end;
      }
      kind = bytes[at];
      at = end;
    }
    this.payloadFrom = at;
    return true;
  }
}

/** Writes a header without extension; its times and window are `writeTimes`'s. */
export function writeHeader(
  bytes: Uint8Array,
  type: number,
  connectionId: number,
  seq: number,
  ack: number,
): void {
  bytes[0] = (type << 4) | VERSION;
  bytes[1] = 0;
  writeUint16(bytes, 2, connectionId);
  writeUint16(bytes, 16, seq);
  writeUint16(bytes, 18, ack);
}

/** Microseconds of our clock, the delay seen of the remote's last packet, and the bytes there is room for. */
export function writeTimes(
  bytes: Uint8Array,
  timestamp: number,
  delay: number,
  window: number,
): void {
  writeUint32(bytes, 4, timestamp);
  writeUint32(bytes, 8, delay);
  writeUint32(bytes, 12, window);
}

/** Appends the mask after a header; `mask` is a multiple of 4 bytes. */
export function writeSelectiveAck(bytes: Uint8Array, mask: Uint8Array): void {
  bytes[1] = SELECTIVE_ACK;
  bytes[UTP_HEADER] = 0;
  bytes[UTP_HEADER + 1] = mask.length;
  bytes.set(mask, UTP_HEADER + 2);
}

/** How far `a` is ahead of `b`, from -32,768 to 32,767. */
export function seqDistance(a: number, b: number): number {
  return ((a - b) << 16) >> 16;
}
