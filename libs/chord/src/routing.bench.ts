/**
 * `nx bench chord`: one routing step, and one whole question through the state machine, in the
 * tables of a ring of 100. Both have 20 µs of CPU time.
 */
import { Random } from '@dnd/sim';
import { RingSimulation } from '../sim/ring-simulation';
import type { ChordMessage } from './messages';
import { preceding, route } from './routing';

const NODES = 100;
const rounds = Number(process.argv[2] ?? 200_000);
const random = new Random(1);
const ring = new RingSimulation({ seed: 1 });
ring.startSettled(NODES);
ring.time.run(10_000);
const chord = ring.members[0]?.chord;
if (!chord) throw new Error('no ring');
const { self, predecessor, successors, contacts } = chord.view();
const table = contacts.map(({ node }) => ({ node, usable: true }));
const view = { self, predecessor, successors, complete: false, table };
const keys = Array.from({ length: 1_024 }, () => random.hex(40));
const asker = ring.members[7]?.self ?? self;
const key = (i: number) => keys[i & 1_023] as string;
let sum = 0;

measure('route', (i) => (sum += route(view, key(i), 3).nodes.length));
measure(
  'preceding',
  (i) => (sum += preceding(table, self.id, key(i), 8).length),
);
const now = ring.time.now;
measure('handle a find', (i) => {
  const message: ChordMessage = {
    v: 1,
    type: 'find',
    member: true,
    key: key(i),
    count: 3,
  };
  const input = { type: 'request', call: i, from: asker, message } as const;
  sum += chord.handle(input, now).length;
});
console.log(`${table.length} contacts, checksum ${sum}`);

function measure(name: string, step: (i: number) => void): void {
  for (let i = 0; i < rounds / 10; i++) step(i);
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) step(i);
  const { user, system } = process.cpuUsage(before);
  console.log(`${name}: ${((user + system) / rounds).toFixed(2)} µs of CPU`);
}
