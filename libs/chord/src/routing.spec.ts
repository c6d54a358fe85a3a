import * as fc from 'fast-check';
import type { NodeRef, RingId } from './node-ref';
import { plusPowerOfTwo, shareOfRing } from './ring-id';
import type { Routable, RoutingView } from './routing';
import { firstAtOrAfter, route } from './routing';

const ringId = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const ring = fc.uniqueArray(ringId, { minLength: 1, maxLength: 24 });

/** What the node at `index` of a whole ring holds. */
function viewAt(ids: RingId[], index: number, length: number): RoutingView {
  const sorted = [...ids].sort();
  const size = sorted.length;
  const table: Routable[] = sorted.map((id) => ({
    node: { id, host: 'h', port: 1, incarnation: 1 },
    usable: true,
  }));
  const at = (i: number) => (table[(i + size) % size] as Routable).node;
  const self = at(index);
  const successors = Array.from(
    { length: Math.min(length, size - 1) },
    (_, n) => at(index + 1 + n),
  );
  return {
    self,
    predecessor: size > 1 ? at(index - 1) : undefined,
    successors,
    complete: successors.length < length,
    // Of all nodes it knows its successors and every third.
    table: table.filter(
      ({ node }, i) =>
        node !== self && (i % 3 === 0 || successors.includes(node)),
    ),
  };
}

function trueOwners(ids: RingId[], key: RingId, count: number): RingId[] {
  const sorted = [...ids].sort();
  const first = sorted.findIndex((id) => id >= key);
  const from = first < 0 ? 0 : first;
  return [...sorted.slice(from), ...sorted.slice(0, from)].slice(0, count);
}

const idsOf = (nodes: readonly NodeRef[]) => nodes.map((n) => n.id);

describe('route', () => {
  it('leads every key from every node to its first successors, nearer with each hop', () => {
    fc.assert(
      fc.property(ring, ringId, fc.nat(), (ids, key, start) => {
        const sorted = [...ids].sort();
        let index = start % ids.length;
        for (let hops = 0; hops <= ids.length; hops++) {
          const answer = route(viewAt(ids, index, 4), key, 3);
          if (answer.done) {
            expect(idsOf(answer.nodes).slice(0, 3)).toEqual(
              trueOwners(ids, key, 3),
            );
            return;
          }
          const next = sorted.indexOf(answer.nodes[0]?.id ?? '');
          const left = (i: number) => shareOfRing(sorted[i] as string, key);
          expect(left(next)).toBeLessThan(left(index));
          index = next;
        }
        throw new Error('went round in circles');
      }),
    );
  });

  it('names the node itself for every key of a ring of one', () => {
    const view = viewAt(['0'.repeat(40)], 0, 4);
    expect(idsOf(route(view, 'f'.repeat(40), 3).nodes)).toEqual([
      '0'.repeat(40),
    ]);
  });

  it('names no node that is not usable as the next to ask', () => {
    const ids = Array.from({ length: 20 }, (_, i) =>
      (i * 13).toString(16).padStart(2, '0').padEnd(40, '0'),
    );
    const view = viewAt(ids, 0, 2);
    const table = view.table.map((entry, i) => ({
      ...entry,
      usable: i % 2 === 0,
    }));
    const { done, nodes } = route({ ...view, table }, 'ff'.padEnd(40, '0'), 2);
    const usable = table.filter((e) => e.usable).map((e) => e.node.id);
    expect(done).toBe(true);
    const far = route(
      { ...view, table, predecessor: undefined },
      'f0'.padEnd(40, '0'),
      2,
    );
    expect(far.done).toBe(false);
    expect(usable).toEqual(expect.arrayContaining(idsOf(far.nodes)));
    expect(nodes[0]?.id).toBe(view.self.id);
  });
});

describe('firstAtOrAfter', () => {
  it('is where sorting would put the key', () => {
    fc.assert(
      fc.property(ring, ringId, (ids, key) => {
        const table = [...ids].sort().map((id) => ({
          node: { id, host: 'h', port: 1, incarnation: 1 },
          usable: true,
        }));
        const index = table.findIndex(({ node }) => node.id >= key);
        expect(firstAtOrAfter(table, key)).toBe(
          index < 0 ? table.length : index,
        );
      }),
    );
  });
});

describe('ring identifiers', () => {
  it('add powers of two around the ring', () => {
    expect(plusPowerOfTwo('0'.repeat(40), 0)).toBe('1'.padStart(40, '0'));
    expect(plusPowerOfTwo('f'.repeat(40), 0)).toBe('0'.repeat(40));
    expect(plusPowerOfTwo('8'.padEnd(40, '0'), 159)).toBe('0'.repeat(40));
  });

  it('measure the way from one to another', () => {
    expect(shareOfRing('0'.repeat(40), '4'.padEnd(40, '0'))).toBe(0.25);
    expect(shareOfRing('c'.padEnd(40, '0'), '4'.padEnd(40, '0'))).toBe(0.5);
  });
});
