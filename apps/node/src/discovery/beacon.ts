/**
 * The datagram by which nodes find each other, at most 200 bytes: which ring, when, where my tracker's
 * seam can be reached (if it can), and the ring's own beacon. It is authenticated with a key derived
 * from the ring secret or, without one, from the ring's name, which only keeps rings apart. A replayed
 * beacon tells of a node that was there; whoever believes it finds out by calling.
 *
 * Layout, integers big-endian: "DND1", ring (8), milliseconds since 1970 (6), seam port (2), the ring's
 * beacon, HMAC-SHA-256 of all that cut to 16.
 */
import {
  decodeBeacon,
  encodeBeacon,
  type Beacon as RingBeacon,
} from '@dnd/chord';
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { deriveKey } from '../rpc/psk';

const MAGIC = Buffer.from('DND1');
const RING = 8;
const HEAD = 4 + RING + 6 + 2;
const MAC = 16;
export const maxBeacon = 200;
/** Clocks may differ, old datagrams are no news: milliseconds. */
export const freshness = 300_000;

export interface Beacon {
  readonly beacon: RingBeacon;
  /** Port of the tracker's seam at the node's host; 0 when others cannot reach it. */
  readonly seamPort: number;
}

export interface HeardBeacon extends Beacon {
  /** The sender's clock, milliseconds since 1970; grows with every beacon. */
  readonly sentAt: number;
}

export class BeaconCodec {
  private readonly ring: Buffer;
  private readonly key: Buffer;

  constructor(ring: string, secret: string | undefined) {
    this.ring = createHash('sha256').update(ring).digest().subarray(0, RING);
    this.key = deriveKey(secret ?? `open:${ring}`, 'beacon');
  }

  encode({ beacon, seamPort }: Beacon, now: number): Buffer {
    const head = Buffer.alloc(HEAD);
    MAGIC.copy(head);
    this.ring.copy(head, 4);
    head.writeUIntBE(now, 4 + RING, 6);
    head.writeUInt16BE(seamPort, HEAD - 2);
    const signed = Buffer.concat([head, encodeBeacon(beacon)]);
    if (signed.length + MAC > maxBeacon)
      throw new RangeError(
        `the address ${beacon.node.host} is too long for a beacon`,
      );
    return Buffer.concat([signed, this.mac(signed)]);
  }

  /** `forged` for a beacon of our ring without our secret, undefined for whatever else is not to be believed. */
  decode(data: Buffer, now: number): HeardBeacon | 'forged' | undefined {
    if (
      data.length < HEAD + MAC ||
      data.length > maxBeacon ||
      !data.subarray(0, 4).equals(MAGIC)
    )
      return undefined;
    if (!data.subarray(4, 4 + RING).equals(this.ring)) return undefined;
    const signed = data.subarray(0, data.length - MAC);
    if (!timingSafeEqual(this.mac(signed), data.subarray(data.length - MAC)))
      return 'forged';
    const sentAt = signed.readUIntBE(4 + RING, 6);
    if (Math.abs(now - sentAt) > freshness) return undefined;
    const beacon = decodeBeacon(signed.subarray(HEAD));
    if (!beacon) return undefined;
    return { beacon, seamPort: signed.readUInt16BE(HEAD - 2), sentAt };
  }

  private mac(data: Uint8Array): Buffer {
    return createHmac('sha256', this.key)
      .update(data)
      .digest()
      .subarray(0, MAC);
  }
}
