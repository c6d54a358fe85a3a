/**
 * Hashes pieces that lie in files, in parallel and in the torrent's order, a few megabytes a job, so that
 * each thread reads a stretch in one go. For checking and for creation.
 */
import type { FileLayout } from '@dnd/metainfo';
import type { Hasher, HashUnit } from './hasher';
import { StorageError } from './storage-error';

const JOB_BYTES = 4 * 2 ** 20;
const JOB_PIECES = 256;

export interface PieceTask {
  readonly hasher: Hasher;
  readonly layout: FileLayout;
  /** In ascending order. */
  readonly pieces: readonly number[];
  readonly signal?: AbortSignal;
  /** Where a file lies; undefined: nowhere, and its pieces are `missing`. */
  path(fileIndex: number): string | undefined;
  /** How to hash the piece from these ranges; undefined: not at all, it is `missing`. */
  unit(piece: number, ranges: readonly number[]): HashUnit | undefined;
  /** Called once for each piece, in any order: its digests, or undefined where it is `missing`. */
  onDigests(piece: number, digests: Uint8Array | undefined): void;
  /** The system has no descriptors left: true when some were set free. */
  makeRoom?(): Promise<boolean>;
}

interface Job {
  readonly pieces: number[];
  readonly units: HashUnit[];
  readonly files: string[];
}

/** Throws StorageError `aborted`, `workers`, or what made a file unreadable (other than being gone or short). */
export async function hashPieces(task: PieceTask): Promise<void> {
  let next = 0;
  let failed: unknown;
  const lane = async () => {
    while (next < task.pieces.length && failed === undefined) {
      try {
        const { job, end } = nextJob(task, next);
        next = end;
        await runJob(task, job);
      } catch (error) {
        failed ??= error;
      }
    }
  };
  // Two jobs a thread: one to work on, one to go on with.
  await Promise.all(Array.from({ length: task.hasher.threads * 2 }, lane));
  if (failed !== undefined) throw failed;
}

function nextJob(
  task: PieceTask,
  from: number,
): { readonly job: Job; readonly end: number } {
  const job: Job = { pieces: [], units: [], files: [] };
  const indexes = new Map<number, number>();
  let bytes = 0;
  let at = from;
  while (
    at < task.pieces.length &&
    bytes < JOB_BYTES &&
    at - from < JOB_PIECES
  ) {
    const piece = task.pieces[at++];
    const ranges = rangesOf(task, piece, indexes, job.files);
    const unit = ranges && task.unit(piece, ranges);
    if (unit === undefined) {
      task.onDigests(piece, undefined);
      continue;
    }
    job.pieces.push(piece);
    job.units.push(unit);
    bytes += unit.length;
  }
  return { job, end: at };
}

/** Where the piece's bytes lie, gaps as zeros; undefined when a file of it is not there. */
function rangesOf(
  task: PieceTask,
  piece: number,
  indexes: Map<number, number>,
  paths: string[],
): number[] | undefined {
  const size = task.layout.pieceSize(piece);
  const ranges: number[] = [];
  let end = 0;
  for (const { fileIndex, fileOffset, length, at } of task.layout.spans(
    piece,
    0,
    size,
  )) {
    let index = indexes.get(fileIndex);
    if (index === undefined) {
      const path = task.path(fileIndex);
      if (path === undefined) return undefined;
      index = paths.push(path) - 1;
      indexes.set(fileIndex, index);
    }
    if (at > end) ranges.push(-1, 0, at - end);
    ranges.push(index, fileOffset, length);
    end = at + length;
  }
  if (end < size) ranges.push(-1, 0, size - end);
  return ranges;
}

async function runJob(task: PieceTask, job: Job): Promise<void> {
  if (job.units.length === 0) return;
  const options = { signal: task.signal };
  const results = await task.hasher.hash(job.units, options, job.files);
  for (const [i, { digests, failure }] of results.entries()) {
    const piece = job.pieces[i];
    if (failure === undefined) {
      task.onDigests(piece, digests);
    } else if (failure.code === 'EMFILE' || failure.code === 'ENFILE') {
      if (!(await task.makeRoom?.())) throw unreadable(job, i, failure);
      const { files } = job;
      await runJob(task, { pieces: [piece], units: [job.units[i]], files });
    } else if (failure.code === 'EACCES' || failure.code === 'EPERM') {
      throw unreadable(job, i, failure);
    } else {
      // Gone, too short, a link, or a bad sector: whatever it is, the piece is not there.
      task.onDigests(piece, undefined);
    }
  }
}

function unreadable(
  job: Job,
  unit: number,
  failure: { readonly range: number; readonly code: string },
): StorageError {
  const { ranges = [] } = job.units[unit];
  const path = job.files[ranges[failure.range * 3]];
  const denied = failure.code === 'EACCES' || failure.code === 'EPERM';
  return new StorageError(
    denied ? 'read-only' : 'io',
    `${path}: cannot be read (${failure.code})`,
    { path },
  );
}
