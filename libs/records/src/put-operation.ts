/**
 * One write under way. Each of its records goes to its first three owners at once; one that fails
 * is replaced by the next live successor, and when nobody is left the ring is asked again. Done
 * means: on min(2, live) disks, or on three for a strict write. When that is reached the last
 * replica gets a moment more, so that the count in the answer tells the truth.
 */
import type { NodeRef, RingId } from '@dnd/chord';
import { run, wait } from './flow';
import type { Flow } from './flow';
import type { FailureCode } from './io';
import type { Kernel } from './kernel';
import type { StoreCode } from './message';
import { REPLICAS } from './record';
import type { DataRecord } from './record';
import { stampAfter } from './stamp';
import type { Stamp } from './stamp';

const DEADLINE_MS = 10_000;
const RETRY_MS = 300;
/** How long the third replica may keep a write waiting that two have on disk. */
const GRACE_MS = 50;
const WRITE_QUORUM = 2;
const MAX_RESTAMPS = 3;
/** Up to so many places are looked up at once; more of them one after another. */
const LOOKUPS_AT_ONCE = 8;

export type Stored = (code: StoreCode, latest?: Stamp) => void;
/** Sends a record to a node, together with whatever else goes there in this step. */
export type Post = (to: NodeRef, record: DataRecord, done: Stored) => void;

export interface PutResult {
  /** Disks that hold every record. */
  readonly copies: number;
  /** Live nodes that may hold them, as far as is known here, this one among them; at most three count. */
  readonly nodes: number;
  readonly failure?: FailureCode;
}

interface Part {
  record: DataRecord;
  owners: readonly NodeRef[];
  /** How many of the owners were asked. */
  asked: number;
  open: number;
  /** How often the record was stamped anew; answers to an earlier version do not count. */
  restamps: number;
  /** The latest stamp of this record that an owner holds, as far as is known. */
  floor: Stamp;
  readonly safe: Set<RingId>;
  enough: boolean;
}

export class PutOperation {
  private readonly parts: Part[];
  /** Records that are not safe enough yet. */
  private lacking: number;
  /** Answers and look-ups that are waited for. */
  private open = 0;
  private grace = false;
  private retrying = false;
  private over = false;
  /** Over and acknowledged; replicas that then fail are still replaced. */
  private stored = false;
  private trouble: StoreCode = 'failed';

  constructor(
    private readonly kernel: Kernel,
    records: readonly DataRecord[],
    private readonly strict: boolean,
    private readonly post: Post,
    /** Something has changed: call `judge` before the step ends. */
    private readonly changed: () => void,
    private readonly finished: (result: PutResult) => void,
  ) {
    this.parts = records.map((record) => ({
      record,
      owners: [],
      asked: 0,
      open: 0,
      restamps: 0,
      floor: '',
      safe: new Set<RingId>(),
      enough: false,
    }));
    this.lacking = records.length;
  }

  /** `extra` is what large values may take besides, milliseconds. */
  start(extra: number): void {
    this.kernel.after(DEADLINE_MS + 2 * extra, () => this.giveUp());
    this.look();
  }

  /** Is it decided? */
  judge(): void {
    if (this.over) return;
    if (this.lacking > 0) return this.retryLater();
    if (this.open === 0) return this.finish();
    if (this.grace) return;
    this.grace = true;
    this.kernel.after(GRACE_MS, () => {
      if (this.lacking === 0) this.finish();
      else this.grace = false;
    });
  }

  /** Finds the owners of all records that lack copies, one look-up for a place. */
  private look(): void {
    const places = new Map<RingId, Part[]>();
    for (const part of this.parts) {
      if (part.enough) continue;
      const { place } = part.record;
      const group = places.get(place);
      if (group) group.push(part);
      else places.set(place, [part]);
    }
    if (places.size === 0) return;
    this.open++;
    const flow =
      places.size > LOOKUPS_AT_ONCE ? this.lookOneByOne(places) : undefined;
    if (flow) return run(flow, () => this.looked());
    let left = places.size;
    for (const [place, parts] of places)
      this.kernel.lookup(place, (owners) => {
        this.found(parts, owners);
        if (--left === 0) this.looked();
      });
  }

