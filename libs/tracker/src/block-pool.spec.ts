import fc from 'fast-check';
import { BlockPool } from './block-pool';

it('gives out blocks that never overlap, and joins what is freed', () => {
  const step = fc.record({
    order: fc.integer({ min: 1, max: 12 }),
    free: fc.option(fc.nat()),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const pool = new BlockPool(3);
      const held: { block: number; order: number; mark: number }[] = [];
      const check = ({ block, order, mark }: (typeof held)[number]) => {
        const at = pool.offset(block);
        const words = pool.page(block).subarray(at, at + 3 * 2 ** order);
        expect(words.length).toBe(3 * 2 ** order);
        expect(words.every((word) => word === mark)).toBe(true);
      };
      steps.forEach(({ order, free }, i) => {
        if (free !== null && held.length > 0) {
          const [gone] = held.splice(free % held.length, 1);
          check(gone);
          pool.free(gone.block, gone.order);
        } else {
          const block = pool.allocate(order);
          const at = pool.offset(block);
          pool.page(block).fill(i, at, at + 3 * 2 ** order);
          held.push({ block, order, mark: i });
        }
      });
      for (const block of held) check(block);
      for (const { block, order } of held) pool.free(block, order);
      // Everything has joined to whole pages, of which one at most is kept.
      expect(pool.bytes).toBeLessThanOrEqual(65_536 * 3 * 4);
      pool.allocate(16);
      expect(pool.bytes).toBeLessThanOrEqual(65_536 * 3 * 4);
    }),
    { numRuns: 50 },
  );
});
