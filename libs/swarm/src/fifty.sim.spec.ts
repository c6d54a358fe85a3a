/**
 * Fifty peers, eleven of them bad: all honest ones finish within 1.15 × what the lines allow at best,
 * none of them is banned, and those that corrupt are. `npx nx simulate swarm` runs twenty worlds; a
 * seed that fails is replayed by `DND_SWARM_SEEDS=seed` (or `first-last`).
 */
import { SwarmSimulation, type Conduct } from './testing/swarm-simulation';

const pieceLength = 128 * 1024;
const pieceCount = 512;
const size = pieceCount * pieceLength;

const bad: readonly Conduct[] = [
  'snubbing',
  'snubbing',
  'snubbing',
  'rejecting',
  'rejecting',
  'rejecting',
  'corrupting',
  'corrupting',
  'corrupting',
  'dribbling',
  'dribbling',
];
const honest = 50 - bad.length;
const seeders = 2;

/** The world, and the earliest time (ms) at which all can be complete: the fluid bound of the lines. */
function worldOf(seed: number): { simulation: SwarmSimulation; ideal: number } {
  const simulation = new SwarmSimulation({
    seed,
    pieceCount,
    pieceLength,
    latency: 25,
  });
  const down = 8e6;
  let seeds = 0;
  let all = 0;
  for (let i = 0; i < honest; i++) {
    const isSeed = i < seeders;
    const isSlow = i % 6 === 5;
    const up = isSeed ? 3e6 : isSlow ? 5e5 : 1e6 + 1e6 * simulation.random();
    simulation.add({ name: `honest${i}`, seed: isSeed, up, down });
    if (isSeed) seeds += up;
    all += up;
  }
  bad.forEach((conduct, i) =>
    simulation.add({
      name: `${conduct}${i}`,
      conduct,
      seed: conduct === 'corrupting' || conduct === 'dribbling',
      up: 2e6,
    }),
  );
  simulation.connectAll();
  const shared = ((honest - seeders) * size) / all;
  return {
    simulation,
    ideal: 1_000 * Math.max(size / seeds, size / down, shared),
  };
}

function wantedSeeds(): number[] {
  const given = process.env['DND_SWARM_SEEDS'] ?? '1';
  const [first, last = first] = given.split('-').map(Number);
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

it.each(wantedSeeds())(
  'fifty peers finish in time (seed %i)',
  (seed) => {
    const { simulation, ideal } = worldOf(seed);
    const complete = simulation.run(ideal * 3);
    const good = simulation.nodes.filter(({ conduct }) => conduct === 'honest');
    const banned = new Set(good.flatMap((node) => [...node.bannedNames]));
    const last = Math.max(...good.map(({ finishedAt }) => finishedAt));
    expect(complete).toBe(true);
    expect([...banned].sort()).toEqual([
      'corrupting6',
      'corrupting7',
      'corrupting8',
    ]);
    expect(last / ideal).toBeLessThan(1.15);
  },
  300_000,
);
