/** What both ways of uploading have in common: names that stay inside their folder, room on the disk, errors in words. */
import { statfs } from 'node:fs/promises';
import { SeamError } from '../rpc/seam-error';
import { bytes } from './words';

/** As many files as one publication may have. */
export const maxFiles = 100_000;
/** Room that is left on the disk for everything else, bytes. */
const reserve = 64 * 1024 * 1024;

/** Throws `disk-full` where `size` more bytes would not leave the reserve free on the disk of `folder`. */
export async function roomFor(folder: string, size: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const missing = size + reserve - bavail * bsize;
  if (size > 0 && missing > 0)
    throw new SeamError(
      'disk-full',
      `the disk is full: ${bytes(missing)} missing for this upload`,
    );
}

/** A file name out of the quotes of a multipart header, where browsers write these three characters so. */
export const formName = (quoted: string): string =>
  quoted.replace(/%22/g, '"').replace(/%0D/gi, '\r').replace(/%0A/gi, '\n');

/** The elements of a relative path. Throws `bad-input` for what would leave the folder. */
export function safeParts(name: string): string[] {
  const parts = name.split('/');
  for (const part of parts) {
    const wrong =
      part === ''
        ? 'an empty path element'
        : part === '.' || part === '..'
          ? `the path element "${part}"`
          : /\p{Cc}/u.test(part)
            ? 'a control character'
            : Buffer.byteLength(part) > 255
              ? 'a name of more than 255 bytes'
              : undefined;
    if (wrong)
      throw new SeamError(
        'bad-input',
        `"${printable(name)}" cannot be published: it has ${wrong}`,
      );
  }
  if (parts.length > 100)
    throw new SeamError(
      'bad-input',
      `"${printable(name)}" is nested more than 100 folders deep`,
    );
  return parts;
}

const printable = (name: string): string =>
  name.replace(/\p{Cc}/gu, '\uFFFD').slice(0, 300);

/** An error of the disk in words; any other as it is. */
export function storageError(error: unknown): Error {
  const code = (error as NodeJS.ErrnoException).code;
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new SeamError(
      'disk-full',
      'the disk is full: make room and try again',
    );
  if (code === 'EEXIST')
    return new SeamError(
      'bad-input',
      'two files of this upload have the same name',
    );
  if (code === 'ENAMETOOLONG')
    return new SeamError('bad-input', 'a path is longer than this disk allows');
  return error as Error;
}
