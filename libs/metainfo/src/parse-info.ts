/** The info dictionary: what the info-hash covers, and all a magnet link leads to. */
import { createHash } from 'node:crypto';
import {
  asBytes,
  asNumber,
  BencodeError,
  type BencodeDictionary,
  decode,
  decodeDictionary,
} from '@dnd/bencode';
import type { FileEntry } from './file-entry';
import {
  MAX_LENGTH,
  MAX_PIECE_LENGTH,
  MAX_PIECES,
  MAX_TORRENT_BYTES,
  MAX_VALUES,
} from './limits';
import { BLOCK_BYTES, isPowerOfTwo } from './merkle';
import type { Metainfo, MetainfoFile, MetainfoFormat } from './metainfo';
import { MetainfoError } from './metainfo-error';
import { readPieceHashes, readV1Files } from './read-v1';
import { readFileTree } from './read-v2';
import {
  type PathRules,
  safeElement,
  safePath,
  uniquePaths,
} from './safe-path';
import { resolveSymlinks } from './symlinks';

/** What surrounds an info dictionary: a .torrent's outer dictionary, or a magnet link. */
export type MetainfoExtras = Partial<
  Pick<
    Metainfo,
    | 'announce'
    | 'webSeeds'
    | 'nodes'
    | 'comment'
    | 'createdBy'
    | 'createdAt'
    | 'pieceLayers'
  >
>;

/** What a reader lets pass. */
export interface ReadRules extends PathRules {
  /**
   * Torrents whose files are all empty, which other clients refuse: there is nothing in them to transfer.
   * A catalogue that lists files may list an empty one all the same.
   */
  readonly empty?: boolean;
}

export const decodeLimits = {
  maxBytes: MAX_TORRENT_BYTES,
  maxValues: MAX_VALUES,
};

/**
 * Reads an info value's bytes exactly as they are hashed. Keeps a copy, so the caller may reuse them.
 * Throws MetainfoError.
 */
export function parseInfo(
  bytes: Uint8Array,
  extras: MetainfoExtras = {},
  rules: ReadRules = {},
): Metainfo {
  const infoBytes = new Uint8Array(bytes);
  const info = decodeInfo(infoBytes);
  const format = formatOf(info, infoBytes);
  const rawName = asBytes(info.get('name.utf-8')) ?? asBytes(info.get('name'));
  if (!rawName || rawName.every((byte) => byte === 0)) {
    throw new MetainfoError('missing-name');
  }
  const pieceLength = readPieceLength(info, format);

  const v1 = format === 'v2' ? undefined : readV1Files(info);
  const v2 =
    format === 'v1'
      ? undefined
      : readFileTree(info, asBytes(info.get('name')) ?? rawName);
  const entries = mergeEntries(v1, v2, pieceLength);
  const lengths = measure(entries, pieceLength, format === 'v2');
  if (lengths.length === 0 && !rules.empty) {
    throw new MetainfoError('invalid-length', 'no content');
  }

  const hashes = hashInfo(infoBytes, format);
  const name = safeElement(rawName, rules) || hashes.id;
  return {
    format,
    ...hashes,
    name,
    pieceLength,
    ...lengths,
    files: layOut(entries, name, format === 'v2' ? pieceLength : 1, rules),
    pieceHashes: v1
      ? readPieceHashes(info, lengths.pieceCount)
      : new Uint8Array(),
    private: (asNumber(info.get('private')) ?? 0) !== 0,
    announce: [],
    webSeeds: [],
    nodes: [],
    pieceLayers: new Map(),
    ...extras,
    infoBytes,
  };
}

function decodeInfo(bytes: Uint8Array): BencodeDictionary {
  const { dictionary, end } = bencoded(() =>
    decodeDictionary(bytes, decodeLimits),
  );
  if (end !== bytes.length) {
    throw new MetainfoError('invalid-bencoding', 'bytes after info');
  }
  return dictionary;
}

/** Runs a decoder, its errors as MetainfoErrors. */
export function bencoded<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof BencodeError)) throw error;
    const code =
      error.code === 'too-deep'
        ? 'nesting-too-deep'
        : error.code === 'not-a-dictionary' || error.code === 'too-large'
          ? error.code
          : 'invalid-bencoding';
    throw new MetainfoError(code, error.message, { cause: error });
  }
}

function formatOf(info: BencodeDictionary, bytes: Uint8Array): MetainfoFormat {
  const version = asNumber(info.get('meta version')) ?? 1;
  if (version > 2) {
    throw new MetainfoError('unknown-version', `version ${version}`);
  }
  if (version !== 2) return 'v1';
  // The tree's order is part of BEP 52, so other spellings of one dictionary are refused.
  bencoded(() => decode(bytes, { ...decodeLimits, strict: true }));
  return info.has('pieces') ? 'hybrid' : 'v2';
}

