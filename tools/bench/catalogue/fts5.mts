/**
 * The catalogue searched by SQLite's FTS5, for comparison: a contentless table with indexes of prefixes
 * of one to three letters, no positions, no ranks; the orders are indexes of an ordinary table. It is
 * given the same folded words as the program's own index. Either the orders come from SQLite too, or
 * FTS5 only says what matches and the orders are in memory (`hybrid`).
 */
import { DatabaseSync } from 'node:sqlite';
import { SortedOrder } from '../../../apps/node/src/tracker/sorted-order';
import {
  encodeEntry,
  decodeEntry,
  type Entry,
} from '../../../apps/node/src/tracker/values';
import {
  sortable,
  termsOf,
  wordsOf,
} from '../../../apps/node/src/tracker/words';
import type { Question } from './made-up.mts';

const columns = {
  name: 'sort_name',
  size: 'size',
  date: 'date',
  seeders: 'seeders',
} as const;
const limit = 100;

export class Fts5Catalogue {
  private readonly db: DatabaseSync;
  private readonly orders = new Map<string, SortedOrder>();
  private readonly keys: Record<string, (string | number)[]> = {
    name: [],
    size: [],
    date: [],
    seeders: [],
  };
  private count = 0;

  constructor(
    file: string,
    private readonly hybrid: boolean,
  ) {
    this.db = new DatabaseSync(file);
    this.db.exec(`
      PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
      CREATE TABLE IF NOT EXISTS entry (
        id INTEGER PRIMARY KEY, info_hash TEXT UNIQUE NOT NULL, value BLOB NOT NULL,
        sort_name TEXT, size INTEGER, date INTEGER, seeders INTEGER DEFAULT 0
      );
      CREATE INDEX IF NOT EXISTS by_name ON entry (sort_name, id);
      CREATE INDEX IF NOT EXISTS by_size ON entry (size, id);
      CREATE INDEX IF NOT EXISTS by_date ON entry (date, id);
      CREATE INDEX IF NOT EXISTS by_seeders ON entry (seeders, id);
      CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (
        text, content = '', contentless_delete = 1, detail = none,
        prefix = '1 2 3', tokenize = "unicode61 remove_diacritics 0"
      );
    `);
  }

  fill(entries: readonly Entry[], seedersOf: (i: number) => number): void {
    const put = this.db.prepare(
      'INSERT INTO entry (info_hash, value, sort_name, size, date, seeders) VALUES (?, ?, ?, ?, ?, ?)',
    );
    const index = this.db.prepare(
      'INSERT INTO words (rowid, text) VALUES (?, ?)',
    );
    this.db.exec('BEGIN');
    entries.forEach((entry, i) => {
      const { lastInsertRowid } = put.run(
        entry.infoHash,
        encodeEntry(entry),
        sortable(entry.name),
        entry.size,
        entry.publishedAt,
        seedersOf(i),
      );
      const text = `${entry.name}\n${entry.comment}\n${entry.paths}`;
      index.run(lastInsertRowid, [...termsOf(text, 4_000)].join(' '));
    });
    this.db.exec("INSERT INTO words (words) VALUES ('optimize'); COMMIT");
  }

  /** What must be done at each start. */
  load(): void {
    this.count = Number(
      this.db.prepare('SELECT count(*) AS n FROM entry').get()?.['n'],
    );
    if (!this.hybrid) return;
    for (const row of this.db
      .prepare('SELECT id, sort_name, size, date, seeders FROM entry')
      .iterate()) {
      const id = row['id'] as number;
      this.keys['name'][id] = row['sort_name'] as string;
      this.keys['size'][id] = row['size'] as number;
      this.keys['date'][id] = row['date'] as number;
      this.keys['seeders'][id] = row['seeders'] as number;
    }
    for (const sort of Object.keys(columns)) {
      const keys = this.keys[sort];
      const order = new SortedOrder(
        (a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : a - b),
        () => true,
      );
      for (let id = 1; id <= this.count; id++) order.add(id);
      order.read();
      this.orders.set(sort, order);
    }
  }

  search(question: Question): { total: number; items: Entry[] } {
    const words = wordsOf(question.search, 16);
    if (words.length === 0)
      return question.search === ''
        ? this.everything(question)
        : { total: 0, items: [] };
    const match = words.map((word) => `"${word}"*`).join(' AND ');
    return this.hybrid
      ? this.fromMemory(match, question)
      : this.fromTables(match, question);
  }

  private everything({ sort, order, offset }: Question) {
    const column = columns[sort];
    const rows = this.db
      .prepare(
        `SELECT value FROM entry ORDER BY ${column} ${order}, id ${order} LIMIT ${limit} OFFSET ?`,
      )
      .all(offset);
    return { total: this.count, items: rows.map(entryIn) };
  }

  private fromTables(match: string, { sort, order, offset }: Question) {
    const total = Number(
      this.db
        .prepare('SELECT count(*) AS n FROM words WHERE words MATCH ?')
        .get(match)?.['n'],
    );
    if (total <= offset) return { total, items: [] };
    // Few matches are sorted; of many the order's index is walked and what does not match passed over.
    const column = total < 2_000 ? `+${columns[sort]}` : columns[sort];
    const rows = this.db
      .prepare(
        `SELECT value FROM entry WHERE id IN (SELECT rowid FROM words WHERE words MATCH ?)
         ORDER BY ${column} ${order}, id ${order} LIMIT ${limit} OFFSET ?`,
      )
      .all(match, offset);
    return { total, items: rows.map(entryIn) };
  }

  private fromMemory(match: string, { sort, order, offset }: Question) {
    const found = new Uint8Array(this.count + 1);
    let total = 0;
    for (const row of this.db
      .prepare('SELECT rowid FROM words WHERE words MATCH ?')
      .iterate(match)) {
      found[row['rowid'] as number] = 1;
      total++;
    }
    const ids: number[] = [];
    const sorted = this.orders.get(sort)?.read() ?? new Int32Array(0);
    let skip = offset;
    for (let i = 0; i < sorted.length && ids.length < limit; i++) {
      const id = sorted[order === 'asc' ? i : sorted.length - 1 - i];
      if (found[id] && skip-- <= 0) ids.push(id);
    }
    const value = this.db.prepare('SELECT value FROM entry WHERE id = ?');
    return { total, items: ids.map((id) => entryIn(value.get(id) ?? {})) };
  }
}

const entryIn = (row: Record<string, unknown>): Entry =>
  decodeEntry(row['value'] as Uint8Array);
