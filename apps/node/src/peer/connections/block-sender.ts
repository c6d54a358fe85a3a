/**
 * Reads verified runs of blocks and frames them for one connection, in the order in which they are
 * given: a run that must come from the disk holds back those behind it.
 */
import { writePieceHeader } from '@dnd/wire';
import { frameHeader, type FramePool } from './frame-pool';

/** Of @dnd/storage, what sending needs. */
export interface BlockSource {
  readNow(piece: number, begin: number, into: Uint8Array): boolean;
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

export interface SenderEvents {
  /** `count` piece messages stand in the first `used` bytes of `frame`, which is given back to the pool by the taker. */
  framed(frame: Buffer, used: number, count: number, run: Run): void;
  /** The run's bytes are not there (any more). */
  unreadable(run: Run): void;
}

interface Waiting {
  readonly run: Run;
  readonly frame: Buffer;
  state: 'reading' | 'ready' | 'failed';
}

export class BlockSender {
  private readonly waiting: Waiting[] = [];
  private ended = false;

  constructor(
    private readonly pool: FramePool,
    private readonly events: SenderEvents,
  ) {}

  send(source: BlockSource, run: Run): void {
    if (this.ended) return;
    const count = Math.ceil(run.length / run.blockLength);
    const frame = this.pool.take(run.length + count * frameHeader);
    const done = fill(source, run, frame, 0);
    if (done === count && this.waiting.length === 0) {
      this.events.framed(frame, run.length + count * frameHeader, count, run);
      return;
    }
    const waiting: Waiting = {
      run,
      frame,
      state: done === count ? 'ready' : 'reading',
    };
    this.waiting.push(waiting);
    if (waiting.state === 'reading') void this.read(source, waiting, done);
  }

  /** The connection is over. */
  end(): void {
    this.ended = true;
    this.waiting.length = 0;
  }

  private async read(
    source: BlockSource,
    waiting: Waiting,
    from: number,
  ): Promise<void> {
    const { run, frame } = waiting;
    const count = Math.ceil(run.length / run.blockLength);
    try {
      for (let block = from; block < count;) {
        const into = placeOf(run, frame, block);
        const begin = run.begin + block * run.blockLength;
        await source.read(run.piece, begin, into.length, into);
        writeHeader(run, frame, block, into.length);
        block = fill(source, run, frame, block + 1);
      }
      waiting.state = 'ready';
    } catch {
      // The storage's owner hears by itself what is wrong.
      waiting.state = 'failed';
    }
    if (!this.ended) this.drain();
  }

  private drain(): void {
    for (;;) {
      const first = this.waiting.at(0);
      if (first === undefined || first.state === 'reading') return;
      this.waiting.shift();
      const { run, frame } = first;
      const count = Math.ceil(run.length / run.blockLength);
      if (first.state === 'ready') {
        this.events.framed(frame, run.length + count * frameHeader, count, run);
      } else {
        this.pool.give(frame);
        this.events.unreadable(run);
      }
    }
  }
}

/** Frames blocks from memory until one is not there; returns how many are framed, those before `from` included. */
function fill(
  source: BlockSource,
  run: Run,
  frame: Buffer,
  from: number,
): number {
  const count = Math.ceil(run.length / run.blockLength);
  for (let block = from; block < count; block++) {
    const into = placeOf(run, frame, block);
    const begin = run.begin + block * run.blockLength;
    if (!source.readNow(run.piece, begin, into)) return block;
    writeHeader(run, frame, block, into.length);
  }
  return count;
}

function placeOf(run: Run, frame: Buffer, block: number): Uint8Array {
  const at = block * (run.blockLength + frameHeader) + frameHeader;
  const left = run.length - block * run.blockLength;
  return frame.subarray(at, at + Math.min(run.blockLength, left));
}

function writeHeader(
  run: Run,
  frame: Buffer,
  block: number,
  length: number,
): void {
  writePieceHeader(
    frame,
    block * (run.blockLength + frameHeader),
    run.piece,
    run.begin + block * run.blockLength,
    length,
  );
}