function readPieceLength(
  info: BencodeDictionary,
  format: MetainfoFormat,
): number {
  const length = asNumber(info.get('piece length')) ?? 0;
  if (length <= 0 || length > MAX_PIECE_LENGTH) {
    throw new MetainfoError('missing-piece-length');
  }
  if (format !== 'v1' && (length < BLOCK_BYTES || !isPowerOfTwo(length))) {
    throw new MetainfoError(
      length < BLOCK_BYTES
        ? 'missing-piece-length'
        : 'piece-length-not-power-of-two',
      `${length} bytes`,
    );
  }
  return length;
}

/** A hybrid's v1 list, pads and all, with the roots of its v2 tree; the two must say the same. */
function mergeEntries(
  v1: FileEntry[] | undefined,
  v2: FileEntry[] | undefined,
  pieceLength: number,
): FileEntry[] {
  if (!v1 || !v2) return (v1 ?? v2) as FileEntry[];
  let next = 0;
  let offset = 0;
  const merged = v1.map((entry) => {
    const start = offset;
    offset += entry.length;
    if (entry.attributes.pad) return entry;
    const twin = v2[next++];
    const aligned = entry.length === 0 || start % pieceLength === 0;
    if (!twin || !aligned || !sameFile(entry, twin)) {
      throw new MetainfoError('v1-v2-files-differ', `file ${next - 1}`);
    }
    return twin.piecesRoot ? { ...entry, piecesRoot: twin.piecesRoot } : entry;
  });
  if (next !== v2.length) {
    throw new MetainfoError('v1-v2-files-differ', 'number of files');
  }
  return merged;
}

function sameFile(a: FileEntry, b: FileEntry): boolean {
  return (
    a.length === b.length &&
    a.path.length === b.path.length &&
    a.path.every((element, i) => Buffer.compare(element, b.path[i]) === 0)
  );
}

function measure(
  entries: readonly FileEntry[],
  pieceLength: number,
  aligned: boolean,
): Pick<Metainfo, 'length' | 'size' | 'pieceCount'> {
  let length = 0;
  let size = 0;
  for (const entry of entries) {
    if (aligned && entry.length > 0) length = roundUp(length, pieceLength);
    length += entry.length;
    if (!entry.attributes.pad) size += entry.length;
    if (length > MAX_LENGTH) throw new MetainfoError('invalid-length', 'total');
  }
  const pieceCount = Math.ceil(length / pieceLength);
  if (pieceCount > MAX_PIECES) {
    throw new MetainfoError('too-many-pieces', String(pieceCount));
  }
  return { length, size, pieceCount };
}

function layOut(
  entries: readonly FileEntry[],
  name: string,
  alignment: number,
  rules: PathRules,
): MetainfoFile[] {
  const named = entries.map(({ path, length, attributes, symlink }) => ({
    path: [name, ...safePath(path, rules)],
    length,
    pad: attributes.pad,
    symlink,
  }));
  const paths = uniquePaths(named);
  const targets = resolveSymlinks(
    named.map(({ symlink }, i) => ({ path: paths[i], symlink })),
    name,
    rules,
  );
  let end = 0;
  return entries.map(({ length, attributes, piecesRoot }, i) => {
    const offset = length > 0 ? roundUp(end, alignment) : end;
    end = offset + length;
    return {
      path: paths[i],
      length,
      offset,
      pad: attributes.pad,
      ...(piecesRoot && { piecesRoot }),
      ...(attributes.executable && { executable: true }),
      ...(attributes.hidden && { hidden: true }),
      ...(targets[i] && { symlink: targets[i] }),
    };
  });
}

function roundUp(n: number, unit: number): number {
  return Math.ceil(n / unit) * unit;
}

function hashInfo(
  bytes: Uint8Array,
  format: MetainfoFormat,
): Pick<Metainfo, 'infoHashV1' | 'infoHashV2' | 'id'> {
  const v1 =
    format === 'v2'
      ? undefined
      : new Uint8Array(createHash('sha1').update(bytes).digest());
  const v2 =
    format === 'v1'
      ? undefined
      : new Uint8Array(createHash('sha256').update(bytes).digest());
  return {
    ...(v1 && { infoHashV1: v1 }),
    ...(v2 && { infoHashV2: v2 }),
    id: torrentId(v1, v2),
  };
}

/** The key of a torrent: v1's hash in hex, else v2's cut to 20 bytes; empty when there is neither. */
export function torrentId(
  v1: Uint8Array | undefined,
  v2: Uint8Array | undefined,
): string {
  const hash = v1 ?? v2?.subarray(0, 20) ?? new Uint8Array();
  return Buffer.from(hash).toString('hex');
}
