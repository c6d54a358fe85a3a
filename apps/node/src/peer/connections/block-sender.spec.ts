import { BLOCK_SIZE, PIECE_HEADER, writePieceHeader } from '@dnd/wire';
import {
  BlockSender,
  type BlockSource,
  type Frame,
  type Run,
} from './block-sender';

const stride = BLOCK_SIZE + PIECE_HEADER;

/** Piece `p` is full of `p`; what is in `memory` can be lent, and reading a piece brings it there. */
class Pieces implements BlockSource {
  readonly memory = new Set<number>();
  lent = 0;
  fails = false;

  lendNow(piece: number, begin: number, length: number) {
    if (!this.memory.has(piece)) return undefined;
    this.lent++;
    const count = Math.ceil(length / BLOCK_SIZE);
    const bytes = new Uint8Array(length + count * PIECE_HEADER).fill(piece);
    return { bytes, giveBack: () => void this.lent-- };
  }

  readNow(piece: number, begin: number, into: Uint8Array): boolean {
    if (!this.memory.has(piece)) return false;
    into.fill(piece);
    return true;
  }

  async read(piece: number, begin: number, length: number, into: Uint8Array) {
    await new Promise((resolve) => setImmediate(resolve));
    if (this.fails) throw new Error('gone');
    this.memory.add(piece);
    return into.fill(piece);
  }
}

const messages = ({ piece, begin, length, blockLength }: Run): Uint8Array => {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < length; at += blockLength) {
    const size = Math.min(blockLength, length - at);
    const message = new Uint8Array(PIECE_HEADER + size).fill(piece);
    writePieceHeader(message, 0, piece, begin + at, size);
    parts.push(message);
  }
  return Buffer.concat(parts);
};

const run = (piece: number, more: Partial<Run> = {}): Run => ({
  piece,
  begin: BLOCK_SIZE,
  length: 2 * BLOCK_SIZE + 100,
  blockLength: BLOCK_SIZE,
  ...more,
});

describe('BlockSender', () => {
  let pieces: Pieces;
  let framed: { frame: Frame; run: Run }[];
  let unreadable: Run[];

  const sender = (borrows: boolean): BlockSender =>
    new BlockSender(borrows, {
      framed: (frame, count, run) => {
        expect(count).toBe(Math.ceil(run.length / run.blockLength));
        framed.push({ frame, run });
      },
      unreadable: (run) => unreadable.push(run),
    });
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 20; i++)
      await new Promise((resolve) => setImmediate(resolve));
  };

  beforeEach(() => {
    pieces = new Pieces();
    framed = [];
    unreadable = [];
  });

  it.each([true, false])(
    'frames runs in their order, borrowing %s',
    async (borrows) => {
      const sending = sender(borrows);
      pieces.memory.add(2);
      const runs = [
        run(1),
        run(2),
        run(2, { blockLength: 5_000, begin: 7, length: 12_000 }),
        run(3, { begin: 0, length: 10 }),
      ];
      for (const each of runs) sending.send(pieces, each);
      expect(framed).toEqual([]);
      await settled();
      expect(framed.map((each) => each.run)).toEqual(runs);
      for (const { frame, run } of framed)
        expect(Buffer.compare(frame.bytes, messages(run))).toBe(0);
      expect(pieces.lent).toBe(borrows ? 3 : 0);
      for (const { frame } of framed) frame.giveBack?.();
      expect(pieces.lent).toBe(0);
    },
  );

  it('sends at once what is in memory', () => {
    pieces.memory.add(1);
    sender(true).send(pieces, run(1));
    expect(framed[0].frame.bytes.length).toBe(2 * stride + 100 + PIECE_HEADER);
  });

  it('says what cannot be read and goes on', async () => {
    const sending = sender(true);
    pieces.memory.add(2);
    pieces.fails = true;
    sending.send(pieces, run(1));
    sending.send(pieces, run(2));
    await settled();
    expect(unreadable).toEqual([run(1)]);
    expect(framed.map((each) => each.run)).toEqual([run(2)]);
  });

  it('gives back what waits, and what comes later, when the connection ends', async () => {
    const sending = sender(true);
    pieces.memory.add(2);
    sending.send(pieces, run(1));
    sending.send(pieces, run(2));
    expect(pieces.lent).toBe(1);
    sending.end();
    expect(pieces.lent).toBe(0);
    await settled();
    expect(pieces.memory.has(1)).toBe(true);
    expect(pieces.lent).toBe(0);
    expect(framed).toEqual([]);
  });
});
