/**
 * The hashes of a torrent that is being made, read from its files in parallel. The files are looked at
 * before and after: what changed meanwhile would make a torrent that nobody can seed.
 */
import {
  FileLayout,
  type FileHashes,
  type TorrentHashes,
  type TorrentPlan,
  merkleRoot,
  pieceLevel,
} from '@dnd/metainfo';
import { type FileSystem, realFileSystem } from './file-system';
import { type Hasher, Want } from './hasher';
import { treeWidth } from './piece-digests';
import { hashPieces } from './piece-jobs';
import { StorageError, toStorageError } from './storage-error';
import type { FileStamp } from './torrent-files';

export interface HashFilesOptions {
  readonly signal?: AbortSignal;
  /** Called often; bytes hashed and to be hashed (pads of a hybrid count). */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly fileSystem?: FileSystem;
}

export interface HashedFiles {
  /** For `buildTorrent`. */
  readonly hashes: TorrentHashes;
  /** By file of the plan, for `StorageOptions.created`: what was hashed is seeded without another check. */
  readonly stamps: readonly (FileStamp | undefined)[];
}

/**
 * Hashes the content of a plan; `paths` are indexed like `TorrentSource.files`.
 * Throws StorageError `changed` (other than the plan says, or changed while it was hashed), `missing`,
 * `read-only`, `aborted`, `workers`, `io`.
 */
export async function hashFiles(
  plan: TorrentPlan,
  paths: readonly string[],
  hasher: Hasher,
  options: HashFilesOptions = {},
): Promise<HashedFiles> {
  const fs = options.fileSystem ?? realFileSystem;
  const stamps = await stampAll(fs, plan, paths);
  const layout = new FileLayout(plan);
  const hasV1 = plan.format !== 'v2';
  const want = (hasV1 ? Want.sha1 : 0) | (plan.format !== 'v1' ? Want.root : 0);
  const digests = new DigestSheet(plan, want);
  const pathOf = (index: number) => paths[plan.files[index].source ?? -1];
  const pieces = Array.from({ length: plan.pieceCount }, (_, piece) => piece);
  let total = 0;
  for (const piece of pieces) total += layout.pieceSize(piece);
  let done = 0;
  await hashPieces({
    hasher,
    layout,
    pieces,
    signal: options.signal,
    path: pathOf,
    unit: (piece, ranges) => ({
      want,
      width: want & Want.root ? digests.width(layout, piece) : 0,
      length: layout.pieceSize(piece),
      ranges,
    }),
    onDigests: (piece, found) => {
      if (!found) {
        const [span] = layout.spans(piece, 0, layout.pieceSize(piece));
        throw changed(pathOf(span.fileIndex));
      }
      digests.set(piece, found);
      done += layout.pieceSize(piece);
      options.onProgress?.(done, total);
    },
  });
  const after = await stampAll(fs, plan, paths);
  after.forEach((stamp, index) => {
    if (stamp?.mtimeNs !== stamps[index]?.mtimeNs) throw changed(pathOf(index));
  });
  return { hashes: digests.hashes(layout), stamps };
}

/** All pieces' digests in order, 20 and 32 bytes a piece. */
class DigestSheet {
  readonly #plan: TorrentPlan;
  readonly #want: number;
  readonly #sha1: Uint8Array;
  readonly #roots: Uint8Array;

  constructor(plan: TorrentPlan, want: number) {
    this.#plan = plan;
    this.#want = want;
    this.#sha1 = new Uint8Array(want & Want.sha1 ? 20 * plan.pieceCount : 0);
    this.#roots = new Uint8Array(want & Want.root ? 32 * plan.pieceCount : 0);
  }

  /** Leaves of the tree over a piece: it has one file. */
  width(layout: FileLayout, piece: number): number {
    const [span] = layout.spans(piece, 0, layout.pieceSize(piece));
    const { length } = this.#plan.files[span.fileIndex];
    return treeWidth(length, this.#plan.pieceLength);
  }

  set(piece: number, digests: Uint8Array): void {
    const sha1 = this.#want & Want.sha1 ? 20 : 0;
    if (sha1 > 0) this.#sha1.set(digests.subarray(0, sha1), sha1 * piece);
    if (this.#want & Want.root) {
      this.#roots.set(digests.subarray(sha1), 32 * piece);
    }
  }

  hashes(layout: FileLayout): TorrentHashes {
    const pieces = this.#want & Want.sha1 ? this.#sha1 : undefined;
    if (!(this.#want & Want.root)) return { pieces };
    const level = pieceLevel(this.#plan.pieceLength);
    const files = this.#plan.files.map(
      (file, index): FileHashes | undefined => {
        if (file.pad || file.length === 0) return undefined;
        const { first, end } = layout.piecesOf(index);
        const layer = this.#roots.subarray(32 * first, 32 * end);
        return end - first === 1
          ? { root: layer }
          : { root: merkleRoot(layer, level), layer };
      },
    );
    return { pieces, files };
  }
}

async function stampAll(
  fs: FileSystem,
  plan: TorrentPlan,
  paths: readonly string[],
): Promise<(FileStamp | undefined)[]> {
  const stamps: (FileStamp | undefined)[] = [];
  for (const { source, length, pad } of plan.files) {
    if (pad || source === undefined) {
      stamps.push(undefined);
      continue;
    }
    const path = paths[source];
    const stat = await fs.lstat(path).catch((error: unknown) => {
      throw toStorageError(error, path);
    });
    if (!stat) {
      throw new StorageError('missing', `${path}: the file is gone`, { path });
    }
    if (stat.kind !== 'file' || stat.size !== length) throw changed(path);
    stamps.push({ place: 'final', size: stat.size, mtimeNs: stat.mtimeNs });
  }
  return stamps;
}

function changed(path: string): StorageError {
  const detail = `${path}: the file changed while the torrent was made`;
  return new StorageError('changed', detail, { path });
}
