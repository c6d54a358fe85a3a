/** The records of this node on disk: `.node/records.db`, SQLite. Every batch is on the platter before it is acknowledged. */
import { betweenIncl } from '@dnd/chord';
import type { DataRecord, RecordKey, RecordMeta } from '@dnd/records';
import type { WriteAheadLog } from '@dnd/storage';
import { join } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { openSound } from '../sound-database';

const schema = `
  PRAGMA cache_size = -4096;
  CREATE TABLE IF NOT EXISTS record (
    kind TEXT NOT NULL, place TEXT NOT NULL, item TEXT NOT NULL,
    stamp TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, value BLOB,
    PRIMARY KEY (kind, place, item)
  ) WITHOUT ROWID;
`;

interface Statements {
  readonly upsert: StatementSync;
  readonly remove: StatementSync;
  readonly value: StatementSync;
}

function prepare(db: DatabaseSync): Statements {
  db.exec(schema);
  return {
    upsert: db.prepare(
      'INSERT OR REPLACE INTO record (kind, place, item, stamp, digest, size, value) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    remove: db.prepare(
      'DELETE FROM record WHERE kind = ? AND place = ? AND item = ?',
    ),
    value: db.prepare(
      'SELECT value FROM record WHERE kind = ? AND place = ? AND item = ?',
    ),
  };
}

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
  private counted: RecordCounts | undefined;

  private constructor(
    private readonly db: DatabaseSync,
    private readonly statements: Statements,
    private readonly log: WriteAheadLog,
  ) {}

  /** A damaged database is put aside (`damaged` tells where): the other replicas bring its records back. */
  static open(storage: string): { disk: RecordDisk; damaged?: string } {
    const file = join(storage, '.node', 'records.db');
    const { db, statements, log, damaged } = openSound(file, prepare);
    const disk = new RecordDisk(db, statements, log);
    return damaged === undefined ? { disk } : { disk, damaged };
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

  /** One transaction; resolves once it is on the platter, rejects when the disk does not take it. */
  async write(
    upserts: readonly DataRecord[],
    removals: readonly RecordKey[],
  ): Promise<void> {
    this.db.exec('BEGIN IMMEDIATE');
    try {
      for (const { kind, place, item } of removals)
        this.statements.remove.run(kind, place, item);
      for (const { kind, place, item, stamp, digest, size, value } of upserts) {
        this.statements.upsert.run(
          kind,
          place,
          item,
          stamp,
          digest,
          size,
          value ?? null,
        );
      }
      this.db.exec('COMMIT');
    } catch (error) {
      this.db.exec('ROLLBACK');
      throw error;
    }
    await this.log.synced();
  }

  values(keys: readonly RecordKey[]): (Uint8Array | undefined)[] {
    return keys.map(({ kind, place, item }) => {
      const row = this.statements.value.get(kind, place, item) as
        { value: Uint8Array | null } | undefined;
      return row?.value ?? undefined;
    });
  }

  /** How many records lie here, by kind and by place. Computed anew at most every few seconds. */
  counts(): RecordCounts {
    if (this.counted && performance.now() - this.counted.at < countsLife)
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
    this.counted = { at: performance.now(), byKind, between };
    return this.counted;
  }

  close(): void {
    this.db.close();
  }
}
