/**
 * The datagram by which nodes find each other (at most 200 bytes): which ring, who I am, where my ring
 * listener is, who my successor is, and where my tracker's seam can be reached, if it can. It is
 * authenticated with a key derived from the ring secret (or, without one, from the ring's name, which
 * only keeps rings apart). A replayed beacon tells of a node that was there; whoever believes it finds
 * out by calling.
 */
import type { NodeRef, RingId } from '@dnd/chord';
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { deriveKey } from '../rpc/psk';

const MAGIC = Buffer.from('DND1');
const RING = 8;
const MAC = 16;
const FIXED = 4 + RING + 6 + 20 + 4 + 2 + 20 + 2 + 1;
export const maxBeacon = 200;
/** Clocks may differ, old datagrams are not news: milliseconds. */
const freshness = 300_000;

export interface Beacon {
  readonly node: NodeRef;
  readonly successor: RingId;
  /** Port of the tracker's seam at the node's host; 0 when others cannot reach it. */
  readonly seamPort: number;
}

export class BeaconCodec {
  private readonly ring: Buffer;
  private readonly key: Buffer;

  constructor(ring: string, secret: string | undefined) {
    this.ring = createHash('sha256').update(ring).digest().subarray(0, RING);
    this.key = deriveKey(secret ?? `open:${ring}`, 'beacon');
  }

  encode({ node, successor, seamPort }: Beacon, now: number): Buffer {
    const host = Buffer.from(node.host);
    const out = Buffer.alloc(FIXED + host.length + MAC);
    if (out.length > maxBeacon) throw new RangeError(`the address ${node.host} is too long for a beacon`);
    let at = MAGIC.copy(out);
    at += this.ring.copy(out, at);
    at = out.writeUIntBE(now, at, 6);
    at += out.write(node.id, at, 'hex');
    at = out.writeUInt32BE(node.incarnation, at);
    at = out.writeUInt16BE(node.port, at);
    at += out.write(successor, at, 'hex');
    at = out.writeUInt16BE(seamPort, at);
    at = out.writeUInt8(host.length, at);
    at += host.copy(out, at);
    this.mac(out.subarray(0, at)).copy(out, at);
    return out;
  }

  /** `foreign` for another ring's beacon, `forged` for one of ours without our secret, undefined for anything else. */
  decode(data: Buffer, now: number): Beacon | 'foreign' | 'forged' | undefined {
    if (data.length < FIXED + MAC || data.length > maxBeacon || !data.subarray(0, 4).equals(MAGIC)) return undefined;
    if (!data.subarray(4, 4 + RING).equals(this.ring)) return 'foreign';
    const signed = data.subarray(0, data.length - MAC);
    if (!timingSafeEqual(this.mac(signed), data.subarray(data.length - MAC))) return 'forged';
    let at = 4 + RING;
    const sent = signed.readUIntBE(at, 6);
    if (Math.abs(now - sent) > freshness) return undefined;
    const id = signed.toString('hex', (at += 6), (at += 20));
    const incarnation = signed.readUInt32BE(at);
    const port = signed.readUInt16BE((at += 4));
    const successor = signed.toString('hex', (at += 2), (at += 20));
    const seamPort = signed.readUInt16BE(at);
    const length = signed.readUInt8((at += 2));
    if (FIXED + length !== signed.length || port === 0) return undefined;
    return { node: { id, host: signed.toString('utf8', at + 1), port, incarnation }, successor, seamPort };
  }

  private mac(data: Uint8Array): Buffer {
    return createHmac('sha256', this.key).update(data).digest().subarray(0, MAC);
  }
}
