/**
 * What all parts of the records share: the step's time, questions to other nodes with their
 * time-outs, look-ups, the disk's two queues, and the list of outputs. Everything that waits is
 * kept here and bounded here.
 */
import type { MachineOutput, NodeRef, RingId } from '@dnd/chord';
import { betweenIncl } from '@dnd/chord';
import type { RecordsInput, RecordsOptions, RecordsOutput } from './io';
import type { Answer, RecordsBody, RecordsMessage } from './message';
import { digestOf, isTombstone, REPLICAS } from './record';
import type { RecordKey } from './record';
import { RecordTable } from './record-table';
import type { Held } from './record-table';
import { HybridClock } from './stamp';
import { SwarmTable } from './swarm-table';
import { Timers } from './timers';
import type { Timer } from './timers';
import { ValueCache } from './value-cache';
import { WallClock } from './wall-clock';
import { WriteQueue } from './write-queue';

export type View = Extract<RecordsInput, { type: 'view' }>;

const LEAST_TIMEOUT_MS = 400;
const MOST_TIMEOUT_MS = 2_000;
const LOOKUP_TIMEOUT_MS = 3_000;
/** After silence a node is asked after the others for this long. */
const SUSPECT_MS = 5_000;
const OWNERS_MS = 5_000;
/** Replicas, and two more to fall back on and to know what lies beyond. */
const OWNERS = REPLICAS + 2;
const MAX_CALLS = 20_000;
const MAX_KNOWN = 1_024;

interface Call {
  readonly to: NodeRef;
  readonly asked: number;
  readonly timer: Timer;
  readonly resume: (answer: Answer) => void;
}

/** What is known of another node's answering. */
interface Manners {
  mean: number;
  deviation: number;
  suspectUntil: number;
}

interface KnownOwners {
  readonly from: RingId;
  readonly to: RingId;
  readonly owners: readonly NodeRef[];
  readonly until: number;
}

export class Kernel {
  self: NodeRef;
  now = 0;
  out: RecordsOutput[] = [];
  view: View = { type: 'view', successors: [], stableSince: 0 };
  /** Grows with every change of the view. */
  viewNumber = 1;
  /** All rows of our disk are known. */
  loaded = false;
  /** False after joining, until our share of the ring was fetched from its former owners. */
  settled = false;
  /** Values that the disk had lost or spoiled. */
  lost = 0;
  readonly table = new RecordTable();
  readonly swarms: SwarmTable;
  readonly clock: HybridClock;
  readonly wall: WallClock;
  readonly timers = new Timers();
  readonly writes: WriteQueue;
  /** Answers a request that this node makes to itself. */
  serveSelf: (message: RecordsMessage, answer: (a: Answer) => void) => void =
    () => undefined;
  private readonly cache: ValueCache;
  private nextCall = 1;
  private readonly calls = new Map<number, Call>();
  private readonly manners = new Map<RingId, Manners>();
  private readonly lookups = new Map<
    number,
    { timer: Timer; resume: (owners: readonly NodeRef[]) => void }
  >();
  private readonly fetches = new Map<
    number,
    (values: readonly (Uint8Array | undefined)[]) => void
  >();
  private known: KnownOwners[] = [];

  constructor(readonly options: RecordsOptions) {
    this.self = options.self;
    this.clock = new HybridClock(options.self.id);
    this.wall = new WallClock(options.wallOffset ?? 0);
    this.swarms = new SwarmTable(options.random);
    this.cache = new ValueCache(options.cacheBytes ?? 16 * 1024 * 1024);
    this.writes = new WriteQueue((record) => {
      this.table.set(record);
      if (record.value) this.cache.put(record.digest, record.value);
    });
  }

  /** Milliseconds since 1970 as the neighbourhood sees them. */
  get time(): number {
    return this.wall.time(this.now);
  }

  after(delay: number, run: () => void): Timer {
    return this.timers.add(this.now + delay, run);
  }

