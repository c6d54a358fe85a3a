/**
 * A pool of threads that hash: pieces that stand in shared memory (no copy is made) and ranges of
 * files (opened and read by the thread itself, one at a time). Urgent work (a piece that was just downloaded) goes before
 * the rest (checking, creation). Each thread has at most two jobs at a time, so that it never waits
 * for the next one; the others wait here, where they can still be cancelled.
 *
 * Threads start with the first job and end some seconds after the last, for each takes over ten
 * megabytes. They keep the process alive only while they work.
 */
import { hash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { HashAnswer, HashJob, HashUnit } from './hash-worker';
import { StorageError } from './storage-error';

export type { HashUnit } from './hash-worker';

/** A sum of these says which digests of a unit are wanted; the answer has them in this order. */
export const Want = {
  /** SHA-1 of all bytes: 20. */
  sha1: 1,
  /** BEP 52: root over the 16 KiB leaves, padded to `width` leaves: 32. */
  root: 2,
  /** BEP 52: SHA-256 of each 16 KiB leaf: 32 each. */
  leaves: 4,
  /** SHA-1 of each 16 KiB block: 20 each. */
  blocks: 8,
} as const;

export interface HasherOptions {
  /** Where the thread's program lies: `hash-worker.ts`, or a bundled copy of it. */
  readonly workerUrl: string | URL;
  /** Default 2. */
  readonly threads?: number;
  /** Milliseconds without work after which the threads end; default 2,000. */
  readonly restMs?: number;
}

export interface HashOptions {
  /** Goes before all work that is not urgent. */
  readonly urgent?: boolean;
  /** Rejects with `aborted`; the files of a running job are still read until it ends (`settled`). */
  readonly signal?: AbortSignal;
}

/** A unit's digests, or why its bytes could not be read. */
export interface HashResult {
  readonly digests: Uint8Array;
  readonly failure?: { readonly range: number; readonly code: string };
}

interface Pending {
  readonly job: HashJob;
  readonly signal?: AbortSignal;
  settle(answer: HashAnswer | StorageError): void;
}

interface Thread {
  readonly worker: Worker;
  readonly jobs: Map<number, Pending>;
  ready: boolean;
}

/** A worker in TypeScript has no package.json that says it is a module; Node finds out and says so. */
const QUIET = ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON'];
const JOBS_PER_THREAD = 2;
/** Bytes that `hashNow` takes: more would keep the caller for over a millisecond, and not be in its caches any more. */
const MOST_NOW = 1_048_576;
const MOST_FAILURES = 3;

export class Hasher {
  readonly threads: number;
  readonly #workerUrl: string | URL;
  readonly #restMs: number;
  #restTimer: NodeJS.Timeout | undefined;
  readonly #pool: Thread[] = [];
  readonly #urgent: Pending[] = [];
  readonly #patient: Pending[] = [];
  #nextId = 1;
  #failures = 0;
  #broken: StorageError | undefined;

  constructor(options: HasherOptions) {
    this.#workerUrl = options.workerUrl;
    this.threads = Math.max(1, Math.min(64, options.threads ?? 2));
    this.#restMs = options.restMs ?? 2_000;
  }

  /** Threads that there are now. */
  get running(): number {
    return this.#pool.length;
  }

  /** SHA-1 of the first `length` bytes of `memory`: 20 bytes. */
  async sha1(memory: SharedArrayBuffer, length: number): Promise<Uint8Array> {
    const unit = { want: Want.sha1, width: 0, memory, length };
    return (await this.hash([unit], { urgent: true }))[0].digests;
  }

  /**
   * The digest at once, made by the caller's own thread, for what is small and was just put together: its
   * bytes are in the caches of this core, and handing them to another costs more than it saves.
   * Undefined where threads are better (over 1 MiB, trees of hashes).
   */
  hashNow({ want, memory, length }: HashUnit): Uint8Array | undefined {
    if (want !== Want.sha1 || !memory || length > MOST_NOW) return undefined;
    return hash('sha1', new Uint8Array(memory, 0, length), 'buffer');
  }

  /**
   * Hashes all units in one job of one thread; `files` are the paths that the units' ranges index. Throws StorageError `workers`, `aborted`, `closed`.
   * Resolves or rejects only when no thread looks at the units' memory and files any more.
   */
  hash(
    units: readonly HashUnit[],
    options: HashOptions = {},
    files: readonly string[] = [],
  ): Promise<HashResult[]> {
    return new Promise((resolve, reject) => {
      const error = this.#broken ?? abortion(options.signal);
      if (error) {
        reject(error);
        return;
      }
      const pending: Pending = {
        job: { id: this.#nextId++, units, files },
        signal: options.signal,
        settle: (answer) => {
          options.signal?.removeEventListener('abort', cancel);
          const failure =
            answer instanceof StorageError ? answer : abortion(options.signal);
          if (failure) reject(failure);
          else resolve(split(units, answer as HashAnswer));
        },
      };
      const queue = options.urgent ? this.#urgent : this.#patient;
      const cancel = () => {
        const index = queue.indexOf(pending);
        if (index < 0) return;
        queue.splice(index, 1);
        pending.settle(new StorageError('aborted', 'cancelled'));
      };
      options.signal?.addEventListener('abort', cancel);
      queue.push(pending);
      this.#dispatch();
    });
  }

  /** Ends the threads; whatever was asked and not answered is rejected with `closed`. */
  async close(): Promise<void> {
    const error = new StorageError('closed', 'the hashing threads were closed');
    this.#broken ??= error;
    clearTimeout(this.#restTimer);
    const pool = this.#pool.splice(0);
    for (const thread of pool) this.#rejectAll(thread.jobs.values(), error);
    this.#rejectAll(this.#urgent.splice(0), error);
    this.#rejectAll(this.#patient.splice(0), error);
    await Promise.all(pool.map((thread) => thread.worker.terminate()));
  }

  #rejectAll(all: Iterable<Pending>, error: StorageError): void {
    for (const pending of [...all]) pending.settle(error);
  }

  #dispatch(): void {
    for (;;) {
      const queue = this.#urgent.length > 0 ? this.#urgent : this.#patient;
      if (queue.length === 0) return;
      const thread = this.#idlest();
      if (thread === undefined) return;
      const pending = queue.shift() as Pending;
      if (thread.jobs.size === 0) thread.worker.ref();
      thread.jobs.set(pending.job.id, pending);
      thread.worker.postMessage(pending.job);
    }
  }

  /** The thread with the least to do, a new one if that is better; undefined when all have enough. */
  #idlest(): Thread | undefined {
    let best: Thread | undefined;
    for (const thread of this.#pool) {
      if (!best || thread.jobs.size < best.jobs.size) best = thread;
    }
    if (best?.jobs.size === 0) return best;
    if (this.#pool.length < this.threads) return this.#start() ?? best;
    return best && best.jobs.size < JOBS_PER_THREAD ? best : undefined;
  }

  #start(): Thread | undefined {
    let worker: Worker;
    try {
      worker = new Worker(this.#workerUrl, { execArgv: QUIET });
    } catch (error) {
      this.#break(error);
      return undefined;
    }
    const thread: Thread = { worker, jobs: new Map(), ready: false };
    worker.on('message', (message: HashAnswer | 'ready') =>
      this.#onMessage(thread, message),
    );
    worker.on('error', (error) => this.#onExit(thread, error));
    worker.on('exit', (code) => this.#onExit(thread, `exit code ${code}`));
    this.#pool.push(thread);
    return thread;
  }

  #onMessage(thread: Thread, message: HashAnswer | 'ready'): void {
    if (message === 'ready') {
      thread.ready = true;
      return;
    }
    const pending = thread.jobs.get(message.id);
    if (!pending) return;
    this.#failures = 0;
    thread.jobs.delete(message.id);
    this.#dispatch();
    if (thread.jobs.size === 0) {
      thread.worker.unref();
      this.#restSoon();
    }
    pending.settle(message);
  }

  #restSoon(): void {
    clearTimeout(this.#restTimer);
    this.#restTimer = setTimeout(() => {
      if (this.#pool.some(({ jobs }) => jobs.size > 0)) return;
      for (const { worker } of this.#pool.splice(0)) void worker.terminate();
    }, this.#restMs).unref();
  }

  /** A thread that dies takes its jobs along; one that cannot even start, or many in a row, end the pool. */
  #onExit(thread: Thread, cause: unknown): void {
    const index = this.#pool.indexOf(thread);
    if (index < 0) return;
    this.#pool.splice(index, 1);
    this.#failures++;
    if (!thread.ready || this.#failures >= MOST_FAILURES) this.#break(cause);
    const error =
      this.#broken ??
      new StorageError('workers', 'a hashing thread died', { cause });
    this.#rejectAll(thread.jobs.values(), error);
    this.#dispatch();
  }

  #break(cause: unknown): void {
    const reason = cause instanceof Error ? cause.message : String(cause);
    this.#broken ??= new StorageError(
      'workers',
      `hashing threads do not run (${String(this.#workerUrl)}): ${reason}`,
      { cause },
    );
    this.#rejectAll(this.#urgent.splice(0), this.#broken);
    this.#rejectAll(this.#patient.splice(0), this.#broken);
  }
}

function abortion(signal: AbortSignal | undefined): StorageError | undefined {
  return signal?.aborted
    ? new StorageError('aborted', 'cancelled', { cause: signal.reason })
    : undefined;
}

/** Bytes of a unit's digests. */
function digestLength(unit: HashUnit): number {
  const blocks = Math.ceil(unit.length / 16_384);
  return (
    (unit.want & Want.sha1 ? 20 : 0) +
    (unit.want & Want.root ? 32 : 0) +
    (unit.want & Want.leaves ? 32 * blocks : 0) +
    (unit.want & Want.blocks ? 20 * blocks : 0)
  );
}

function split(units: readonly HashUnit[], answer: HashAnswer): HashResult[] {
  let at = 0;
  const results: HashResult[] = units.map((unit) => {
    const end = at + digestLength(unit);
    const digests = answer.digests.subarray(at, end);
    at = end;
    return { digests };
  });
  for (const { unit, range, code } of answer.failures) {
    results[unit] = { digests: new Uint8Array(0), failure: { range, code } };
  }
  return results;
}
