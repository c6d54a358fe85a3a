/** What the peer must remember over a restart: its torrents with their wishes and figures, and its settings. `.node/peer.db`. */
import type { WriteAheadLog } from '@dnd/storage';
import { mkdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { openSound } from '../../sound-database';
import type { SettingsDto } from '../dto/settings.dto';

/** What the owner wants of a torrent, whatever it is doing at the moment. */
export type Wish = 'run' | 'pause' | 'cancelled' | 'failed';

export interface TorrentRow {
  readonly id: string;
  readonly name: string;
  /** Metadata as a .torrent; null while only a magnet link is known. */
  readonly torrent: Uint8Array | null;
  readonly magnet: string | null;
  readonly wish: Wish;
  readonly reason: string | null;
  readonly published: boolean;
  /** Folder that holds the content; null is Storage. */
  readonly root: string | null;
  /** Name on this disk where the torrent's own was taken. */
  readonly local_name: string | null;
  /** The .torrent file beside the content. */
  readonly torrent_file: string | null;
  /** JSON: file priorities, sequential, limits, peers. */
  readonly options: string;
  readonly uploaded: number;
  /** Milliseconds since 1970. */
  readonly added_at: number;
  readonly completed_at: number | null;
  /** The catalogue entry stands on the ring. */
  readonly announced: boolean;
}

/** Bytes of a damaged list that is looked into. */
const mostSalvaged = 1024 * 1024 * 1024;

const columns = [
  'id',
  'name',
  'torrent',
  'magnet',
  'wish',
  'reason',
  'published',
  'root',
  'local_name',
  'torrent_file',
  'options',
  'uploaded',
  'added_at',
  'completed_at',
  'announced',
] as const;

const schema = `
  CREATE TABLE IF NOT EXISTS torrent (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, torrent BLOB, magnet TEXT, wish TEXT NOT NULL, reason TEXT, published INTEGER NOT NULL,
    root TEXT, local_name TEXT, torrent_file TEXT, options TEXT NOT NULL, uploaded INTEGER NOT NULL, added_at INTEGER NOT NULL,
    completed_at INTEGER, announced INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, value TEXT NOT NULL);
`;

interface Statements {
  readonly torrents: StatementSync;
  readonly put: StatementSync;
  readonly drop: StatementSync;
  readonly setUploaded: StatementSync;
  readonly settings: StatementSync;
  readonly set: StatementSync;
  readonly recall: StatementSync;
  readonly keep: StatementSync;
}

function prepare(db: DatabaseSync): Statements {
  db.exec(schema);
  return {
    torrents: db.prepare('SELECT * FROM torrent ORDER BY added_at'),
    put: db.prepare(
      `INSERT OR REPLACE INTO torrent (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    ),
    drop: db.prepare('DELETE FROM torrent WHERE id = ?'),
    setUploaded: db.prepare('UPDATE torrent SET uploaded = ? WHERE id = ?'),
    settings: db.prepare('SELECT name, value FROM setting'),
    set: db.prepare(
      'INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)',
    ),
    recall: db.prepare('SELECT value FROM memory WHERE name = ?'),
    keep: db.prepare(
      'INSERT OR REPLACE INTO memory (name, value) VALUES (?, ?)',
    ),
  };
}

/** What is written here is on the disk soon; `safe` tells when. */
export class PeerStore {
  private readonly db: DatabaseSync;
  private readonly statements: Statements;
  private readonly log: WriteAheadLog;

  /** What is lost, in words; empty when nothing is. */
  readonly lost: string[] = [];

  constructor(storage: string) {
    mkdirSync(join(storage, '.node'), { recursive: true });
    const file = join(storage, '.node', 'peer.db');
    const { db, statements, log, damaged } = openSound(
      file,
      prepare,
      'integrity_check',
    );
    this.db = db;
    this.statements = statements;
    this.log = log;
    if (damaged !== undefined) this.salvage(damaged);
  }

  torrents(): TorrentRow[] {
    return this.statements.torrents.all().map((row) => ({
      ...(row as unknown as TorrentRow),
      published: row['published'] === 1,
      announced: row['announced'] === 1,
    }));
  }

  /** Takes over the torrents that can still be read from a damaged list. */
  private salvage(damaged: string): void {
    let count = 0;
    try {
      extend(damaged);
      const old = new DatabaseSync(damaged, { readOnly: true });
      try {
        for (const row of old.prepare('SELECT * FROM torrent').iterate()) {
          this.statements.put.run(...columns.map((name) => row[name]));
          count++;
        }
      } finally {
        old.close();
      }
    } catch {
      // What comes after the damage cannot be read.
    }
    this.lost.push(
      `the list of torrents was damaged and lies in ${damaged} now; ${count} torrents could be read from it. Those that are missing can be added again by their .torrent files beside the content: nothing that is there is downloaded again`,
    );
  }

  /** Resolves once all that was written before is on the disk, rejects when that fails. */
  safe(): Promise<void> {
    return this.log.synced();
  }

  save(row: TorrentRow): void {
    this.statements.put.run(
      ...columns.map((name) => {
        const value = row[name];
        return typeof value === 'boolean' ? Number(value) : value;
      }),
    );
    this.written();
  }

  saveUploaded(id: string, uploaded: number): void {
    this.statements.setUploaded.run(uploaded, id);
    this.written();
  }

  remove(id: string): void {
    this.statements.drop.run(id);
    this.written();
  }

  settings(defaults: SettingsDto): SettingsDto {
    const known: Record<string, unknown> = {};
    for (const { name, value } of this.statements.settings.all()) {
      const fallback = defaults[name as keyof SettingsDto];
      const read = parsed(value);
      if (typeof read === typeof fallback) known[name as string] = read;
    }
    return { ...defaults, ...known };
  }

  saveSettings(settings: SettingsDto): void {
    for (const [name, value] of Object.entries(settings))
      this.statements.set.run(name, JSON.stringify(value));
    this.written();
  }

  /** What a part of the peer had kept, as JSON; undefined when it had nothing. */
  recall(name: string): string | undefined {
    const row = this.statements.recall.get(name);
    return row?.['value'] as string | undefined;
  }

  keep(name: string, value: string): void {
    this.statements.keep.run(name, value);
    this.written();
  }

  close(): void {
    this.db.close();
  }

  /** Whoever needs to know that the disk fails asks for `safe`. */
  private written(): void {
    this.safe().catch(() => undefined);
  }
}

/** Undefined for what is no JSON (any more). */
function parsed(value: unknown): unknown {
  try {
    return JSON.parse(String(value)) as unknown;
  } catch {
    return undefined;
  }
}

/** To the size that a database's header tells: SQLite reads nothing of one that was cut. */
function extend(file: string): void {
  const bytes = readFileSync(file).subarray(0, 100);
  if (bytes.length < 100) return;
  const pageSize = bytes.readUInt16BE(16);
  const size = pageSize * bytes.readUInt32BE(28);
  if (size <= mostSalvaged && statSync(file).size < size)
    truncateSync(file, size);
}
