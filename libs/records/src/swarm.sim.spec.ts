/**
 * Peers of swarms in a simulated ring: nobody is handed out after his time, nobody who left comes
 * back, and the owners' deaths lose no swarm; with clocks that are wrong by a minute, pauses and
 * partitions.
 */
import { forEachSeed, seeds } from '@dnd/sim';
import { hours, Tracker } from './clocks.contract';
import type { SwarmAnswer } from './message';
import { digestOf } from './record';
import { SimulatedRing, type RingOptions } from './simulated-ring.contract';

/** A ring that has come to rest in which six peers of one swarm were announced. */
function sixPeers(options: RingOptions, rest = 2_000) {
  const ring = new SimulatedRing(options);
  ring.run(rest);
  const swarm = digestOf(Buffer.from(`swarm ${options.seed}`));
  const tracker = new Tracker(ring, swarm);
  for (let i = 0; i < 6; i++) tracker.announce(1_000 + i);
  ring.run(1_000);
  return { ring, swarm, tracker };
}

describe('the peers of a swarm', () => {
  it('are not handed out after their time, whatever clocks and network do', () => {
    // A day for each seed in `nx paper records` (R8), an hour and a half in every run.
    forEachSeed(seeds(4), (seed) =>
      expect(hours(seed, 90).problems).toEqual([]),
    );
  });

  it('are still there when any node dies, the owner included', () => {
    forEachSeed(seeds(8), (seed) => {
      const { ring, tracker } = sixPeers({ seed, nodes: 5 });
      // Each death is followed by a birth and some time to hand over.
      for (let i = 0; i < 5; i++) {
        ring.lose(ring.random.pick(ring.live));
        ring.run(3_500);
        let seen: number[] = [];
        tracker.ask(ring.random.pick(ring.live), (ports) => (seen = ports));
        ring.run(1_500);
        expect(seen.length).toBe(6);
        ring.add();
        ring.run(15_000);
      }
    });
  });

  it('are still there after each of three nodes has lost its memory, one right after the other', () => {
    forEachSeed(seeds(20), (seed) => {
      const { ring, swarm } = sixPeers({ seed, nodes: 3 }, 15_000);
      for (const node of [...ring.live]) {
        ring.crash(node);
        ring.run(2_000);
        ring.restart(node);
        ring.run(4_000);
      }
      for (const { records } of ring.live)
        expect([...records.peersOf(swarm)]).toHaveLength(6);
    });
  });

  it('are still there when each of three nodes dies as soon as the one before is back', () => {
    forEachSeed(seeds(20), (seed) => {
      const { ring, swarm } = sixPeers(
        { seed, nodes: 3, realRing: true },
        15_000,
      );
      for (const node of [...ring.live]) {
        ring.crash(node);
        ring.run(300);
        ring.restart(node);
        for (let i = 0; i < 1_000 && ring.ringFlaws().length > 0; i++)
          ring.run(10);
        expect(ring.ringFlaws()).toEqual([]);
        ring.run(20);
      }
      ring.run(2_000);
      for (const { records } of ring.live)
        expect([...records.peersOf(swarm)]).toHaveLength(6);
    });
  });

  it('are looked at for news at any node, while owners die and others join', () => {
    forEachSeed(seeds(8), (seed) => {
      const { ring, tracker } = sixPeers({ seed, nodes: 5 });
      const look = (known: Partial<SwarmAnswer>) => {
        const seen: (SwarmAnswer | undefined)[] = [];
        for (const node of ring.live)
          tracker.glance(node, known, (now) => seen.push(now));
        ring.run(4_000);
        return seen;
      };
      const [first, ...others] = look({ leechers: 5 });
      expect(first?.leechers).toBe(6);
      expect(others).toEqual(others.map(() => first));
      expect(look(first ?? {})).toEqual(ring.live.map(() => undefined));
      ring.lose(ring.random.pick(ring.live));
      ring.add();
      expect(look({})).toEqual(ring.live.map(() => first));
    });
  });

  it('are followed by news alone while nobody dies, and found anew when an owner has', () => {
    forEachSeed(seeds(8), (seed) => {
      const { ring, tracker } = sixPeers({ seed, nodes: 6 });
      const follower = ring.random.pick(ring.live);
      const following = tracker.follow(follower);
      ring.run(700);
      expect(following).toEqual({ leechers: 6, glances: 1, news: 1 });
      for (let more = 1; more <= 5; more++) {
        tracker.announce(2_000 + more);
        ring.run(2_000);
        expect(following.leechers).toBe(6 + more);
      }
      tracker.leave(2_001);
      ring.run(2_000);
      expect(following).toMatchObject({ leechers: 10, glances: 1 });
      for (let death = 0; death < 3; death++) {
        ring.lose(
          ring.random.pick(ring.live.filter((node) => node !== follower)),
        );
        ring.run(10_000);
        tracker.announce(3_000 + death);
        ring.run(2_000);
        expect(following.leechers).toBe(11 + death);
        ring.add();
        ring.run(15_000);
      }
    });
  });

  it('show at any other node within two seconds', () => {
    const ring = new SimulatedRing({ seed: 5, nodes: 6 });
    ring.run(2_000);
    const tracker = new Tracker(ring, digestOf(Buffer.from('swarm')));
    tracker.announce(1_234);
    ring.run(1_000);
    const seen: number[][] = [];
    for (const node of ring.live)
      tracker.ask(node, (ports) => seen.push(ports));
    ring.run(1_000);
    expect(seen).toEqual(ring.live.map(() => [1_234]));
  });
});
