/**
 * The one error of this library. Each code asks for one reaction of the owner; the message names
 * the file (or the amount) in words that a user can be shown.
 */
export type StorageErrorCode =
  /** No room: nothing is lost, the same call may be made again when there is. */
  | 'disk-full'
  /** EROFS, EACCES, EPERM: the folder or the file may not be written (or read). */
  | 'read-only'
  /** A file that held verified pieces is gone. */
  | 'missing'
  /** A file is shorter or has other bytes than what was verified. */
  | 'changed'
  /** Something that is not this torrent's stands at a file's name; it is left alone. */
  | 'exists'
  /** A path or a symbolic link leads outside the Storage folder. */
  | 'outside'
  /** The piece has not been verified (yet), or was lost. */
  | 'not-had'
  /** A piece does not fit the memory that was handed in. */
  | 'too-large'
  /** Another process uses this Storage folder. */
  | 'locked'
  /** The hashing threads could not start or died. */
  | 'workers'
  /** The caller's signal aborted the work. */
  | 'aborted'
  /** The storage was closed. */
  | 'closed'
  /** Any other error of the disk (EIO, EMFILE that lasted, ...). */
  | 'io';

export interface StorageErrorDetails {
  readonly path?: string;
  readonly cause?: unknown;
  /** With `disk-full`: how many bytes are wanted beyond what is free, where known. */
  readonly missingBytes?: number;
  /** With `locked`: the process that holds the folder, where known. */
  readonly pid?: number;
}

export class StorageError extends Error {
  override readonly name = 'StorageError';
  readonly path?: string;
  readonly missingBytes?: number;
  readonly pid?: number;

  constructor(
    readonly code: StorageErrorCode,
    detail: string,
    details: StorageErrorDetails = {},
  ) {
    super(detail, { cause: details.cause });
    this.path = details.path;
    this.missingBytes = details.missingBytes;
    this.pid = details.pid;
  }
}

const codes: Readonly<Record<string, StorageErrorCode>> = {
  ENOSPC: 'disk-full',
  EDQUOT: 'disk-full',
  EFBIG: 'disk-full',
  EROFS: 'read-only',
  EACCES: 'read-only',
  EPERM: 'read-only',
  ENOENT: 'missing',
  ENOTDIR: 'missing',
  ELOOP: 'outside',
};

const words: Partial<Record<StorageErrorCode, string>> = {
  'disk-full': 'the disk is full',
  'read-only': 'no permission, or the disk is read-only',
  missing: 'the file is gone',
  outside: 'a symbolic link stands in the way',
};

/** Any error of the file system as a `StorageError`; one that already is, unchanged. */
export function toStorageError(error: unknown, path: string): StorageError {
  if (error instanceof StorageError) return error;
  const cause = error as { code?: string; message?: string } | undefined;
  const code = codes[cause?.code ?? ''] ?? 'io';
  const reason = words[code] ?? cause?.message ?? String(error);
  return new StorageError(code, `${path}: ${reason}`, { path, cause: error });
}

/** The errno name of an error of node:fs, or undefined. */
export function errno(error: unknown): string | undefined {
  return (error as { code?: string } | undefined)?.code;
}
