/**
 * A ring of simulated nodes with the production code inside, and what must be true of it. The
 * ring around the records is either told (every node knows who lives, after a delay) or the real
 * one; network, disks and clocks fail as the seed decides.
 */
import type { NodeRef, RingId } from '@dnd/chord';
import { betweenIncl } from '@dnd/chord';
import { addressOf, Random, SimNetwork, Trace, VirtualTime } from '@dnd/sim';
import type { LinkFaults, SimHost } from '@dnd/sim';
import type { Operation, RecordsInput, RecordsOutput } from './io';
import type { RecordsMessage } from './message';
import { digestOf, isTombstone, keyOf, REPLICAS } from './record';
import type { DataRecord, RecordKey, RecordMeta } from './record';
import { Records } from './records';

export type Host = SimHost<NodeRef, RecordsMessage, RecordsMessage, DataRecord>;
export type Result = Extract<RecordsOutput, { type: 'done' | 'failed' }>;
type WithoutOp<T> = T extends Operation ? Omit<T, 'op'> : never;

export interface RingOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly faults?: Partial<LinkFaults>;
  /** Clocks are off by up to this many milliseconds either way. */
  readonly clockError?: number;
  /** A variant of the records, to see whether the checks notice what it does wrong. */
  readonly variant?: typeof Records;
  /** The disk says that it is done before it is. */
  readonly lyingDisk?: boolean;
  /** Mean time until the others notice a death or a birth. */
  readonly noticeMs?: number;
}

const NOTICE_MS = 1_500;
/** Virtual time begins on some day, not in 1970. */
const EPOCH = 1_700_000_000_000;

/** Traces cost more than the simulation; a failing seed can be run again with one. */
class Untraced extends Trace {
  override record(): void {
    // Nothing is kept.
  }
}

/** One node: the records and their little driver. */
class Member {
  readonly records: Records;
  private readonly results = new Map<number, (result: Result) => void>();
  private nextOp = 1;
  alive = true;

  constructor(
    readonly ref: NodeRef,
    readonly host: Host,
    private readonly ring: SimulatedRing,
  ) {
    const random = ring.random.fork();
    this.records = new (ring.options.variant ?? Records)({
      self: ref,
      random: random.uniform,
      wallOffset: EPOCH,
      validate: (_kind, _place, _item, value) => value[0] !== 0xff,
    });
  }

  get wakeAt(): number {
    return this.records.wakeAt;
  }

  tick(now: number): void {
    this.feed({ type: 'tick' }, now);
  }

  request(call: number, from: NodeRef, message: RecordsMessage, now: number) {
    this.feed({ type: 'request', call, from, message }, now);
  }

  reply(call: number, message: RecordsMessage, now: number): void {
    this.feed({ type: 'reply', call, message }, now);
  }

  unreachable(call: number, now: number): void {
    this.feed({ type: 'unreachable', call }, now);
  }

  start(operation: WithoutOp<Operation>, done: (result: Result) => void) {
    const op = this.nextOp++;
    this.results.set(op, done);
    this.tell({ ...operation, op } as Operation);
  }

  /** Gives the machine a fact from its own host: disk, ring, owner. */
  tell(input: RecordsInput): void {
    this.host.deliver(input.type, (process, now) => {
      if (process === this) this.feed(input, now);
    });
  }

  private feed(input: RecordsInput, now: number): void {
    for (const output of this.records.handle(input, now)) this.perform(output);
  }

  private perform(output: RecordsOutput): void {
    const { ring, host } = this;
    switch (output.type) {
      case 'request':
        return ring.network.request(
          this.ref,
          output.to,
          output.call,
          output.message,
        );
      case 'reply':
        return ring.network.reply(this.ref, output.call, output.message);
      case 'lookup': {
        const { call, place, count } = output;
        ring.time.after(1 + ring.random.exponential(2), () => {
          const owners = ring.ownersSeenBy(this.ref, place).slice(0, count);
          this.tell({ type: 'owners', call, owners });
        });
        return;
      }
      case 'persist':
        return this.persist(output);
      case 'fetch': {
        const { call, keys } = output;
        ring.time.after(0.3, () => {
          const values = keys.map(
            (key) => host.disk.contents.get(keyOf(key))?.value,
          );
          this.tell({ type: 'fetched', call, values });
        });
        return;
      }
      case 'done':
      case 'failed': {
        const done = this.results.get(output.op);
        this.results.delete(output.op);
        done?.(output);
        return;
      }
      case 'health':
      case 'suspect':
        return;
    }
  }

