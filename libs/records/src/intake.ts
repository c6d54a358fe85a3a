/**
 * The one way into this node's store, for our own writes, other nodes' writes and repair alike:
 * checks the stamp, fetches a large value from whoever offers it, checks the value, and says `ok`
 * once this version is on the disk, `older` once a later one is.
 */
import type { NodeRef } from '@dnd/chord';
import { run, wait } from './flow';
import type { Flow } from './flow';
import type { Kernel } from './kernel';
import { CHUNK_BYTES } from './message';
import type { Answer, StoreCode } from './message';
import {
  digestOf,
  isTombstone,
  maxBytes,
  MAX_ITEM_LENGTH,
  supersedes,
} from './record';
import type { DataRecord, RecordMeta, Version } from './record';
import { MAX_AHEAD_MS, stampTime } from './stamp';

/** Large values fetched at a time, and waiting for their turn. */
const PULLS = 3;
const MAX_WAITING = 64;
const OFFER_MS = 30_000;

export class Intake {
  private pulling = 0;
  private readonly turns: (() => void)[] = [];
  private readonly offers = new Map<string, { value: Uint8Array; n: number }>();

  /** `admit` false keeps a record out, saying `ok`: for rehearsing faults only. */
  constructor(
    private readonly kernel: Kernel,
    private readonly admit: (record: RecordMeta) => boolean,
  ) {}

  /** `source` is asked for a value that does not come with its record. */
  keep(
    record: DataRecord,
    source: NodeRef,
    done: (code: StoreCode) => void,
  ): void {
    const { kernel } = this;
    const held = kernel.table.get(record);
    if (!this.isTimely(record, held)) return done('clock');
    const pending = kernel.writes.peek(record);
    if (held && !supersedes(record, held))
      return done(supersedes(held, record) ? 'older' : 'ok');
    if (!this.admit(record)) return done('ok');
    if (pending && !supersedes(record, pending)) {
      const older = supersedes(pending, record);
      return this.write(pending, (code) =>
        done(code === 'ok' && older ? 'older' : code),
      );
    }
    if (kernel.writes.full) return done('busy');
    if (!isWellFormed(record)) return done('invalid');
    if (isTombstone(record)) return this.write(bare(record), done);
    if (record.value) return this.check(record, record.value, done);
    run(this.pull(record, source), (value) => {
      if (!value) done('failed');
      else this.check(record, value, done);
    });
  }

  /** Lets others fetch this value for a while, although it may not be on our disk. */
  offer(digest: string, value: Uint8Array): void {
    const offered = this.offers.get(digest) ?? { value, n: 0 };
    offered.n++;
    this.offers.set(digest, offered);
    this.kernel.after(OFFER_MS, () => {
      if (--offered.n === 0) this.offers.delete(digest);
    });
  }

  /** A part of a value for another node; undefined when it is not here. */
  *piece(record: RecordMeta, offset: number): Flow<Uint8Array | undefined> {
    let value = this.offers.get(record.digest)?.value;
    const held = this.kernel.table.get(record);
    if (!value && held?.digest === record.digest)
      [value] = yield* wait<readonly (Uint8Array | undefined)[]>((resume) =>
        this.kernel.fetch([record], resume),
      );
    if (!value || offset >= value.length) return undefined;
    return value.subarray(offset, offset + CHUNK_BYTES);
  }

  /** Fetches a value chunk by chunk; undefined when the source fails or has no such value. */
  *pull(record: RecordMeta, source: NodeRef): Flow<Uint8Array | undefined> {
    if (record.size <= 0 || record.size > maxBytes(record.kind))
      return undefined;
    const offered = this.offers.get(record.digest)?.value;
    if (offered) return offered;
    if (source.id === this.kernel.self.id) return yield* this.own(record);
    if (this.turns.length >= MAX_WAITING) return undefined;
    if (this.pulling >= PULLS)
      yield* wait<void>((resume) => this.turns.push(() => resume()));
    this.pulling++;
    const value = yield* this.chunks(record, source);
    this.pulling--;
    this.turns.shift()?.();
    return value;
  }

  /**
   * A stamp far ahead of our clock is refused, unless it follows one that is already here: whoever
   * writes over a record from the future has no choice.
   */
  private isTimely(record: RecordMeta, held: Version | undefined): boolean {
    const { clock, time } = this.kernel;
    if (clock.observe(record.stamp, time)) return true;
    return (
      held !== undefined &&
      stampTime(record.stamp) <= stampTime(held.stamp) + MAX_AHEAD_MS
    );
  }

  private *own(record: RecordMeta): Flow<Uint8Array | undefined> {
    if (this.kernel.table.get(record)?.digest !== record.digest)
      return undefined;
    const [value] = yield* wait<readonly (Uint8Array | undefined)[]>((resume) =>
      this.kernel.fetch([record], resume),
    );
    return value;
  }

  private *chunks(
    record: RecordMeta,
    source: NodeRef,
  ): Flow<Uint8Array | undefined> {
    const { kind, place, item, digest, size } = record;
    const key = { kind, place, item };
    let value: Uint8Array | undefined;
    let attempts = 3;
    for (let offset = 0; offset < size;) {
      const answer = yield* wait<Answer>((resume) =>
        this.kernel.ask(source, { type: 'chunk', key, digest, offset }, resume),
      );
      if (answer === undefined && --attempts > 0) continue;
      if (answer?.type !== 'piece' || answer.bytes === null) return undefined;
      if (answer.bytes.length !== Math.min(CHUNK_BYTES, size - offset))
        return undefined;
      // Memory is spent only once the first part has really come.
      value ??= new Uint8Array(size);
      value.set(answer.bytes, offset);
      offset += answer.bytes.length;
    }
    return value && digestOf(value) === digest ? value : undefined;
  }

  private check(
    record: DataRecord,
    value: Uint8Array,
    done: (code: StoreCode) => void,
  ): void {
    const { kind, place, item } = record;
    const fits =
      value.length === record.size &&
      digestOf(value) === record.digest &&
      this.kernel.options.validate(kind, place, item, value);
    if (!fits) return done('invalid');
    this.write({ ...bare(record), value }, done);
  }

  private write(record: DataRecord, done: (code: StoreCode) => void): void {
    this.kernel.writes.write(record, (safe) => done(safe ? 'ok' : 'failed'));
  }
}

/** Only what a record has to have, whatever else came along. */
function bare(record: DataRecord): DataRecord {
  const { kind, place, item, stamp, digest, size } = record;
  return { kind, place, item, stamp, digest, size };
}

function isWellFormed(record: RecordMeta): boolean {
  if (record.item.length > MAX_ITEM_LENGTH) return false;
  if (isTombstone(record)) return record.size === 0;
  return record.size > 0 && record.size <= maxBytes(record.kind);
}
