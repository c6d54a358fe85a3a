import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as pause } from 'node:timers/promises';
import { WriteAheadLog } from './write-ahead-log';

let folder: string;
let file: string;
let db: DatabaseSync;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dnd-wal-'));
  file = join(folder, 'some.db');
  db = new DatabaseSync(file);
});
afterEach(() => {
  jest.restoreAllMocks();
  if (db.isOpen) db.close();
  rmSync(folder, { recursive: true, force: true });
});

const sizeOf = (path: string): number =>
  statSync(path, { throwIfNoEntry: false })?.size ?? 0;
const write = (bytes: number): void => {
  db.prepare('INSERT INTO t VALUES (?)').run(new Uint8Array(bytes));
};

/** Has the syncs of all files wait, or fail, until they are told to go on. */
async function heldSyncs() {
  const handle = await open(join(folder, 'any'), 'w');
  const prototype = Object.getPrototypeOf(handle) as FileHandle;
  await handle.close();
  const held: ((error?: Error) => void)[] = [];
  jest.spyOn(prototype, 'datasync').mockImplementation(
    () =>
      new Promise<void>((resolve, reject) => {
        held.push((error) => (error ? reject(error) : resolve()));
      }),
  );
  const count = async (wanted: number): Promise<void> => {
    while (held.length < wanted) await pause(5);
  };
  return { held, count };
}

describe('WriteAheadLog', () => {
  it('commits without waiting for the disk, and tells when it is there', async () => {
    const log = new WriteAheadLog(db, file);
    db.exec('CREATE TABLE t (v BLOB)');
    // NORMAL: SQLite's own syncs are those of its checkpoints.
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 1 });
    const { held, count } = await heldSyncs();
    const told: string[] = [];
    write(10);
    const first = log.synced().then(() => told.push('first'));
    await count(1);
    write(10);
    const second = log.synced().then(() => told.push('second'));
    const third = log.synced().then(() => told.push('third'));
    expect(db.prepare('SELECT count(*) AS n FROM t').get()).toEqual({ n: 2 });
    expect(told).toEqual([]);
    held[0]();
    await first;
    // What was committed during a sync needs another one, and one is enough.
    await count(2);
    expect(told).toEqual(['first']);
    held[1]();
    await Promise.all([second, third]);
    expect(held).toHaveLength(2);
  });

  it('says that the disk has failed, and goes on', async () => {
    const log = new WriteAheadLog(db, file);
    db.exec('CREATE TABLE t (v BLOB)');
    const { held, count } = await heldSyncs();
    const first = log.synced();
    const second = first.catch(() => log.synced());
    await count(1);
    held[0](new Error('broken'));
    await expect(first).rejects.toThrow('broken');
    await count(2);
    held[1]();
    await second;
  });

  it.each(['synced', 'tend'] as const)(
    'has a long log played into the database by another thread (%s)',
    async (after) => {
      const limit = 256 * 1024;
      const log = new WriteAheadLog(db, file, { limit });
      db.exec('CREATE TABLE t (v BLOB)');
      const rounds = 16;
      for (let round = 0; round < rounds; round++) {
        write(limit / 4);
        await log[after]();
        if (sizeOf(`${file}-wal`) < limit) continue;
        // Until the log begins anew.
        while (sizeOf(`${file}-wal`) >= limit) {
          await pause(5);
          write(1);
          await log[after]();
        }
      }
      expect(sizeOf(file)).toBeGreaterThan((rounds / 2) * (limit / 4));
      expect(
        db.prepare(`SELECT count(*) AS n FROM t WHERE length(v) > 1`).get(),
      ).toEqual({ n: rounds });
      expect(db.prepare('PRAGMA integrity_check').get()).toEqual({
        integrity_check: 'ok',
      });
    },
    60_000,
  );
});
