import fc from 'fast-check';
import { HashIndex } from './hash-index';

const seed = Uint32Array.of(7, 9);
const hash = (n: number): Buffer => Buffer.alloc(20, n);

it('keeps what a map of strings keeps, whatever the order', () => {
  const step = fc.record({
    add: fc.boolean(),
    n: fc.integer({ min: 0, max: 60 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const index = new HashIndex(seed, 40);
      const model = new Map<string, number>();
      for (const { add, n } of steps) {
        const key = hash(n);
        if (add) {
          const entry = index.add(key);
          const known = model.get(key.toString('hex'));
          if (known === undefined && model.size === 40) expect(entry).toBe(-1);
          else {
            if (known !== undefined) expect(entry).toBe(known);
            expect(index.bytes(entry)).toEqual(key);
            model.set(key.toString('hex'), entry);
          }
        } else {
          const entry = index.find(key);
          expect(entry).toBe(model.get(key.toString('hex')) ?? -1);
          if (entry < 0) continue;
          index.remove(entry);
          model.delete(key.toString('hex'));
        }
        expect(index.size).toBe(model.size);
        expect(new Set(model.values()).size).toBe(model.size);
      }
      for (const [hex, entry] of model)
        expect(index.find(Buffer.from(hex, 'hex'))).toBe(entry);
    }),
  );
});

it('grows beyond its first thousand, and finds keys inside longer bytes', () => {
  const index = new HashIndex(seed, 100_000);
  const key = (n: number): Buffer => {
    const bytes = Buffer.alloc(24);
    bytes.writeUInt32BE(n, 10);
    return bytes;
  };
  for (let n = 0; n < 5_000; n++) expect(index.add(key(n), 4)).toBe(n);
  for (let n = 0; n < 5_000; n++) expect(index.find(key(n), 4)).toBe(n);
  expect(index.find(key(5_000), 4)).toBe(-1);
  expect(index.capacity).toBeGreaterThanOrEqual(5_000);
});
