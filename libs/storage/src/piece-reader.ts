/**
 * Reads had pieces in chunks of up to 1 MiB, never across a piece, through the cache that all torrents
 * share, one chunk ahead of a peer that goes through a piece in order. A file is looked at after each
 * reading, so that nothing is handed out of one that vanished, was cut, or was written to by others.
 */
import type { FileLayout } from '@dnd/metainfo';
import type { FileLedger } from './file-ledger';
import type { Chunk, ReadCache } from './read-cache';
import { StorageError } from './storage-error';
import type { TorrentFiles } from './torrent-files';

const MAX_CHUNK = 2 ** 20;
const BLOCK = 16_384;

/** A run of verified blocks in the memory that all peers are served from, with `blockGap` bytes before each, in which the borrower may write. */
export interface Loan {
  readonly bytes: Uint8Array;
  /** Nobody reads them any more; to be called once. */
  giveBack(): void;
}

export interface PieceReaderOptions {
  readonly layout: FileLayout;
  readonly files: TorrentFiles;
  readonly cache: ReadCache;
  readonly ledger: FileLedger;
  /** A file is gone (`missing`) or has other content (`changed`). */
  readonly onLost: (fileIndex: number, error: StorageError) => void;
}

export class PieceReader {
  readonly #layout: FileLayout;
  readonly #options: PieceReaderOptions;
  readonly #cache: ReadCache;
  readonly #chunks = new Map<number, Chunk>();
  readonly #chunkBytes: number;
  readonly #perPiece: number;
  /** By file, the look that is under way, and the one that begins after it for all who ask meanwhile. */
  readonly #looking = new Map<number, Promise<void>>();
  readonly #nextLook = new Map<number, Promise<void>>();
  #last: Chunk | undefined;

  constructor(options: PieceReaderOptions) {
    this.#options = options;
    this.#layout = options.layout;
    this.#cache = options.cache;
    this.#chunkBytes = Math.min(MAX_CHUNK, options.layout.pieceLength);
    this.#perPiece = Math.ceil(options.layout.pieceLength / this.#chunkBytes);
  }

