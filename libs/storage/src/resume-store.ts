/**
 * The resume data of all torrents in one SQLite database. A kill at any moment leaves a state that was
 * once complete; a power cut may take the last commits, never the order.
 *
 * Two things are kept of a torrent: its record, which claims only durable pieces, and beside the
 * database the list of pieces `written` since, which survives a kill but promises nothing: they are
 * hashed again after a restart. A damaged database is put aside and a new one begun, a damaged row is
 * dropped; `lost` says which in words. Writing to a database that the disk has no room for throws
 * StorageError `disk-full`.
 */
import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import {
  type ResumeRecord,
  checksum,
  decodeStamps,
  encodeStamps,
} from './resume-record';
import { StorageError, toStorageError } from './storage-error';
import { WriteAheadLog } from './write-ahead-log';
import { WrittenLog } from './written-log';

const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS torrent (
    id TEXT PRIMARY KEY, pieces BLOB NOT NULL, files BLOB NOT NULL,
    writing INTEGER NOT NULL, sum BLOB NOT NULL
  ) WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
/** By name: that there is no such column is damage too. */
const ROWS = 'SELECT id, pieces, files, writing, sum FROM torrent';
const SQLITE_FULL = 13;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

interface Row {
  readonly id: string;
  readonly pieces: Uint8Array;
  readonly files: Uint8Array;
  readonly writing: number;
  readonly sum: Uint8Array;
}

interface Statements {
  readonly get: StatementSync;
  readonly put: StatementSync;
  readonly remove: StatementSync;
}

export interface ResumeStoreOptions {
  /** Milliseconds after which written pieces are noted, many in one transaction. Default 100. */
  readonly delay?: number;
}

export class ResumeStore {
  /** What was damaged and forgotten, in words, a torrent or the whole database a line; those torrents are checked anew. */
  readonly lost: string[] = [];
  readonly #path: string;
  readonly #written: WrittenLog;
  #db!: DatabaseSync;
  #statements!: Statements;
  #log!: WriteAheadLog;

  private constructor(path: string, options: ResumeStoreOptions) {
    this.#path = path;
    this.#written = new WrittenLog(`${path}-written`, options.delay ?? 100);
  }

  /** Opens or makes the database (and its folder). Throws StorageError where that is impossible. */
  static open(path: string, options: ResumeStoreOptions = {}): ResumeStore {
    try {
      mkdirSync(dirname(path), { recursive: true });
      const store = new ResumeStore(path, options);
      // SQLite takes a file of one byte for a new one, too.
      if (existsSync(path) && statSync(path).size < 2) {
        store.lost.push('the resume data was empty');
      }
      try {
        store.#connect();
      } catch (error) {
        store.#startAnew(error);
      }
      return store;
    } catch (error) {
      throw toStorageError(error, path);
    }
  }

  get(id: string): ResumeRecord | undefined {
    const row = this.#guard(() => this.#statements.get.get(id)) as
      Row | undefined;
    return row && toRecord(row);
  }

  /** Pieces that were written after the record was stored: worth a look, not to be trusted. */
  written(id: string): number[] {
    return this.#written.pieces(id);
  }

  /** Stores the record, and which pieces were `written` but are not claimed by it. Throws StorageError. */
  put(id: string, record: ResumeRecord, written: Iterable<number> = []): void {
    const files = encodeStamps(record.files);
    const writing = record.writing ? 1 : 0;
    const sum = checksum(id, record.pieces, files, writing);
    this.#write(() =>
      this.#statements.put.run(id, record.pieces, files, writing, sum),
    );
    this.#written.replace(id, written);
  }

  /** Notes that the piece's bytes were written (not yet durable). */
  addWritten(id: string, piece: number): void {
    this.#written.add(id, piece);
  }

  remove(id: string): void {
    this.#write(() => this.#statements.remove.run(id));
    this.#written.replace(id, []);
  }

  close(): void {
    this.#written.close();
    this.#db.close();
  }

  #write(work: () => void): void {
    this.#guard(work);
    void this.#log.tend();
  }

  /** A database that shows damage only now is replaced too; the call is made again on the new one. */
  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const code = sqliteCode(error);
      if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) {
        this.#startAnew(error);
        return work();
      }
      if (code === SQLITE_FULL) {
        const detail = `${this.#path}: the disk is full`;
        throw new StorageError('disk-full', detail, { cause: error });
      }
      throw toStorageError(error, this.#path);
    }
  }

  #connect(): void {
    const db = new DatabaseSync(this.#path);
    try {
      const log = new WriteAheadLog(db, this.#path);
      expectSound(db, 'quick_check');
      const version = db.prepare('PRAGMA user_version').get()?.['user_version'];
      if (version !== 0 && version !== SCHEMA_VERSION) {
        throw new Error(`unknown version ${String(version)}`);
      }
      db.exec(SCHEMA);
      this.#db = db;
      this.#log = log;
      this.#statements = prepare(db);
      this.#dropDamaged();
    } catch (error) {
      db.close();
      throw error;
    }
  }

  #dropDamaged(): void {
    const all = this.#db.prepare(ROWS).iterate();
    const damaged: string[] = [];
    for (const row of all) {
      if (!toRecord(row as unknown as Row)) damaged.push(String(row['id']));
    }
    for (const id of damaged) {
      this.remove(id);
      this.lost.push(`the resume data of torrent ${id} was damaged`);
    }
    // A damaged id stands where no search finds it, and leads others astray.
    if (damaged.length > 0) expectSound(this.#db, 'integrity_check');
  }

  #startAnew(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    try {
      this.#db?.close();
    } catch {
      // It was closed already.
    }
    if (existsSync(this.#path)) {
      const aside = `${this.#path}.damaged`;
      rmSync(aside, { force: true, recursive: true });
      renameSync(this.#path, aside);
      this.lost.push(
        `the resume data was damaged (${reason}) and put aside as ${aside}`,
      );
    }
    for (const suffix of ['-wal', '-shm', '-journal']) {
      rmSync(this.#path + suffix, { force: true });
    }
    this.#connect();
  }
}

function expectSound(db: DatabaseSync, check: string): void {
  const found = db.prepare(`PRAGMA ${check}(1)`).get()?.[check];
  if (found !== 'ok') throw new Error(String(found));
}

function prepare(db: DatabaseSync): Statements {
  return {
    get: db.prepare(`${ROWS} WHERE id = ?`),
    put: db.prepare('INSERT OR REPLACE INTO torrent VALUES (?, ?, ?, ?, ?)'),
    remove: db.prepare('DELETE FROM torrent WHERE id = ?'),
  };
}

function toRecord(row: Row): ResumeRecord | undefined {
  const { id, pieces, files, writing, sum } = row;
  if (!(pieces instanceof Uint8Array && files instanceof Uint8Array)) {
    return undefined;
  }
  if (!(sum instanceof Uint8Array)) return undefined;
  if (Buffer.compare(sum, checksum(id, pieces, files, writing)) !== 0) {
    return undefined;
  }
  const stamps = decodeStamps(files);
  return stamps && { pieces, files: stamps, writing: writing !== 0 };
}

function sqliteCode(error: unknown): number | undefined {
  return (error as { errcode?: number } | undefined)?.errcode;
}
