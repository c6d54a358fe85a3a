/** What the peer must remember over a restart: its torrents with their wishes and figures, and its settings. `.node/peer.db`. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { SettingsDto } from './peer.dto';

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

export class PeerStore {
  private readonly db: DatabaseSync;
  private readonly put: StatementSync;
  private readonly drop: StatementSync;
  private readonly setUploaded: StatementSync;

  constructor(storage: string) {
    mkdirSync(join(storage, '.node'), { recursive: true });
    this.db = new DatabaseSync(join(storage, '.node', 'peer.db'));
    this.db.exec(`
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      CREATE TABLE IF NOT EXISTS torrent (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, torrent BLOB, magnet TEXT, wish TEXT NOT NULL, reason TEXT, published INTEGER NOT NULL,
        root TEXT, local_name TEXT, torrent_file TEXT, options TEXT NOT NULL, uploaded INTEGER NOT NULL, added_at INTEGER NOT NULL,
        completed_at INTEGER, announced INTEGER NOT NULL
      );
      CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
      CREATE TABLE IF NOT EXISTS memory (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    `);
    this.put = this.db.prepare(
      `INSERT OR REPLACE INTO torrent (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
    );
    this.drop = this.db.prepare('DELETE FROM torrent WHERE id = ?');
    this.setUploaded = this.db.prepare(
      'UPDATE torrent SET uploaded = ? WHERE id = ?',
    );
  }

  torrents(): TorrentRow[] {
    return this.db
      .prepare('SELECT * FROM torrent ORDER BY added_at')
      .all()
      .map((row) => ({
        ...(row as unknown as TorrentRow),
        published: row['published'] === 1,
        announced: row['announced'] === 1,
      }));
  }

  save(row: TorrentRow): void {
    this.put.run(
      ...columns.map((name) => {
        const value = row[name];
        return typeof value === 'boolean' ? Number(value) : value;
      }),
    );
  }

  saveUploaded(id: string, uploaded: number): void {
    this.setUploaded.run(uploaded, id);
  }

  remove(id: string): void {
    this.drop.run(id);
  }

  settings(defaults: SettingsDto): SettingsDto {
    const known = Object.fromEntries(
      this.db
        .prepare('SELECT name, value FROM setting')
        .all()
        .map((row) => [
          row['name'] as string,
          JSON.parse(row['value'] as string) as unknown,
        ]),
    );
    return { ...defaults, ...known };
  }

  saveSettings(settings: SettingsDto): void {
    const statement = this.db.prepare(
      'INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)',
    );
    for (const [name, value] of Object.entries(settings))
      statement.run(name, JSON.stringify(value));
  }

  /** What a part of the peer had kept, as JSON; undefined when it had nothing. */
  recall(name: string): string | undefined {
    const row = this.db
      .prepare('SELECT value FROM memory WHERE name = ?')
      .get(name);
    return row?.['value'] as string | undefined;
  }

  keep(name: string, value: string): void {
    this.db
      .prepare('INSERT OR REPLACE INTO memory (name, value) VALUES (?, ?)')
      .run(name, value);
  }

  close(): void {
    this.db.close();
  }
}
