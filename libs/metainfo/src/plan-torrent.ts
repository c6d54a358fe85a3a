/**
 * The shape of a torrent that is to be made: order, safe names, pieces, padding. No bytes of content are
 * needed for it; whoever has them hashes along this layout and hands the hashes to `buildTorrent`.
 */
import { MAX_FILES, MAX_LENGTH, MAX_PIECE_LENGTH, MAX_PIECES } from './limits';
import { BLOCK_BYTES, isPowerOfTwo } from './merkle';
import type { MetainfoFile, MetainfoFormat } from './metainfo';
import { MetainfoError } from './metainfo-error';
import type { ReadRules } from './parse-info';
import {
  type PathRules,
  safeElement,
  safePath,
  uniquePaths,
} from './safe-path';

export interface TorrentSource {
  readonly name: string;
  /**
   * Paths are relative to the torrent's folder. One file with an empty path is a torrent of that file
   * alone, and `name` is the file's. Lengths in bytes.
   */
  readonly files: readonly {
    readonly path: readonly string[];
    readonly length: number;
  }[];
  /** Bytes; chosen by size when absent. */
  readonly pieceLength?: number;
  /** Default v1, the one that every client reads. */
  readonly format?: MetainfoFormat;
}

/** A file of the plan; pads have no source. */
export interface PlannedFile extends MetainfoFile {
  /** Index into `TorrentSource.files`. */
  readonly source?: number;
}

/** Lays out like the Metainfo that will be read from the finished torrent: `new FileLayout(plan)`. */
export interface TorrentPlan {
  readonly format: MetainfoFormat;
  readonly name: string;
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** As in Metainfo. */
  readonly length: number;
  readonly size: number;
  /** Sorted by path, bytewise; in a hybrid pads fill the last piece of every file but the last. */
  readonly files: readonly PlannedFile[];
  /** One file and no folder. */
  readonly single: boolean;
}

const MIN_CHOSEN = 16 * 1024;
const MAX_CHOSEN = 16 * 1024 * 1024;
const WANTED_PIECES = 1_500;

/** A power of two from 16 KiB to 16 MiB that makes about 1,500 pieces of `size` bytes, larger beyond the limit on pieces. */
export function choosePieceLength(size: number): number {
  let length = MIN_CHOSEN;
  while (length < MAX_CHOSEN && size / length > WANTED_PIECES) length *= 2;
  while (size / length > MAX_PIECES) length *= 2;
  return length;
}

/** Throws MetainfoError: no content, too much of it, a name of which nothing safe is left, an impossible piece length, a folder that version 2 cannot tell from a file. */
export function planTorrent(
  source: TorrentSource,
  rules: ReadRules = {},
): TorrentPlan {
  const { format = 'v1', files } = source;
  if (files.length === 0) throw new MetainfoError('no-files');
  if (files.length > MAX_FILES) throw new MetainfoError('too-many-files');
  const name = safeElement(source.name, rules);
  if (name === '') throw new MetainfoError('missing-name');
  const size = totalSize(files.map(({ length }) => length));
  if (size === 0 && !rules.empty)
    throw new MetainfoError('invalid-length', 'no content');
  const pieceLength = source.pieceLength ?? choosePieceLength(size);
  checkPieceLength(pieceLength, format);

  const single = files.length === 1 && files[0].path.length === 0;
  const sorted = single
    ? [{ path: [name], length: size, source: 0 }]
    : arrange(name, files, rules);
  // BEP 52 tells a single file by its name alone, which is the torrent's.
  const [{ path }] = sorted;
  const readsAsFile =
    sorted.length === 1 && path.length === 2 && path[1] === name;
  if (format !== 'v1' && readsAsFile)
    throw new MetainfoError('folder-reads-as-file');
  const planned = place(sorted, name, pieceLength, format);
  const last = planned[planned.length - 1];
  const length = last.offset + last.length;
  const pieceCount = Math.ceil(length / pieceLength);
  if (pieceCount > MAX_PIECES) {
    throw new MetainfoError('too-many-pieces', String(pieceCount));
  }
  return {
    format,
    name,
    pieceLength,
    pieceCount,
    length,
    size,
    files: planned,
    single,
  };
}

function totalSize(lengths: readonly number[]): number {
  let size = 0;
  for (const length of lengths) {
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new MetainfoError('invalid-length', String(length));
    }
    size += length;
  }
  if (size > MAX_LENGTH) throw new MetainfoError('invalid-length', 'total');
  return size;
}

function checkPieceLength(length: number, format: MetainfoFormat): void {
  const inRange =
    Number.isInteger(length) && length > 0 && length <= MAX_PIECE_LENGTH;
  if (!inRange) throw new MetainfoError('missing-piece-length');
  if (format !== 'v1' && (length < BLOCK_BYTES || !isPowerOfTwo(length))) {
    throw new MetainfoError('piece-length-not-power-of-two', `${length} bytes`);
  }
}

interface Arranged {
  readonly path: readonly string[];
  readonly length: number;
  readonly source: number;
}

/** Safe and unique paths in the order of their bytes, which is the order of a v2 tree. */
function arrange(
  name: string,
  files: TorrentSource['files'],
  rules: PathRules,
): Arranged[] {
  const named = files.map(({ path, length }, source) => {
    if (path.length === 0) throw new MetainfoError('missing-name');
    const safe = [name, ...safePath(path, rules)];
    return { path: safe, length, source, pad: false };
  });
  named.sort(byPath);
  const paths = uniquePaths(named);
  return named
    .map(({ length, source }, i) => ({ path: paths[i], length, source }))
    .sort(byPath);
}

function byPath(a: Arranged, b: Arranged): number {
  const depth = Math.min(a.path.length, b.path.length);
  for (let i = 0; i < depth; i++) {
    if (a.path[i] !== b.path[i]) {
      return Buffer.compare(Buffer.from(a.path[i]), Buffer.from(b.path[i]));
    }
  }
  return a.path.length - b.path.length || a.source - b.source;
}

function place(
  files: readonly Arranged[],
  name: string,
  pieceLength: number,
  format: MetainfoFormat,
): PlannedFile[] {
  const placed: PlannedFile[] = [];
  let end = 0;
  for (const { path, length, source } of files) {
    const gap =
      length > 0 ? (pieceLength - (end % pieceLength)) % pieceLength : 0;
    if (format === 'hybrid' && gap > 0) {
      placed.push({
        path: [name, '.pad', String(gap)],
        length: gap,
        offset: end,
        pad: true,
      });
    }
    if (format !== 'v1') end += gap;
    placed.push({ path, length, offset: end, pad: false, source });
    end += length;
  }
  return placed;
}
