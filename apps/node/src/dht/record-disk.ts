/** The records of this node on disk: `.node/records.db`, SQLite. Every batch is on the platter before it is acknowledged. */
import { betweenIncl } from '@dnd/chord';
import type { DataRecord, RecordKey, RecordMeta } from '@dnd/records';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** Rows handed over at a time at the start: few, so that what is made for it dies young. */
const partSize = 200;
/** Milliseconds. */
const countsLife = 5000;

export interface RecordCounts {
  readonly at: number;
  readonly byKind: {
    torrent: number;
    catalogue: number;
    name: number;
    client: number;
  };
  /** Records whose place lies in the half-open ring interval (from, to]. */
  between(from: string, to: string): number;
}

export class RecordDisk {
  private readonly db: DatabaseSync;
  private counted: RecordCounts | undefined;
  private readonly upsert: StatementSync;
  private readonly remove: StatementSync;
  private readonly value: StatementSync;

  private constructor(db: DatabaseSync) {
    this.db = db;
    db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA cache_size = -4096;
      CREATE TABLE IF NOT EXISTS record (
        kind TEXT NOT NULL, place TEXT NOT NULL, item TEXT NOT NULL,
        stamp TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, value BLOB,
        PRIMARY KEY (kind, place, item)
      ) WITHOUT ROWID;
    `);
    this.upsert = db.prepare(
      'INSERT OR REPLACE INTO record (kind, place, item, stamp, digest, size, value) VALUES (?, ?, ?, ?, ?, ?, ?)',
    );
    this.remove = db.prepare(
      'DELETE FROM record WHERE kind = ? AND place = ? AND item = ?',
    );
    this.value = db.prepare(
      'SELECT value FROM record WHERE kind = ? AND place = ? AND item = ?',
    );
  }

  /** A damaged database is put aside (`damaged` tells where): the other replicas bring its records back. */
  static open(storage: string): { disk: RecordDisk; damaged?: string } {
    const file = join(storage, '.node', 'records.db');
    try {
      const db = new DatabaseSync(file);
      const check = db.prepare('PRAGMA quick_check(1)').get() as {
        quick_check: string;
      };
      if (check.quick_check === 'ok') return { disk: new RecordDisk(db) };
      db.close();
    } catch (error) {
      if ((error as { errcode?: number }).errcode === undefined) throw error;
    }
    const damaged = `${file}.damaged-${Date.now()}`;
    renameSync(file, damaged);
    return { disk: new RecordDisk(new DatabaseSync(file)), damaged };
  }

  /** All records without their values, in parts. */
  *load(): Generator<RecordMeta[]> {
    let part: RecordMeta[] = [];
    for (const row of this.db
      .prepare('SELECT kind, place, item, stamp, digest, size FROM record')
      .iterate()) {
      part.push(row as unknown as RecordMeta);
      if (part.length === partSize) {
        yield part;
        part = [];
      }
    }
    yield part;
  }

  /** One transaction; throws when the disk does not take it. */
  write(upserts: readonly DataRecord[], removals: readonly RecordKey[]): void {
    this.db.exec('BEGIN IMMEDIATE');
    try {
      for (const { kind, place, item } of removals)
        this.remove.run(kind, place, item);
      for (const { kind, place, item, stamp, digest, size, value } of upserts) {
        this.upsert.run(kind, place, item, stamp, digest, size, value ?? null);
      }
      this.db.exec('COMMIT');
    } catch (error) {
      this.db.exec('ROLLBACK');
      throw error;
    }
  }

  values(keys: readonly RecordKey[]): (Uint8Array | undefined)[] {
    return keys.map(({ kind, place, item }) => {
      const row = this.value.get(kind, place, item) as
        { value: Uint8Array | null } | undefined;
      return row?.value ?? undefined;
    });
  }

  /** How many records lie here, by kind and by place. Computed anew at most every few seconds. */
  counts(): RecordCounts {
    if (this.counted && Date.now() - this.counted.at < countsLife)
      return this.counted;
    const byKind = { torrent: 0, catalogue: 0, name: 0, client: 0 };
    const byPlace: { place: string; n: number }[] = [];
    for (const row of this.db
      .prepare(
        "SELECT kind, place, count(*) AS n FROM record WHERE digest <> '' GROUP BY kind, place",
      )
      .iterate()) {
      const { kind, place, n } = row as unknown as {
        kind: keyof typeof byKind;
        place: string;
        n: number;
      };
      byKind[kind] += n;
      byPlace.push({ place, n });
    }
    const between = (from: string, to: string): number =>
      byPlace.reduce(
        (sum, { place, n }) => (betweenIncl(from, place, to) ? sum + n : sum),
        0,
      );
    this.counted = { at: Date.now(), byKind, between };
    return this.counted;
  }

  close(): void {
    this.db.close();
  }
}
