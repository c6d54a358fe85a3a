/**
 * Open files, shared by all torrents and bounded: the longest unused one is closed when another is
 * needed, so a thousand seeding torrents hold no thousand descriptors. A descriptor is lent for
 * the time of one operation and never closed meanwhile. When all are lent, or the system has no
 * more (EMFILE, ENFILE), the next borrower waits for one to come back.
 */
import { constants } from 'node:fs';
import type { FileSystem } from './file-system';
import { errno } from './storage-error';

/** `create`: may be written, and is made when it is not there; `write`: must be there. */
export type FileAccess = 'read' | 'write' | 'create';

const flags: Readonly<Record<FileAccess, number>> = {
  read: constants.O_RDONLY | constants.O_NOFOLLOW,
  write: constants.O_RDWR | constants.O_NOFOLLOW,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW,
};

interface Handle {
  readonly path: string;
  readonly writable: boolean;
  readonly opening: Promise<number>;
  users: number;
  /** Closed as soon as nobody uses it. */
  doomed: boolean;
}

export class FileHandles {
  readonly limit: number;
  readonly #fs: FileSystem;
  /** In order of last use, longest unused first. */
  readonly #handles = new Map<string, Handle>();
  /** Those taken out of `#handles` (closed files, replaced ones) that are still lent. */
  #orphans = 0;
  readonly #waiting: (() => void)[] = [];

  /** `limit`: descriptors held at most, default 128. */
  constructor(fs: FileSystem, options: { readonly limit?: number } = {}) {
    this.#fs = fs;
    this.limit = Math.max(1, options.limit ?? 128);
  }

  /** Descriptors open or being opened. */
  get open(): number {
    return this.#handles.size + this.#orphans;
  }

  /**
   * Lends the file's descriptor to `use`. `prepare` runs before the file is opened (not when it is
   * open already). Never lend a second file inside `use` of a first: with all lent both would wait.
   */
  async lend<T>(
    path: string,
    access: FileAccess,
    use: (fd: number) => Promise<T> | T,
    prepare?: () => Promise<void>,
  ): Promise<T> {
    const handle = await this.#borrow(path, access, prepare);
    try {
      return await use(await handle.opening);
    } finally {
      await this.#giveBack(handle);
    }
  }

  /** Closes these files (those of lent descriptors as soon as they come back). */
  async forget(paths: Iterable<string>): Promise<void> {
    const closing: Promise<void>[] = [];
    for (const path of paths) {
      const handle = this.#handles.get(path);
      if (handle) closing.push(this.#drop(handle));
    }
    await Promise.all(closing);
  }

  /** Closes everything. */
  async close(): Promise<void> {
    await this.forget([...this.#handles.keys()]);
  }

  async #borrow(
    path: string,
    access: FileAccess,
    prepare?: () => Promise<void>,
  ): Promise<Handle> {
    for (;;) {
      const known = this.#handles.get(path);
      if (known && (known.writable || access === 'read')) {
        this.#handles.delete(path);
        this.#handles.set(path, known);
        known.users++;
        try {
          await known.opening;
        } catch (error) {
          await this.#giveBack(known);
          throw error;
        }
        return known;
      }
      if (known) await this.#drop(known);
      if (this.#handles.has(path)) continue;
      if (this.open >= this.limit) {
        await this.makeRoom();
        continue;
      }
      const handle = this.#open(path, access, prepare);
      try {
        await handle.opening;
        return handle;
      } catch (error) {
        await this.#giveBack(handle);
        const scarce = errno(error) === 'EMFILE' || errno(error) === 'ENFILE';
        if (!scarce || !(await this.makeRoom())) throw error;
      }
    }
  }

  #open(
    path: string,
    access: FileAccess,
    prepare?: () => Promise<void>,
  ): Handle {
    const handle: Handle = {
      path,
      writable: access !== 'read',
      opening: (async () => {
        await prepare?.();
        return this.#fs.open(path, flags[access]);
      })(),
      users: 1,
      doomed: false,
    };
    // A failed opening is seen by whoever awaits it; it must not count as unhandled before.
    handle.opening.catch(() => {
      if (this.#handles.get(path) === handle) {
        this.#handles.delete(path);
        this.#orphans++;
        handle.doomed = true;
      }
    });
    this.#handles.set(path, handle);
    return handle;
  }

  /**
   * Closes the longest unused file, or waits for a lent one to come back; false when none is open.
   * For whoever met EMFILE outside of here.
   */
  async makeRoom(): Promise<boolean> {
    for (const handle of this.#handles.values()) {
      if (handle.users > 0) continue;
      await this.#drop(handle);
      return true;
    }
    if (this.open === 0) return false;
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  }

  async #drop(handle: Handle): Promise<void> {
    if (this.#handles.get(handle.path) === handle) {
      this.#handles.delete(handle.path);
      this.#orphans++;
    }
    handle.doomed = true;
    if (handle.users === 0) await this.#close(handle);
  }

  async #giveBack(handle: Handle): Promise<void> {
    handle.users--;
    if (handle.users === 0 && handle.doomed) await this.#close(handle);
    this.#waiting.shift()?.();
  }

  async #close(handle: Handle): Promise<void> {
    const fd = await handle.opening.catch(() => -1);
    // A close that fails has released the descriptor all the same (POSIX leaves no other choice).
    if (fd >= 0) await this.#fs.close(fd).catch(() => undefined);
    this.#orphans--;
  }
}
