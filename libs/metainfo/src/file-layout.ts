/**
 * Where the torrent's bytes stand in its files, both ways. Built once a torrent; every question is a
 * binary search at most.
 *
 * A stretch of the torrent that no span covers (BEP 47 pads, the gap behind a file of a v2-only
 * torrent) is zeros, on no disk.
 */
import type { Metainfo } from './metainfo';

/** A stretch of one stored file. All numbers but the index are bytes. */
export interface FileSpan {
  /** Into `Metainfo.files`. */
  readonly fileIndex: number;
  readonly fileOffset: number;
  readonly length: number;
  /** Offset from the start of the stretch that was asked for. */
  readonly at: number;
}

/** What a layout is made of: a Metainfo, or a plan that is not hashed yet. */
export type Laid = Pick<
  Metainfo,
  'files' | 'pieceLength' | 'pieceCount' | 'length' | 'format'
>;

export class FileLayout {
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** Bytes of the whole space. */
  readonly length: number;
  readonly #aligned: boolean;
  /** The non-empty stored files in order: index, first byte, byte after the last. */
  readonly #indexes: Uint32Array;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  readonly #files: Laid['files'];

  constructor(laid: Laid) {
    this.pieceLength = laid.pieceLength;
    this.pieceCount = laid.pieceCount;
    this.length = laid.length;
    this.#aligned = laid.format === 'v2';
    this.#files = laid.files;
    const stored: number[] = [];
    laid.files.forEach((file, index) => {
      if (!file.pad && file.length > 0) stored.push(index);
    });
    this.#indexes = Uint32Array.from(stored);
    this.#starts = Float64Array.from(stored, (i) => laid.files[i].offset);
    this.#ends = Float64Array.from(
      stored,
      (i) => laid.files[i].offset + laid.files[i].length,
    );
  }

  pieceOffset(piece: number): number {
    return piece * this.pieceLength;
  }

  /**
   * Bytes of a piece as peers exchange and hash it: pads count; in a v2-only torrent the last piece of a
   * file ends with the file. 0 for an index out of range.
   */
  pieceSize(piece: number): number {
    if (!(piece >= 0 && piece < this.pieceCount)) return 0;
    const start = piece * this.pieceLength;
    const end = this.#aligned
      ? (this.#ends[this.#search(start)] ?? this.length)
      : this.length;
    return Math.min(this.pieceLength, end - start);
  }

  /**
   * Bytes of a piece that a peer may ask for: in a v2-only torrent the zeros behind a file's end too, up to
   * a whole piece, as libtorrent asks; else `pieceSize`.
   */
  requestableSize(piece: number): number {
    if (!this.#aligned) return this.pieceSize(piece);
    return piece >= 0 && piece < this.pieceCount ? this.pieceLength : 0;
  }

  /** The stretches of stored files under `length` bytes from `begin` of a piece. */
  spans(piece: number, begin: number, length: number): FileSpan[] {
    return this.spansAt(piece * this.pieceLength + begin, length);
  }

  /** The stretches of stored files under `length` bytes from `offset` of the torrent. */
  spansAt(offset: number, length: number): FileSpan[] {
    const spans: FileSpan[] = [];
    this.each(offset, length, (fileIndex, fileOffset, length, at) => {
      spans.push({ fileIndex, fileOffset, length, at });
    });
    return spans;
  }

  /** As `spansAt`, without making objects. */
  each(
    offset: number,
    length: number,
    visit: (
      fileIndex: number,
      fileOffset: number,
      length: number,
      at: number,
    ) => void,
  ): void {
    if (!(length > 0)) return;
    const end = offset + length;
    for (let i = this.#search(offset); i < this.#indexes.length; i++) {
      const start = this.#starts[i];
      if (start >= end) return;
      const from = Math.max(start, offset);
      const to = Math.min(this.#ends[i], end);
      visit(this.#indexes[i], from - start, to - from, from - offset);
    }
  }

  /** Where a byte of a file stands in the torrent. */
  torrentOffset(fileIndex: number, fileOffset: number): number {
    return this.#files[fileIndex].offset + fileOffset;
  }

  /** The pieces that hold `length` bytes of a file from `from` on (the whole file by default): `first` … `end` − 1. */
  piecesOf(
    fileIndex: number,
    from = 0,
    length = this.#files[fileIndex].length - from,
  ): { readonly first: number; readonly end: number } {
    const start = this.#files[fileIndex].offset + from;
    const first = Math.floor(start / this.pieceLength);
    if (length <= 0) return { first, end: first };
    return { first, end: Math.ceil((start + length) / this.pieceLength) };
  }

  /** The first stored file that ends behind `offset`, as a position in `#indexes`. */
  #search(offset: number): number {
    let low = 0;
    let high = this.#ends.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ends[middle] > offset) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
