import * as fc from 'fast-check';
import { FileLayout, type Laid } from './file-layout';
import type { MetainfoFormat } from './metainfo';
import { planTorrent } from './plan-torrent';

const KIB = 1024;

function layOut(
  format: MetainfoFormat,
  lengths: number[],
  pieceLength: number,
) {
  return planTorrent({
    name: 't',
    format,
    pieceLength,
    files: lengths.map((length, i) => ({
      path: [String(i).padStart(3, '0')],
      length,
    })),
  });
}

const format = fc.constantFrom<MetainfoFormat>('v1', 'v2', 'hybrid');
const laid: fc.Arbitrary<Laid> = fc
  .tuple(format, fc.array(fc.nat(70_000), { minLength: 1, maxLength: 12 }))
  .filter(([, lengths]) => lengths.some((length) => length > 0))
  .map(([kind, lengths]) => layOut(kind, lengths, 16 * KIB));

describe('FileLayout', () => {
  it('finds the files under a piece', () => {
    const layout = new FileLayout(layOut('v1', [10, 0, 5, 100], 64));
    expect(layout.spans(0, 8, 12)).toEqual([
      { fileIndex: 0, fileOffset: 8, length: 2, at: 0 },
      { fileIndex: 2, fileOffset: 0, length: 5, at: 2 },
      { fileIndex: 3, fileOffset: 0, length: 5, at: 7 },
    ]);
    expect(layout.spans(1, 0, 51)).toEqual([
      { fileIndex: 3, fileOffset: 49, length: 51, at: 0 },
    ]);
    expect([0, 1, 2, -1, NaN].map((n) => layout.pieceSize(n))).toEqual([
      64, 51, 0, 0, 0,
    ]);
  });

  it('passes over pads', () => {
    const plan = layOut('hybrid', [100, 200], 16 * KIB);
    const layout = new FileLayout(plan);
    expect(plan.files.map(({ pad }) => pad)).toEqual([false, true, false]);
    expect(layout.pieceSize(0)).toBe(16 * KIB);
    expect(layout.pieceSize(1)).toBe(200);
    expect(layout.spans(0, 50, 16 * KIB)).toEqual([
      { fileIndex: 0, fileOffset: 50, length: 50, at: 0 },
      { fileIndex: 2, fileOffset: 0, length: 50, at: 16 * KIB - 50 },
    ]);
  });

  it('ends v2 pieces with their files', () => {
    const layout = new FileLayout(layOut('v2', [16 * KIB + 1, 0, 7], 16 * KIB));
    expect(layout.pieceCount).toBe(3);
    expect([0, 1, 2].map((n) => layout.pieceSize(n))).toEqual([16 * KIB, 1, 7]);
    expect(layout.torrentOffset(2, 3)).toBe(32 * KIB + 3);
    expect([1, 2, 3].map((n) => layout.requestableSize(n))).toEqual([
      16 * KIB,
      16 * KIB,
      0,
    ]);
    expect(layout.spans(1, 0, 16 * KIB)).toHaveLength(1);
  });

  it('knows the pieces of a file’s range', () => {
    const layout = new FileLayout(layOut('v1', [100, 100, 0], 64));
    expect(layout.piecesOf(0)).toEqual({ first: 0, end: 2 });
    expect(layout.piecesOf(1)).toEqual({ first: 1, end: 4 });
    expect(layout.piecesOf(1, 28, 64)).toEqual({ first: 2, end: 3 });
    expect(layout.piecesOf(2)).toEqual({ first: 3, end: 3 });
  });

  it('counts beyond 32 bits', () => {
    const layout = new FileLayout(layOut('v1', [2 ** 41, 5], 2 ** 24));
    expect(layout.spansAt(2 ** 41 - 1, 3)).toEqual([
      { fileIndex: 0, fileOffset: 2 ** 41 - 1, length: 1, at: 0 },
      { fileIndex: 1, fileOffset: 0, length: 2, at: 1 },
    ]);
  });

  it('covers every byte of every file once, piece by piece', () => {
    fc.assert(
      fc.property(laid, (torrent) => {
        const layout = new FileLayout(torrent);
        const reached = torrent.files.map(() => 0);
        for (let piece = 0; piece < layout.pieceCount; piece++) {
          for (const span of layout.spans(piece, 0, layout.pieceSize(piece))) {
            expect(span.fileOffset).toBe(reached[span.fileIndex]);
            expect(layout.torrentOffset(span.fileIndex, span.fileOffset)).toBe(
              layout.pieceOffset(piece) + span.at,
            );
            reached[span.fileIndex] += span.length;
          }
        }
        expect(reached).toEqual(
          torrent.files.map(({ pad, length }) => (pad ? 0 : length)),
        );
      }),
    );
  });

  it('splits a stretch as it would byte by byte', () => {
    fc.assert(
      fc.property(laid, fc.nat(), fc.nat(40_000), (torrent, start, length) => {
        const layout = new FileLayout(torrent);
        const offset = start % torrent.length;
        const whole = layout.spansAt(offset, length);
        const first = layout.spansAt(offset, length >> 1);
        const second = layout.spansAt(
          offset + (length >> 1),
          length - (length >> 1),
        );
        const total = (spans: typeof whole) =>
          spans.reduce((sum, span) => sum + span.length, 0);
        expect(total(first) + total(second)).toBe(total(whole));
        for (const span of whole) {
          expect(span.at + span.length).toBeLessThanOrEqual(length);
          expect(span.length).toBeGreaterThan(0);
        }
      }),
    );
  });
});