  private persist(batch: Extract<RecordsOutput, { type: 'persist' }>): void {
    const { disk } = this.host;
    for (const key of batch.removals) disk.delete(keyOf(key));
    for (const record of batch.upserts) disk.write(keyOf(record), record);
    const done: RecordsInput = {
      type: 'persisted',
      batch: batch.batch,
      ok: true,
    };
    if (this.ring.options.lyingDisk) {
      this.ring.time.after(0, () => this.tell(done));
      this.ring.time.after(5_000, () => disk.sync(() => undefined));
    } else disk.sync(() => this.tell(done));
  }
}

/** What a write that was acknowledged promises. */
interface Written {
  readonly key: RecordKey;
  /** What may be read now: the last acknowledged value and those tried after it. */
  allowed: (string | undefined)[];
  acknowledged: boolean;
  /** Disks that held it when it was acknowledged. */
  copies: number;
}

export class SimulatedRing {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: SimNetwork<
    NodeRef,
    RecordsMessage,
    RecordsMessage,
    DataRecord
  >;
  readonly members = new Map<string, Member>();
  readonly written = new Map<string, Written>();
  readonly counts = { acknowledged: 0, failed: 0 };
  private readonly writing = new Set<string>();
  private parts: string[][] | undefined;
  /** What each node has been told of who lives. */
  private readonly seen = new Map<string, NodeRef[]>();
  private readonly stableSince = new Map<string, number>();
  private nextHost = 1;

  constructor(readonly options: RingOptions) {
    this.random = new Random(options.seed);
    this.network = new SimNetwork(
      this.time,
      this.random.fork(),
      options.faults,
      new Untraced(),
    );
    for (let i = 0; i < options.nodes; i++) this.add();
    this.everybodyKnows();
  }

  get live(): Member[] {
    return [...this.members.values()].filter((member) => member.alive);
  }

  run(duration: number): void {
    const end = this.time.now + duration;
    this.time.at(end, () => undefined);
    for (let i = 0; this.time.now < end && this.time.step(); i++)
      if (i > 3_000_000) throw new Error('the ring does not come to rest');
  }

  add(): Member {
    const host = `10.0.0.${this.nextHost++}`;
    const ref = { id: this.random.hex(40), host, port: 7000, incarnation: 1 };
    const machine = this.network.addHost(ref);
    const error = this.options.clockError ?? 0;
    machine.clockOffset = error * this.random.uniform() * 2;
    return this.boot(ref, machine);
  }

  /** The process dies and its disk with it. */
  lose(member: Member): void {
    this.crash(member);
    member.host.disk.replace();
    this.members.delete(addressOf(member.ref));
  }

  /** The process dies; what its disk had not synced is gone. */
  crash(member: Member): void {
    member.alive = false;
    member.host.crash();
    this.changed();
  }

  /** Starts again with what is on its disk. */
  restart(member: Member): Member {
    const ref = { ...member.ref, incarnation: member.ref.incarnation + 1 };
    return this.boot(ref, member.host);
  }

  partition(parts: readonly (readonly Member[])[]): void {
    this.network.partition(parts.map((part) => part.map(({ ref }) => ref)));
    this.parts = parts.map((part) => part.map(({ ref }) => addressOf(ref)));
    this.changed();
  }

  heal(): void {
    this.network.heal();
    this.parts = undefined;
    this.changed();
  }

