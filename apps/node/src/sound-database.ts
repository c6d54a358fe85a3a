/**
 * A SQLite database of the node's own, opened only when it is sound. A damaged one is put aside with all
 * that belongs to it (an old write-ahead log would be played into the new one) and a new one takes its
 * place; whoever asked says what is lost.
 */
import { WriteAheadLog } from '@dnd/storage';
import { existsSync, renameSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** The second looks into indexes too, which takes several times longer: for what is small. */
type Check = 'quick_check' | 'integrity_check';

export interface SoundDatabase<T> {
  readonly db: DatabaseSync;
  readonly log: WriteAheadLog;
  readonly statements: T;
  /** Where the damaged one lies now. */
  readonly damaged?: string;
}

/**
 * `prepare` brings the schema up to date and prepares the statements; that it cannot is damage too (a
 * flipped bit in the name of a column). Other errors, as of no right to write there, are thrown.
 */
export function openSound<T>(
  file: string,
  prepare: (db: DatabaseSync) => T,
  check: Check = 'quick_check',
): SoundDatabase<T> {
  const sound = attempt(file, prepare, check);
  if (sound) return sound;
  const damaged = `${file}.damaged-${Date.now()}`;
  for (const suffix of ['', '-wal', '-shm'])
    if (existsSync(file + suffix)) renameSync(file + suffix, damaged + suffix);
  return { ...opened(new DatabaseSync(file), file, prepare), damaged };
}

function opened<T>(
  db: DatabaseSync,
  file: string,
  prepare: (db: DatabaseSync) => T,
): SoundDatabase<T> {
  const log = new WriteAheadLog(db, file);
  return { db, log, statements: prepare(db) };
}

/** Bytes of the header; of a single byte SQLite says nothing and begins anew. */
const header = 100;

/** SQLite's codes for what is no sound database: error in its schema, corrupt, not a database. */
const damages: ReadonlySet<number> = new Set([1, 11, 26]);

function attempt<T>(
  file: string,
  prepare: (db: DatabaseSync) => T,
  check: Check,
): SoundDatabase<T> | undefined {
  const { size } = statSync(file, { throwIfNoEntry: false }) ?? { size: 0 };
  if (size > 0 && size < header) return undefined;
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(file);
    const found = db.prepare(`PRAGMA ${check}(1)`).get();
    if (found?.[check] === 'ok') return opened(db, file, prepare);
  } catch (error) {
    const { errcode } = error as { errcode?: number };
    if (errcode === undefined || !damages.has(errcode & 0xff)) {
      db?.close();
      throw error;
    }
  }
  db?.close();
  return undefined;
}
