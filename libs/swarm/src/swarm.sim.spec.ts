import { SwarmSimulation } from './testing/swarm-simulation';
import type { NodeOptions } from './testing/swarm-simulation';

const MIB = 1024 * 1024;

function oneToEight(seed: number, pieceLength: number, size: number) {
  const world = new SwarmSimulation({
    seed,
    pieceCount: size / pieceLength,
    pieceLength,
  });
  const seeder = world.add({ name: 'seed', seed: true, uploadLimit: 20e6 });
  for (let i = 0; i < 8; i++)
    world.add({ name: `leech${i}`, up: 200e6, down: 400e6 });
  world.connectAll();
  const done = world.run(120_000);
  const last = Math.max(...world.nodes.map((node) => node.finishedAt));
  return {
    done,
    ratio: last / ((size / 20e6) * 1000),
    copies: (seeder.blocksSent * 16384) / size,
  };
}

describe('one limited seed and eight downloaders', () => {
  it.each([1, 2, 3])(
    'all complete soon after the seed has sent each piece once (seed %i)',
    (seed) => {
      const { done, ratio, copies } = oneToEight(seed, MIB, 64 * MIB);
      console.log(ratio, copies);
      expect(done).toBe(true);
      expect(ratio).toBeLessThan(1.15);
      expect(copies).toBeLessThan(1.1);
    },
  );
});
