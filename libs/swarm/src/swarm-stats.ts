/** What the user sees of a swarm: plain values, made on demand. */
import type { PeerSource, SwarmPeer } from './swarm-peer';
import type { Swarm } from './swarm';

export interface SwarmStats {
  /** Payload bytes per second, averaged over some seconds. */
  readonly downloadRate: number;
  readonly uploadRate: number;
  /** Payload bytes since the swarm was made. */
  readonly downloaded: number;
  readonly uploaded: number;
  /** Bytes that failed their hash, and bytes that came in vain. */
  readonly corrupt: number;
  readonly wasted: number;
  /** Bytes of wanted pieces that are verified, and of all wanted pieces. */
  readonly completedBytes: number;
  readonly wantedBytes: number;
  /** Seconds until all wanted pieces are here at the present rate; undefined while nothing moves. */
  readonly eta?: number;
  readonly peers: number;
  readonly seeds: number;
  /** Copies of the rarest wanted piece among the connected peers, seeds counted. */
  readonly rarest: number;
  readonly piecesInFlight: number;
}

/** One peer as the user sees it. */
export interface PeerStats {
  readonly address: string;
  readonly client?: string;
  readonly source?: PeerSource;
  readonly incoming: boolean;
  readonly downloadRate: number;
  readonly uploadRate: number;
  readonly downloaded: number;
  readonly uploaded: number;
  /** Share of the pieces it holds, 0 … 1. */
  readonly progress: number;
  readonly requests: number;
  /** Requests of it that wait. */
  readonly queued: number;
  readonly choking: boolean;
  readonly interested: boolean;
  readonly amChoking: boolean;
  readonly amInterested: boolean;
  readonly optimistic: boolean;
  readonly snubbing: boolean;
  readonly seed: boolean;
  readonly uploadOnly: boolean;
}

export function peerStats(peer: SwarmPeer): PeerStats {
  const { traits, have } = peer;
  return {
    address: traits.address,
    client: traits.client,
    source: traits.source,
    incoming: traits.incoming,
    downloadRate: peer.down.rate,
    uploadRate: peer.up.rate,
    downloaded: peer.down.total,
    uploaded: peer.up.total,
    progress: have.size === 0 ? 1 : have.count / have.size,
    requests: peer.inFlight,
    queued: peer.queue.length,
    choking: peer.choking,
    interested: peer.interested,
    amChoking: peer.amChoking,
    amInterested: peer.amInterested,
    optimistic: peer.optimistic,
    snubbing: peer.snubbing,
    seed: peer.seed,
    uploadOnly: peer.uploadOnly,
  };
}

/** Costs a walk over the pieces: for a page that is looked at, not for every event. */
export function swarmStats(
  swarm: Swarm,
  pieceSize: (piece: number) => number,
): SwarmStats {
  const { picker, down, up } = swarm;
  let completedBytes = 0;
  let wantedBytes = 0;
  let rarest = Infinity;
  const availability = swarm.availability();
  for (let piece = 0; piece < picker.have.size; piece++) {
    if (picker.priority[piece] === 0) continue;
    const size = pieceSize(piece);
    wantedBytes += size;
    if (picker.have.has(piece)) completedBytes += size;
    else rarest = Math.min(rarest, availability[piece]);
  }
  let seeds = 0;
  for (const peer of swarm.peers) if (peer.seed) seeds++;
  const left = wantedBytes - completedBytes;
  return {
    downloadRate: down.rate,
    uploadRate: up.rate,
    downloaded: down.total,
    uploaded: up.total,
    corrupt: swarm.corruptBytes,
    wasted: swarm.wastedBytes,
    completedBytes,
    wantedBytes,
    eta: left === 0 ? 0 : down.rate > 0 ? left / down.rate : undefined,
    peers: swarm.peerCount,
    seeds,
    rarest: rarest === Infinity ? seeds : rarest,
    piecesInFlight: picker.partials.size,
  };
}
