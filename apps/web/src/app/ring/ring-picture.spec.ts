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

  it('moves labels outwards until none touches another', () => {
    const crowd = Array.from({ length: 5 }, (_, i) => node(`4${i}`));
    const { nodes } = pictureOf(ringOf(...crowd), (at) => at.slice(0, 6));
    const labels = nodes.map(({ label }) => label);
    expect(labels[0]?.leader).toBeUndefined();
    for (const [i, a] of labels.entries()) {
      for (const b of labels.slice(i + 1)) {
        const apart = Math.abs((a?.y ?? 0) - (b?.y ?? 0)) >= 16;
        const beside = Math.abs((a?.x ?? 0) - (b?.x ?? 0)) >= 45;
        expect(apart || beside).toBe(true);
      }
    }
  });

  it('leaves labels away where there are too many nodes', () => {
    const crowd = Array.from({ length: 30 }, (_, i) =>
      node((10 + i).toString(16)),
    );
    const { nodes } = pictureOf(ringOf(...crowd), () => 'name');
    expect(nodes.every(({ label }) => label === undefined)).toBe(true);
  });
});
