import {
  HybridClock,
  isStamp,
  makeStamp,
  MAX_AHEAD_MS,
  stampAfter,
  stampTime,
} from './stamp';
import { compareVersions, mergeVersions, supersedes } from './record';
import type { Version } from './record';
import { compareSwarmVersions, mergeSwarmVersions } from './swarm-table';
import type { SwarmVersion } from './swarm-table';
import { mergeLists } from './list';
import type { PlaceAnswer } from './message';
import fc from 'fast-check';

const ids = ['a', 'b', 'c'].map((letter) => letter.repeat(40));
const id = fc.constantFrom(...ids);
const stamp = fc
  .record({ time: fc.nat(3), count: fc.nat(2), origin: id })
  .map(({ time, count, origin }) => makeStamp(time, count, origin));
const version: fc.Arbitrary<Version> = fc.record({
  stamp,
  digest: fc.constantFrom('', '1'.repeat(40), '2'.repeat(40)),
});
const swarmVersion: fc.Arbitrary<SwarmVersion> = fc.record({
  sequence: fc.nat(3),
  origin: id,
  deadline: fc.nat(5),
});

/** A merge that replicas may apply in any order, any number of times. */
function isSemilattice<V>(value: fc.Arbitrary<V>, merge: (a: V, b: V) => V) {
  fc.assert(
    fc.property(value, value, value, (a, b, c) => {
      expect(merge(a, b)).toEqual(merge(b, a));
      expect(merge(merge(a, b), c)).toEqual(merge(a, merge(b, c)));
      expect(merge(a, a)).toEqual(a);
    }),
    { numRuns: 1_000 },
  );
}

describe('merging', () => {
  it('of records is commutative, associative and idempotent', () => {
    isSemilattice(version, mergeVersions);
  });

  it('of peers is commutative, associative and idempotent', () => {
    isSemilattice(swarmVersion, mergeSwarmVersions);
  });

  it('of lists takes the later version of each item', () => {
    const item = fc.record({ item: fc.constantFrom('x', 'y', 'z'), version });
    fc.assert(
      fc.property(fc.array(item), fc.array(item), (left, right) => {
        const both = mergeLists([listOf(left), listOf(right)]);
        expect(both.items).toEqual(
          mergeLists([listOf(right), listOf(left)]).items,
        );
        for (const { item: name, version: v } of [...left, ...right]) {
          const found = both.items.find((i) => i.item === name);
          expect(found && compareVersions(found, v)).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  it('lets a deletion win over a value of the same stamp', () => {
    const at = makeStamp(1, 0, ids[0] as string);
    const value = { stamp: at, digest: '9'.repeat(40) };
    const deletion = { stamp: at, digest: '' };
    expect(mergeVersions(value, deletion)).toBe(deletion);
  });

  it('never lets an equal sequence live longer', () => {
    const origin = ids[0] as string;
    const early = { sequence: 7, origin, deadline: 10 };
    const late = { sequence: 7, origin, deadline: 20 };
    expect(mergeSwarmVersions(late, early)).toBe(early);
    expect(compareSwarmVersions(early, late)).toBeGreaterThan(0);
  });
});

describe('a hybrid clock', () => {
  const origin = ids[1] as string;

  it('gives stamps that grow, whatever the wall clock does and others say', () => {
    const step = fc.oneof(
      fc.record({ wall: fc.nat(100_000) }),
      fc.record({ wall: fc.nat(100_000), heard: stamp }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const clock = new HybridClock(origin);
        let last = '';
        for (const one of steps) {
          if ('heard' in one && clock.observe(one.heard, one.wall))
            last = last > one.heard ? last : one.heard;
          const next = clock.next(one.wall);
          expect(next > last).toBe(true);
          expect(isStamp(next)).toBe(true);
          last = next;
        }
      }),
    );
  });

  it('borrows the next millisecond when one is full', () => {
    const clock = new HybridClock(origin);
    clock.restore(makeStamp(5, 0xffff, origin));
    expect(clock.next(0)).toBe(makeStamp(6, 0, origin));
    expect(stampAfter(makeStamp(5, 0xffff, origin), '', origin)).toBe(
      makeStamp(6, 0, origin),
    );
  });

  it('refuses a stamp more than 30 s ahead and does not follow it', () => {
    const clock = new HybridClock(origin);
    expect(clock.observe(makeStamp(MAX_AHEAD_MS, 0, origin), 0)).toBe(true);
    expect(clock.observe(makeStamp(MAX_AHEAD_MS + 1, 0, origin), 0)).toBe(
      false,
    );
    expect(stampTime(clock.next(0))).toBe(MAX_AHEAD_MS);
  });

  it('follows any stamp of a record that is written over', () => {
    fc.assert(
      fc.property(stamp, stamp, (a, b) => {
        const after = stampAfter(a, b, origin);
        expect(after > a && after > b).toBe(true);
      }),
    );
  });
});

function listOf(
  items: readonly { item: string; version: Version }[],
): PlaceAnswer {
  const place = '0'.repeat(40);
  const newest = new Map<string, Version>();
  for (const { item, version: v } of items)
    if (supersedes(v, newest.get(item))) newest.set(item, v);
  return {
    place,
    version: '',
    unchanged: false,
    complete: true,
    items: [...newest].map(([item, v]) => ({
      kind: 'name' as const,
      place,
      item,
      size: 0,
      ...v,
    })),
  };
}