  /** Fills `into` when its bytes are all in one chunk in memory. */
  copyNow(piece: number, begin: number, into: Uint8Array): boolean {
    const index = Math.floor(begin / this.#chunkBytes);
    const from = begin - index * this.#chunkBytes;
    const chunk = this.#ready(piece, index, from + into.length);
    if (!chunk) return false;
    this.#copyOut(chunk, from, into, 0, into.length);
    return true;
  }

  /** Blocks where they lie, when they are all in one chunk in memory and not too much is lent already. */
  lendNow(piece: number, begin: number, length: number): Loan | undefined {
    if (begin % BLOCK !== 0 || this.#cache.crowded) return undefined;
    const index = Math.floor(begin / this.#chunkBytes);
    const from = begin - index * this.#chunkBytes;
    const chunk = this.#ready(piece, index, from + length);
    if (!chunk) return undefined;
    this.#cache.hold(chunk);
    const start = this.#cache.place(from) - this.#cache.blockGap;
    const end = this.#cache.place(from + length - 1) + 1;
    return {
      bytes: chunk.bytes.subarray(start, end),
      giveBack: () => this.#cache.release(chunk),
    };
  }

  /** Fills `into`, which may cross chunks. Throws StorageError. */
  async copy(piece: number, begin: number, into: Uint8Array): Promise<void> {
    for (let done = 0; done < into.length;) {
      const at = begin + done;
      const index = Math.floor(at / this.#chunkBytes);
      const from = at - index * this.#chunkBytes;
      const chunk = this.#chunk(piece, index);
      this.#cache.hold(chunk);
      try {
        await chunk.loading;
        const count = Math.min(into.length - done, chunk.length - from);
        this.#copyOut(chunk, from, into, done, count);
        done += count;
        this.#cache.touch(chunk);
      } finally {
        this.#cache.release(chunk);
      }
      const near = (from + into.length) * 2 > chunk.length;
      if (near) this.#readAhead(piece, index + 1);
    }
  }

  forget(piece: number): void {
    for (let i = 0; i < this.#perPiece; i++) {
      const chunk = this.#chunks.get(piece * this.#perPiece + i);
      if (chunk) this.#cache.drop(chunk);
    }
    this.#last = undefined;
  }

  forgetAll(): void {
    for (const chunk of [...this.#chunks.values()]) this.#cache.drop(chunk);
    this.#last = undefined;
  }

  /** Tells by `onLost` when a finished file does not look as it did when it was verified. */
  async look(fileIndex: number): Promise<void> {
    try {
      await this.#look(fileIndex);
    } catch (error) {
      this.#tellLost(fileIndex, error);
    }
  }

  #tellLost(fileIndex: number, error: unknown): void {
    const { code } = error as StorageError;
    if (code === 'missing' || code === 'changed')
      this.#options.onLost(fileIndex, error as StorageError);
  }

  /** The chunk, when it is in memory and holds its first `end` bytes. */
  #ready(piece: number, index: number, end: number): Chunk | undefined {
    const chunk = this.#chunks.get(piece * this.#perPiece + index);
    if (!chunk || chunk.loading || end > chunk.length) return undefined;
    if (chunk !== this.#last) {
      this.#last = chunk;
      this.#cache.touch(chunk);
    }
    if (end * 2 > chunk.length) this.#readAhead(piece, index + 1);
    return chunk;
  }

  #copyOut(
    { bytes }: Chunk,
    from: number,
    into: Uint8Array,
    to: number,
    count: number,
  ): void {
    for (let done = 0; done < count;) {
      const at = from + done;
      const part = Math.min(count - done, BLOCK - (at % BLOCK));
      const place = this.#cache.place(at);
      bytes.copy(into, to + done, place, place + part);
      done += part;
    }
  }

  #readAhead(piece: number, index: number): void {
    const size = this.#layout.pieceSize(piece);
    if (index * this.#chunkBytes < size) this.#chunk(piece, index);
  }

  #chunk(piece: number, index: number): Chunk {
    const key = piece * this.#perPiece + index;
    const known = this.#chunks.get(key);
    if (known) return known;
    const begin = index * this.#chunkBytes;
    const size = this.#layout.pieceSize(piece);
    const length = Math.min(this.#chunkBytes, size - begin);
    return this.#cache.add(this.#chunks, key, length, (chunk) =>
      this.#load(piece, begin, chunk),
    );
  }

  async #load(piece: number, begin: number, chunk: Chunk): Promise<void> {
    const spans = this.#layout.spans(piece, begin, chunk.length);
    let end = 0;
    for (const { fileIndex, fileOffset, length, at } of spans) {
      this.#zero(chunk, end, at);
      end = at + length;
      const parts = this.#parts(chunk, at, end);
      try {
        await this.#options.files.read(fileIndex, fileOffset, parts);
        await this.#look(fileIndex);
      } catch (error) {
        this.#tellLost(fileIndex, error);
        throw error;
      }
    }
    this.#zero(chunk, end, chunk.length);
  }

  #zero(chunk: Chunk, from: number, to: number): void {
    for (const part of this.#parts(chunk, from, to)) part.fill(0);
  }

  /** A stretch of a chunk, cut where gaps are. */
  #parts({ bytes }: Chunk, from: number, to: number): Uint8Array[] {
    const parts: Uint8Array[] = [];
    for (let at = from; at < to;) {
      const length = Math.min(to - at, BLOCK - (at % BLOCK));
      const place = this.#cache.place(at);
      parts.push(bytes.subarray(place, place + length));
      at += length;
    }
    return parts;
  }

  /** Throws StorageError when a finished file does not look, from now on, as it did when it was verified. */
  #look(fileIndex: number): Promise<void> {
    const next = this.#nextLook.get(fileIndex);
    if (next) return next;
    const current = this.#looking.get(fileIndex);
    if (!current) return this.#lookNow(fileIndex);
    const begin = (): Promise<void> => {
      this.#nextLook.delete(fileIndex);
      return this.#lookNow(fileIndex);
    };
    const waits = current.then(begin, begin);
    this.#nextLook.set(fileIndex, waits);
    return waits;
  }

  #lookNow(fileIndex: number): Promise<void> {
    const look = this.#compare(fileIndex);
    this.#looking.set(fileIndex, look);
    const done = (): void => {
      if (this.#looking.get(fileIndex) === look)
        this.#looking.delete(fileIndex);
    };
    look.then(done, done);
    return look;
  }

  async #compare(fileIndex: number): Promise<void> {
    const { ledger, files } = this.#options;
    const was = ledger.restingStamp(fileIndex);
    if (!was) return;
    const is = await files.stamp(fileIndex);
    if (is?.size === was.size && is.mtimeNs === was.mtimeNs) return;
    if (ledger.restingStamp(fileIndex) !== was) return;
    const path = files.path(fileIndex);
    throw is
      ? new StorageError('changed', `${path}: somebody wrote to it`, { path })
      : new StorageError('missing', `${path}: the file is gone`, { path });
  }
}
