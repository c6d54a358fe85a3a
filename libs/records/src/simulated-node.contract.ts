/**
 * One simulated node: the production records with the little driver that any owner has to write,
 * beside the production ring node, or beside a ring that the simulation plays.
 */
import { ChordNode } from '@dnd/chord';
import type {
  Beacon,
  ChordInput,
  ChordMessage,
  ChordOutput,
  NodeRef,
  RingId,
} from '@dnd/chord';
import type { Process, SimHost, SimNetwork, VirtualTime } from '@dnd/sim';
import type { Operation, RecordsInput, RecordsOutput } from './io';
import type { RecordsMessage } from './message';
import { keyOf } from './record';
import type { DataRecord } from './record';
import { Records } from './records';

/** What travels between simulated nodes: the ring's messages and the records'. */
export type Parcel =
  | { readonly for: 'ring'; readonly message: ChordMessage }
  | { readonly for: 'records'; readonly message: RecordsMessage };

export type Network = SimNetwork<NodeRef, Parcel, Beacon, DataRecord>;
export type Host = SimHost<NodeRef, Parcel, Beacon, DataRecord>;
export type Result = Extract<RecordsOutput, { type: 'done' | 'failed' }>;
type WithoutOp<T> = T extends Operation ? Omit<T, 'op'> : never;

/** What a node needs of the simulation around it. */
export interface World {
  readonly time: VirtualTime;
  readonly network: Network;
  readonly options: {
    readonly variant?: typeof Records;
    readonly lyingDisk?: boolean;
    readonly realRing?: boolean;
  };
  uniform(): () => number;
  /** The played ring's answer. */
  ownersSeenBy(ref: NodeRef, place: RingId): NodeRef[];
}

/** Virtual time begins on some day, not in 1970. */
export const EPOCH = 1_700_000_000_000;
const LOOKUP_MS = 2;
const FETCH_MS = 0.3;

export class SimulatedNode implements Process<NodeRef, Parcel, Beacon> {
  readonly records: Records;
  readonly ring: ChordNode | undefined;
  alive = true;
  private readonly results = new Map<number, (result: Result) => void>();
  private nextOp = 1;

  constructor(
    readonly ref: NodeRef,
    readonly host: Host,
    private readonly world: World,
  ) {
    this.records = new (world.options.variant ?? Records)({
      self: ref,
      random: world.uniform(),
      wallOffset: EPOCH,
      validate: (_kind, _place, _item, value) => value[0] !== 0xff,
    });
    if (world.options.realRing)
      this.ring = new ChordNode({ self: ref, random: world.uniform() });
  }

  /** A microsecond late, for a host's clock is off by a fraction and rounding may fall short. */
  get wakeAt(): number {
    const ring = (this.ring?.wakeAt ?? Infinity) + 0.001;
    return Math.min(this.records.wakeAt, ring);
  }

  tick(now: number): void {
    this.feedRing({ type: 'tick' }, now);
    this.feed({ type: 'tick' }, now);
  }

  request(call: number, from: NodeRef, parcel: Parcel, now: number): void {
    if (parcel.for === 'ring')
      this.feedRing(
        { type: 'request', call, from, message: parcel.message },
        now,
      );
    else
      this.feed({ type: 'request', call, from, message: parcel.message }, now);
  }

  /** The ring's calls have even numbers on the network, the records' odd ones. */
  reply(call: number, parcel: Parcel, now: number): void {
    const number = call >> 1;
    if (parcel.for === 'ring')
      this.feedRing(
        { type: 'reply', call: number, message: parcel.message },
        now,
      );
    else
      this.feed({ type: 'reply', call: number, message: parcel.message }, now);
  }

  unreachable(call: number, now: number): void {
    const input = { type: 'unreachable' as const, call: call >> 1 };
    if (call % 2 === 0) this.feedRing(input, now);
    else this.feed(input, now);
  }

  multicast(beacon: Beacon, now: number): void {
    this.feedRing({ type: 'beacon', beacon }, now);
  }

