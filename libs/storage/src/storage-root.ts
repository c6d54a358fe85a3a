/**
 * The Storage folder as a fence: every folder below it is looked at before something in it is opened, made
 * or removed, and one that a symbolic link leads out of is refused.
 */
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import type { FileStat, FileSystem } from './file-system';
import { StorageError, errno, toStorageError } from './storage-error';

export class StorageRoot {
  /** Absolute. */
  readonly path: string;
  readonly #fs: FileSystem;
  #real: Promise<string> | undefined;

  constructor(fs: FileSystem, path: string) {
    this.#fs = fs;
    this.path = resolve(path);
  }

  /**
   * Throws StorageError `outside` unless the folder (or what there is of it) lies below the root. Folders in
   * `checked` are not looked at again.
   */
  async check(folder: string, checked?: Set<string>): Promise<void> {
    if (checked?.has(folder)) return;
    const root = await this.#realPath();
    if (folder === this.path) return;
    for (let dir = folder; ; dir = dirname(dir)) {
      try {
        const way = relative(root, await this.#fs.realpath(dir));
        const up = way === '..' || way.startsWith(`..${sep}`);
        if (up || isAbsolute(way)) {
          const detail = `${folder}: a link leads out of ${this.path}`;
          throw new StorageError('outside', detail, { path: folder });
        }
        checked?.add(folder);
        return;
      } catch (error) {
        // A folder that is not there yet is as good as the one above it; a dangling link is not.
        const above = dirname(dir) !== dir && dir !== this.path;
        if (errno(error) !== 'ENOENT' || !above) {
          throw toStorageError(error, dir);
        }
        const there = await this.stat(dir);
        if (there?.kind === 'link') {
          const detail = `${dir}: a link leads nowhere`;
          throw new StorageError('outside', detail, { path: dir });
        }
        // Another torrent has made it meanwhile.
        if (there) return this.check(folder, checked);
      }
    }
  }

  /** Makes a folder with those above it. Errors are StorageErrors or those of node:fs. */
  async make(folder: string): Promise<void> {
    await this.check(folder);
    await this.#fs.mkdir(folder);
  }

  /** Does not follow links; undefined when there is nothing. Throws StorageError. */
  async stat(path: string): Promise<FileStat | undefined> {
    try {
      return await this.#fs.lstat(path);
    } catch (error) {
      throw toStorageError(error, path);
    }
  }

  /** Renames, or copies to another file system. Errors are those of node:fs. */
  async move(from: string, to: string): Promise<void> {
    try {
      await this.#fs.rename(from, to);
    } catch (error) {
      if (errno(error) !== 'EXDEV') throw error;
      await this.#fs.copy(from, to);
      await this.#fs.unlink(from);
    }
  }

  /** Removes files that are there, and the folders above them that are empty then. Throws StorageError. */
  async remove(paths: Iterable<string>): Promise<void> {
    const folders = new Set<string>();
    for (const path of paths) {
      const folder = dirname(path);
      if (!(await this.stat(path))) continue;
      await this.check(folder, folders);
      await this.#fs.unlink(path).catch((error: unknown) => {
        if (errno(error) !== 'ENOENT') throw toStorageError(error, path);
      });
    }
    await this.tidy(folders);
  }

  /** Removes those of the folders, and of those above them below the root, that are empty. */
  async tidy(folders: Iterable<string>): Promise<void> {
    const all = new Set<string>();
    for (const folder of folders) {
      const inside = this.path + sep;
      for (let dir = folder; dir.startsWith(inside); dir = dirname(dir)) {
        all.add(dir);
      }
    }
    const deepest = [...all].sort((a, b) => b.length - a.length);
    for (const folder of deepest) {
      await this.#fs.rmdir(folder).catch(() => undefined);
    }
  }

  async #realPath(): Promise<string> {
    this.#real ??= this.#fs.realpath(this.path);
    try {
      return await this.#real;
    } catch (error) {
      this.#real = undefined;
      throw toStorageError(error, this.path);
    }
  }
}
