import { Bitfield } from '@dnd/metainfo';
import fc from 'fast-check';
import { PieceOrder } from './piece-order';
import { seededRandom } from './testing/seeded-random';

const COUNT = 40;

function fieldOf(pieces: readonly number[]): Bitfield {
  const field = new Bitfield(COUNT);
  for (const piece of pieces) field.add(piece);
  return field;
}

const piece = fc.nat(COUNT - 1);
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), piece }),
  fc.record({ do: fc.constant('delete' as const), piece }),
  fc.record({ do: fc.constant('more' as const), piece }),
  fc.record({ do: fc.constant('all' as const), pieces: fc.array(piece) }),
);

describe('PieceOrder', () => {
  it('names the same best piece as a plain search, whatever happened before', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 7 }), {
          minLength: COUNT,
          maxLength: COUNT,
        }),
        fc.array(step, { maxLength: 120 }),
        fc.array(piece),
        fc.nat(),
        (priorities, steps, held, seed) => {
          const priority = Uint8Array.from(priorities);
          const order = new PieceOrder(COUNT, priority, seededRandom(seed));
          const listed = new Set<number>();
          const seen = new Uint16Array(COUNT);
          for (const change of steps) {
            if (change.do === 'add') {
              order.add(change.piece);
              listed.add(change.piece);
            } else if (change.do === 'delete') {
              order.delete(change.piece);
              listed.delete(change.piece);
            } else if (change.do === 'more') {
              order.change(change.piece, 1);
              seen[change.piece]++;
            } else {
              const field = fieldOf(change.pieces);
              order.changeAll(field, 1);
              for (const each of new Set(change.pieces)) seen[each]++;
            }
          }
          expect(order.length).toBe(listed.size);
          expect(order.availability).toEqual(seen);
          const have = fieldOf(held);
          const key = (p: number) => (8 - priority[p]) * 1_000 + seen[p];
          const candidates = [...listed].filter((p) => have.has(p));
          const least = Math.min(...candidates.map(key));
          const best = order.best(have, () => true);
          if (candidates.length === 0) expect(best).toBe(-1);
          else expect([best, key(best)]).toEqual([best, least]);
          const any = order.any(have, () => true);
          expect(any < 0).toBe(candidates.length === 0);
          const top = Math.max(...candidates.map((p) => priority[p]));
          const first = candidates
            .filter((p) => priority[p] === top)
            .sort((a, b) => a - b)[0];
          expect(order.first(have, () => true)).toBe(first ?? -1);
        },
      ),
    );
  });

  it('draws among equals', () => {
    const priority = new Uint8Array(COUNT).fill(4);
    const order = new PieceOrder(COUNT, priority, seededRandom(1));
    for (let p = 0; p < COUNT; p++) order.add(p);
    const full = Bitfield.full(COUNT);
    const drawn = new Set(
      Array.from({ length: 400 }, () => order.best(full, () => true)),
    );
    expect(drawn.size).toBe(COUNT);
  });

  it('leaves out what is not allowed, also for peers that hold little', () => {
    const priority = new Uint8Array(COUNT).fill(4);
    const order = new PieceOrder(COUNT, priority, seededRandom(1));
    for (let p = 0; p < COUNT; p++) order.add(p);
    const few = fieldOf([3, 9]);
    expect(order.best(few, (p) => p !== 3)).toBe(9);
    expect(order.best(few, () => false)).toBe(-1);
    order.change(9, 1);
    expect(order.best(few, (p) => p !== 3, true)).toBe(-1);
  });

  it('stays quick with a hundred thousand pieces and two hundred peers', () => {
    const many = 100_000;
    const priority = new Uint8Array(many).fill(4);
    const order = new PieceOrder(many, priority, seededRandom(1));
    for (let p = 0; p < many; p++) order.add(p);
    let looks = 0;
    const allowed = () => {
      looks++;
      return true;
    };
    const random = seededRandom(2);
    const peers = Array.from({ length: 200 }, () => {
      const have = new Bitfield(many);
      for (let i = 0; i < 50; i++) have.add(Math.floor(random() * many));
      order.changeAll(have, 1);
      return have;
    });
    for (const have of peers)
      for (let i = 0; i < 10; i++) order.delete(order.best(have, allowed));
    // Pieces looked at one by one, of 2,000 choices among 100,000 pieces.
    expect(looks).toBeLessThan(200_000);
    expect(order.length).toBe(many - 2_000);
  });
});
