/**
 * The whole catalogue of the ring as this tracker knows it. Entries lie in SQLite as they came; they
 * are a copy that can be made anew at any time, so they are written without waiting for the disk. What
 * they are found by is in memory and made from them at the start.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { CatalogueMemory, type Counts } from './catalogue-memory';
import type {
  CatalogueFacetsDto,
  CatalogueFilterDto,
  CatalogueQueryDto,
} from './tracker.dto';
import { decodeEntry, type Entry } from './values';

export interface IndexedEntry extends Entry {
  readonly seeders: number;
  readonly leechers: number;
}

/** An entry as it lies on the ring; null: it was withdrawn. */
export interface CatalogueItem {
  readonly item: string;
  readonly value: Uint8Array | null;
}

const schemaVersion = 2;
/** Entries read at a time. */
const slice = 100;

export class Catalogue {
  /** Grows with every change. */
  version = 1;
  private memory = new CatalogueMemory();
  /** Changes while the memory is made anew. */
  private changed: Set<string> | undefined;
  private readonly db: DatabaseSync;
  private readonly write: StatementSync;
  private readonly erase: StatementSync;
  private readonly value: StatementSync;
  private readonly itemsAt: StatementSync;
  private readonly setVersion: StatementSync;

  constructor(storage: string | ':memory:') {
    const db = openIndex(storage);
    this.db = db;
    this.write = db.prepare(
      'INSERT OR REPLACE INTO entry (info_hash, place, value) VALUES (?, ?, ?)',
    );
    this.erase = db.prepare('DELETE FROM entry WHERE info_hash = ?');
    this.value = db.prepare('SELECT value FROM entry WHERE info_hash = ?');
    this.itemsAt = db.prepare('SELECT info_hash FROM entry WHERE place = ?');
    this.setVersion = db.prepare(
      'INSERT OR REPLACE INTO place (place, version) VALUES (?, ?)',
    );
  }

  get size(): number {
    return this.memory.size;
  }

  /** The memory has much that is gone: `load` makes it anew. */
  get isWasteful(): boolean {
    return this.memory.isWasteful;
  }

  /**
   * Makes the memory from what is kept, a slice at a time with a `pause` between two. What changes
   * meanwhile is not lost. At the start what has been read so far is found already.
   */
  async load(pause: () => Promise<void>): Promise<void> {
    const fresh = new CatalogueMemory();
    if (this.size === 0) this.memory = fresh;
    const changed = new Set<string>();
    this.changed = changed;
    const rows = this.db.prepare(
      'SELECT info_hash, value FROM entry WHERE info_hash > ? ORDER BY info_hash LIMIT ?',
    );
    const take = (infoHash: string, value: Uint8Array | undefined): void => {
      const entry = value && decoded(value);
      if (!entry) return fresh.drop(infoHash);
      fresh.enter(entry);
      fresh.setCounts(infoHash, this.memory.countsOf(infoHash));
    };
    for (let after = ''; ;) {
      const read = rows.all(after, slice);
      for (const row of read)
        take(row['info_hash'] as string, row['value'] as Uint8Array);
      if (read.length < slice) break;
      after = read.at(-1)?.['info_hash'] as string;
      this.version++;
      await pause();
    }
    for (const infoHash of changed) take(infoHash, this.valueOf(infoHash));
    this.changed = undefined;
    this.memory = fresh;
    this.version++;
  }

  /** Takes in some of what changed at a place; what is malformed is left out. */
  apply(place: string, items: readonly CatalogueItem[]): void {
    this.transaction(() => {
      for (const { item, value } of items) {
        const entry = value ? decoded(value) : undefined;
        if (value && entry?.infoHash === item) this.enter(place, entry, value);
        else if (!value) this.drop(item);
      }
    });
    this.version++;
  }

  /** Drops what lies at a place and is not among `items`. */
  keepOnly(place: string, items: readonly CatalogueItem[]): void {
    const kept = new Set(items.map(({ item }) => item));
    const gone = this.itemsAt
      .all(place)
      .map((row) => row['info_hash'] as string)
      .filter((infoHash) => !kept.has(infoHash));
    if (gone.length > 0)
      this.apply(
        place,
        gone.map((item) => ({ item, value: null })),
      );
  }

  /** All that changed at the place up to this version has been taken in. */
  reached(place: string, version: string): void {
    this.setVersion.run(place, version);
  }

  /** The versions that were reached, by place. */
  versions(): Map<string, string> {
    const rows = this.db.prepare('SELECT place, version FROM place').all();
    return new Map(
      rows.map((row) => [row['place'] as string, row['version'] as string]),
    );
  }

  get(infoHash: string): IndexedEntry | undefined {
    const value = this.valueOf(infoHash);
    const entry = value && decoded(value);
    if (!entry) return undefined;
    const { seeders, leechers } = this.memory.countsOf(infoHash);
    return { ...entry, seeders, leechers };
  }

  search(
    query: CatalogueQueryDto,
    now = Date.now(),
  ): { total: number; items: IndexedEntry[] } {
    const { total, hashes } = this.memory.search(query, now);
    return { total, items: hashes.flatMap((hash) => this.get(hash) ?? []) };
  }

  /** See CatalogueMemory. */
  count(filter: CatalogueFilterDto): CatalogueFacetsDto {
    return this.memory.count(filter);
  }

  countsOf(infoHash: string): Counts {
    return this.memory.countsOf(infoHash);
  }

  setCounts(infoHash: string, counts: Counts): void {
    this.memory.setCounts(infoHash, counts);
  }

  /** See CatalogueMemory. */
  walk(from: number, most: number): { hashes: string[]; next: number } {
    return this.memory.walk(from, most);
  }

  close(): void {
    this.db.close();
  }

  private enter(place: string, entry: Entry, value: Uint8Array): void {
    const { infoHash } = entry;
    const kept = this.valueOf(infoHash);
    const same = kept !== undefined && Buffer.compare(kept, value) === 0;
    if (same && this.memory.has(infoHash)) return;
    this.write.run(infoHash, place, value);
    this.memory.enter(entry);
    this.changed?.add(infoHash);
  }

  private drop(infoHash: string): void {
    this.erase.run(infoHash);
    this.memory.drop(infoHash);
    this.changed?.add(infoHash);
  }

  private valueOf(infoHash: string): Uint8Array | undefined {
    return this.value.get(infoHash)?.['value'] as Uint8Array | undefined;
  }

  /** What was done before an error stays done: the memory has it too. */
  private transaction(work: () => void): void {
    this.db.exec('BEGIN');
    try {
      work();
    } finally {
      this.db.exec('COMMIT');
    }
  }
}

function decoded(value: Uint8Array): Entry | undefined {
  try {
    return decodeEntry(value);
  } catch {
    return undefined;
  }
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
      info_hash TEXT PRIMARY KEY, place TEXT NOT NULL, value BLOB NOT NULL
    );
    CREATE INDEX IF NOT EXISTS entry_place ON entry (place);
  `);
  return db;
}
