/**
 * One process at a time per Storage folder. The lock is one of the operating system's, on a database file
 * held open: it goes when its process goes, however that ends, so there is no stale lock to tell from a
 * live one. A text beside it names the process for the error message.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StorageError, toStorageError } from './storage-error';
import { OWN_FOLDER } from './torrent-files';

const SQLITE_BUSY = 5;

export class StorageLock {
  readonly #db: DatabaseSync;

  private constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Throws StorageError `locked` (with the other's `pid` where known), `read-only`, `disk-full`, `io`. */
  static acquire(root: string): StorageLock {
    const folder = join(root, OWN_FOLDER);
    const pidFile = join(folder, 'pid');
    let db: DatabaseSync | undefined;
    try {
      mkdirSync(folder, { recursive: true });
      db = new DatabaseSync(join(folder, 'lock.db'));
      db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
      writeFileSync(pidFile, `${process.pid}\n`);
      return new StorageLock(db);
    } catch (error) {
      db?.close();
      if ((error as { errcode?: number }).errcode !== SQLITE_BUSY) {
        throw toStorageError(error, folder);
      }
      const pid = readPid(pidFile);
      const holder = pid === undefined ? 'another process' : `process ${pid}`;
      const detail = `${root} is in use by ${holder}`;
      throw new StorageError('locked', detail, { path: root, pid });
    }
  }

  /** Lets the next process in. */
  release(): void {
    if (this.#db.isOpen) this.#db.close();
  }
}

function readPid(path: string): number | undefined {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}
