import { pieceMap } from './piece-map';

const base64 = (...bytes: number[]) => btoa(String.fromCharCode(...bytes));

describe('pieceMap', () => {
  const pieces = {
    count: 10,
    length: 16_384,
    have: base64(0b1010_0000, 0b0100_0000),
    inFlight: [1],
    availability: base64(0, 3, 0, 0, 1, 1, 1, 1, 1, 9),
  };

  it('gives each piece a cell where there is room', () => {
    const { cells, have, each } = pieceMap(pieces, 100);
    expect(each).toBe(1);
    expect(have).toBe(3);
    expect(cells).toHaveLength(10);
    expect(cells[0]).toEqual({ have: 1, inFlight: false, copies: undefined });
    expect(cells[1]).toEqual({ have: 0, inFlight: true, copies: 3 });
    expect(cells[3].copies).toBe(0);
    expect(cells[9].have).toBe(1);
  });

  it('counts whole copies, and the share of a further one', () => {
    expect(pieceMap(pieces, 100).copies).toBe(0.7);
    const none = { ...pieces, count: 0, availability: '' };
    expect(pieceMap(none, 100).copies).toBe(0);
  });

  it('sums pieces where there is not', () => {
    const { cells, each } = pieceMap(pieces, 4);
    expect(each).toBe(3);
    expect(cells).toHaveLength(4);
    expect(cells[0]).toEqual({ have: 2 / 3, inFlight: true, copies: 3 });
  });
});
