import type { RingDto } from '@dnd/api-client';
import {
  ownersOf,
  pictureOf,
  pointAt,
  radius,
  shareOf,
  turnOf,
} from './ring-picture';

const id = (first: string): string => first.padEnd(40, '0');
const node = (first: string, state: 'alive' | 'dead' = 'alive') => ({
  id: id(first),
  address: '127.0.0.1:7000',
  state,
  incarnation: 1,
});

function ringOf(...nodes: ReturnType<typeof node>[]): RingDto {
  return {
    name: 'dnd',
    self: nodes[0],
    successors: nodes.slice(1).map((n) => n.id),
    fingers: [],
    nodes,
    ranges: [],
    records: { torrent: 0, catalogue: 0, name: 0, client: 0, swarm: 0 },
    replication: {
      wanted: 3,
      underReplicated: 0,
      repairing: false,
      foreign: 0,
    },
  };
}

describe('the picture of the ring', () => {
  it('begins at the top and runs clockwise', () => {
    expect(turnOf(id('4'))).toBe(0.25);
    expect(pointAt(0)).toEqual({ x: 0, y: -radius });
    expect(pointAt(0.25)).toEqual({ x: radius, y: -0 });
  });

  it('measures ranges over the top', () => {
    expect(shareOf(id('c'), id('4'))).toBe(0.5);
    expect(shareOf(id('4'), id('c'))).toBe(0.5);
    expect(shareOf(id('4'), id('4'))).toBe(1);
  });

  it('finds the nodes that keep a key, without the dead', () => {
    const ring = ringOf(
      node('1'),
      node('5'),
      node('8', 'dead'),
      node('9'),
      node('d'),
    );
    const owners = (key: string) =>
      ownersOf(ring, id(key)).map((owner) => owner.id[0]);
    expect(owners('6')).toEqual(['9', 'd', '1']);
    expect(owners('5')).toEqual(['5', '9', 'd']);
    expect(owners('e')).toEqual(['1', '5', '9']);
    expect(ownersOf(ringOf(node('1')), id('5'))).toHaveLength(1);
  });

  it('keeps labels at the sides apart', () => {
    const { nodes } = pictureOf(ringOf(node('40'), node('401'), node('402')));
    const ys = nodes.map(({ label }) => label.y).sort((a, b) => a - b);
    expect(ys[1] - ys[0]).toBeGreaterThanOrEqual(15);
    expect(ys[2] - ys[1]).toBeGreaterThanOrEqual(15);
  });
});
