import fc from 'fast-check';
import { SWARM, SwarmIndex } from './swarm-index';

const words = (n: number) => new Uint32Array([n, 0, 0, n >>> 3, 7]);

it('finds what was added and not removed, and nothing else', () => {
  const step = fc.record({ name: fc.nat({ max: 300 }), remove: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 600 }), fc.nat(), (steps, key) => {
      const index = new SwarmIndex(key, 2);
      const model = new Map<number, number>();
      for (const { name, remove } of steps) {
        const swarm = model.get(name);
        if (remove && swarm !== undefined) {
          index.remove(swarm);
          model.delete(name);
          expect(index.isUsed(swarm)).toBe(false);
        } else if (!remove && swarm === undefined)
          model.set(name, index.insert(words(name)));
      }
      expect(index.size).toBe(model.size);
      expect(new Set(model.values()).size).toBe(model.size);
      for (let name = 0; name <= 300; name++)
        expect(index.find(words(name))).toBe(model.get(name) ?? -1);
    }),
    { numRuns: 50 },
  );
});

it('hands a number out again with a clean record', () => {
  const index = new SwarmIndex(1, 2);
  const swarm = index.insert(words(1));
  index.page(swarm)[index.base(swarm) + SWARM.completed] = 9;
  index.remove(swarm);
  expect(index.insert(words(2))).toBe(swarm);
  expect(index.page(swarm)[index.base(swarm) + SWARM.completed]).toBe(0);
});
