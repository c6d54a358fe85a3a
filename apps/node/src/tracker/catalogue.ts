/**
 * The whole catalogue of the ring as this tracker knows it, in an embedded full-text index (SQLite
 * FTS5): words anywhere in name, comment and file paths, by prefix, case and accents folded. It is a
 * copy that can be made anew at any time, so it is written without waiting for the disk.
 */
import { join } from 'node:path';
import { rmSync } from 'node:fs';
import {
  DatabaseSync,
  type SQLInputValue,
  type StatementSync,
} from 'node:sqlite';
import type { CatalogueQueryDto, CatalogueSort } from './tracker.dto';
import type { Entry } from './values';

export interface IndexedEntry extends Entry {
  readonly seeders: number;
  readonly leechers: number;
}

const columns: Record<CatalogueSort, string> = {
  name: 'sort_name',
  size: 'size',
  date: 'published_at',
  seeders: 'seeders',
};
const schemaVersion = 1;

export class Catalogue {
  /** Grows with every change. */
  version = 1;
  private readonly db: DatabaseSync;
  private readonly upsert: StatementSync;
  private readonly byHash: StatementSync;
  private readonly deleteByHash: StatementSync;
  private readonly setSwarm: StatementSync;

  constructor(storage: string | ':memory:') {
    this.db = openIndex(storage);
    this.upsert = this.db.prepare(`
      INSERT INTO entry (info_hash, place, name, sort_name, size, files, comment, private, publisher_id, publisher_name, published_at, paths)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (info_hash) DO UPDATE SET place = excluded.place, name = excluded.name, sort_name = excluded.sort_name, size = excluded.size,
        files = excluded.files, comment = excluded.comment, private = excluded.private, publisher_id = excluded.publisher_id,
        publisher_name = excluded.publisher_name, published_at = excluded.published_at, paths = excluded.paths`);
    this.byHash = this.db.prepare('SELECT * FROM entry WHERE info_hash = ?');
    this.deleteByHash = this.db.prepare(
      'DELETE FROM entry WHERE info_hash = ?',
    );
    this.setSwarm = this.db.prepare(
      'UPDATE entry SET seeders = ?, leechers = ? WHERE info_hash = ? AND (seeders <> ? OR leechers <> ?)',
    );
  }

  /** Takes in what changed at a place: entries, deletions, or (`complete`) all there is. */
  apply(
    place: string,
    version: string,
    changes: {
      entries: readonly Entry[];
      deleted: readonly string[];
      complete: boolean;
    },
  ): void {
    this.transaction(() => {
      if (changes.complete) {
        const kept = new Set(changes.entries.map(({ infoHash }) => infoHash));
        for (const row of this.db
          .prepare('SELECT info_hash FROM entry WHERE place = ?')
          .all(place)) {
          const infoHash = row['info_hash'] as string;
          if (!kept.has(infoHash)) this.deleteByHash.run(infoHash);
        }
      }
      for (const infoHash of changes.deleted) this.deleteByHash.run(infoHash);
      for (const entry of changes.entries) this.write(place, entry);
      this.db
        .prepare('INSERT OR REPLACE INTO place (place, version) VALUES (?, ?)')
        .run(place, version);
    });
    this.version++;
  }

  /** One entry ahead of the next comparison with the ring. */
  add(place: string, entry: Entry): void {
    this.transaction(() => this.write(place, entry));
    this.version++;
  }

  delete(infoHash: string): void {
    this.deleteByHash.run(infoHash);
    this.version++;
  }

  /** The versions that `apply` was told, by place. */
  versions(): Map<string, string> {
    const rows = this.db.prepare('SELECT place, version FROM place').all();
    return new Map(
      rows.map((row) => [row['place'] as string, row['version'] as string]),
    );
  }

  get(infoHash: string): IndexedEntry | undefined {
    const row = this.byHash.get(infoHash);
    return row && toEntry(row);
  }

  setCounts(infoHash: string, seeders: number, leechers: number): void {
    this.setSwarm.run(seeders, leechers, infoHash, seeders, leechers);
  }

  search(query: CatalogueQueryDto): { total: number; items: IndexedEntry[] } {
    const match = matchOf(query.search ?? '');
    const sort = query.sort ?? 'date';
    const order =
      (query.order ?? (sort === 'name' ? 'asc' : 'desc')) === 'asc'
        ? 'ASC'
        : 'DESC';
    const from =
      match === ''
        ? 'entry'
        : 'entry_text JOIN entry ON entry.rowid = entry_text.rowid';
    const where = match === '' ? '' : 'WHERE entry_text MATCH ?';
    const values: SQLInputValue[] = match === '' ? [] : [match];
    const { total } = this.db
      .prepare(
        `SELECT count(*) AS total FROM ${match === '' ? 'entry' : 'entry_text'} ${where}`,
      )
      .get(...values) as { total: number };
    const rows = this.db
      .prepare(
        `SELECT entry.* FROM ${from} ${where} ORDER BY entry.${columns[sort]} ${order}, entry.info_hash LIMIT ? OFFSET ?`,
      )
      .all(...values, query.limit ?? 100, query.offset ?? 0);
    return { total, items: rows.map(toEntry) };
  }

