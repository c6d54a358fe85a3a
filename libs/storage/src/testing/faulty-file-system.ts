/**
 * The real disk with faults: the Nth operation fails (once or from then on), the process dies between two
 * operations, or the power goes and what was not synced is lost or torn.
 */
import * as fs from 'node:fs';
import type { FileSystem } from '../file-system';
import { realFileSystem } from '../file-system';

interface Unsynced {
  readonly file: OpenedFile;
  readonly position: number;
  readonly before: Uint8Array;
}

interface OpenedFile {
  path: string;
}

export class FaultySystem {
  /** Operations so far. */
  count = 0;
  /** The operations that fail. */
  failing: (operation: number) => boolean = () => false;
  code = 'EIO';
  readonly #files = new Map<string, OpenedFile>();
  readonly #open = new Map<number, OpenedFile>();
  #unsynced: Unsynced[] = [];
  #forsaken: Unsynced[] = [];
  #dead = false;

  /** From now on nothing reaches the disk: the process is gone. */
  kill(): void {
    this.#dead = true;
  }

  /**
   * The power goes. Of the unsynced writes, each is kept, dropped or torn in the middle as `choose`
   * (0 … 2) says, in any combination; times of change stay as they were, the worst case for resume data.
   */
  cut(choose: () => number): void {
    this.kill();
    const open = [...this.#forsaken, ...this.#unsynced];
    for (const { file, position, before } of open.reverse()) {
      const fate = choose();
      if (fate === 0 || !fs.existsSync(file.path)) continue;
      const { atime, mtime } = fs.statSync(file.path);
      const kept = fate === 1 ? before : before.subarray(before.length >> 1);
      const fd = fs.openSync(file.path, 'r+');
      fs.writeSync(
        fd,
        kept,
        0,
        kept.length,
        position + before.length - kept.length,
      );
      fs.closeSync(fd);
      fs.utimesSync(file.path, atime, mtime);
    }
    this.#unsynced = [];
    this.#forsaken = [];
  }

  readonly system: FileSystem = {
    open: async (path, flags) => {
      this.#step();
      const fd = await realFileSystem.open(path, flags);
      const file = this.#files.get(path) ?? { path };
      this.#files.set(path, file);
      this.#open.set(fd, file);
      return fd;
    },
    close: (fd) => realFileSystem.close(fd),
    read: (...args) => this.#then(() => realFileSystem.read(...args)),
    write: async (fd, from, position) => {
      this.#step();
      const file = this.#open.get(fd);
      // Each part has a fate of its own.
      let at = position;
      for (const { length } of from) {
        const before = new Uint8Array(length);
        fs.readSync(fd, before, 0, length, at);
        if (file) this.#unsynced.push({ file, position: at, before });
        at += length;
      }
      return realFileSystem.write(fd, from, position);
    },
    truncate: (...args) => this.#then(() => realFileSystem.truncate(...args)),
    datasync: async (fd) => {
      const file = this.#open.get(fd);
      const covered = this.#unsynced.filter((write) => write.file === file);
      try {
        this.#step();
      } catch (error) {
        // As Linux does: what could not be written counts as clean from now on, and no later sync brings it.
        this.#unsynced = this.#unsynced.filter((w) => !covered.includes(w));
        this.#forsaken.push(...covered);
        throw error;
      }
      await realFileSystem.datasync(fd);
      if (this.#dead) return;
      this.#unsynced = this.#unsynced.filter((w) => !covered.includes(w));
    },
    fstat: (fd) => this.#then(() => realFileSystem.fstat(fd)),
    lstat: (path) => this.#then(() => realFileSystem.lstat(path)),
    realpath: (path) => this.#then(() => realFileSystem.realpath(path)),
    mkdir: (path) => this.#then(() => realFileSystem.mkdir(path)),
    rename: async (from, to) => {
      this.#step();
      await realFileSystem.rename(from, to);
      const file = this.#files.get(from);
      this.#files.delete(from);
      if (!file) return;
      file.path = to;
      this.#files.set(to, file);
    },
    copy: (...args) => this.#then(() => realFileSystem.copy(...args)),
    unlink: (path) => this.#then(() => realFileSystem.unlink(path)),
    rmdir: (path) => this.#then(() => realFileSystem.rmdir(path)),
    readdir: (path) => this.#then(() => realFileSystem.readdir(path)),
    free: (path) => this.#then(() => realFileSystem.free(path)),
  };

  #step(): void {
    this.count++;
    if (!this.#dead && !this.failing(this.count)) return;
    throw Object.assign(new Error(`${this.code}: operation ${this.count}`), {
      code: this.#dead ? 'EIO' : this.code,
    });
  }

  async #then<T>(work: () => Promise<T>): Promise<T> {
    this.#step();
    return work();
  }
}
