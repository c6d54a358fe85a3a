/**
 * What is on its way to the disk. One batch is in flight at a time and all that comes meanwhile
 * forms the next one (group commit), so a slow disk makes larger batches, not a longer queue.
 * Promises: a waiter hears `true` only after the disk said that this version, or one that stands
 * before it, is safe; the table is told of a version only then.
 */
import { keyOf, supersedes } from './record';
import type { DataRecord, RecordKey } from './record';

type Waiter = (safe: boolean) => void;

export interface Batch {
  readonly batch: number;
  readonly upserts: readonly DataRecord[];
  readonly removals: readonly RecordKey[];
}

interface Pending {
  record: DataRecord;
  readonly waiters: Waiter[];
}

const MAX_RECORDS = 20_000;
const MAX_BYTES = 64 * 1024 * 1024;

export class WriteQueue {
  private waiting = new Map<string, Pending>();
  private removals = new Map<string, RecordKey>();
  private flying: Map<string, Pending> | undefined;
  private batch = 0;
  private bytes = 0;
  private flyingBytes = 0;

  /** `stored` is told of each version that became safe, before its waiters are. */
  constructor(private readonly stored: (record: DataRecord) => void) {}

  /** No room: refuse what comes until the disk has caught up. */
  get full(): boolean {
    const records = this.waiting.size + (this.flying?.size ?? 0);
    return records >= MAX_RECORDS || this.bytes + this.flyingBytes >= MAX_BYTES;
  }

  get size(): number {
    return this.waiting.size + (this.flying?.size ?? 0);
  }

  /** The newest version on its way for this key. */
  peek(key: RecordKey): DataRecord | undefined {
    const text = keyOf(key);
    return (this.waiting.get(text) ?? this.flying?.get(text))?.record;
  }

  write(record: DataRecord, waiter: Waiter): void {
    const key = keyOf(record);
    this.removals.delete(key);
    const flying = this.flying?.get(key);
    if (flying && !supersedes(record, flying.record)) {
      flying.waiters.push(waiter);
      return;
    }
    const pending = this.waiting.get(key);
    if (!pending) {
      this.waiting.set(key, { record, waiters: [waiter] });
      this.bytes += record.size;
      return;
    }
    pending.waiters.push(waiter);
    if (!supersedes(record, pending.record)) return;
    this.bytes += record.size - pending.record.size;
    pending.record = record;
  }

  /** Takes a record off the disk, unless a newer version is written meanwhile. */
  remove(key: RecordKey): void {
    const text = keyOf(key);
    if (!this.waiting.has(text)) this.removals.set(text, key);
  }

  /** The next batch, when there is one and none is in flight. */
  next(): Batch | undefined {
    if (this.flying) return undefined;
    if (this.waiting.size === 0 && this.removals.size === 0) return undefined;
    this.flying = this.waiting;
    this.flyingBytes = this.bytes;
    this.waiting = new Map();
    this.bytes = 0;
    const removals = [...this.removals.values()];
    this.removals = new Map();
    const upserts = [...this.flying.values()].map((entry) => entry.record);
    return { batch: ++this.batch, upserts, removals };
  }

  /** The disk has finished a batch, or failed to. */
  done(batch: number, safe: boolean): void {
    if (batch !== this.batch || !this.flying) return;
    const finished = this.flying;
    this.flying = undefined;
    this.flyingBytes = 0;
    for (const { record } of finished.values()) if (safe) this.stored(record);
    for (const { waiters } of finished.values())
      for (const waiter of waiters) waiter(safe);
  }
}
