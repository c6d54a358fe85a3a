/**
 * Which connection to give up when all places are taken and somebody new could be of more use.
 */
import type { SwarmPeer } from './swarm-peer';

/** A connection is given this long to prove itself, ms. */
const GRACE = 30_000;
/** And may be idle for this long, ms. */
const IDLE = 60_000;

/**
 * The connection of least use, or undefined when all are young or busy: of those that transfer
 * nothing, the ones that neither have what we want nor want what we have go first.
 */
export function leastUseful(
  peers: Iterable<SwarmPeer>,
  now: number,
): SwarmPeer | undefined {
  let worst: SwarmPeer | undefined;
  for (const peer of peers) {
    if (now - peer.connectedAt < GRACE || isBusy(peer, now)) continue;
    if (worst === undefined || useOf(peer) < useOf(worst)) worst = peer;
  }
  return worst;
}

function isBusy(peer: SwarmPeer, now: number): boolean {
  if (peer.up.rate > 0 || peer.down.rate > 0) return true;
  return peer.down.total > 0 && now - peer.lastBlockAt < IDLE;
}

function useOf(peer: SwarmPeer): number {
  const weWant = peer.wanted > 0 ? 2 : 0;
  const theyWant = peer.interested ? 1 : 0;
  const bytes = peer.down.total + peer.up.total;
  return weWant + theyWant + (peer.snubbing ? -2 : 0) + bytes / (bytes + 1e9);
}
