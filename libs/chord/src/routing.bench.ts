/**
 * `nx bench chord`: one routing step, and one whole question through the state machine, in the
 * tables of a settled ring. Both have 20 µs of CPU time in a ring of 100.
 */
import { Random } from '@dnd/sim';
import { RingSimulation } from '../sim/ring-simulation';
import type { ChordMessage } from './messages';
import { preceding, route } from './routing';

export interface RoutingFigures {
  readonly contacts: number;
  /** Microseconds of CPU for each. */
  readonly route: number;
  readonly preceding: number;
  readonly find: number;
  /** Of all answers, so that none of the work can be left out. */
  readonly checksum: number;
}

export function measureRouting(nodes: number, rounds: number): RoutingFigures {
  const random = new Random(1);
  const ring = new RingSimulation({ seed: 1 });
  ring.startSettled(nodes);
  ring.time.run(10_000);
  const chord = ring.members[0]?.chord;
  if (!chord) throw new Error('no ring');
  const { self, predecessor, successors, contacts } = chord.view();
  const table = contacts.map(({ node }) => ({ node, usable: true }));
  const view = { self, predecessor, successors, complete: false, table };
  const keys = Array.from({ length: 1_024 }, () => random.hex(40));
  const asker = ring.members[1]?.self ?? self;
  const key = (i: number) => keys[i & 1_023] as string;
  const now = ring.time.now;
  let checksum = 0;
  const cpuOf = (step: (i: number) => void): number => {
    for (let i = 0; i < rounds / 10; i++) step(i);
    const before = process.cpuUsage();
    for (let i = 0; i < rounds; i++) step(i);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / rounds;
  };
  return {
    contacts: table.length,
    route: cpuOf((i) => (checksum += route(view, key(i), 3).nodes.length)),
    preceding: cpuOf(
      (i) => (checksum += preceding(table, self.id, key(i), 8).length),
    ),
    find: cpuOf((i) => {
      const message: ChordMessage = {
        v: 1,
        type: 'find',
        member: true,
        key: key(i),
        count: 3,
      };
      const input = { type: 'request', call: i, from: asker, message } as const;
      checksum += chord.handle(input, now).length;
    }),
    checksum,
  };
}
