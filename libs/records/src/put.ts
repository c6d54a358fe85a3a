/**
 * Writes of this node: checks and stamps them, and sends what several of them have for one node
 * in as few messages as possible. Each write by itself is a `PutOperation`.
 */
import type { NodeRef, RingId } from '@dnd/chord';
import type { Intake } from './intake';
import type { FailureCode, Operation, RecordWrite } from './io';
import type { Kernel } from './kernel';
import { ANSWER_BYTES, INLINE_BYTES, MAX_ENTRIES } from './message';
import type { Answer, StoreCode } from './message';
import { PutOperation } from './put-operation';
import type { PutResult, Stored } from './put-operation';
import { digestOf, maxBytes, MAX_ITEM_LENGTH, REPLICAS } from './record';
import type { DataRecord } from './record';

/** A disk may take longer than the network. */
const PATIENCE = 2;
const MAX_OPEN = 1_000;
const MAX_ITEMS = 20_000;
/** A replica that takes in a large value slower than this is given up. */
const SLOWEST_BYTES_PER_MS = 512;
/** About what a record takes in a message besides its value. */
const META_BYTES = 300;

type Put = Extract<Operation, { type: 'put' }>;

interface Letter {
  readonly record: DataRecord;
  readonly done: Stored;
}

export class Puts {
  private open = 0;
  private readonly changed = new Set<PutOperation>();
  /** Records for a node, sent at the end of the step. */
  private outbox = new Map<RingId, { to: NodeRef; letters: Letter[] }>();

  constructor(
    private readonly kernel: Kernel,
    private readonly intake: Intake,
  ) {}

  start(put: Put): void {
    const { kernel } = this;
    const { length } = put.items;
    const fits = length > 0 && length <= MAX_ITEMS;
    if (!fits || !put.items.every((item) => this.isFit(item)))
      return this.fail(put.op, 'invalid', 0);
    if (this.open >= MAX_OPEN) return this.fail(put.op, 'busy', 0);
    this.open++;
    const { successors } = kernel.view;
    if (successors.length === 0) kernel.wall.settle();
    if (kernel.wall.agreed) return this.begin(put);
    // A first word with the neighbours, so that a wrong clock is put right before it stamps.
    let left = successors.length;
    for (const neighbour of successors)
      kernel.ask(neighbour, { type: 'confirm', places: [] }, () => {
        if (--left > 0) return;
        kernel.wall.settle();
        this.begin(put);
      });
  }

  /** Looks at the writes that this step has changed, and sends what it has gathered. */
  flush(): void {
    while (this.outbox.size > 0 || this.changed.size > 0) {
      const changed = [...this.changed];
      this.changed.clear();
      for (const operation of changed) operation.judge();
      const boxes = [...this.outbox.values()];
      this.outbox = new Map();
      for (const { to, letters } of boxes) this.send(to, letters);
    }
  }

  private begin(put: Put): void {
    const records = put.items.map((item) => this.stamped(item));
    for (const { digest, size, value } of records)
      if (value && size > INLINE_BYTES) this.intake.offer(digest, value);
    const operation: PutOperation = new PutOperation(
      this.kernel,
      records,
      put.strict === true,
      (to, record, done) => this.post(to, record, done),
      () => this.changed.add(operation),
      (result) => this.finish(put.op, result),
    );
    operation.start(transferTime(records));
  }

  private isFit(write: RecordWrite): boolean {
    const { kind, place, item, value } = write;
    if (item.length > MAX_ITEM_LENGTH) return false;
    if (value === undefined) return true;
    if (value.length === 0 || value.length > maxBytes(kind)) return false;
    return this.kernel.options.validate(kind, place, item, value);
  }

  private stamped({ kind, place, item, value }: RecordWrite): DataRecord {
    const stamp = this.kernel.clock.next(this.kernel.time);
    if (value === undefined)
      return { kind, place, item, stamp, digest: '', size: 0 };
    const digest = digestOf(value);
    return { kind, place, item, stamp, digest, size: value.length, value };
  }

  private post(to: NodeRef, record: DataRecord, done: Stored): void {
    const { value, ...meta } = record;
    const travels = value === undefined || value.length <= INLINE_BYTES;
    const box = this.outbox.get(to.id) ?? { to, letters: [] };
    box.letters.push({ record: travels ? record : meta, done });
    this.outbox.set(to.id, box);
  }

  /** Sends records to one node, in as many messages as it takes. */
  private send(to: NodeRef, letters: readonly Letter[]): void {
    let from = 0;
    while (from < letters.length) {
      let end = from;
      let bytes = 0;
      for (; end < letters.length && end - from < MAX_ENTRIES; end++) {
        bytes += META_BYTES + (letters[end]?.record.value?.length ?? 0);
        if (end > from && bytes > ANSWER_BYTES) break;
      }
      const part = letters.slice(from, end);
      const items = part.map(({ record }) => record);
      this.kernel.ask(
        to,
        { type: 'store', items },
        (answer) => this.answered(part, answer),
        PATIENCE,
        transferTime(part.map(({ record }) => record)),
      );
      from = end;
    }
  }

  private answered(letters: readonly Letter[], answer: Answer): void {
    const latest = answer?.type === 'stored' ? answer.latest : undefined;
    letters.forEach(({ done }, i) => done(codeOf(answer, i), latest));
  }

  private finish(op: number, { copies, nodes, failure }: PutResult): void {
    this.open--;
    if (failure) return this.fail(op, failure, copies);
    this.kernel.done(op, { type: 'stored', copies, nodes, wanted: REPLICAS });
  }

  private fail(op: number, code: FailureCode, copies: number): void {
    this.kernel.out.push({ type: 'failed', op, code, copies });
  }
}

/** What fetching large values may take besides, milliseconds. */
export function transferTime(records: readonly DataRecord[]): number {
  let bytes = 0;
  for (const { size } of records) if (size > INLINE_BYTES) bytes += size;
  return bytes / SLOWEST_BYTES_PER_MS;
}

function codeOf(answer: Answer, index: number): StoreCode {
  if (answer?.type === 'stored') return answer.codes[index] ?? 'failed';
  return answer?.type === 'refused' && answer.code === 'busy'
    ? 'busy'
    : 'failed';
}
