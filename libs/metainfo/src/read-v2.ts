/** The file tree and piece layers of BEP 52. */
import {
  asBytes,
  asDictionary,
  type BencodeDictionary,
  type BencodeValue,
  keyBytes,
} from '@dnd/bencode';
import {
  type FileEntry,
  readAttributes,
  readLength,
  readSymlink,
} from './file-entry';
import { MAX_FILES, MAX_V2_FILE_LENGTH } from './limits';
import { merkleRoot, pieceLevel } from './merkle';
import type { MetainfoFile } from './metainfo';
import { MetainfoError } from './metainfo-error';
import { MAX_PATH_DEPTH } from './safe-path';

export const SHA256_BYTES = 32;

/** The files in the tree's order, which is the order of their paths' bytes. */
export function readFileTree(
  info: BencodeDictionary,
  name: Uint8Array,
): FileEntry[] {
  const tree = asDictionary(info.get('file tree'));
  if (!tree) throw new MetainfoError('file-entry-parse-failed', 'file tree');
  const files: FileEntry[] = [];
  readFolder(tree, [], files);
  if (files.length === 0) throw new MetainfoError('no-files');
  const [only] = files;
  const isSingle =
    files.length === 1 &&
    only.path.length === 1 &&
    Buffer.compare(only.path[0], name) === 0;
  return isSingle ? [{ ...only, path: [] }] : files;
}

/** Recursion is bounded by the decoder's depth and `MAX_PATH_DEPTH`. */
function readFolder(
  folder: BencodeDictionary,
  path: readonly Uint8Array[],
  files: FileEntry[],
): void {
  if (path.length >= MAX_PATH_DEPTH) {
    throw new MetainfoError('directory-too-deep');
  }
  for (const [key, value] of folder) {
    const entry = asDictionary(value);
    if (!entry || key === '') {
      throw new MetainfoError('file-entry-parse-failed', 'file tree');
    }
    const here = [...path, keyBytes(key)];
    if (entry.size === 1 && entry.has('')) {
      if (files.length >= MAX_FILES) throw new MetainfoError('too-many-files');
      files.push(readLeaf(entry.get(''), here));
    } else {
      readFolder(entry, here, files);
    }
  }
}

function readLeaf(
  value: BencodeValue | undefined,
  path: readonly Uint8Array[],
): FileEntry {
  const entry = asDictionary(value);
  if (!entry) throw new MetainfoError('file-entry-parse-failed', 'file tree');
  const attributes = readAttributes(entry);
  if (attributes.pad) throw new MetainfoError('invalid-pad-file');
  const length = readLength(entry, attributes, MAX_V2_FILE_LENGTH);
  const symlink = readSymlink(entry, attributes);
  const shared = { path, length, attributes, ...(symlink && { symlink }) };
  if (length === 0) return shared;
  const root = asBytes(entry.get('pieces root'));
  if (root?.length !== SHA256_BYTES || root.every((byte) => byte === 0)) {
    throw new MetainfoError('missing-pieces-root');
  }
  return { ...shared, piecesRoot: root };
}

/**
 * The layers of the outer dictionary, each checked against its root. A layer may be missing (peers have
 * it too, BEP 52 hash messages); one that belongs to no file, or does not hash to its root, may not be.
 */
export function readPieceLayers(
  value: BencodeValue | undefined,
  files: readonly MetainfoFile[],
  pieceLength: number,
): Map<string, Uint8Array> {
  const layers = new Map<string, Uint8Array>();
  if (value === undefined) return layers;
  const given = asDictionary(value);
  if (!given) throw new MetainfoError('invalid-piece-layer');
  const lengths = new Map<string, number>();
  for (const { piecesRoot, length } of files) {
    if (piecesRoot) lengths.set(hex(piecesRoot), length);
  }
  for (const [key, value] of given) {
    const root = keyBytes(key);
    const layer = asBytes(value);
    const length = lengths.get(hex(root));
    if (!layer || length === undefined) {
      throw new MetainfoError('invalid-piece-layer', 'unknown root');
    }
    if (!verifyPieceLayer(root, layer, length, pieceLength)) {
      throw new MetainfoError('invalid-piece-layer', hex(root));
    }
    if (length > pieceLength) layers.set(hex(root), layer.slice());
  }
  return layers;
}

/** True when `layer` is the piece layer of a file of `length` bytes with this root. */
export function verifyPieceLayer(
  root: Uint8Array,
  layer: Uint8Array,
  length: number,
  pieceLength: number,
): boolean {
  const pieces = Math.ceil(length / pieceLength);
  if (pieces === 0 || layer.length !== pieces * SHA256_BYTES) return false;
  const found = merkleRoot(layer, pieceLevel(pieceLength));
  return Buffer.compare(found, root) === 0;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(
    'hex',
  );
}
