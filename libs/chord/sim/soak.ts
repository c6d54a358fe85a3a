/**
 * One long, random ordeal of a small ring, whole from its seed: nodes start, crash, restart with
 * and without their disk, leave, pause, are cut off and parted, messages are lost, late, doubled.
 * Then the faults end, and the ring must become whole, answer rightly and fall silent.
 */
import type { NodeRef, RingRules } from '../src/index';
import { betweenIncl, defaultSettings } from '../src/index';
import { Random } from '@dnd/sim';
import type { SimNode } from './ring-simulation';
import { RingSimulation } from './ring-simulation';

export interface SoakOptions {
  readonly seed: number;
  readonly rules?: Partial<RingRules>;
  /** Virtual milliseconds of faults. */
  readonly ordealMs?: number;
  readonly traceLines?: number;
}

export interface SoakResult {
  /** Every rule broken, at most a few of each run; empty when all is well. */
  readonly violations: readonly string[];
  /** From the end of the faults until the ring was whole. */
  readonly settleMs: number;
  readonly traceHash: string;
  readonly trace: string;
  readonly counters: Readonly<Record<string, number>>;
}

/** From the end of all faults; the longest back-off (30 s) and what follows from it. */
const SETTLE_LIMIT_MS = 90_000;
const VIOLATION_LIMIT = 10;

export function soak(options: SoakOptions): SoakResult {
  return new Soak(options).run();
}

export class Soak {
  private readonly ring: RingSimulation;
  private readonly random: Random;
  private readonly violations: string[] = [];
  /** When nodes stopped or stood still lately, and until when the network was bad. */
  private losses: number[] = [];
  private badUntil = 0;

  constructor(private readonly options: SoakOptions) {
    this.random = new Random(options.seed * 7 + 1);
    this.ring = new RingSimulation({
      seed: options.seed,
      multicast: this.random.chance(0.7),
      traceLines: options.traceLines ?? 0,
      ...(options.rules ? { rules: options.rules } : {}),
    });
    this.ring.network.afterStep = (host) => this.checkStep(host.process);
    this.ring.onView = (node) => this.checkList(node);
  }

  run(): SoakResult {
    const { ring, random } = this;
    const count = random.range(1, 12);
    for (let i = 0; i < count; i++) {
      const node = ring.add();
      ring.time.after(random.int(2_000), () => this.startNode(node));
    }
    ring.time.run(2_000);
    const end = ring.time.now + (this.options.ordealMs ?? 120_000);
    while (ring.time.now < end) {
      ring.time.run(random.exponential(4_000));
      this.disturb();
      this.checkSuccessors();
    }
    const settleMs = this.recover();
    const { trace } = ring.network;
    return {
      violations: this.violations,
      settleMs,
      traceHash: trace.hash,
      trace: trace.tail(),
      counters: { ...ring.counters, ...ring.network.counters },
    };
  }

  /** Without multicast the first node and two others are named to it. */
  private startNode(node: SimNode): void {
    const { nodes } = this.ring;
    if (!node.up) node.start(this.contactsFor(nodes));
  }

  private contactsFor(nodes: readonly SimNode[]): SimNode[] {
    if (this.ring.options.multicast) return [];
    return [...nodes.slice(0, 1), ...this.random.shuffle(nodes).slice(0, 2)];
  }

  private disturb(): void {
    const { random, ring } = this;
    const node = random.pick(ring.nodes);
    switch (random.int(12)) {
      case 0:
      case 1:
        this.lose(node, () => node.crash());
        return;
      case 2:
      case 3:
      case 4: {
        if (node.up) this.lost();
        const disk = random.chance(0.7) ? 'kept' : 'lost';
        node.restart(disk, this.contactsFor(ring.nodes));
        return;
      }
      case 5:
        if (ring.nodes.length < 16) this.startNode(ring.add());
        return;
      case 6:
        this.lose(node, () => node.leave());
        return;
      case 7:
        this.lose(node, () => node.host.pause(random.range(5_000, 30_000)));
        return;
      case 8:
        ring.network.cut(node.self, random.pick(ring.nodes).self);
        return this.bad(Infinity);
      case 9:
        ring.network.partition(this.parts());
        return this.bad(Infinity);
      case 10:
        ring.network.heal();
        return this.bad(60_000);
      default:
        return this.worsen();
    }
  }

  private worsen(): void {
    const { random, ring } = this;
    ring.network.faults = {
      drop: random.chance(0.5) ? 0 : random.uniform() * 0.2,
      duplicate: random.uniform() * 0.05,
      delay: random.uniform() * 20,
      jitter: random.uniform() * 100,
      heavyTail: random.chance(0.5) ? 0 : random.uniform() * 0.05,
      multicastDrop: random.uniform() * 0.9,
      refuse: random.chance(0.5) ? 1 : 0,
    };
    this.bad(60_000);
  }

