/**
 * The handful of disk operations that this library makes, as a seam: the real disk by default, one
 * that fails or forgets in specs. Descriptors are plain numbers and each call is one system call;
 * errors are those of node:fs, with their errno names as `code`.
 */
import * as fs from 'node:fs';

export interface FileStat {
  readonly kind: 'file' | 'folder' | 'link' | 'other';
  /** Bytes. */
  readonly size: number;
  /** Time of the last change of the content, nanoseconds since 1970. */
  readonly mtimeNs: bigint;
}

export interface FileSystem {
  /** `flags` are those of `node:fs` constants. */
  open(path: string, flags: number): Promise<number>;
  close(fd: number): Promise<void>;
  /** Fills the parts one after another. Bytes read; 0 at the end of the file. */
  read(
    fd: number,
    into: readonly Uint8Array[],
    position: number,
  ): Promise<number>;
  /** Writes the parts one after another. Bytes written; may be fewer than there are. */
  write(
    fd: number,
    from: readonly Uint8Array[],
    position: number,
  ): Promise<number>;
  truncate(fd: number, length: number): Promise<void>;
  /** Returns when the file's bytes and size would survive a power cut. */
  datasync(fd: number): Promise<void>;
  fstat(fd: number): Promise<FileStat>;
  /** Does not follow a link in the last element; undefined when there is nothing. */
  lstat(path: string): Promise<FileStat | undefined>;
  realpath(path: string): Promise<string>;
  /** With all the folders above; an existing folder is no error. */
  mkdir(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  copy(from: string, to: string): Promise<void>;
  unlink(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
  readdir(path: string): Promise<readonly string[]>;
  /** Bytes that this user may still write to the disk that holds `path`. */
  free(path: string): Promise<number>;
}

/** The real disk. */
export const realFileSystem: FileSystem = {
  open: (path, flags) =>
    new Promise((resolve, reject) =>
      fs.open(path, flags, 0o666, (error, fd) =>
        error ? reject(error) : resolve(fd),
      ),
    ),
  close: (fd) =>
    new Promise((resolve, reject) =>
      fs.close(fd, (error) => (error ? reject(error) : resolve())),
    ),
  read: (fd, into, position) =>
    new Promise((resolve, reject) =>
      fs.readv(fd, into, position, (error, count) =>
        error ? reject(error) : resolve(count),
      ),
    ),
  write: (fd, from, position) =>
    new Promise((resolve, reject) =>
      fs.writev(fd, from, position, (error, count) =>
        error ? reject(error) : resolve(count),
      ),
    ),
  truncate: (fd, length) =>
    new Promise((resolve, reject) =>
      fs.ftruncate(fd, length, (error) => (error ? reject(error) : resolve())),
    ),
  datasync: (fd) =>
    new Promise((resolve, reject) =>
      fs.fdatasync(fd, (error) => (error ? reject(error) : resolve())),
    ),
  fstat: (fd) =>
    new Promise((resolve, reject) =>
      fs.fstat(fd, { bigint: true }, (error, stat) =>
        error ? reject(error) : resolve(toFileStat(stat)),
      ),
    ),
  lstat: async (path) => {
    try {
      return toFileStat(await fs.promises.lstat(path, { bigint: true }));
    } catch (error) {
      const code = (error as { code?: string }).code;
      if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
      throw error;
    }
  },
  realpath: (path) => fs.promises.realpath(path),
  mkdir: async (path) => {
    await fs.promises.mkdir(path, { recursive: true });
  },
  rename: (from, to) => fs.promises.rename(from, to),
  copy: (from, to) =>
    fs.promises.copyFile(from, to, fs.constants.COPYFILE_EXCL),
  unlink: (path) => fs.promises.unlink(path),
  rmdir: (path) => fs.promises.rmdir(path),
  readdir: (path) => fs.promises.readdir(path),
  free: async (path) => {
    const stat = await fs.promises.statfs(path);
    return stat.bavail * stat.bsize;
  },
};

function toFileStat(stat: fs.BigIntStats): FileStat {
  return {
    kind: stat.isFile()
      ? 'file'
      : stat.isDirectory()
        ? 'folder'
        : stat.isSymbolicLink()
          ? 'link'
          : 'other',
    size: Number(stat.size),
    mtimeNs: stat.mtimeNs,
  };
}
