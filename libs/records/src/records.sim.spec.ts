/**
 * The production records in a simulated ring. `nx test records -- --seed 42` replays one seed,
 * `nx sim records -- --seeds 1000 --from 1` runs many.
 */
import { forEachSeed, seeds } from '@dnd/sim';
import type { Trace } from '@dnd/sim';
import { isTombstone } from './record';
import type { RecordMeta } from './record';
import { Records } from './records';
import type { DropCase } from './repair';
import {
  healing,
  keyFor,
  losses,
  migration,
  mustPass,
  ordeal,
  partitions,
  powerFailure,
  serialLosses,
} from './scenarios.contract';
import { SimulatedRing } from './simulated-ring.contract';

/** `share` of 1,000 seeds. */
const some = (share: number): number[] => seeds(1_000 * share);

describe('a quiet ring of records', () => {
  it.each([1, 2, 3, 4, 7])(
    'reads at every node what one wrote (%i nodes)',
    (nodes) => {
      const ring = new SimulatedRing({ seed: nodes, nodes });
      ring.run(2_000);
      for (let i = 0; i < 20; i++)
        ring.ledger.put(
          ring.random.pick(ring.live),
          keyFor(`item ${i}`),
          `value ${i}`,
        );
      ring.run(1_000);
      expect(ring.ledger.counts).toEqual({ acknowledged: 20, failed: 0 });
      expect(ring.ledger.unreadable()).toEqual([]);
      ring.run(60_000);
      expect(ring.ledger.misplaced()).toEqual([]);
      expect(ring.ledger.broken()).toEqual([]);
    },
  );
});

describe('what was acknowledged is never lost', () => {
  it('by one permanent loss at any moment, and two more after repair', () => {
    forEachSeed(some(1), (seed) => mustPass(losses, seed));
  });

  it('by all machines losing power at once', () => {
    forEachSeed(some(0.1), (seed) => mustPass(powerFailure, seed));
  });

  it('by copies moving to newcomers', () => {
    forEachSeed(some(0.1), (seed) => mustPass(migration, seed));
  });

  it('by twelve nodes being replaced one every five seconds', () => {
    forEachSeed(some(0.006), (seed) => mustPass(serialLosses, seed));
  });

  it('by all of it together, for two minutes', () => {
    forEachSeed(some(0.1), (seed) => mustPass(ordeal, seed));
  });

  it('by a network that falls apart and heals', () => {
    forEachSeed(some(0.05), (seed) => mustPass(partitions, seed));
  });
});

describe('with the real ring', () => {
  const realRing = true;

  it('nothing is lost with a node', () => {
    forEachSeed(some(0.02), (seed) => mustPass(losses, seed, { realRing }));
  });

  it('nothing is lost when all lose power', () => {
    forEachSeed(some(0.01), (seed) =>
      mustPass(powerFailure, seed, { realRing }),
    );
  });

  it('nothing is lost when copies move', () => {
    forEachSeed(some(0.01), (seed) => mustPass(migration, seed, { realRing }));
  });

  it('nothing is lost when all of it happens', () => {
    forEachSeed(some(0.02), (seed) => mustPass(ordeal, seed, { realRing }));
  });

  it('nothing is lost when the network falls apart', () => {
    forEachSeed(some(0.01), (seed) => mustPass(partitions, seed, { realRing }));
  });
});

describe('a network in parts that heals', () => {
  it.each([
    [10, 2],
    [10, 5],
  ])(
    'of %i nodes in %i parts is one ring with equal replicas within a minute',
    (nodes, parts) => {
      const result = healing({
        seed: nodes + parts,
        nodes,
        parts,
        apartMs: 60_000,
        writes: 40,
      });
      expect(result.problems).toEqual([]);
      expect(result.acknowledged).toBeGreaterThan(30);
      expect(result.beaconPeriods).toBeLessThanOrEqual(5);
      expect(result.equalAfter).toBeLessThanOrEqual(60_000);
    },
  );
});

class DropsEarly extends Records {
  protected override mayDrop(copy: DropCase): boolean {
    return !copy.owners.slice(0, 3).some(({ id }) => id === copy.self);
  }
}

class IgnoresTombstones extends Records {
  protected override admit(record: RecordMeta): boolean {
    return !isTombstone(record);
  }
}

describe('the checks notice', () => {
  it.each([
    ['a copy dropped early', migration, { variant: DropsEarly }],
    ['an acknowledgement before the disk', powerFailure, { lyingDisk: true }],
    ['a deletion ignored', losses, { variant: IgnoresTombstones }],
  ])('%s', (_name, scenario, variant) => {
    const caught = Array.from({ length: 20 }, (_, i) =>
      scenario(i + 1, variant),
    );
    expect(caught.filter((problems) => problems.length > 0)).not.toEqual([]);
  });
});

it('a seed that fails is told with what happened last', () => {
  const seed = 7;
  const broken = () => ['a copy is missing'];
  const rings: string[] = [];
  const scenario = (_: number, { trace } = {} as { trace?: Trace }) => {
    trace?.record(1, '10.0.0.1 crash');
    rings.push(trace ? 'with a trace' : 'without');
    return broken();
  };
  const run = () => forEachSeed([seed], (s) => mustPass(scenario, s));
  expect(run).toThrow(
    /^seed 7 \(replay it with -- --seed 7\): a copy is missing\n1\.000 10\.0\.0\.1 crash$/,
  );
  expect(rings).toEqual(['without', 'with a trace']);
});