  private parts(): NodeRef[][] {
    const parts = this.random.range(2, 3);
    const groups: NodeRef[][] = Array.from({ length: parts }, () => []);
    for (const { self } of this.ring.nodes) this.random.pick(groups).push(self);
    return groups;
  }

  /** Ends all faults, starts whatever is down, and waits. */
  private recover(): number {
    const { ring, random } = this;
    ring.network.heal();
    ring.network.faults = {
      drop: 0,
      duplicate: 0,
      delay: 1,
      jitter: 2,
      heavyTail: 0,
      multicastDrop: 0.2,
      refuse: 1,
    };
    // Those that pause wake up first, those that are leaving are gone.
    ring.time.run(31_000);
    for (const node of ring.nodes) {
      const mode = node.chord?.mode;
      if (mode === 'leaving' || mode === 'left') node.crash();
    }
    if (!ring.nodes[0]?.up || random.chance(0.5)) {
      for (const node of ring.nodes) this.startNode(node);
    }
    const settleMs = ring.settle(SETTLE_LIMIT_MS);
    for (const flaw of ring.flaws()) this.violate(`not whole: ${flaw}`);
    if (settleMs !== Infinity) this.checkRest();
    return settleMs;
  }

  /** At rest every node knows every key's owners, and nothing changes any more. */
  private checkRest(): void {
    const { ring } = this;
    ring.time.run(30_000);
    const notified = ring.counters['notify'] ?? 0;
    const changed = ring.counters['changed'] ?? 0;
    ring.time.run(10_000);
    if ((ring.counters['changed'] ?? 0) !== changed) {
      this.violate('a neighbourhood changes at rest');
    }
    if ((ring.counters['notify'] ?? 0) !== notified) {
      this.violate('a notification is sent at rest');
    }
    for (const node of ring.members) {
      const key = ring.random.hex(40);
      const owners = ring.owners(key, defaultSettings.owners).join(' ');
      node.lookup(key, (answer) => {
        const given = answer.nodes.map((n) => n.id).join(' ');
        if (given !== owners) {
          this.violate(`${key} is at ${owners}, said to be at ${given}`);
        }
      });
    }
    const open = ring.members.length;
    ring.time.run(11_000);
    if (open !== ring.members.length) this.violate('a member vanished at rest');
    for (const flaw of ring.flaws()) this.violate(`later: ${flaw}`);
  }

  private checkList(node: SimNode): void {
    const { chord } = node;
    if (!chord) return;
    const ids = [chord.self.id, ...chord.successors.map((s) => s.id)];
    for (let i = 1; i < ids.length; i++) {
      const [before, id] = [ids[i - 1], ids[i]] as [string, string];
      if (id === chord.self.id) this.violate('a node succeeds itself');
      // Each lies after the one before it and before the node itself comes round again.
      if (i > 1 && !betweenIncl(before, id, chord.self.id)) {
        this.violate('a list is out of order');
      }
    }
    if (new Set(ids).size < ids.length) this.violate('a list has duplicates');
    if (chord.successors.length > defaultSettings.successors) {
      this.violate('a list is too long');
    }
    if (chord.predecessor?.id === chord.self.id) {
      this.violate('a node precedes itself');
    }
  }

  private checkStep(process: unknown): void {
    const chord = (process as SimNode | undefined)?.chord;
    if (!chord) return;
    const { contacts, calls, lookups } = chord.load;
    if (contacts > 200 || calls > 200 || lookups > 50) {
      this.violate(
        `keeps ${contacts} contacts, ${calls} calls, ${lookups} lookups`,
      );
    }
  }

  /** Zave's OneLiveSuccessor, as long as fewer nodes than a list holds were lost lately on a working network. */
  private checkSuccessors(): void {
    const { ring } = this;
    const { now } = ring.time;
    this.losses = this.losses.filter((at) => now - at < 15_000);
    if (now < this.badUntil) return;
    for (const node of ring.members) {
      const successors = node.chord?.successors ?? [];
      if (successors.length <= this.losses.length || node.host.paused) continue;
      const alive = successors.some((s) => ring.byId(s.id)?.member);
      if (!alive) this.violate(`${node.self.id} has no live successor`);
    }
  }

  private lose(node: SimNode, how: () => void): void {
    if (!node.up) return;
    this.lost();
    how();
  }

  private lost(): void {
    this.losses.push(this.ring.time.now);
  }

  private bad(duration: number): void {
    this.badUntil = this.ring.time.now + duration;
  }

  private violate(what: string): void {
    if (this.violations.length >= VIOLATION_LIMIT) return;
    this.violations.push(`${Math.round(this.ring.time.now)} ms: ${what}`);
  }
}
