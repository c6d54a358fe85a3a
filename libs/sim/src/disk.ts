/**
 * A disk that forgets what was not synced. Writes are visible at once to the process that made
 * them; a crash keeps what a finished `sync` covered and a random prefix of the rest, in the
 * order written, as a journal would.
 */
import type { Random } from './random';
import type { VirtualTime } from './virtual-time';

interface Write<V> {
  readonly key: string;
  /** Undefined deletes. */
  readonly value: V | undefined;
}

export interface DiskOptions {
  /** Mean milliseconds of one sync. */
  readonly syncMs?: number;
}

export class SimDisk<V> {
  private safe = new Map<string, V>();
  private seen = new Map<string, V>();
  private unsynced: Write<V>[] = [];
  /** Writes made durable so far, counted to know what a sync in flight covers. */
  private written = 0;
  private synced = 0;
  private life = 0;

  constructor(
    private readonly time: VirtualTime,
    private readonly random: Random,
    private readonly options: DiskOptions = {},
  ) {}

  /** What the running process reads. */
  get contents(): ReadonlyMap<string, V> {
    return this.seen;
  }

  /** What a crash at this moment cannot take. */
  get durable(): ReadonlyMap<string, V> {
    return this.safe;
  }

  write(key: string, value: V): void {
    this.seen.set(key, value);
    this.append({ key, value });
  }

  delete(key: string): void {
    this.seen.delete(key);
    this.append({ key, value: undefined });
  }

  /** Makes everything written before this call durable, then calls `done`, unless a crash comes first. */
  sync(done: () => void): void {
    const upTo = this.written;
    const life = this.life;
    const delay = this.random.exponential(this.options.syncMs ?? 2);
    this.time.after(delay, () => {
      if (life !== this.life) return;
      this.commit(upTo - this.synced);
      done();
    });
  }

  /** Power loss. The next process reads what is left. */
  crash(): void {
    this.life++;
    this.commit(this.random.int(this.unsynced.length + 1));
    this.unsynced = [];
    this.synced = this.written;
    this.seen = new Map(this.safe);
  }

  /** A new, empty disk in the same slot. */
  replace(): void {
    this.life++;
    this.unsynced = [];
    this.synced = this.written;
    this.safe = new Map();
    this.seen = new Map();
  }

  private append(write: Write<V>): void {
    this.written++;
    this.unsynced.push(write);
  }

  private commit(count: number): void {
    if (count <= 0) return;
    for (const { key, value } of this.unsynced.splice(0, count)) {
      if (value === undefined) this.safe.delete(key);
      else this.safe.set(key, value);
    }
    this.synced += count;
  }
}
