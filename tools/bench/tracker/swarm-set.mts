/** The swarms and peers that every load announces: the same ones in every run. */
import { createHash } from 'node:crypto';

export interface SwarmSet {
  readonly hashes: readonly Buffer[];
  /** `hashes` as they stand in a URL. */
  readonly escaped: readonly string[];
  /** Peers of each swarm; peer p listens on `basePort + p`. */
  readonly peers: number;
}

export const basePort = 10_000;

export function swarmSet(count: number, peers: number): SwarmSet {
  const hashes = Array.from({ length: count }, (_, i) =>
    createHash('sha1').update(`bench ${i}`).digest(),
  );
  const escaped = hashes.map((hash) =>
    [...hash].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''),
  );
  return { hashes, escaped, peers };
}

export const peerId = (peer: number): string =>
  `-BE0001-${String(peer).padStart(12, '0')}`;

/** xorshift32: the loads draw the same swarms in each run. */
export function dice(seed: number): (below: number) => number {
  let x = seed | 1;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/** What a load saw. Every answer is checked; `bad` are those that were no answer to what was asked. */
export interface LoadResult {
  readonly answers: number;
  readonly bad: number;
  readonly lost: number;
  readonly peersPerAnswer: number;
  readonly seconds: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

export class Latencies {
  private readonly samples: number[] = [];
  private seen = 0;

  add(milliseconds: number): void {
    if (this.seen++ % 16 === 0) this.samples.push(milliseconds);
  }

  at(share: number): number {
    const sorted = this.samples.sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length * share)] ?? 0;
  }
}
