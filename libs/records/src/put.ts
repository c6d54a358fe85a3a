/**
 * Writes of this node. A record goes to its first three owners at once; one that fails is
 * replaced by the next live successor, which passes the record on when the owner is back (see
 * `repair.ts`). Done means: on min(2, live) disks, or on three for a strict write. When that is
 * reached the last replica gets a moment more, so that the count in the answer tells the truth.
 */
import type { NodeRef, RingId } from '@dnd/chord';
import type { Intake } from './intake';
import type { FailureCode, Operation } from './io';
import type { Kernel } from './kernel';
import { ANSWER_BYTES, INLINE_BYTES, MAX_ENTRIES } from './message';
import type { Answer, StoreCode } from './message';
import { digestOf, maxBytes, MAX_ITEM_LENGTH, REPLICAS } from './record';
import type { DataRecord } from './record';
import { stampAfter } from './stamp';
import type { Stamp } from './stamp';

const DEADLINE_MS = 10_000;
const RETRY_MS = 300;
/** How long the third replica may keep a write waiting that two have on disk. */
const GRACE_MS = 50;
/** A disk may take longer than the network. */
const PATIENCE = 2;
const WRITE_QUORUM = 2;
const MAX_OPEN = 1_000;
const MAX_RESTAMPS = 3;

type Put = Extract<Operation, { type: 'put' }>;

interface Part {
  record: DataRecord;
  owners: readonly NodeRef[];
  /** How many of the owners were asked. */
  asked: number;
  open: number;
  /** Grows when the record is stamped anew; answers to an earlier version do not count. */
  attempt: number;
  /** The latest stamp of this record that an owner holds, as far as is known. */
  floor: Stamp;
  readonly safe: Set<RingId>;
  /** Waiting for a look-up. */
  looking: boolean;
}

interface Open {
  readonly put: Put;
  readonly parts: Part[];
  readonly until: number;
  restamps: number;
  grace: boolean;
  over: boolean;
  retrying: boolean;
  lastCode: StoreCode;
}

export class Puts {
  private open = 0;
  /** Records for a node, sent in as few messages as possible at the end of the step. */
  private outbox = new Map<
    RingId,
    { to: NodeRef; items: { record: DataRecord; done: Done }[] }
  >();

  constructor(
    private readonly kernel: Kernel,
    private readonly intake: Intake,
  ) {}

  start(put: Put): void {
    const { kernel } = this;
    const bad = put.items.length === 0 || !put.items.every((i) => this.fits(i));
    if (bad) return this.fail(put.op, 'invalid');
    if (this.open >= MAX_OPEN) return this.fail(put.op, 'busy');
    const { successors } = kernel.view;
    if (kernel.wall.informed(successors.length)) return this.begin(put);
    // A first word with the neighbours, so that a wrong clock is put right before it stamps.
    let left = successors.length;
    this.open++;
    for (const neighbour of successors)
      kernel.ask(neighbour, { type: 'confirm', places: [] }, () => {
        if (--left > 0) return;
        this.open--;
        this.begin(put);
      });
  }

  private begin(put: Put): void {
    const { kernel } = this;
    const parts = put.items.map((item) => ({
      record: this.stamped(item),
      owners: [],
      asked: 0,
      open: 0,
      attempt: 0,
      floor: '',
      safe: new Set<RingId>(),
      looking: false,
    }));
    const open: Open = {
      put,
      parts,
      until: kernel.now + DEADLINE_MS,
      restamps: 0,
      grace: false,
      over: false,
      retrying: false,
      lastCode: 'ok',
    };
    this.open++;
    for (const { record } of parts)
      if (record.value && record.size > INLINE_BYTES)
        this.intake.offer(record.digest, record.value);
    kernel.after(DEADLINE_MS, () => this.giveUp(open));
    this.look(open);
  }

  /** Sends what the step has gathered. */
  flush(): void {
    while (this.outbox.size > 0) {
      const boxes = [...this.outbox.values()];
      this.outbox = new Map();
      for (const { to, items } of boxes) this.send(to, items);
    }
  }

  /** Sends records to one node, as many messages as it takes; `done` for each. */
  private send(to: NodeRef, items: { record: DataRecord; done: Done }[]): void {
    let from = 0;
    while (from < items.length) {
      let end = from;
      let bytes = 0;
      while (end < items.length && end - from < MAX_ENTRIES) {
        const item = items[end];
        const size = 300 + (item?.record.value?.length ?? 0);
        if (end > from && bytes + size > ANSWER_BYTES) break;
        bytes += size;
        end++;
      }
      const part = items.slice(from, end);
      from = end;
      const records = part.map(({ record }) => record);
      this.kernel.ask(
        to,
        { type: 'store', items: records },
        (answer) => {
          const latest = answer?.type === 'stored' ? answer.latest : undefined;
          part.forEach(({ done }, i) => done(codeOf(answer, i), latest));
        },
        PATIENCE,
      );
    }
  }

  private fits(item: Put['items'][number]): boolean {
    if (item.item.length > MAX_ITEM_LENGTH) return false;
    const { kind, place, value } = item;
    if (value === undefined) return true;
    if (value.length === 0 || value.length > maxBytes(kind)) return false;
    return this.kernel.options.validate(kind, place, item.item, value);
  }

  private stamped(item: Put['items'][number]): DataRecord {
    const { kind, place, value } = item;
    const stamp = this.kernel.clock.next(this.kernel.time);
    if (value === undefined)
      return { kind, place, item: item.item, stamp, digest: '', size: 0 };
    const digest = digestOf(value);
    const size = value.length;
    return { kind, place, item: item.item, stamp, digest, size, value };
  }