  reply(call: number, to: NodeRef, body: RecordsBody): void {
    this.out.push({ type: 'reply', call, to, message: this.seal(body) });
  }

  seal(body: RecordsBody): RecordsMessage {
    const { agreed } = this.wall;
    return { ...body, clock: this.time, agreed, sent: this.now };
  }

  /**
   * Asks a node; undefined for silence, an unreachable node, or too many questions open. It may
   * take `patience` times the usual time and `extra` milliseconds.
   */
  ask(
    to: NodeRef,
    body: RecordsBody,
    resume: (answer: Answer) => void,
    patience = 1,
    extra = 0,
  ): void {
    const message = this.seal(body);
    if (to.id === this.self.id) return this.serveSelf(message, resume);
    if (this.calls.size >= MAX_CALLS) return resume(undefined);
    const call = this.nextCall++;
    const timer = this.after(this.timeout(to.id) * patience + extra, () =>
      this.answered(call, undefined),
    );
    this.calls.set(call, { to, asked: this.now, timer, resume });
    const output: MachineOutput<RecordsMessage> = {
      type: 'request',
      call,
      to,
      message,
    };
    this.out.push(output);
  }

  /** An answer, or undefined for silence. Answers to calls given up are ignored. */
  answered(call: number, answer: Answer): void {
    const open = this.calls.get(call);
    if (!open) return;
    this.calls.delete(call);
    this.timers.cancel(open.timer);
    const manners = this.mannersOf(open.to.id);
    if (answer === undefined) {
      manners.suspectUntil = this.now + SUSPECT_MS;
      this.known = [];
      this.out.push({ type: 'suspect', id: open.to.id });
    } else {
      manners.suspectUntil = 0;
      const took = this.now - open.asked;
      const error = Math.abs(took - manners.mean);
      manners.deviation += (error - manners.deviation) / 4;
      manners.mean += (took - manners.mean) / 8;
      this.wall.hear(open.to, answer, this.now);
    }
    open.resume(answer);
  }

  /** Did this node lately fail to answer? */
  suspected(id: RingId): boolean {
    return (this.manners.get(id)?.suspectUntil ?? 0) > this.now;
  }

  /** The live successors of a place, nearest first; empty when the ring does not know. */
  lookup(place: RingId, resume: (owners: readonly NodeRef[]) => void): void {
    if (this.lookups.size >= MAX_CALLS) return resume([]);
    const call = this.nextCall++;
    const timer = this.after(LOOKUP_TIMEOUT_MS, () =>
      this.foundOwners(call, []),
    );
    this.lookups.set(call, {
      timer,
      resume: (owners) => resume(this.remember(place, owners)),
    });
    this.out.push({ type: 'lookup', call, place, count: OWNERS });
  }

  /** As `lookup`, but what is known for at most five seconds will do. */
  ownersOf(place: RingId, resume: (owners: readonly NodeRef[]) => void): void {
    const known = this.knownOwners(place);
    if (known) resume(known);
    else this.lookup(place, resume);
  }

  knownOwners(place: RingId): readonly NodeRef[] | undefined {
    return this.known.find(
      (entry) =>
        entry.until > this.now && betweenIncl(entry.from, place, entry.to),
    )?.owners;
  }

  foundOwners(call: number, owners: readonly NodeRef[]): void {
    const open = this.lookups.get(call);
    if (!open) return;
    this.lookups.delete(call);
    this.timers.cancel(open.timer);
    open.resume(distinct(owners));
  }

  forgetOwners(): void {
    this.known = [];
  }

