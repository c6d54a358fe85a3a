/**
 * Keeps a SQLite database safe without holding up the thread that writes to it.
 *
 * A sync takes as long as the disk has to write what else lies before it: seconds, while a big file
 * arrives. SQLite would do it within the commit. Here a commit only appends to the write-ahead log
 * (`synchronous = NORMAL`: a power cut may take the last commits, never the order), `synced` tells
 * when the log is on the disk, and once it has grown to its limit a thread of its own plays it into the
 * database (https://sqlite.org/wal.html). SQLite itself syncs only the first commit after that.
 */
import { open, stat } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

export interface WriteAheadLogOptions {
  /** Bytes of the log from which on it is played into the database. Default 16 MiB. */
  readonly limit?: number;
}

/** Does not make the database again where somebody has deleted it. */
const checkpoint = `
  const { workerData } = require('node:worker_threads');
  const { DatabaseSync } = require('node:sqlite');
  const db = new DatabaseSync(new URL(workerData));
  db.exec('PRAGMA synchronous = NORMAL; PRAGMA wal_checkpoint(PASSIVE)');
  db.close();
`;
/** Pages of a log that no thread has played in: SQLite does it then. */
const lastResort = 65_536;

export class WriteAheadLog {
  readonly #file: string;
  readonly #limit: number;
  #running: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;
  #worker: Worker | undefined;

  /** Of the database in `file`, which `db` has open. */
  constructor(
    db: DatabaseSync,
    file: string,
    options: WriteAheadLogOptions = {},
  ) {
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA journal_size_limit = 0;
      PRAGMA wal_autocheckpoint = ${lastResort};
    `);
    this.#file = file;
    this.#limit = options.limit ?? 16 * 1024 * 1024;
  }

  /**
   * Resolves once all that has been committed before the call is on the disk: one sync for all who ask
   * while another is under way. Rejects when the disk fails.
   */
  synced(): Promise<void> {
    this.#next ??= this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined;
        return (this.#running = this.#sync());
      });
    return this.#next;
  }

  /** After commits that nobody waits for: has a log that is long played into the database. */
  async tend(): Promise<void> {
    const log = await stat(this.#log).catch(() => undefined);
    if (log) this.#lookAt(log.size);
  }

  get #log(): string {
    return `${this.#file}-wal`;
  }

  async #sync(): Promise<void> {
    const log = await open(this.#log, 'r+').catch(ifMissing);
    // Nothing has been committed yet, or the database was closed, which played it in.
    if (!log) return;
    try {
      await log.datasync();
      this.#lookAt((await log.stat()).size);
    } finally {
      await log.close();
    }
  }

  #lookAt(size: number): void {
    if (size < this.#limit || this.#worker) return;
    const url = pathToFileURL(this.#file);
    url.search = 'mode=rw';
    // Where that fails, it is tried again after the next commit.
    try {
      this.#worker = new Worker(checkpoint, {
        eval: true,
        workerData: url.href,
      });
    } catch {
      return;
    }
    this.#worker.unref();
    this.#worker.on('error', () => undefined);
    this.#worker.once('exit', () => (this.#worker = undefined));
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}
