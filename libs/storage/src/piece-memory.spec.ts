import fc from 'fast-check';
import { PieceMemory } from './piece-memory';

describe('PieceMemory', () => {
  it('never holds more than its limit, whatever is taken and given', () => {
    const sizes = fc.integer({ min: 1, max: 200_000 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), sizes)), (steps) => {
        const memory = new PieceMemory({ limit: 500_000 });
        const taken: SharedArrayBuffer[] = [];
        for (const [take, size] of steps) {
          if (take) {
            const before = memory.used;
            const buffer = memory.take(size);
            if (buffer) taken.push(buffer);
            else
              expect(before + PieceMemory.rounded(size)).toBeGreaterThan(
                500_000,
              );
            if (buffer) expect(buffer.byteLength).toBeGreaterThanOrEqual(size);
          } else {
            const buffer = taken.shift();
            if (buffer) memory.give(buffer);
          }
          const used = taken.reduce(
            (sum, { byteLength }) => sum + byteLength,
            0,
          );
          expect(memory.used).toBe(used);
          expect(memory.allocated).toBeGreaterThanOrEqual(used);
          expect(memory.allocated).toBeLessThanOrEqual(500_000);
        }
        memory.trim();
        expect(memory.allocated).toBe(memory.used);
      }),
    );
  });

  it('uses a buffer again', () => {
    const memory = new PieceMemory({ limit: 100_000 });
    const buffer = memory.take(20_000) as SharedArrayBuffer;
    memory.give(buffer);
    expect(memory.take(32_768)).toBe(buffer);
  });
});
