/** One thing at a time happens to small rings of production nodes on a working network. */
import { seeds } from '@dnd/sim';
import type { Answer, SimNode } from '../sim/ring-simulation';
import { RingSimulation } from '../sim/ring-simulation';

function whole(ring: RingSimulation, limit = 10_000): number {
  const took = ring.settle(limit);
  expect(ring.flaws()).toEqual([]);
  return took;
}

function ask(ring: RingSimulation, node: SimNode, key: string): Answer {
  let answer: Answer | undefined;
  node.lookup(key, (given) => (answer = given));
  ring.time.run(10_500);
  if (!answer) throw new Error('a lookup was never answered');
  return answer;
}

describe.each(seeds(3))('a ring (seed %i)', (seed) => {
  it('is formed by one node alone within two seconds', () => {
    const ring = new RingSimulation({ seed });
    const [node] = ring.start(1) as [SimNode];
    expect(whole(ring, 2_000)).toBeGreaterThan(900);
    const answer = ask(ring, node, ring.random.hex(40));
    expect(answer.nodes).toEqual([node.self]);
    expect(answer.hops).toBe(0);
  });

  it.each([2, 3, 5, 12])(
    'is one ring of %i nodes that started within a second',
    (count) => {
      const ring = new RingSimulation({ seed });
      ring.start(count, 1_000);
      ring.time.run(1_000);
      expect(whole(ring)).toBeLessThan(4_000);
    },
  );

  it('becomes one of three that formed alone, unheard by each other', () => {
    const ring = new RingSimulation({ seed, faults: { multicastDrop: 1 } });
    ring.start(3);
    ring.time.run(5_000);
    expect(ring.counters['formed']).toBe(3);
    ring.network.faults = { ...ring.network.faults, multicastDrop: 0 };
    expect(whole(ring)).toBeLessThan(3_000);
  });

  it('grows from 3 to 12 and shrinks to 3, and always answers rightly', () => {
    const ring = new RingSimulation({ seed });
    ring.startSettled(3);
    while (ring.nodes.length < 12) {
      ring.add().start();
      expect(whole(ring)).toBeLessThan(4_000);
    }
    while (ring.running.length > 3) {
      const node = ring.random.pick(ring.members);
      if (ring.random.chance(0.5)) node.leave();
      else node.crash();
      ring.time.run(3_000);
      if (node.chord?.mode === 'left') node.crash();
      whole(ring);
    }
    const key = ring.random.hex(40);
    for (const node of ring.members) {
      const { nodes } = ask(ring, node, key);
      expect(nodes.map((n) => n.id)).toEqual(ring.owners(key, 3));
    }
  });

  it('routes round a node that was killed within four seconds, silent or refusing', () => {
    for (const refuse of [0, 1]) {
      const ring = new RingSimulation({ seed, faults: { refuse } });
      ring.startSettled(8);
      ring.time.run(60_000);
      ring.random.pick(ring.members).crash();
      expect(whole(ring)).toBeLessThan(4_000);
    }
  });

  it('survives the loss of three nodes in a row at once', () => {
    const ring = new RingSimulation({ seed, faults: { refuse: 0 } });
    ring.startSettled(12);
    for (const node of ring.members.slice(4, 7)) node.crash();
    expect(whole(ring)).toBeLessThan(6_000);
  });

  it('is joined through given contacts where there is no multicast, however late they come', () => {
    const ring = new RingSimulation({ seed, multicast: false });
    const first = ring.add();
    const others = [ring.add(), ring.add(), ring.add()];
    for (const node of others) node.start([first]);
    ring.time.run(20_000);
    expect(ring.counters['formed']).toBe(3);
    first.start([first]);
    expect(whole(ring, 30_000)).toBeLessThan(25_000);
  });

  it('knows all its nodes in a while without multicast', () => {
    const ring = new RingSimulation({ seed, multicast: false });
    const first = ring.add();
    first.start();
    for (let i = 1; i < 12; i++) ring.add().start([first]);
    ring.time.run(60_000);
    for (const node of ring.members) {
      const known = node.chord
        ?.view()
        .contacts.filter((c) => c.state === 'alive');
      expect(known).toHaveLength(11);
    }
  });

  it('takes a restarted node back, with its id and without', () => {
    for (const disk of ['kept', 'lost'] as const) {
      const ring = new RingSimulation({ seed });
      ring.startSettled(6);
      const node = ring.random.pick(ring.members);
      const { id } = node.self;
      node.restart(disk);
      expect(whole(ring)).toBeLessThan(6_000);
      expect(node.self.id === id).toBe(disk === 'kept');
      expect(ring.members).toHaveLength(6);
    }
  });

  it('lets a node go in order at once', () => {
    const ring = new RingSimulation({ seed });
    ring.startSettled(6);
    const node = ring.random.pick(ring.members);
    node.leave();
    ring.time.run(500);
    expect(node.chord?.mode).toBe('left');
    expect(ring.flaws(ring.members)).toEqual([]);
    expect(ring.counters['dead'] ?? 0).toBe(0);
  });

  it('does not believe a node that slept that the others are gone', () => {
    const ring = new RingSimulation({ seed });
    ring.startSettled(6);
    ring.time.run(20_000);
    const sleeper = ring.random.pick(ring.members);
    sleeper.events.length = 0;
    sleeper.host.pause(20_000);
    ring.time.run(15_000);
    const others = ring.members.filter((node) => node !== sleeper);
    expect(ring.flaws(others)).toEqual([]);
    ring.time.run(5_000);
    expect(whole(ring)).toBeLessThan(4_000);
    expect(sleeper.events.filter(({ event }) => event === 'dead')).toEqual([]);
  });

  it('is whole in each part of a parted network, and one when it heals', () => {
    for (const multicast of [true, false]) {
      const ring = new RingSimulation({ seed, multicast });
      const first = ring.add();
      first.start();
      for (let i = 1; i < 10; i++) ring.add().start(multicast ? [] : [first]);
      whole(ring, 30_000);
      const parts = [0, 1].map((part) =>
        ring.nodes.filter((_, i) => i % 2 === part),
      );
      ring.network.partition(parts.map((part) => part.map((n) => n.self)));
      ring.time.run(60_000);
      for (const part of parts) expect(ring.flaws(part)).toEqual([]);
      ring.network.heal();
      // Five beacon periods; without multicast the longest back-off of a ping to the dead.
      expect(whole(ring, 60_000)).toBeLessThan(multicast ? 10_000 : 40_000);
    }
  });
});