  /** The live successors of a place as one node was last told. */
  ownersSeenBy(ref: NodeRef, place: RingId): NodeRef[] {
    const seen = this.seen.get(addressOf(ref)) ?? [ref];
    return successorsOf(place, seen);
  }

  /** The true owners now. */
  owners(place: RingId): NodeRef[] {
    return successorsOf(
      place,
      this.live.map(({ ref }) => ref),
    ).slice(0, REPLICAS);
  }

  /** Writes a fresh value at a key; writes to one key are made one after another. */
  put(member: Member, key: RecordKey, value: string | undefined): void {
    const written = this.entry(key);
    written.allowed.push(value);
    const bytes = value === undefined ? undefined : Buffer.from(value);
    const text = keyOf(key);
    this.writing.add(text);
    member.start(
      { type: 'put', items: [{ ...key, value: bytes }] },
      (result) => {
        this.writing.delete(text);
        if (result.type === 'failed' || result.result.type !== 'stored') {
          this.counts.failed++;
          return;
        }
        this.counts.acknowledged++;
        const from = written.allowed.lastIndexOf(value);
        written.allowed = written.allowed.slice(from);
        written.acknowledged = true;
        written.copies = result.result.copies;
      },
    );
  }

  /** Is a write of this key under way? A writer that died never says. */
  isWriting(key: RecordKey): boolean {
    return this.writing.has(keyOf(key));
  }

  /** Reads a key at a node and waits for the answer in virtual time. */
  get(member: Member, key: RecordKey): DataRecord | 'failed' | undefined {
    let answer: DataRecord | 'failed' | undefined | 'waiting' = 'waiting';
    member.start({ type: 'get', key }, (result) => {
      if (result.type === 'failed') answer = 'failed';
      else if (result.result.type === 'record') answer = result.result.record;
    });
    const end = this.time.now + 20_000;
    while ((answer as unknown) === 'waiting' && this.time.now < end)
      if (!this.time.step()) break;
    return answer === 'waiting' ? 'failed' : answer;
  }

  /** Acknowledged records that a node cannot read, or reads wrongly; at some nodes or all. */
  unreadable(nodes = Infinity): string[] {
    const problems: string[] = [];
    for (const written of this.written.values()) {
      if (!written.acknowledged) continue;
      for (const member of this.random.shuffle(this.live).slice(0, nodes)) {
        const record = this.get(member, written.key);
        const text =
          record === undefined || record === 'failed'
            ? record
            : Buffer.from(record.value ?? []).toString();
        if (text === 'failed' || !written.allowed.includes(text))
          problems.push(
            `${written.key.item} at ${member.ref.host}: ${text} instead of ${written.allowed}`,
          );
      }
    }
    return problems;
  }

  /** Acknowledged records that no living disk holds any more. */
  lost(): string[] {
    const problems: string[] = [];
    for (const { key, allowed, acknowledged } of this.written.values()) {
      if (!acknowledged) continue;
      const found = this.live.some(({ host }) => {
        const record = host.disk.durable.get(keyOf(key));
        const text = record?.value && Buffer.from(record.value).toString();
        return record !== undefined && allowed.includes(text);
      });
      // A deletion may be forgotten once it is old, not the value that was written after it.
      if (!found) problems.push(`${key.item} = ${allowed} is on no disk`);
    }
    return problems;
  }

  /** At rest: the first three successors hold each record, the same version. */
  unequal(): string[] {
    return this.misplaced(Infinity);
  }

  /** At rest: the same, and nobody beyond the first `near` successors holds a copy. */
  misplaced(near = REPLICAS + 1): string[] {
    const versions = new Map<string, Map<string, string>>();
    const metas = new Map<string, RecordMeta>();
    for (const member of this.live)
      for (const meta of member.records.held()) {
        const key = keyOf(meta);
        metas.set(key, meta);
        const holders = versions.get(key) ?? new Map<string, string>();
        holders.set(member.ref.id, meta.stamp + meta.digest);
        versions.set(key, holders);
      }
    const problems: string[] = [];
    const refs = this.live.map(({ ref }) => ref);
    for (const [key, holders] of versions) {
      const meta = metas.get(key) as RecordMeta;
      const order = successorsOf(meta.place, refs).map(({ id }) => id);
      const owned = new Set(
        order.slice(0, REPLICAS).map((id) => holders.get(id)),
      );
      if (owned.size !== 1 || owned.has(undefined))
        problems.push(`${meta.item}: its owners differ`);
      for (const id of holders.keys())
        if (!order.slice(0, near).includes(id))
          problems.push(
            `${meta.item}: a copy outside its place, at ${id.slice(0, 4)}`,
          );
    }
    return problems;
  }