  /** Values of records on our disk, undefined where one is missing; small ones often from memory. */
  fetch(
    keys: readonly RecordKey[],
    resume: (values: readonly (Uint8Array | undefined)[]) => void,
  ): void {
    const values = keys.map((key) => this.valueInMemory(key));
    const missing: number[] = [];
    keys.forEach((key, i) => {
      const version = this.table.get(key);
      if (!values[i] && version && !isTombstone(version)) missing.push(i);
    });
    if (missing.length === 0) return resume(values);
    if (this.fetches.size >= MAX_CALLS)
      return resume(keys.map(() => undefined));
    const call = this.nextCall++;
    const wanted = missing.map((i) => keys[i] as RecordKey);
    const held = wanted.map((key) => this.table.get(key));
    this.fetches.set(call, (found) => {
      missing.forEach((i, j) => {
        values[i] = this.checked(wanted[j] as RecordKey, held[j], found[j]);
      });
      resume(values);
    });
    this.out.push({ type: 'fetch', call, keys: wanted });
  }

  fetched(call: number, values: readonly (Uint8Array | undefined)[]): void {
    const resume = this.fetches.get(call);
    this.fetches.delete(call);
    resume?.(values);
  }

  done(op: number, result: Extract<RecordsOutput, { type: 'done' }>['result']) {
    this.out.push({ type: 'done', op, result });
  }

  private valueInMemory(key: RecordKey): Uint8Array | undefined {
    const held = this.table.get(key);
    return held && this.cache.get(held.digest);
  }

  /** A value that is not what was written is as good as lost: forget it, the others will send it. */
  private checked(
    key: RecordKey,
    asked: Held | undefined,
    value: Uint8Array | undefined,
  ): Uint8Array | undefined {
    if (!asked) return undefined;
    if (value && digestOf(value) === asked.digest) {
      this.cache.put(asked.digest, value);
      return value;
    }
    if (this.table.get(key) === asked && !this.writes.peek(key)) {
      this.lost++;
      this.table.delete(key);
      this.writes.remove(key);
    }
    return undefined;
  }

  private timeout(id: RingId): number {
    const manners = this.manners.get(id);
    if (!manners) return MOST_TIMEOUT_MS / 2;
    const expected = manners.mean + 4 * manners.deviation;
    return Math.min(MOST_TIMEOUT_MS, Math.max(LEAST_TIMEOUT_MS, expected));
  }

  private mannersOf(id: RingId): Manners {
    let manners = this.manners.get(id);
    if (!manners) {
      if (this.manners.size >= MAX_KNOWN) {
        const [oldest] = this.manners.keys();
        if (oldest !== undefined) this.manners.delete(oldest);
      }
      manners = { mean: 50, deviation: 100, suspectUntil: 0 };
      this.manners.set(id, manners);
    }
    return manners;
  }

  /** Returns the owners, as the list that is known where that has the same ones. */
  private remember(
    place: RingId,
    found: readonly NodeRef[],
  ): readonly NodeRef[] {
    const first = found[0];
    if (!first) return found;
    const known = this.known.find(({ to }) => to === first.id)?.owners;
    const owners = known && areSame(known, found) ? known : found;
    if (this.known.length >= MAX_KNOWN) this.known = [];
    const until = this.now + OWNERS_MS;
    this.known = this.known.filter(
      (entry) => entry.until > this.now && entry.to !== first.id,
    );
    const from = before(place);
    this.known.push({ from, to: first.id, owners, until });
    return owners;
  }
}

/** The ring key just before this one. */
export function before(place: RingId): RingId {
  const value = BigInt(`0x${place}`);
  const last = (1n << 160n) - 1n;
  return (value === 0n ? last : value - 1n).toString(16).padStart(40, '0');
}

function areSame(a: readonly NodeRef[], b: readonly NodeRef[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      ({ id, incarnation, host, port }, i) =>
        id === b[i]?.id &&
        incarnation === b[i].incarnation &&
        host === b[i].host &&
        port === b[i].port,
    )
  );
}

function distinct(owners: readonly NodeRef[]): NodeRef[] {
  const seen = new Set<RingId>();
  return owners.filter(({ id }) => !seen.has(id) && seen.add(id));
}
