import { ChordNode, type ChordOutput, type NodeRef } from '@dnd/chord';
import type { Config } from '../config/config';
import type { RingNode } from './ring-node';
import { RingDht } from './ring-dht';

const node = (digit: string): NodeRef => ({
  id: digit.repeat(40),
  host: '10.0.0.1',
  port: 7000 + parseInt(digit, 16),
  incarnation: 1,
});

const counts = { torrent: 1, catalogue: 2, name: 3, client: 4 };

function build() {
  const chord = new ChordNode({ self: node('0'), random: () => 0.5 });
  let now = 0;
  const feed = (input: Parameters<ChordNode['handle']>[0]): ChordOutput[] =>
    chord.handle(input, (now += 1));
  feed({ type: 'join', contacts: [] });
  now = 5_000;
  feed({ type: 'tick' });
  const disk = { counts: () => ({ byKind: counts, between: () => 7 }) };
  const health = undefined;
  const ringNode = { look: () => chord.view(), disk, health };
  const dht = new RingDht(
    ringNode as unknown as RingNode,
    { ring: 'dnd' } as Config,
  );
  return { dht, feed };
}

it('tells of every node known now, also of those whose coming changed no neighbour', async () => {
  const { dht, feed } = build();
  expect((await dht.ring()).nodes).toHaveLength(1);
  const others = [...'123495678'].map(node);
  let changes = 0;
  for (const other of others) {
    const beacon = { node: other, state: 'member' as const };
    for (const { type } of feed({ type: 'beacon', beacon }))
      if (type === 'changed') changes++;
  }
  expect(changes).toBeLessThan(others.length);
  const ring = await dht.ring();
  expect(ring.nodes.map(({ id }) => id[0])).toEqual([...'0123456789']);
  expect(ring.nodes[3]).toEqual({
    id: '3'.repeat(40),
    address: '10.0.0.1:7003',
    state: 'alive',
    incarnation: 1,
  });
  expect(ring.successors.map((id) => id[0])).toEqual([...'1234']);
  expect(ring.predecessor?.[0]).toBe('9');
  expect(ring.ranges).toHaveLength(10);
  expect(ring.records).toEqual({ ...counts, swarm: 0 });
  expect(ring.replication).toMatchObject({ wanted: 3, repairing: false });
});
