/** Small runs of what the program promises in figures; the large ones are run by hand. */
import { Random, forEachSeed, seeds } from '@dnd/sim';
import { churn } from '../paper/churn';
import { StaticRing } from '../paper/static-ring';
import { garbageStart } from '../sim/garbage';
import { RingSimulation } from '../sim/ring-simulation';

function measure(ring: StaticRing, random: Random, lookups: number) {
  let [path, timeouts, wrong] = [0, 0, 0];
  for (let i = 0; i < lookups; i++) {
    const key = random.hex(40);
    const { nodes, hops, confirmed, timeouts: missed } = ring.lookup(key);
    path += hops + (confirmed ? 1 : 0);
    timeouts += missed;
    if (nodes[0]?.id !== ring.owner(key)) wrong++;
  }
  return { path: path / lookups, timeouts: timeouts / lookups, wrong };
}

describe('lookups in a ring of 1,000 with lists of 20', () => {
  it.each([
    [0, 3.84, 0],
    [0.2, 4.22, 1.17],
    [0.5, 5.09, 5.1],
  ])(
    'of which %d fail at once are all right, paths and time-outs as in the paper',
    (share, path, timeouts) => {
      const random = new Random(7);
      const ring = new StaticRing(1_000, 20, random);
      ring.fail(share);
      const measured = measure(ring, random, 1_000);
      expect(measured.wrong).toBe(0);
      expect(Math.abs(measured.path - path)).toBeLessThan(0.3);
      expect(Math.abs(measured.timeouts - timeouts)).toBeLessThan(0.9);
    },
  );
});

describe('a ring under churn', () => {
  it('answers 99 % of lookups with one hop when its nodes know each other', () => {
    const result = churn({
      seed: 1,
      nodes: 20,
      rate: 0.1,
      lookups: 600,
      lookupsPerSecond: 5,
      settings: {},
      multicast: true,
    });
    expect(result.failures).toBeGreaterThan(3);
    expect(result.withinOneHop).toBeGreaterThanOrEqual(0.99);
    expect(result.wrongOrFailed).toBeLessThan(12);
  });
});

describe('a ring that starts from garbage', () => {
  it('always becomes ideal, 99 % within ten rounds', () => {
    const list = seeds(150);
    const rounds: number[] = [];
    let flaws = 0;
    forEachSeed(list, (seed) => {
      const result = garbageStart(seed);
      if (result.rounds === Infinity) throw new Error('never became ideal');
      rounds.push(result.rounds);
      flaws += result.flaws;
    });
    rounds.sort((a, b) => a - b);
    expect(rounds[Math.floor(0.99 * (rounds.length - 1))]).toBeLessThanOrEqual(
      10,
    );
    if (list.length > 1) expect(flaws).toBeGreaterThan(list.length);
  });
});

describe('a parted ring', () => {
  it.each([
    [10, 2],
    [30, 5],
  ])(
    'of %i nodes in %i parts is one within five beacon periods',
    (count, parts) => {
      const ring = new RingSimulation({
        seed: 5,
        faults: { multicastDrop: 0.2 },
      });
      ring.startSettled(count);
      ring.network.partition(
        Array.from({ length: parts }, (_, part) =>
          ring.nodes.filter((_, i) => i % parts === part).map((n) => n.self),
        ),
      );
      ring.time.run(300_000);
      expect(ring.flaws().length).toBeGreaterThan(0);
      ring.network.heal();
      expect(ring.settle(60_000)).toBeLessThanOrEqual(5 * 2_000);
    },
  );
});
