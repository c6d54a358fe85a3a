/** The file list and piece hashes of BEP 3, with BEP 47's attributes. */
import {
  asBytes,
  asDictionary,
  asList,
  asText,
  type BencodeDictionary,
  type BencodeValue,
} from '@dnd/bencode';
import {
  type FileEntry,
  readAttributes,
  readLength,
  readSymlink,
} from './file-entry';
import { MAX_FILES, MAX_LENGTH } from './limits';
import { MetainfoError } from './metainfo-error';

export const SHA1_BYTES = 20;

export function readV1Files(info: BencodeDictionary): FileEntry[] {
  const list = info.get('files');
  if (list === undefined) {
    if (!info.has('length')) throw new MetainfoError('invalid-length');
    const attributes = { ...readAttributes(info), pad: false, symlink: false };
    return [
      {
        path: [],
        length: readLength(info, attributes, MAX_LENGTH),
        attributes,
      },
    ];
  }
  const entries = asList(list);
  if (!entries) throw new MetainfoError('file-entry-parse-failed', 'files');
  if (entries.length === 0) throw new MetainfoError('no-files');
  if (entries.length > MAX_FILES) throw new MetainfoError('too-many-files');
  return entries.map(readEntry);
}

function readEntry(value: BencodeValue, index: number): FileEntry {
  const entry = asDictionary(value);
  if (!entry) {
    throw new MetainfoError('file-entry-parse-failed', `file ${index}`);
  }
  const stated = readAttributes(entry);
  const attributes = { ...stated, pad: stated.pad || isNamedPad(entry) };
  const length = readLength(entry, attributes, MAX_LENGTH);
  const symlink = readSymlink(entry, attributes);
  return {
    path: readPath(entry, attributes.pad, length),
    length,
    attributes,
    ...(symlink && { symlink }),
  };
}

/** BitComet's padding, older than BEP 47: told by the file's name. */
function isNamedPad(entry: BencodeDictionary): boolean {
  const last = asText(asList(entry.get('path'))?.at(-1));
  return last?.startsWith('_____padding_file_') ?? false;
}

function readPath(
  entry: BencodeDictionary,
  pad: boolean,
  length: number,
): readonly Uint8Array[] {
  const list = asList(entry.get('path.utf-8')) ?? asList(entry.get('path'));
  if (!list || list.length === 0) {
    if (pad) return [Buffer.from('.pad'), Buffer.from(String(length))];
    throw new MetainfoError('missing-name', 'a file without a path');
  }
  return list.map((element) => {
    const bytes = asBytes(element);
    if (!bytes) throw new MetainfoError('invalid-name', 'path element');
    return bytes;
  });
}

/** The concatenated SHA-1 hashes, exactly as many as there are pieces. */
export function readPieceHashes(
  info: BencodeDictionary,
  pieceCount: number,
): Uint8Array {
  const pieces = asBytes(info.get('pieces'));
  if (!pieces || (pieces.length === 0 && pieceCount > 0)) {
    throw new MetainfoError('missing-pieces');
  }
  if (pieces.length !== pieceCount * SHA1_BYTES) {
    throw new MetainfoError(
      'pieces-count-mismatch',
      `${pieces.length} bytes for ${pieceCount} pieces`,
    );
  }
  return pieces;
}
