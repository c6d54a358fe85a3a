import { forEachSeed, seeds } from '@dnd/sim';
import { digestOf } from './record';
import type { RecordKey } from './record';
import { SimulatedRing } from './simulated-ring.contract';

function keyFor(item: string): RecordKey {
  return { kind: 'name', place: digestOf(Buffer.from(item)), item };
}

describe('a quiet ring of records', () => {
  it.each([1, 2, 3, 4, 7])(
    'reads at every node what one wrote (%i nodes)',
    (nodes) => {
      const ring = new SimulatedRing({ seed: nodes, nodes });
      ring.run(2_000);
      const members = ring.live;
      for (let i = 0; i < 20; i++)
        ring.put(ring.random.pick(members), keyFor(`item ${i}`), `value ${i}`);
      ring.run(1_000);
      expect(ring.counts).toEqual({ acknowledged: 20, failed: 0 });
      expect(ring.unreadable()).toEqual([]);
      ring.run(60_000);
      expect(ring.misplaced()).toEqual([]);
      expect(ring.broken()).toEqual([]);
    },
  );
});

describe('one permanent loss', () => {
  it('loses nothing that was acknowledged', () => {
    forEachSeed(seeds(20), (seed) => {
      const ring = new SimulatedRing({ seed, nodes: 5 });
      ring.run(2_000);
      for (let i = 0; i < 20; i++)
        ring.put(ring.random.pick(ring.live), keyFor(`item ${i}`), `v${i}`);
      ring.run(ring.random.uniform() * 100);
      ring.lose(ring.random.pick(ring.live));
      ring.run(60_000);
      expect(ring.lost()).toEqual([]);
      expect(ring.unreadable()).toEqual([]);
      expect(ring.misplaced()).toEqual([]);
    });
  });
});
