/** Between the announce table and the ring's packed peers: what clients said here, and what a swarm's owners answer. */
import { packPeers, unpackPeers } from '@dnd/records';
import { readSwarmUpdate, type SwarmCopy } from '@dnd/tracker';
import type { SwarmState } from '../dht/dht';

const SEED = 1;
const GONE = 2;
const PARTIAL = 4;

export interface OwnAnnounces {
  /** For the ring: see `packPeers`. */
  readonly peers: Uint8Array;
  /** Completed downloads counted here, ever. */
  readonly completed: number;
}

/** Reads an update of the table that holds this node's own announces. */
export function ownAnnounces(update: Uint8Array, origin: number): OwnAnnounces {
  const { completed, peers } = readSwarmUpdate(update);
  return {
    peers: packPeers(
      peers.map(({ ip, port, peerId, seed, partial, gone, seconds }) => ({
        address: ip,
        port,
        id: peerId,
        flags: (seed ? SEED : 0) | (gone ? GONE : 0) | (partial ? PARTIAL : 0),
        ttl: seconds * 1000,
      })),
    ),
    completed: completed.find((each) => each.origin === origin)?.count ?? 0,
  };
}

export function copyOf(state: SwarmState): SwarmCopy {
  return {
    complete: state.seeds,
    incomplete: state.leechers,
    downloaded: state.completed,
    peers: unpackPeers(state.peers)
      .filter(({ port, flags }) => port > 0 && (flags & GONE) === 0)
      .map(({ address, port, id, flags }) => ({
        ip: address,
        port,
        peerId: id,
        seed: (flags & SEED) !== 0,
        partial: (flags & PARTIAL) !== 0,
      })),
  };
}
