import { ASKED, BLOCK_LENGTH, DONE, PartialPiece } from './partial-piece';

function piece(blocks = 4): PartialPiece {
  const partial = new PartialPiece();
  partial.begin(3, blocks * BLOCK_LENGTH);
  return partial;
}

describe('PartialPiece', () => {
  it('hands out each block once, in order', () => {
    const partial = piece();
    expect([0, 1, 2, 3, 4].map(() => partial.take(1, 0))).toEqual([
      0, 1, 2, 3, -1,
    ]);
    expect(partial.free).toBe(0);
  });

  it('knows its blocks by where they begin and how long they are', () => {
    const partial = new PartialPiece();
    partial.begin(0, BLOCK_LENGTH + 10);
    expect(partial.blockAt(0, BLOCK_LENGTH)).toBe(0);
    expect(partial.blockAt(BLOCK_LENGTH, 10)).toBe(1);
    for (const [begin, length] of [
      [1, BLOCK_LENGTH],
      [0, 10],
      [BLOCK_LENGTH, BLOCK_LENGTH],
      [2 * BLOCK_LENGTH, 10],
      [2 ** 31, 10],
      [2 ** 32 + BLOCK_LENGTH, 10],
    ])
      expect(partial.blockAt(begin, length)).toBe(-1);
  });

  it('gives a block that was set free to another, and still knows of the first', () => {
    const partial = piece();
    partial.take(1, 0);
    partial.setFree(0);
    expect(partial.take(1, 0)).toBe(1);
    expect(partial.take(2, 0)).toBe(0);
    expect(partial.isAskedOf(0, 1)).toBe(true);
    expect(partial.isAskedOf(0, 2)).toBe(true);
    expect(partial.askedCount(0)).toBe(2);
  });

  it('passes a withdrawn block on to the other that was asked', () => {
    const partial = piece(1);
    partial.take(1, 0);
    partial.addOther(0, 2);
    expect(partial.withdraw(0, 1)).toBe(false);
    expect([partial.state[0], partial.owner[0]]).toEqual([ASKED, 2]);
    expect(partial.withdraw(0, 2)).toBe(true);
    expect(partial.free).toBe(1);
  });

  it('is complete when each block is done, by whomever', () => {
    const partial = piece(2);
    partial.take(1, 0);
    partial.finish(0, 1);
    partial.finish(1, 2);
    expect(partial.complete).toBe(true);
    expect([...partial.state.slice(0, 2)]).toEqual([DONE, DONE]);
    expect(partial.isAskedOf(1, 2)).toBe(false);
  });

  it('forgets all of its past when it is used again', () => {
    const partial = piece(2);
    partial.take(1, 0);
    partial.addOther(0, 2);
    partial.doomed = true;
    partial.end();
    partial.begin(9, 3 * BLOCK_LENGTH);
    expect([partial.free, partial.done, partial.doomed]).toEqual([3, 0, false]);
    expect(partial.isAskedOf(0, 1) || partial.isAskedOf(0, 2)).toBe(false);
  });
});