  /** What is on a disk is what the table says, and is valid. */
  broken(): string[] {
    const problems: string[] = [];
    for (const member of this.live)
      for (const meta of member.records.held()) {
        const record = member.host.disk.contents.get(keyOf(meta));
        if (!record || record.stamp < meta.stamp)
          problems.push(`${meta.item}: not on the disk of its node`);
        else if (record.value && digestOf(record.value) !== record.digest)
          problems.push(`${meta.item}: spoiled`);
        else if (!record.value && !isTombstone(record))
          problems.push(`${meta.item}: without its value`);
      }
    return problems;
  }

  private entry(key: RecordKey): Written {
    const text = keyOf(key);
    let written = this.written.get(text);
    if (!written) {
      written = { key, allowed: [], acknowledged: false, copies: 0 };
      this.written.set(text, written);
    }
    return written;
  }

  private boot(ref: NodeRef, host: Host): Member {
    const member = new Member(ref, host, this);
    this.members.set(addressOf(ref), member);
    host.start(member);
    const records = [...host.disk.contents.values()].map(
      ({ kind, place, item, stamp, digest, size }) => ({
        kind,
        place,
        item,
        stamp,
        digest,
        size,
      }),
    );
    member.tell({ type: 'loaded', records, last: true });
    // A node that comes knows the ring once it has joined it; the others notice in their time.
    this.seen.delete(addressOf(ref));
    this.notice(member);
    this.changed();
    return member;
  }

  /** Who lives, and who can hear whom, has changed: the nodes notice one after another. */
  private changed(): void {
    const mean = this.options.noticeMs ?? NOTICE_MS;
    for (const member of this.live)
      this.time.after(mean / 2 + this.random.exponential(mean / 2), () =>
        this.notice(member),
      );
  }

  private everybodyKnows(): void {
    for (const member of this.live) this.notice(member);
  }

  private notice(member: Member): void {
    if (!member.alive) return;
    const address = addressOf(member.ref);
    const part = this.parts?.find((one) => one.includes(address));
    const seen = this.live
      .map(({ ref }) => ref)
      .filter((ref) => !this.parts || part?.includes(addressOf(ref)));
    const names = (refs: readonly NodeRef[]): string =>
      refs.map((ref) => ref.id + ref.incarnation).join();
    if (names(seen) === names(this.seen.get(address) ?? [])) return;
    this.seen.set(address, seen);
    this.stableSince.set(address, member.host.clock);
    this.tellView(member);
  }

  private tellView(member: Member): void {
    const address = addressOf(member.ref);
    const seen = this.seen.get(address) ?? [member.ref];
    const others = successorsOf(member.ref.id, seen).filter(
      ({ id }) => id !== member.ref.id,
    );
    member.tell({
      type: 'view',
      predecessor: others.at(-1),
      successors: others.slice(0, 4),
      stableSince: this.stableSince.get(address) ?? member.host.clock,
    });
  }
}

export function successorsOf(
  place: RingId,
  refs: readonly NodeRef[],
): NodeRef[] {
  const sorted = [...refs].sort((a, b) => (a.id < b.id ? -1 : 1));
  const first = sorted.findIndex((ref, i) => {
    const before = sorted[(i + sorted.length - 1) % sorted.length] ?? ref;
    return betweenIncl(before.id, place, ref.id);
  });
  return [...sorted.slice(first), ...sorted.slice(0, first)];
}

export type { Member };
