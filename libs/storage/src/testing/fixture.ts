/** Torrents made on the spot in a temporary folder, for the specs. */
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import {
  type FileHashes,
  FileLayout,
  type Metainfo,
  type MetainfoFormat,
  buildTorrent,
  hashFile,
  parseTorrent,
  planTorrent,
} from '@dnd/metainfo';
import { Hasher } from '../hasher';
import type { TorrentStorage } from '../torrent-storage';

export interface Content {
  readonly path: readonly string[];
  readonly bytes: Uint8Array;
}

export interface Fixture {
  readonly metainfo: Metainfo;
  readonly layout: FileLayout;
  /** By file of the metainfo. */
  readonly contents: readonly Uint8Array[];
  /** The whole byte space, gaps as zeros. */
  readonly bytes: Uint8Array;
}

/** Repeatable bytes that differ from seed to seed. */
export function noise(length: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Hashed here in the plainest way, so that nothing of this library vouches for itself. */
export function makeTorrent(
  files: readonly Content[],
  options: {
    readonly name?: string;
    readonly pieceLength?: number;
    readonly format?: MetainfoFormat;
  } = {},
): Fixture {
  const { name = 'torrent', pieceLength = 32_768, format = 'v1' } = options;
  const source = {
    name,
    pieceLength,
    format,
    files: files.map(({ path, bytes }) => ({ path, length: bytes.length })),
  };
  const plan = planTorrent(source);
  const contents = plan.files.map((file) =>
    file.source === undefined
      ? new Uint8Array(file.length)
      : files[file.source].bytes,
  );
  const bytes = new Uint8Array(plan.length);
  plan.files.forEach((file, i) => bytes.set(contents[i], file.offset));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceLength) {
    pieces.push(sha1(bytes.subarray(at, at + pieceLength)));
  }
  const trees = plan.files.map((file, i): FileHashes | undefined => {
    if (format === 'v1' || file.pad || file.length === 0) return undefined;
    const leaves: Uint8Array[] = [];
    for (let at = 0; at < file.length; at += 16_384) {
      const leaf = contents[i].subarray(at, at + 16_384);
      leaves.push(createHash('sha256').update(leaf).digest());
    }
    return hashFile(Buffer.concat(leaves), pieceLength);
  });
  const hashes = {
    pieces: format === 'v2' ? undefined : Buffer.concat(pieces),
    files: format === 'v1' ? undefined : trees,
  };
  const metainfo = parseTorrent(buildTorrent(plan, hashes));
  return { metainfo, layout: new FileLayout(metainfo), contents, bytes };
}

/** Several files that share pieces, one empty, one of exactly a piece; 9 pieces of 32 KiB and a bit. */
export function mixedFiles(seed = 1): Content[] {
  const lengths: [string, number][] = [
    ['a/one', 50_000],
    ['a/two', 10],
    ['b/piece', 32_768],
    ['b/three', 100_001],
    ['empty', 0],
    ['z', 123_456],
  ];
  return lengths.map(([path, length], i) => ({
    path: path.split('/'),
    bytes: noise(length, seed * 100 + i),
  }));
}

export function pieceOf(fixture: Fixture, piece: number): Uint8Array {
  const start = fixture.layout.pieceOffset(piece);
  return fixture.bytes.subarray(start, start + fixture.layout.pieceSize(piece));
}

/** Reserves, fills in blocks and finishes one piece. */
export async function download(
  storage: TorrentStorage,
  fixture: Fixture,
  piece: number,
): Promise<'verified' | 'corrupt'> {
  if (!storage.reserve(piece)) throw new Error(`piece ${piece} not reserved`);
  fill(storage, piece, pieceOf(fixture, piece));
  return storage.finish(piece);
}

export function fill(
  storage: TorrentStorage,
  piece: number,
  bytes: Uint8Array,
): void {
  for (let at = 0; at < bytes.length; at += 16_384) {
    const block = bytes.subarray(at, at + 16_384);
    storage.target(piece, at, block.length)?.set(block);
  }
}

/** Lays the fixture's files below `root` as a finished torrent has them. */
export function layOut(fixture: Fixture, root: string): void {
  fixture.metainfo.files.forEach((file, i) => {
    if (file.pad) return;
    const path = join(root, ...file.path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, fixture.contents[i]);
  });
}

export function makeHasher(threads = 2, restMs?: number): Hasher {
  return new Hasher({
    workerUrl: join(__dirname, '../hash-worker.ts'),
    threads,
    ...(restMs === undefined ? {} : { restMs }),
  });
}

/** A new empty folder; `removeFolders` removes all that were made. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(inMemory, 'dnd-storage-'));
  folders.push(folder);
  return folder;
}

export function removeFolders(): void {
  for (const folder of folders.splice(0)) {
    rmSync(folder, { recursive: true, force: true });
  }
}

const folders: string[] = [];
/** Syncing costs nothing there. */
const inMemory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export function sha1(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest();
}

/** Whether the disk holds the piece's right bytes, wherever its files are now. */
export function onDisk(fixture: Fixture, root: string, piece: number): boolean {
  const wanted = pieceOf(fixture, piece);
  const { metainfo, layout } = fixture;
  for (const { fileIndex, fileOffset, length, at } of layout.spans(
    piece,
    0,
    wanted.length,
  )) {
    const final = join(root, ...metainfo.files[fileIndex].path);
    const partial = join(root, '.node/partial', metainfo.id, String(fileIndex));
    const path = existsSync(final) ? final : partial;
    if (!existsSync(path)) return false;
    const part = readFileSync(path).subarray(fileOffset, fileOffset + length);
    if (Buffer.compare(part, wanted.subarray(at, at + length)) !== 0)
      return false;
  }
  return true;
}

/** Pieces that are claimed and not on the disk: always none. */
export function falseClaims(
  storage: TorrentStorage,
  fixture: Fixture,
  root: string,
): number[] {
  const pieces = [...Array(fixture.layout.pieceCount).keys()];
  return pieces.filter(
    (piece) => storage.have.has(piece) && !onDisk(fixture, root, piece),
  );
}
