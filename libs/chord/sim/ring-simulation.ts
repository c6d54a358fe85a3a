/**
 * Rings of real ChordNodes in a simulated network: starting, crashing, restarting, pausing and
 * cutting them off, asking them, and comparing what they believe with what is true.
 */
import type {
  Beacon,
  ChordInput,
  ChordMessage,
  ChordOutput,
  ChordSettings,
  NodeRef,
  RingEvent,
  RingId,
  RingRules,
} from '../src/index';
import { ChordNode, ringFlaws } from '../src/index';
import type { LinkFaults, Process } from '@dnd/sim';
import { NoTrace, Random, SimNetwork, Trace, VirtualTime } from '@dnd/sim';

type Network = SimNetwork<NodeRef, ChordMessage, Beacon>;
type Host = ReturnType<Network['addHost']>;

export interface Answer {
  readonly key: RingId;
  readonly asked: SimNode;
  readonly nodes: readonly NodeRef[];
  readonly failure?: string;
  readonly hops: number;
  readonly timeouts: number;
  readonly confirmed: boolean;
  readonly took: number;
}

/** A host with its identity and, while it runs, its ring node. */
export class SimNode implements Process<NodeRef, ChordMessage, Beacon> {
  chord: ChordNode | undefined;
  readonly events: { event: RingEvent; id: RingId; at: number }[] = [];
  private nextCall = 1;
  private tickedAt = -1;
  private ticksAtOnce = 0;
  private readonly asked = new Map<
    number,
    { at: number; done: (answer: Answer) => void }
  >();

  constructor(
    readonly ring: RingSimulation,
    readonly host: Host,
    /** What its disk keeps of it. */
    public self: NodeRef,
  ) {}

  get up(): boolean {
    return this.host.process !== undefined;
  }

  /** Running and in a ring. */
  get member(): boolean {
    return this.up && this.chord?.mode === 'member';
  }

  get wakeAt(): number {
    return this.chord?.wakeAt ?? Infinity;
  }

  start(contacts: readonly SimNode[] = []): void {
    const { ring } = this;
    this.chord = new ChordNode({
      self: this.self,
      random: ring.random.fork().uniform,
      settings: ring.options.settings,
      rules: ring.options.rules,
    });
    this.asked.clear();
    this.host.start(this);
    this.input({ type: 'join', contacts: contacts.map((c) => c.self) });
  }

  /** Ends the process without a word. */
  crash(): void {
    this.host.crash();
    this.chord = undefined;
    this.asked.clear();
  }

  /** Comes back with its disk (same id, next incarnation) or as a new node. */
  restart(disk: 'kept' | 'lost', contacts: readonly SimNode[] = []): void {
    if (this.up) this.crash();
    this.self =
      disk === 'kept'
        ? { ...this.self, incarnation: this.self.incarnation + 1 }
        : { ...this.self, id: this.ring.random.hex(40), incarnation: 1 };
    this.start(contacts);
  }

  leave(): void {
    this.input({ type: 'leave' });
  }

  lookup(key: RingId, done: (answer: Answer) => void, count?: number): void {
    const call = this.nextCall++;
    this.asked.set(call, { at: this.ring.time.now, done });
    this.input({ type: 'lookup', call, key, ...(count ? { count } : {}) });
  }

  input(input: ChordInput): void {
    this.host.deliver(input.type, (_process, now) => this.feed(input, now));
  }

  tick(now: number): void {
    this.ticksAtOnce = now === this.tickedAt ? this.ticksAtOnce + 1 : 0;
    this.tickedAt = now;
    if (this.ticksAtOnce > 50) throw new Error('a node wakes without end');
    this.feed({ type: 'tick' }, now);
  }

  request(call: number, from: NodeRef, message: ChordMessage, now: number) {
    this.feed({ type: 'request', call, from, message }, now);
  }

  reply(call: number, message: ChordMessage, now: number): void {
    this.feed({ type: 'reply', call, message }, now);
  }

  unreachable(call: number, now: number): void {
    this.feed({ type: 'unreachable', call }, now);
  }

  multicast(beacon: Beacon, now: number): void {
    this.feed({ type: 'beacon', beacon }, now);
  }

  private feed(input: ChordInput, now: number): void {
    for (const output of this.chord?.handle(input, now) ?? []) {
      this.perform(output);
    }
  }

  private perform(output: ChordOutput): void {
    const { network, counters } = this.ring;
    switch (output.type) {
      case 'request':
        counters[output.message.type] =
          (counters[output.message.type] ?? 0) + 1;
        // The envelope carries who sends; a node that left has no process to perform anything.
        return network.request(
          this.chord?.self ?? this.self,
          output.to,
          output.call,
          output.message,
        );
      case 'reply':
        counters[output.message.type] =
          (counters[output.message.type] ?? 0) + 1;
        return network.reply(this.self, output.call, output.message);
      case 'beacon':
        counters['beacon'] = (counters['beacon'] ?? 0) + 1;
        if (this.ring.options.multicast) {
          network.multicast(this.self, output.beacon);
        }
        return;
      case 'identity':
        this.self = output.self;
        return;
      case 'event':
        counters[output.event] = (counters[output.event] ?? 0) + 1;
        if (this.events.length < 1_000) {
          const { event, node } = output;
          this.events.push({ event, id: node.id, at: this.ring.time.now });
        }
        return;
      case 'owners':
      case 'no-owners':
        return this.answered(output);
      case 'changed':
        counters['changed'] = (counters['changed'] ?? 0) + 1;
        return this.ring.onView(this);
    }
  }

