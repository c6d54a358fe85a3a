/** Between the announce table and the ring's packed peers: what clients said here, and what a swarm's owners answer. */
import {
  ANNOUNCED_PEER_BYTES,
  packPeer,
  unpackPeers,
  type SwarmPut,
  type SwarmState,
} from '@dnd/records';
import type { ChangedPeer, ChangeSink, SwarmCopy } from '@dnd/tracker';

const SEED = 1;
const GONE = 2;
const PARTIAL = 4;

/** Makes of the table's changes what the owners are told. */
export class ToldSwarms implements ChangeSink {
  private readonly puts: SwarmPut[] = [];
  private swarmName = '';
  private completed = 0;
  /** The peers of the swarm at hand. */
  private packed = new Uint8Array(64 * ANNOUNCED_PEER_BYTES);
  private view = new DataView(this.packed.buffer);
  private filled = 0;

  swarm(infoHash: Uint8Array, completed: number): void {
    this.finish();
    this.swarmName = Buffer.from(infoHash).toString('hex');
    this.completed = completed;
  }

  peer({ ip, port, peerId, seed, partial, gone, seconds }: ChangedPeer): void {
    if (this.filled === this.packed.length) this.grow();
    const peer = {
      address: ip,
      port,
      id: peerId,
      flags: (seed ? SEED : 0) | (gone ? GONE : 0) | (partial ? PARTIAL : 0),
      ttl: seconds * 1000,
    };
    packPeer(peer, this.view, this.filled);
    this.filled += ANNOUNCED_PEER_BYTES;
  }

  /** All that was gathered. */
  take(): SwarmPut[] {
    this.finish();
    return this.puts;
  }

  private finish(): void {
    if (this.swarmName === '') return;
    const { swarmName: swarm, completed } = this;
    const peers = this.packed.slice(0, this.filled);
    this.puts.push({ swarm, peers, want: 0, seeds: true, completed });
    this.swarmName = '';
    this.filled = 0;
  }

  private grow(): void {
    const grown = new Uint8Array(this.packed.length * 4);
    grown.set(this.packed);
    this.packed = grown;
    this.view = new DataView(grown.buffer);
  }
}

export function copyOf(state: Omit<SwarmState, 'print'>): SwarmCopy {
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
