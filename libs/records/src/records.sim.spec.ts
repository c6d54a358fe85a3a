/**
 * The production records in a simulated ring. `nx test records -- --seed 42` replays one seed;
 * `nx run records:sim --seeds 100000 --from 1` runs many of them.
 */
import { forEachSeed, seeds } from '@dnd/sim';
import { isTombstone } from './record';
import type { RecordMeta } from './record';
import { Records } from './records';
import type { DropCase } from './repair';
import {
  keyFor,
  losses,
  migration,
  partitions,
  powerFailure,
} from './scenarios.contract';
import { SimulatedRing } from './simulated-ring.contract';

/** `share` of the seeds asked for, or of 1,000. */
function some(share: number): number[] {
  const asked = Number(process.env['DND_SEEDS'] ?? 1_000);
  const from = Number(process.env['DND_FROM'] ?? 1);
  if (process.env['DND_SEED'] !== undefined) return seeds(1);
  return Array.from({ length: Math.ceil(asked * share) }, (_, i) => from + i);
}

function passes(scenario: (seed: number) => string[]) {
  return (seed: number): void => {
    const problems = scenario(seed);
    if (problems.length > 0) throw new Error(problems.slice(0, 5).join('\n'));
  };
}

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
    forEachSeed(some(0.75), passes(losses));
  });

  it('by all machines losing power at once', () => {
    forEachSeed(some(0.1), passes(powerFailure));
  });

  it('by copies moving to newcomers', () => {
    forEachSeed(some(0.1), passes(migration));
  });

  it('by a network that falls apart and heals', () => {
    forEachSeed(some(0.05), passes(partitions));
  });
});

describe('with the real ring', () => {
  const realRing = true;

  it('nothing is lost with a node', () => {
    forEachSeed(
      some(0.02),
      passes((seed) => losses(seed, { realRing })),
    );
  });

  it('nothing is lost when all lose power', () => {
    forEachSeed(
      some(0.01),
      passes((seed) => powerFailure(seed, { realRing })),
    );
  });

  it('nothing is lost when copies move', () => {
    forEachSeed(
      some(0.01),
      passes((seed) => migration(seed, { realRing })),
    );
  });

  it('nothing is lost when the network falls apart', () => {
    forEachSeed(
      some(0.01),
      passes((seed) => partitions(seed, { realRing })),
    );
  });
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
