/**
 * Rings that start from garbage: every node's lists hold any responding nodes in any order, its
 * predecessor is anybody, some of them are dead, and half of the beacons are lost.
 */
import { createHash } from 'node:crypto';
import type { NodeRef, RingId, RingRules } from '../src/index';
import { defaultSettings, ringRules } from '../src/index';
import { Random } from '@dnd/sim';
import { RingSimulation } from './ring-simulation';

export interface GarbageResult {
  /** Stabilisation periods from garbage to the ideal ring, Infinity when never within 60. */
  readonly rounds: number;
  /** How far from the ideal ring it began. */
  readonly flaws: number;
}

export function garbageStart(seed: number): GarbageResult {
  const random = new Random(seed + 1_000_003);
  let mad = true;
  // Garbage that stays as it is: each node has an order of its own for all others.
  const salt = random.hex(8);
  const rank = (self: RingId, id: RingId) =>
    createHash('sha1').update(`${salt}${self}${id}`).digest('hex');
  const rules: RingRules = {
    successors(self, responding, length) {
      if (!mad) return ringRules.successors(self, responding, length);
      const kept = parseInt(rank(self, '').slice(0, 4), 16) % (length + 1);
      return [...responding]
        .sort((a, b) => (rank(self, a.id) < rank(self, b.id) ? -1 : 1))
        .slice(0, kept);
    },
    precedes: (current: NodeRef, candidate: NodeRef, self) =>
      mad
        ? rank(self, current.id) < rank(self, candidate.id)
        : ringRules.precedes(current, candidate, self),
  };
  const ring = new RingSimulation({
    seed,
    rules,
    faults: { multicastDrop: 0.5, refuse: random.int(2) },
  });
  ring.start(random.range(1, 10), 1_000);
  ring.time.run(random.range(2_000, 8_000));
  for (const node of ring.nodes) {
    if (ring.running.length > 1 && random.chance(0.2)) node.crash();
  }
  mad = false;
  const flaws = ring.flaws().length;
  const took = ring.settle(60 * defaultSettings.stabiliseMs);
  return { rounds: took / defaultSettings.stabiliseMs, flaws };
}