  start(operation: WithoutOp<Operation>, done: (result: Result) => void): void {
    const op = this.nextOp++;
    this.results.set(op, done);
    this.tell({ ...operation, op } as Operation);
  }

  /** Gives the records a fact from their own host: disk, ring, owner. */
  tell(input: RecordsInput): void {
    this.host.deliver(input.type, (process, now) => {
      if (process === this) this.feed(input, now);
    });
  }

  /** Enters the real ring. */
  join(): void {
    this.host.deliver('join', (_process, now) =>
      this.feedRing({ type: 'join', contacts: [] }, now),
    );
  }

  private feedRing(input: ChordInput, now: number): void {
    for (const output of this.ring?.handle(input, now) ?? [])
      this.performRing(output, now);
  }

  private performRing(output: ChordOutput, now: number): void {
    const { network } = this.world;
    switch (output.type) {
      case 'request': {
        const parcel: Parcel = { for: 'ring', message: output.message };
        return network.request(this.ref, output.to, output.call * 2, parcel);
      }
      case 'reply': {
        const parcel: Parcel = { for: 'ring', message: output.message };
        return network.reply(this.ref, output.call, parcel);
      }
      case 'owners': {
        const { call, nodes } = output;
        return this.feed({ type: 'owners', call, owners: nodes }, now);
      }
      case 'no-owners':
        return this.feed(
          { type: 'owners', call: output.call, owners: [] },
          now,
        );
      case 'changed': {
        const { self, predecessor, successors, stableSince } = output.view;
        return this.feed(
          { type: 'view', self, predecessor, successors, stableSince },
          now,
        );
      }
      case 'beacon':
        return network.multicast(this.ref, output.beacon);
      case 'identity':
      case 'event':
        return;
    }
  }

  private feed(input: RecordsInput, now: number): void {
    for (const output of this.records.handle(input, now))
      this.perform(output, now);
  }

  private perform(output: RecordsOutput, now: number): void {
    const { network } = this.world;
    switch (output.type) {
      case 'request': {
        const parcel: Parcel = { for: 'records', message: output.message };
        const call = output.call * 2 + 1;
        return network.request(this.ref, output.to, call, parcel);
      }
      case 'reply': {
        const parcel: Parcel = { for: 'records', message: output.message };
        return network.reply(this.ref, output.call, parcel);
      }
      case 'lookup':
        return this.lookup(output, now);
      case 'suspect':
        return this.feedRing({ type: 'suspect', id: output.id }, now);
      case 'persist':
        return this.persist(output);
      case 'fetch':
        return this.fetch(output);
      case 'done':
      case 'failed': {
        const done = this.results.get(output.op);
        this.results.delete(output.op);
        done?.(output);
        return;
      }
      case 'health':
        return;
    }
  }

  private lookup(
    output: Extract<RecordsOutput, { type: 'lookup' }>,
    now: number,
  ): void {
    const { call, place, count } = output;
    if (this.ring)
      return this.feedRing({ type: 'lookup', call, key: place, count }, now);
    this.world.time.after(LOOKUP_MS, () => {
      const owners = this.world.ownersSeenBy(this.ref, place).slice(0, count);
      this.tell({ type: 'owners', call, owners });
    });
  }

  private fetch(output: Extract<RecordsOutput, { type: 'fetch' }>): void {
    const { call, keys } = output;
    this.world.time.after(FETCH_MS, () => {
      const { contents } = this.host.disk;
      const values = keys.map((key) => contents.get(keyOf(key))?.value);
      this.tell({ type: 'fetched', call, values });
    });
  }

  private persist(output: Extract<RecordsOutput, { type: 'persist' }>): void {
    const { disk } = this.host;
    const { batch } = output;
    for (const key of output.removals) disk.delete(keyOf(key));
    for (const record of output.upserts) disk.write(keyOf(record), record);
    const done: RecordsInput = { type: 'persisted', batch, ok: true };
    if (this.world.options.lyingDisk) {
      this.world.time.after(0, () => this.tell(done));
      this.world.time.after(5_000, () => disk.sync(() => undefined));
    } else disk.sync(() => this.tell(done));
  }
}