  private answered(output: ChordOutput & { type: 'owners' | 'no-owners' }) {
    const question = this.asked.get(output.call);
    if (!question) return;
    this.asked.delete(output.call);
    const { key, hops, timeouts } = output;
    question.done({
      key,
      asked: this,
      hops,
      timeouts,
      took: this.ring.time.now - question.at,
      ...(output.type === 'owners'
        ? { nodes: output.nodes, confirmed: output.confirmed }
        : { nodes: [], confirmed: false, failure: output.reason }),
    });
  }
}

export interface RingOptions {
  readonly seed: number;
  readonly settings?: Partial<ChordSettings>;
  readonly rules?: Partial<RingRules>;
  readonly faults?: Partial<LinkFaults>;
  /** False where there is no multicast; beacons are then lost. */
  readonly multicast?: boolean;
  /** Lines of the trace kept for a report; absent: no trace at all, which is faster. */
  readonly traceLines?: number;
}

export class RingSimulation {
  readonly options: RingOptions & { multicast: boolean };
  readonly random: Random;
  readonly time = new VirtualTime();
  readonly network: Network;
  readonly nodes: SimNode[] = [];
  /** Hosts ever added, for their addresses. */
  private hosts = 0;
  /** Called when a node's neighbourhood changed. */
  onView: (node: SimNode) => void = () => undefined;
  /** Messages by type and events by kind. */
  readonly counters: Record<string, number> = {};

  constructor(options: RingOptions) {
    this.options = { multicast: true, ...options };
    this.random = new Random(options.seed);
    this.network = new SimNetwork(
      this.time,
      this.random.fork(),
      options.faults,
      options.traceLines === undefined
        ? new NoTrace()
        : new Trace(options.traceLines),
    );
  }

  /** A new host with its node not yet started. */
  add(id = this.random.hex(40)): SimNode {
    this.hosts++;
    const self = {
      id,
      host: `10.0.${this.hosts >> 8}.${this.hosts & 255}`,
      port: 7000,
      incarnation: 1,
    };
    const node = new SimNode(this, this.network.addHost(self), self);
    this.nodes.push(node);
    return node;
  }

  /** So many nodes, started one after another within `within` milliseconds. */
  start(count: number, within = 0): SimNode[] {
    const added = Array.from({ length: count }, () => this.add());
    for (const node of added) {
      if (within === 0) node.start();
      else this.time.after(this.random.uniform() * within, () => node.start());
    }
    return added;
  }

  /** A ring in which every node already knows its place, as after a long quiet time. */
  startSettled(count: number): SimNode[] {
    const added = this.start(count);
    for (let i = 0; i < 120 && this.flaws().length > 0; i++)
      this.time.run(1_000);
    return added;
  }

  get running(): SimNode[] {
    return this.nodes.filter((node) => node.up);
  }

  /** Ends a node for ever. */
  remove(node: SimNode): void {
    node.crash();
    this.nodes.splice(this.nodes.indexOf(node), 1);
    this.network.hosts.delete(node.host.address);
  }

  byId(id: RingId): SimNode | undefined {
    return this.nodes.find((node) => node.self.id === id);
  }

  /** Live members in ring order. */
  get members(): SimNode[] {
    return this.nodes
      .filter((node) => node.member)
      .sort((a, b) => (a.self.id < b.self.id ? -1 : 1));
  }

  /** The true first `count` live members from `key` on. */
  owners(key: RingId, count: number): RingId[] {
    const ids = this.members.map((node) => node.self.id);
    const at = ids.findIndex((id) => id >= key);
    const first = at < 0 ? 0 : at;
    return [...ids.slice(first), ...ids.slice(0, first)].slice(0, count);
  }

  /** What differs from the ideal ring of all running nodes; empty when there is one whole ring. */
  flaws(nodes = this.running): string[] {
    const members = nodes.filter((node) => node.member);
    const placed = members.flatMap(({ chord }) => chord ?? []);
    const flaws = ringFlaws(placed, this.options.settings?.successors ?? 4);
    if (members.length < nodes.length) {
      flaws.push(`${nodes.length - members.length} nodes are not in a ring`);
    }
    return flaws;
  }

  /** Runs until the ring is whole; the time it took, or Infinity after `limit` milliseconds. */
  settle(limit: number, nodes?: SimNode[]): number {
    const from = this.time.now;
    while (this.flaws(nodes).length > 0) {
      if (this.time.now - from >= limit) return Infinity;
      this.time.run(100);
    }
    return this.time.now - from;
  }
}
