/**
 * Verified pieces on their way to the files. Writes of one torrent go one after another: side by side
 * they only wait for the same file's lock. Pieces that come meanwhile are written together where they
 * adjoin, so that small ones cost no more than large ones.
 */
import type { FileLayout } from '@dnd/metainfo';

/** Bytes of adjoining pieces that are written in one go. */
const MOST_AT_ONCE = 4 * 1024 * 1024;

export interface WritablePiece {
  readonly piece: number;
  /** Exactly the piece. */
  readonly bytes: Uint8Array;
}

export interface PieceWriterOptions {
  readonly layout: FileLayout;
  /** Begins work when all that was begun before has ended. */
  inTurn(work: () => Promise<void>): Promise<void>;
  /** The piece has been written in the meantime. */
  isWritten(piece: number): boolean;
  /** Writes the parts one after another from a file position on. */
  write(
    fileIndex: number,
    position: number,
    parts: readonly Uint8Array[],
  ): Promise<void>;
  /** These pieces have reached their files. */
  written(pieces: readonly number[]): Promise<void>;
}

interface Waiting extends WritablePiece {
  readonly result: PromiseWithResolvers<void>;
}

/** What goes to one place of one file. */
interface Stretch {
  readonly fileIndex: number;
  readonly position: number;
  readonly parts: Uint8Array[];
  end: number;
}

export class PieceWriter {
  readonly #options: PieceWriterOptions;
  /** In the order in which they came. */
  readonly #waiting = new Map<number, Waiting>();

  constructor(options: PieceWriterOptions) {
    this.#options = options;
  }

  /** Resolves when the piece is written; its bytes must stay as they are until then. Rejects with what kept it or a piece beside it from being written: then any part may be. */
  write({ piece, bytes }: WritablePiece): Promise<void> {
    const waiting = this.#waiting.get(piece);
    if (waiting) return waiting.result.promise;
    const result = Promise.withResolvers<void>();
    this.#waiting.set(piece, { piece, bytes, result });
    if (this.#waiting.size === 1) this.#next();
    return result.promise;
  }

  #next(): void {
    void this.#options.inTurn(async () => {
      const run = this.#take();
      if (this.#waiting.size > 0) this.#next();
      try {
        await this.#writeAll(run);
        for (const { result } of run) result.resolve();
      } catch (error) {
        for (const { result } of run) result.reject(error);
      }
    });
  }

  /** The piece that has waited longest, and those that follow it in the torrent. */
  #take(): Waiting[] {
    const run: Waiting[] = [];
    let [piece] = this.#waiting.keys();
    for (let bytes = 0; bytes < MOST_AT_ONCE; piece++) {
      const waiting = this.#waiting.get(piece);
      if (!waiting) break;
      this.#waiting.delete(piece);
      bytes += waiting.bytes.length;
      run.push(waiting);
    }
    return run;
  }

  async #writeAll(run: readonly WritablePiece[]): Promise<void> {
    const { isWritten, write, written } = this.#options;
    const pieces = run.filter(({ piece }) => !isWritten(piece));
    for (const { fileIndex, position, parts } of this.#stretches(pieces))
      await write(fileIndex, position, parts);
    await written(pieces.map(({ piece }) => piece));
  }

  #stretches(pieces: readonly WritablePiece[]): Stretch[] {
    const { layout } = this.#options;
    const stretches: Stretch[] = [];
    for (const { piece, bytes } of pieces)
      layout.each(
        layout.pieceOffset(piece),
        bytes.length,
        (fileIndex, position, length, at) => {
          const part = bytes.subarray(at, at + length);
          const end = position + length;
          const last = stretches.at(-1);
          if (last?.fileIndex === fileIndex && last.end === position) {
            last.parts.push(part);
            last.end = end;
          } else {
            stretches.push({ fileIndex, position, parts: [part], end });
          }
        },
      );
    return stretches;
  }
}