  private *lookOneByOne(places: ReadonlyMap<RingId, Part[]>): Flow<void> {
    for (const place of [...places.keys()].sort()) {
      const owners = yield* wait<readonly NodeRef[]>((resume) =>
        this.kernel.ownersOf(place, resume),
      );
      this.found(places.get(place) ?? [], owners);
    }
  }

  private looked(): void {
    this.open--;
    this.changed();
  }

  private found(parts: readonly Part[], owners: readonly NodeRef[]): void {
    if (this.over) return;
    if (this.strict && owners.length > 0 && owners.length < REPLICAS)
      return this.finish('too-few-nodes');
    for (const part of parts) {
      part.owners = owners;
      part.asked = 0;
      this.proceed(part);
      // Fewer may live than before, so that what is safe already is enough.
      this.weigh(part);
    }
  }

  private proceed(part: Part): void {
    while (
      part.safe.size + part.open < REPLICAS &&
      part.asked < part.owners.length
    ) {
      const to = part.owners[part.asked++];
      if (!to || part.safe.has(to.id)) continue;
      part.open++;
      this.open++;
      const attempt = part.restamps;
      this.post(to, part.record, (code, latest) => {
        if (attempt !== part.restamps) return;
        part.open--;
        this.open--;
        if (this.stored) this.complete(part, to, code);
        if (this.over) return;
        this.answered(part, to, code, latest);
        this.changed();
      });
    }
  }

  private answered(
    part: Part,
    from: NodeRef,
    code: StoreCode,
    latest: Stamp | undefined,
  ): void {
    switch (code) {
      case 'ok':
        part.safe.add(from.id);
        return this.weigh(part);
      case 'invalid':
        return this.finish('invalid');
      case 'older':
        if (latest && latest > part.floor) part.floor = latest;
        return this.restamp(part);
      default:
        this.trouble = code;
        return this.proceed(part);
    }
  }

  /** A write that is done goes on to its third disk: the next successor takes a silent one's share. */
  private complete(part: Part, from: NodeRef, code: StoreCode): void {
    if (code === 'ok') part.safe.add(from.id);
    else if (code !== 'older' && code !== 'invalid') this.proceed(part);
  }

  private weigh(part: Part): void {
    const { length } = part.owners;
    const needed = this.strict
      ? REPLICAS
      : Math.min(WRITE_QUORUM, this.liveFor(part));
    const enough = length > 0 && part.safe.size >= needed;
    if (enough === part.enough) return;
    part.enough = enough;
    this.lacking += enough ? -1 : 1;
  }

  /** A list that deaths have made short must not make one disk enough where neighbours live. */
  private liveFor({ owners }: Part): number {
    return Math.max(owners.length, this.kernel.view.successors.length + 1);
  }

  /**
   * An owner holds a later version although we write only now: its writer's clock was ahead of
   * ours. Write anew, with a stamp that follows it.
   */
  private restamp(part: Part): void {
    const { clock, self, time } = this.kernel;
    if (part.restamps >= MAX_RESTAMPS) return this.finish('conflict');
    part.restamps++;
    const next = clock.next(time);
    const stamp =
      part.floor > next ? stampAfter(next, part.floor, self.id) : next;
    part.record = { ...part.record, stamp };
    this.open -= part.open;
    part.open = 0;
    part.safe.clear();
    part.asked = 0;
    this.weigh(part);
    this.proceed(part);
  }

  /** When nobody is left to answer, the ring may know others in a moment. */
  private retryLater(): void {
    if (this.open > 0 || this.retrying) return;
    this.retrying = true;
    this.kernel.after(RETRY_MS, () => {
      this.retrying = false;
      if (!this.over) this.look();
    });
  }

  private giveUp(): void {
    if (this.over) return;
    if (this.parts.some((part) => part.owners.length === 0))
      return this.finish('no-owners');
    const { trouble } = this;
    const known = trouble === 'clock' || trouble === 'busy';
    this.finish(known ? trouble : 'timeout');
  }

  private finish(failure?: FailureCode): void {
    if (this.over) return;
    this.over = true;
    this.stored = failure === undefined;
    let copies = REPLICAS;
    let nodes = REPLICAS;
    for (const part of this.parts) {
      copies = Math.min(copies, part.safe.size);
      nodes = Math.min(nodes, this.liveFor(part));
    }
    this.finished(failure ? { copies, nodes, failure } : { copies, nodes });
  }
}
