/**
 * The resume data of all torrents in one SQLite database. A kill at any moment leaves a state that was
 * once complete; a power cut may take the last commits, never the order.
 *
 * Two things are kept of a torrent: its record, which claims only durable pieces, and the list of
 * pieces `written` since, which survives a kill but promises nothing: they are hashed again after a
 * restart. A damaged database is put aside and a new one begun, a damaged row is dropped; `lost` says
 * which in words. Writing to a database that the disk has no room for throws StorageError `disk-full`.
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

const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS torrent (
    id TEXT PRIMARY KEY, pieces BLOB NOT NULL, files BLOB NOT NULL,
    writing INTEGER NOT NULL, sum BLOB NOT NULL
  ) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS written (
    id TEXT NOT NULL, piece INTEGER NOT NULL, PRIMARY KEY (id, piece)
  ) WITHOUT ROWID;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;
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
  readonly written: StatementSync;
  readonly addWritten: StatementSync;
  readonly clearWritten: StatementSync;
}

export interface ResumeStoreOptions {
  /** Milliseconds after which written pieces are noted, many in one transaction. Default 100. */
  readonly delay?: number;
}

export class ResumeStore {
  /** What was damaged and forgotten, in words, a torrent or the whole database a line; those torrents are checked anew. */
  readonly lost: string[] = [];
  readonly #path: string;
  readonly #delay: number;
  #db!: DatabaseSync;
  #statements!: Statements;
  #log!: WriteAheadLog;
  #notes: { readonly id: string; readonly piece: number }[] = [];
  #timer: NodeJS.Timeout | undefined;

  private constructor(path: string, options: ResumeStoreOptions) {
    this.#path = path;
    this.#delay = options.delay ?? 100;
  }

  /** Opens or makes the database (and its folder). Throws StorageError where that is impossible. */
  static open(path: string, options: ResumeStoreOptions = {}): ResumeStore {
    const store = new ResumeStore(path, options);
    try {
      mkdirSync(dirname(path), { recursive: true });
      // SQLite takes a file of one byte for a new one, too.
      if (existsSync(path) && statSync(path).size < 2) {
        store.lost.push('the resume data was empty');
      }
      try {
        store.#connect();
      } catch (error) {
        store.#startAnew(error);
      }
    } catch (error) {
      throw toStorageError(error, path);
    }
    return store;
  }

  get(id: string): ResumeRecord | undefined {
    const row = this.#guard(() => this.#statements.get.get(id)) as
      Row | undefined;
    return row && toRecord(row);
  }

  /** Pieces that were written after the record was stored: worth a look, not to be trusted. */
  written(id: string): number[] {
    this.#note();
    const rows = this.#guard(() => this.#statements.written.all(id)) ?? [];
    return (rows as { piece: number }[]).map((row) => row.piece);
  }

  /** Stores the record, and which pieces were `written` but are not claimed by it. Throws StorageError. */
  put(id: string, record: ResumeRecord, written: Iterable<number> = []): void {
    const files = encodeStamps(record.files);
    const writing = record.writing ? 1 : 0;
    const sum = checksum(id, record.pieces, files, writing);
    this.#transaction(() => {
      this.#statements.put.run(id, record.pieces, files, writing, sum);
      this.#statements.clearWritten.run(id);
      for (const piece of written) this.#statements.addWritten.run(id, piece);
    });
    this.#notes = this.#notes.filter((note) => note.id !== id);
  }

  /** Notes that the piece's bytes were written (not yet durable). */
  addWritten(id: string, piece: number): void {
    this.#notes.push({ id, piece });
    if (this.#delay === 0) return this.#note();
    if (this.#timer) return;
    this.#timer = setTimeout(() => this.#note(), this.#delay);
    this.#timer.unref();
  }

  remove(id: string): void {
    this.#notes = this.#notes.filter((note) => note.id !== id);
    this.#transaction(() => {
      this.#statements.remove.run(id);
      this.#statements.clearWritten.run(id);
    });
  }

  close(): void {
    this.#note();
    this.#db.close();
  }

  /** Notes that do not reach the database only cost a second download after a kill. */
  #note(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const notes = this.#notes.splice(0);
    if (notes.length === 0) return;
    try {
      this.#transaction(() => {
        for (const { id, piece } of notes) {
          this.#statements.addWritten.run(id, piece);
        }
      });
    } catch {
      return;
    }
  }

  #transaction(work: () => void): void {
    this.#guard(() => {
      this.#db.exec('BEGIN');
      try {
        work();
        this.#db.exec('COMMIT');
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
        throw error;
      }
    });
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
      const check = db.prepare('PRAGMA quick_check(1)').get();
      if (check?.['quick_check'] !== 'ok') {
        throw new Error(String(check?.['quick_check']));
      }
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
    const all = this.#db.prepare('SELECT * FROM torrent').iterate();
    const damaged: string[] = [];
    for (const row of all) {
      if (!toRecord(row as unknown as Row)) damaged.push(String(row['id']));
    }
    for (const id of damaged) {
      this.remove(id);
      this.lost.push(`the resume data of torrent ${id} was damaged`);
    }
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

function prepare(db: DatabaseSync): Statements {
  return {
    get: db.prepare('SELECT * FROM torrent WHERE id = ?'),
    put: db.prepare('INSERT OR REPLACE INTO torrent VALUES (?, ?, ?, ?, ?)'),
    remove: db.prepare('DELETE FROM torrent WHERE id = ?'),
    written: db.prepare('SELECT piece FROM written WHERE id = ?'),
    addWritten: db.prepare('INSERT OR IGNORE INTO written VALUES (?, ?)'),
    clearWritten: db.prepare('DELETE FROM written WHERE id = ?'),
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
