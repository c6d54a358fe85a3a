/**
 * A ring of simulated nodes with the production code inside. The ring around the records is
 * either played (every node learns who lives, after a delay) or the real one; network, disks and
 * clocks fail as the seed decides.
 */
import type { NodeRef, RingId } from '@dnd/chord';
import { betweenIncl, defaultSettings, ringFlaws } from '@dnd/chord';
import { addressOf, NoTrace, Random, SimNetwork, VirtualTime } from '@dnd/sim';
import type { LinkFaults, Trace } from '@dnd/sim';
import { Ledger } from './ledger.contract';
import { REPLICAS } from './record';
import type { Records } from './records';
import { SimulatedNode } from './simulated-node.contract';
import type { Host, Network, World } from './simulated-node.contract';

export interface RingOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly faults?: Partial<LinkFaults>;
  /** Clocks differ by up to this many milliseconds either way. */
  readonly clockError?: number;
  /** A variant of the records, to see whether the checks notice what it does wrong. */
  readonly variant?: typeof Records;
  /** The disk says that it is done before it is. */
  readonly lyingDisk?: boolean;
  /** Real ring nodes instead of the played ring. */
  readonly realRing?: boolean;
  /** Absent: none is kept, which is faster. */
  readonly trace?: Trace;
}

/** Mean time until the others notice a death or a birth in the played ring. */
const NOTICE_MS = 1_500;

export class SimulatedRing implements World {
  readonly time = new VirtualTime();
  readonly random: Random;
  readonly network: Network;
  readonly ledger = new Ledger(this);
  readonly members = new Map<string, SimulatedNode>();
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
      options.trace ?? new NoTrace(),
    );
    for (let i = 0; i < options.nodes; i++) this.add();
    this.everybodyKnows();
  }

  uniform(): () => number {
    return this.random.fork().uniform;
  }

  get live(): SimulatedNode[] {
    return [...this.members.values()].filter((member) => member.alive);
  }

  run(duration: number): void {
    const end = this.time.now + duration;
    this.time.at(end, () => undefined);
    const most = 3_000_000 + (this.members.size * duration) / 20;
    for (let i = 0; this.time.now < end && this.time.step(); i++)
      if (i > most) throw new Error('the ring does not come to rest');
  }

  add(): SimulatedNode {
    const host = `10.0.0.${this.nextHost++}`;
    const ref = { id: this.random.hex(40), host, port: 7000, incarnation: 1 };
    const machine = this.network.addHost(ref);
    const error = this.options.clockError ?? 0;
    machine.clockOffset = error * this.random.uniform() * 2;
    return this.boot(ref, machine);
  }

  /** The process dies and its disk with it. */
  lose(member: SimulatedNode): void {
    this.crash(member);
    member.host.disk.replace();
    this.members.delete(addressOf(member.ref));
  }

  /** The process dies; what its disk had not synced is gone. */
  crash(member: SimulatedNode): void {
    member.alive = false;
    member.host.crash();
    this.changed();
  }

  /** Starts again with what is on its disk. */
  restart(member: SimulatedNode): SimulatedNode {
    const ref = { ...member.ref, incarnation: member.ref.incarnation + 1 };
    return this.boot(ref, member.host);
  }

  partition(parts: readonly (readonly SimulatedNode[])[]): void {
    this.network.partition(parts.map((part) => part.map(({ ref }) => ref)));
    this.parts = parts.map((part) => part.map(({ ref }) => addressOf(ref)));
    this.changed();
  }

  heal(): void {
    this.network.heal();
    this.parts = undefined;
    this.changed();
  }

  /** What differs from one whole ring of all that live; only with real ring nodes. */
  ringFlaws(): string[] {
    const rings = this.live.flatMap(({ ring }) => ring ?? []);
    const outside = rings.filter(({ mode }) => mode !== 'member').length;
    const flaws = ringFlaws(rings, defaultSettings.successors);
    return outside > 0 ? [...flaws, `${outside} are in no ring`] : flaws;
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

  private boot(ref: NodeRef, host: Host): SimulatedNode {
    const member = new SimulatedNode(ref, host, this);
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
    if (this.options.realRing) member.join();
    this.seen.delete(addressOf(ref));
    this.notice(member);
    this.changed();
    return member;
  }

  /** Who lives, and who can hear whom, has changed: the nodes notice one after another. */
  private changed(): void {
    if (this.options.realRing) return;
    const mean = NOTICE_MS;
    for (const member of this.live)
      this.time.after(mean / 2 + this.random.exponential(mean / 2), () =>
        this.notice(member),
      );
  }

  private everybodyKnows(): void {
    for (const member of this.live) this.notice(member);
  }

  private notice(member: SimulatedNode): void {
    if (!member.alive || this.options.realRing) return;
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

  private tellView(member: SimulatedNode): void {
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
