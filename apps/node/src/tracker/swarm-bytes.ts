/**
 * Between the announce table's updates and the ring's packed peers: what the table has to tell goes
 * to the swarm's owners, what the owners answer comes back as a copy. A copy never speaks against
 * what a client told this node itself, and is forgotten within half a minute unless it is renewed.
 */
import { packPeers, unpackPeers, type AnnouncedPeer } from '@dnd/records';
import type { SwarmState } from '../dht/dht';

const WIRE = { v6: 1, seed: 2, partial: 4, gone: 8, completed: 16 };
const RECORD = { seed: 1, gone: 2, partial: 4 };
const ENTRY = 37;
/** Seconds that a copy lives. */
const copyLife = 30;
/** Copies are signed with seconds this far in the past, so that any announce of our own is later. */
const copyAge = 0x40000000;
/** The name under which the ring's count of completed downloads is kept in the table. */
const ringOrigin = 1;

export interface TableUpdate {
  readonly peers: Uint8Array;
  /** Completed downloads counted here, ever. */
  readonly completed: number;
}

/** Reads an update of the table (see `SwarmUpdate` in @dnd/tracker) that holds this node's own announces. */
export function readUpdate(bytes: Uint8Array, origin: number): TableUpdate {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const origins = view[1];
  let completed = 0;
  for (let i = 0; i < origins; i++)
    if (view.readUInt32BE(2 + 8 * i) === origin)
      completed = view.readUInt32BE(6 + 8 * i);
  const peers: AnnouncedPeer[] = [];
  for (let at = 2 + 8 * origins; at < view.length;) {
    const flags = view[at];
    const length = flags & WIRE.v6 ? 16 : 4;
    peers.push({
      address: view.subarray(at + ENTRY, at + ENTRY + length),
      port: view.readUInt16BE(at + 11),
      id: view.subarray(at + 17, at + 37),
      flags:
        (flags & WIRE.seed ? RECORD.seed : 0) |
        (flags & WIRE.partial ? RECORD.partial : 0) |
        (flags & WIRE.gone ? RECORD.gone : 0),
      ttl: view.readUInt16BE(at + 1) * 1000,
    });
    at += ENTRY + length;
  }
  return { peers: packPeers(peers), completed };
}

/** An update for the table's `merge` from what the owners of a swarm answered. `own` is what this node has counted as completed itself. */
export function writeCopy(
  state: SwarmState,
  own: number,
  nowSeconds: number,
): Uint8Array {
  const peers = unpackPeers(state.peers).filter(
    ({ port, flags }) => port > 0 && !(flags & RECORD.gone),
  );
  const out = Buffer.alloc(
    10 + peers.reduce((sum, { address }) => sum + ENTRY + address.length, 0),
  );
  out[0] = 1;
  out[1] = 1;
  out.writeUInt32BE(ringOrigin, 2);
  out.writeUInt32BE(Math.max(0, state.completed - own), 6);
  let at = 10;
  for (const { address, port, id, flags } of peers) {
    out[at] =
      (address.length === 16 ? WIRE.v6 : 0) |
      (flags & RECORD.seed ? WIRE.seed : 0) |
      (flags & RECORD.partial ? WIRE.partial : 0);
    out.writeUInt16BE(copyLife, at + 1);
    out.writeUInt32BE(Math.max(1, nowSeconds - copyAge), at + 3);
    out.writeUInt32BE(ringOrigin, at + 7);
    out.writeUInt16BE(port, at + 11);
    out.set(id, at + 17);
    out.set(address, at + ENTRY);
    at += ENTRY + address.length;
  }
  return out;
}