  close(): void {
    this.db.close();
  }

  private write(place: string, entry: Entry): void {
    this.upsert.run(
      entry.infoHash,
      place,
      entry.name,
      sortable(entry.name),
      entry.size,
      entry.files,
      entry.comment,
      entry.private ? 1 : 0,
      entry.publisherId,
      entry.publisherName,
      entry.publishedAt,
      entry.paths,
    );
  }

  private transaction(work: () => void): void {
    this.db.exec('BEGIN');
    try {
      work();
      this.db.exec('COMMIT');
    } catch (error) {
      this.db.exec('ROLLBACK');
      throw error;
    }
  }
}

/** Case and accents do not decide the order; numbers inside names count as numbers up to twelve digits. */
function sortable(name: string): string {
  return name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/\d{1,12}/g, (digits) => digits.padStart(12, '0'));
}

/** Every word must begin some word of the entry. */
function matchOf(search: string): string {
  const words =
    search.normalize('NFC').match(/[\p{L}\p{N}\p{M}\p{So}]+/gu) ?? [];
  return words
    .slice(0, 16)
    .map((word) => `"${word}"*`)
    .join(' ');
}

function toEntry(row: Record<string, unknown>): IndexedEntry {
  return {
    infoHash: row['info_hash'] as string,
    name: row['name'] as string,
    size: row['size'] as number,
    files: row['files'] as number,
    comment: row['comment'] as string,
    private: row['private'] === 1,
    publisherId: row['publisher_id'] as number,
    publisherName: row['publisher_name'] as string,
    publishedAt: row['published_at'] as number,
    paths: row['paths'] as string,
    seeders: row['seeders'] as number,
    leechers: row['leechers'] as number,
  };
}

function openIndex(storage: string): DatabaseSync {
  const file =
    storage === ':memory:' ? storage : join(storage, '.node', 'catalogue.db');
  try {
    return prepare(new DatabaseSync(file));
  } catch {
    // Of no value by itself: the ring has it all.
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(file + suffix, { force: true });
    return prepare(new DatabaseSync(file));
  }
}

function prepare(db: DatabaseSync): DatabaseSync {
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;');
  const { user_version: version } = db.prepare('PRAGMA user_version').get() as {
    user_version: number;
  };
  if (version !== 0 && version !== schemaVersion)
    throw new Error('another version of the index');
  db.exec(`
    PRAGMA user_version = ${schemaVersion};
    CREATE TABLE IF NOT EXISTS place (place TEXT PRIMARY KEY, version TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS entry (
      rowid INTEGER PRIMARY KEY, info_hash TEXT NOT NULL UNIQUE, place TEXT NOT NULL, name TEXT NOT NULL, sort_name TEXT NOT NULL,
      size INTEGER NOT NULL, files INTEGER NOT NULL, comment TEXT NOT NULL, private INTEGER NOT NULL, publisher_id INTEGER NOT NULL,
      publisher_name TEXT NOT NULL, published_at INTEGER NOT NULL, paths TEXT NOT NULL,
      seeders INTEGER NOT NULL DEFAULT 0, leechers INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX IF NOT EXISTS entry_place ON entry (place);
    CREATE INDEX IF NOT EXISTS entry_name ON entry (sort_name, info_hash);
    CREATE INDEX IF NOT EXISTS entry_size ON entry (size, info_hash);
    CREATE INDEX IF NOT EXISTS entry_date ON entry (published_at, info_hash);
    CREATE INDEX IF NOT EXISTS entry_seeders ON entry (seeders, info_hash);
    CREATE VIRTUAL TABLE IF NOT EXISTS entry_text USING fts5 (
      name, comment, paths, content = 'entry', content_rowid = 'rowid', tokenize = "unicode61 remove_diacritics 2 categories 'L* N* Co So'", prefix = '2 3'
    );
    CREATE TRIGGER IF NOT EXISTS entry_insert AFTER INSERT ON entry BEGIN
      INSERT INTO entry_text (rowid, name, comment, paths) VALUES (new.rowid, new.name, new.comment, new.paths);
    END;
    CREATE TRIGGER IF NOT EXISTS entry_delete AFTER DELETE ON entry BEGIN
      INSERT INTO entry_text (entry_text, rowid, name, comment, paths) VALUES ('delete', old.rowid, old.name, old.comment, old.paths);
    END;
    CREATE TRIGGER IF NOT EXISTS entry_update AFTER UPDATE OF name, comment, paths ON entry BEGIN
      INSERT INTO entry_text (entry_text, rowid, name, comment, paths) VALUES ('delete', old.rowid, old.name, old.comment, old.paths);
      INSERT INTO entry_text (rowid, name, comment, paths) VALUES (new.rowid, new.name, new.comment, new.paths);
    END;
  `);
  return db;
}
