/** One file as an info dictionary states it, before paths are made safe and offsets are known. */
import { asBytes, type BencodeDictionary } from '@dnd/bencode';
import { MetainfoError } from './metainfo-error';

export interface FileEntry {
  /** Elements below the torrent's name, as bytes; empty for the torrent that is one file. */
  readonly path: readonly Uint8Array[];
  readonly length: number;
  readonly attributes: FileAttributes;
  readonly piecesRoot?: Uint8Array;
  /** Elements below the torrent's name. */
  readonly symlink?: readonly Uint8Array[];
}

export interface FileAttributes {
  readonly pad: boolean;
  readonly executable: boolean;
  readonly hidden: boolean;
  readonly symlink: boolean;
}

/** BEP 47 `attr`; unknown letters mean nothing. */
export function readAttributes(entry: BencodeDictionary): FileAttributes {
  const letters = asBytes(entry.get('attr')) ?? new Uint8Array();
  const has = (letter: string) => letters.includes(letter.charCodeAt(0));
  return {
    pad: has('p'),
    executable: has('x'),
    hidden: has('h'),
    symlink: has('l'),
  };
}

/** A `length`, or `0` for a symbolic link, whatever it says. */
export function readLength(
  entry: BencodeDictionary,
  attributes: FileAttributes,
  max: number,
): number {
  if (attributes.symlink && !attributes.pad) return 0;
  const length = entry.get('length');
  if (typeof length !== 'number' || length < 0 || length > max) {
    throw new MetainfoError('invalid-length', `length ${describe(length)}`);
  }
  return length;
}

function describe(value: unknown): string {
  return typeof value === 'number' || typeof value === 'bigint'
    ? String(value)
    : value === undefined
      ? 'missing'
      : 'is not a number';
}

/** A `symlink path`; undefined when there is none or it is malformed. */
export function readSymlink(
  entry: BencodeDictionary,
  attributes: FileAttributes,
): readonly Uint8Array[] | undefined {
  const target = entry.get('symlink path');
  if (!attributes.symlink || !Array.isArray(target)) return undefined;
  return target.every((element) => element instanceof Uint8Array)
    ? target
    : undefined;
}