it('a large ring does not answer a newcomer with all its voices', () => {
  const ring = new RingSimulation({ seed: 1 });
  ring.startSettled(250);
  ring.time.run(20_000);
  const before = ring.counters['beacon'] ?? 0;
  const newcomer = ring.add();
  newcomer.start();
  ring.time.run(2_000);
  expect(newcomer.member).toBe(true);
  // 20 a second of the ring itself, as many again for each time that the newcomer asks.
  expect((ring.counters['beacon'] ?? 0) - before).toBeLessThan(150);
  expect(whole(ring)).toBeLessThan(4_000);
});

describe('two rings that know nothing of each other', () => {
  it('become one when one node of each meets, without multicast and with small tables', () => {
    for (const seed of seeds(3)) {
      const ring = new RingSimulation({
        seed,
        multicast: false,
        settings: { contacts: 0 },
      });
      const [a, b] = [ring.add(), ring.add()];
      a.start();
      b.start();
      for (let i = 0; i < 36; i++) {
        ring.time.run(300);
        ring.add().start([i % 2 ? b : a]);
      }
      ring.time.run(10_000);
      const halves = [0, 1].map((half) =>
        ring.nodes.filter((_, i) => i % 2 === half),
      );
      for (const half of halves) expect(ring.flaws(half)).toEqual([]);
      // It knocks at one node of either ring.
      ring.add().start([a, b]);
      expect(whole(ring, 60_000)).toBeLessThan(30_000);
    }
  });
});

describe('identity', () => {
  it('of two hosts with copies of one disk one takes a new id', () => {
    for (const seed of seeds(20)) {
      const ring = new RingSimulation({ seed });
      ring.startSettled(4);
      const original = ring.random.pick(ring.members);
      const copy = ring.add(original.self.id);
      // The same start or a later one, as the copy's disk says.
      copy.self = { ...copy.self, incarnation: ring.random.range(1, 2) };
      copy.start();
      ring.time.run(20_000);
      expect(original.self.id).not.toBe(copy.self.id);
      whole(ring);
      expect(ring.counters['renamed']).toBe(1);
    }
  });

  it('a node from an old backup takes a higher incarnation and is let in', () => {
    for (const seed of seeds(20)) {
      const ring = new RingSimulation({ seed });
      ring.startSettled(4);
      const node = ring.random.pick(ring.members);
      node.restart('kept');
      ring.time.run(10_000);
      const { id } = node.self;
      node.self = { ...node.self, incarnation: 0 };
      node.crash();
      node.start();
      ring.time.run(10_000);
      expect(node.self.id).toBe(id);
      expect(node.self.incarnation).toBeGreaterThan(2);
      whole(ring);
    }
  });
});
