/** Everything at once happens to small rings, and the checks themselves are checked. */
import { forEachSeed, seeds } from '@dnd/sim';
import { soak } from '../sim/soak';
import type { NodeRef } from './node-ref';
import type { RingRules } from './rules';
import { ringRules } from './rules';

const ORDEAL_MS = 30_000;

describe('a ring under all faults', () => {
  it('keeps its invariants, becomes whole again, answers rightly and falls silent', () => {
    const branches = new Set<string>();
    const list = seeds(80);
    forEachSeed(list, (seed) => {
      const result = soak({ seed, ordealMs: ORDEAL_MS, traceLines: 60 });
      if (result.violations.length > 0) {
        throw new Error(`${result.violations.join('\n')}\n${result.trace}`);
      }
      for (const [name, count] of Object.entries(result.counters)) {
        if (count > 0) branches.add(name);
      }
    });
    if (list.length === 1) return;
    // The rare branches really ran.
    const rare =
      'busy stale gone left returned suspected dead late duplicated refused cut';
    expect([...branches]).toEqual(expect.arrayContaining(rare.split(' ')));
  });

  it('does the same again for the same seed, and something else for another', () => {
    const hash = (seed: number) => soak({ seed, ordealMs: 10_000 }).traceHash;
    expect(hash(3)).toBe(hash(3));
    expect(hash(3)).not.toBe(hash(4));
  });
});

describe('the checks notice', () => {
  const mutations: Record<string, Partial<RingRules>> = {
    'a list adopted without its head': {
      successors: (self, responding, length) =>
        ringRules.successors(self, responding, length + 1).slice(1),
    },
    'a list that is not sorted': {
      successors: (self, responding, length) =>
        ringRules.successors(self, responding, length).reverse(),
    },
    'a list that repeats its head': {
      successors: (self, responding, length) => {
        const list = ringRules.successors(self, responding, length);
        return [...list.slice(0, 1), ...list].slice(0, length);
      },
    },
    'a list shorter than it should be': {
      successors: (self, responding) =>
        ringRules.successors(self, responding, 2),
    },
    'a predecessor that is never replaced': { precedes: () => false },
    'the farther of two predecessors': {
      precedes: (current: NodeRef, candidate: NodeRef, self: string) =>
        !ringRules.precedes(current, candidate, self),
    },
  };

  it.each(Object.entries(mutations))('%s', (_, rules) => {
    const caught = Array.from({ length: 8 }, (_, i) => i + 1).some((seed) => {
      const { violations } = soak({ seed, rules, ordealMs: 20_000 });
      return violations.length > 0;
    });
    expect(caught).toBe(true);
  });
});