  /** Finds the owners of all parts that need some, one look-up for a place. */
  private look(open: Open): void {
    const places = new Map<RingId, Part[]>();
    for (const part of open.parts) {
      if (this.enough(open, part) || part.open > 0 || part.looking) continue;
      part.looking = true;
      const { place } = part.record;
      const group = places.get(place);
      if (group) group.push(part);
      else places.set(place, [part]);
    }
    for (const [place, group] of places)
      this.kernel.lookup(place, (owners) => {
        for (const part of group) {
          part.looking = false;
          part.owners = owners;
          part.asked = 0;
          this.proceed(open, part);
        }
        this.judge(open);
      });
  }

  private proceed(open: Open, part: Part): void {
    const few = open.put.strict && part.owners.length < REPLICAS;
    if (open.over || few) return;
    while (
      part.safe.size + part.open < REPLICAS &&
      part.asked < part.owners.length
    ) {
      const to = part.owners[part.asked++];
      if (!to || part.safe.has(to.id)) continue;
      part.open++;
      const { attempt } = part;
      this.post(to, part.record, (code, latest) => {
        if (attempt !== part.attempt) return;
        if (code === 'older' && latest && latest > part.floor)
          part.floor = latest;
        this.answered(open, part, to, code);
      });
    }
  }

  private post(to: NodeRef, record: DataRecord, done: Done): void {
    const { value, ...meta } = record;
    const travels = value === undefined || value.length <= INLINE_BYTES;
    const box = this.outbox.get(to.id) ?? { to, items: [] };
    box.items.push({ record: travels ? record : meta, done });
    this.outbox.set(to.id, box);
  }

  private answered(
    open: Open,
    part: Part,
    from: NodeRef,
    code: StoreCode,
  ): void {
    part.open--;
    if (code === 'ok') part.safe.add(from.id);
    else open.lastCode = code;
    if (open.over) return;
    if (code === 'invalid') return this.finish(open, 'invalid');
    if (code === 'older' && this.restamp(open)) return;
    if (code === 'older') return this.finish(open, 'conflict');
    if (code !== 'ok') this.proceed(open, part);
    this.judge(open);
  }

  /**
   * An owner holds a later version although we write only now: its writer's clock was ahead of
   * ours. Write anew, with a stamp that follows it.
   */
  private restamp(open: Open): boolean {
    const { clock, time } = this.kernel;
    if (open.restamps >= MAX_RESTAMPS) return false;
    open.restamps++;
    for (const part of open.parts) {
      const { id } = this.kernel.self;
      const next = clock.next(time);
      const stamp = part.floor > next ? stampAfter(next, part.floor, id) : next;
      part.record = { ...part.record, stamp };
      part.attempt++;
      part.open = 0;
      part.safe.clear();
      part.asked = 0;
      this.proceed(open, part);
    }
    return true;
  }

  private needed(open: Open, part: Part): number {
    if (open.put.strict) return REPLICAS;
    return Math.max(1, Math.min(WRITE_QUORUM, part.owners.length));
  }

  private enough(open: Open, part: Part): boolean {
    return part.owners.length > 0 && part.safe.size >= this.needed(open, part);
  }

  private judge(open: Open): void {
    if (open.over) return;
    const strict = open.put.strict === true;
    if (strict && open.parts.some((p) => !p.looking && this.tooFew(p)))
      return this.finish(open, 'too-few-nodes');
    if (!open.parts.every((part) => this.enough(open, part)))
      return this.retryLater(open);
    const waiting = open.parts.some((part) => part.open > 0);
    if (!waiting || open.grace) return this.finish(open);
    this.kernel.after(GRACE_MS, () => {
      open.grace = true;
      this.judge(open);
    });
  }

  private tooFew(part: Part): boolean {
    return part.owners.length > 0 && part.owners.length < REPLICAS;
  }

  /** When nobody is left to answer, the ring may know others in a moment. */
  private retryLater(open: Open): void {
    const idle = open.parts.some(
      (part) => !this.enough(open, part) && part.open === 0 && !part.looking,
    );
    if (!idle || open.retrying) return;
    open.retrying = true;
    this.kernel.after(RETRY_MS, () => {
      open.retrying = false;
      if (!open.over) this.look(open);
    });
  }

  private giveUp(open: Open): void {
    if (open.over) return;
    if (open.parts.some((part) => part.owners.length === 0))
      return this.finish(open, 'no-owners');
    const code = open.lastCode;
    this.finish(open, code === 'clock' || code === 'busy' ? code : 'timeout');
  }

  private finish(open: Open, code?: FailureCode): void {
    open.over = true;
    this.open--;
    const copies = Math.min(...open.parts.map((part) => part.safe.size));
    if (code) return this.fail(open.put.op, code, copies);
    this.kernel.done(open.put.op, { type: 'stored', copies, wanted: REPLICAS });
  }

  private fail(op: number, code: FailureCode, copies = 0): void {
    this.kernel.out.push({ type: 'failed', op, code, copies });
  }
}

type Done = (code: StoreCode, latest?: Stamp) => void;

function codeOf(answer: Answer, index: number): StoreCode {
  if (answer?.type === 'stored') return answer.codes[index] ?? 'failed';
  return answer?.type === 'refused' && answer.code === 'busy'
    ? 'busy'
    : 'failed';
}
