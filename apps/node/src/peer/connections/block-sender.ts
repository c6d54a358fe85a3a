/**
 * Reads verified runs of blocks and frames them for one connection, in the order in which they are
 * given: a run that must come from the disk holds back those behind it. Whole blocks are framed where
 * they lie in the storage's memory and sent from there; others are copied.
 */
import type { Loan } from '@dnd/storage';
import { BLOCK_SIZE, PIECE_HEADER, writePieceHeader } from '@dnd/wire';

/** Of @dnd/storage, what sending needs; a loan has `PIECE_HEADER` bytes before each block. */
export interface BlockSource {
  readNow(piece: number, begin: number, into: Uint8Array): boolean;
  lendNow?(piece: number, begin: number, length: number): Loan | undefined;
  read(
    piece: number,
    begin: number,
    length: number,
    into: Uint8Array,
  ): Promise<Uint8Array>;
}

export interface Run {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
  readonly blockLength: number;
}

/** Whole piece messages, one after another. */
export interface Frame {
  readonly bytes: Uint8Array;
  /** Set when the bytes are lent: nobody reads them any more. */
  giveBack?(): void;
}

export interface SenderEvents {
  /** The frame holds the run's `count` piece messages; the taker gives it back. */
  framed(frame: Frame, count: number, run: Run): void;
  /** The run's bytes are not there (any more). */
  unreadable(run: Run): void;
}

interface Waiting {
  readonly run: Run;
  state: Frame | 'reading' | 'failed';
}

export class BlockSender {
  private readonly waiting: Waiting[] = [];
  private ended = false;

  /** `borrows`: frames are given back in time, so they may be lent. */
  constructor(
    private readonly borrows: boolean,
    private readonly events: SenderEvents,
  ) {}

  send(source: BlockSource, run: Run): void {
    if (this.ended) return;
    const ready = this.borrow(source, run) ?? copyNow(source, run);
    if (ready && this.waiting.length === 0) {
      this.events.framed(ready, countOf(run), run);
      return;
    }
    const waiting: Waiting = { run, state: ready ?? 'reading' };
    this.waiting.push(waiting);
    if (!ready) void this.read(source, waiting);
  }

  /** The connection is over. */
  end(): void {
    this.ended = true;
    for (const { state } of this.waiting.splice(0))
      if (typeof state === 'object') state.giveBack?.();
  }

  private borrow(source: BlockSource, run: Run): Frame | undefined {
    if (!this.borrows || run.blockLength !== BLOCK_SIZE) return undefined;
    const loan = source.lendNow?.(run.piece, run.begin, run.length);
    if (loan) writeHeaders(run, loan.bytes);
    return loan;
  }

  private async read(source: BlockSource, waiting: Waiting): Promise<void> {
    const { run } = waiting;
    try {
      const frame = await this.fetch(source, run);
      if (this.ended) return frame.giveBack?.();
      waiting.state = frame;
    } catch {
      // The storage's owner hears by itself what is wrong.
      waiting.state = 'failed';
    }
    if (!this.ended) this.drain();
  }

  private async fetch(source: BlockSource, run: Run): Promise<Frame> {
    // One byte brings those around it into memory.
    await source.read(run.piece, run.begin, 1, oneByte);
    const loan = this.borrow(source, run);
    if (loan) return loan;
    const bytes = emptyFrame(run);
    for (let block = 0; block < countOf(run); block++) {
      const into = placeOf(run, bytes, block);
      const begin = run.begin + block * run.blockLength;
      if (!source.readNow(run.piece, begin, into))
        await source.read(run.piece, begin, into.length, into);
    }
    writeHeaders(run, bytes);
    return { bytes };
  }

  private drain(): void {
    for (;;) {
      const first = this.waiting.at(0);
      if (first === undefined || first.state === 'reading') return;
      this.waiting.shift();
      const { run, state } = first;
      if (state === 'failed') this.events.unreadable(run);
      else this.events.framed(state, countOf(run), run);
    }
  }
}

/** What is read into it is of no interest. */
const oneByte = new Uint8Array(1);

const countOf = (run: Run): number => Math.ceil(run.length / run.blockLength);

const emptyFrame = (run: Run): Buffer =>
  Buffer.allocUnsafeSlow(run.length + countOf(run) * PIECE_HEADER);

/** The run from memory; undefined when not all of it is there. */
function copyNow(source: BlockSource, run: Run): Frame | undefined {
  if (!source.readNow(run.piece, run.begin, oneByte)) return undefined;
  const bytes = emptyFrame(run);
  for (let block = 0; block < countOf(run); block++) {
    const begin = run.begin + block * run.blockLength;
    if (!source.readNow(run.piece, begin, placeOf(run, bytes, block)))
      return undefined;
  }
  writeHeaders(run, bytes);
  return { bytes };
}

function placeOf(run: Run, frame: Uint8Array, block: number): Uint8Array {
  const at = block * (run.blockLength + PIECE_HEADER) + PIECE_HEADER;
  return frame.subarray(at, at + blockSize(run, block));
}

function blockSize({ length, blockLength }: Run, block: number): number {
  return Math.min(blockLength, length - block * blockLength);
}

function writeHeaders(run: Run, frame: Uint8Array): void {
  for (let block = 0; block < countOf(run); block++) {
    writePieceHeader(
      frame,
      block * (run.blockLength + PIECE_HEADER),
      run.piece,
      run.begin + block * run.blockLength,
      blockSize(run, block),
    );
  }
}
