/**
 * A network that misbehaves as told: it loses, delays, reorders and doubles messages, is cut in
 * one direction or in parts, and carries questions with their answers, and multicasts.
 * Hosts are known by `host:port`. Everything is drawn from one seeded generator.
 */
import { SimHost } from './host';
import type { Random } from './random';
import { Trace } from './trace';
import type { VirtualTime } from './virtual-time';

/** Where a host is reached; whatever else a reference carries travels along. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface LinkFaults {
  /** Probability that a message is lost, each way. */
  readonly drop: number;
  /** Probability that a message arrives twice. */
  readonly duplicate: number;
  /** Least delay one way, milliseconds. */
  readonly delay: number;
  /** Mean of what is added to it, exponentially distributed. */
  readonly jitter: number;
  /** Probability that the delay is drawn from a heavy tail (Pareto, alpha 1.2, at most 30 s) instead. */
  readonly heavyTail: number;
  /** Probability that a multicast does not reach one receiver; `drop` when absent. */
  readonly multicastDrop?: number;
  /** Probability that asking a host whose process is down says so at once instead of nothing. */
  readonly refuse: number;
}

export const quietLink: LinkFaults = {
  drop: 0,
  duplicate: 0,
  delay: 0.2,
  jitter: 0.3,
  heavyTail: 0,
  refuse: 1,
};

export interface NetworkCounters {
  sent: number;
  dropped: number;
  duplicated: number;
  late: number;
  refused: number;
  cut: number;
}

interface OpenCall {
  readonly caller: string;
  readonly call: number;
}

const HEAVY_TAIL_LIMIT_MS = 30_000;

export class SimNetwork<A extends Endpoint, M, B = M, V = unknown> {
  readonly hosts = new Map<string, SimHost<A, M, B, V>>();
  readonly counters: NetworkCounters = {
    sent: 0,
    dropped: 0,
    duplicated: 0,
    late: 0,
    refused: 0,
    cut: 0,
  };
  faults: LinkFaults;
  /** Called after each event at a host: the place for invariants. */
  afterStep: (host: SimHost<A, M, B, V>) => void = () => undefined;
  private readonly calls = new Map<number, OpenCall>();
  private nextCall = 1;
  private readonly cuts = new Set<string>();
  private parts: Map<string, number> | undefined;

  constructor(
    readonly time: VirtualTime,
    readonly random: Random,
    faults: Partial<LinkFaults> = {},
    readonly trace = new Trace(),
  ) {
    this.faults = { ...quietLink, ...faults };
  }

  /** A machine with its disk and no running process yet. */
  addHost(address: Endpoint): SimHost<A, M, B, V> {
    const host = new SimHost<A, M, B, V>(addressOf(address), this);
    this.hosts.set(host.address, host);
    return host;
  }

  host(address: Endpoint): SimHost<A, M, B, V> | undefined {
    return this.hosts.get(addressOf(address));
  }

  /** Cuts what `from` sends to `to`; the other way still works. */
  cut(from: Endpoint, to: Endpoint): void {
    this.cuts.add(`${addressOf(from)}>${addressOf(to)}`);
  }

  /** From now on only hosts of one part hear each other; a host in none of them hears nobody. */
  partition(parts: readonly (readonly Endpoint[])[]): void {
    this.parts = new Map(
      parts.flatMap((part, i) => part.map((a) => [addressOf(a), i] as const)),
    );
  }

  /** Ends all cuts and partitions. */
  heal(): void {
    this.cuts.clear();
    this.parts = undefined;
  }

  connected(from: string, to: string): boolean {
    if (from === to) return true;
    if (this.cuts.size > 0 && this.cuts.has(`${from}>${to}`)) return false;
    if (!this.parts) return true;
    const part = this.parts.get(from);
    return part !== undefined && part === this.parts.get(to);
  }

  /** A question; the callee answers with `reply` of the number it is given. */
  request(from: A, to: Endpoint, call: number, message: M): void {
    const caller = addressOf(from);
    const target = addressOf(to);
    if (this.refuses(caller, target)) {
      this.counters.refused++;
      this.time.after(this.delay(), () =>
        this.hosts
          .get(caller)
          ?.deliver('unreachable', (process, now) =>
            process.unreachable(call, now),
          ),
      );
      return;
    }
    const open = { caller, call };
    this.carry(caller, target, this.faults.drop, () => {
      const host = this.hosts.get(target);
      if (!host?.process) return;
      const number = this.nextCall++;
      this.calls.set(number, open);
      // A callee may answer late or never; what it no longer can answer is forgotten.
      if (this.calls.size > 10_000) {
        for (const old of this.calls.keys()) {
          this.calls.delete(old);
          break;
        }
      }
      host.deliver(`request ${caller}`, (process, now) =>
        process.request(number, from, message, now),
      );
    });
  }

  reply(at: Endpoint, number: number, message: M): void {
    const open = this.calls.get(number);
    if (!open) return;
    this.calls.delete(number);
    const answering = addressOf(at);
    this.carry(answering, open.caller, this.faults.drop, () =>
      this.hosts
        .get(open.caller)
        ?.deliver(`reply ${answering}`, (process, now) =>
          process.reply(open.call, message, now),
        ),
    );
  }

  /** To every other host. */
  multicast(from: Endpoint, message: B): void {
    const sender = addressOf(from);
    const drop = this.faults.multicastDrop ?? this.faults.drop;
    const what = `multicast ${sender}`;
    for (const host of this.hosts.values()) {
      if (host.address === sender || !host.process) continue;
      this.carry(sender, host.address, drop, () =>
        host.deliver(what, (process, now) => process.multicast?.(message, now)),
      );
    }
  }

  private refuses(from: string, to: string): boolean {
    const host = this.hosts.get(to);
    return (
      !host?.process &&
      this.connected(from, to) &&
      this.random.chance(this.faults.refuse)
    );
  }

  private carry(from: string, to: string, drop: number, arrive: () => void) {
    this.counters.sent++;
    if (!this.connected(from, to)) {
      this.counters.cut++;
      return;
    }
    if (this.random.chance(drop)) {
      this.counters.dropped++;
      return;
    }
    this.time.after(this.delay(), arrive);
    if (this.random.chance(this.faults.duplicate)) {
      this.counters.duplicated++;
      this.time.after(this.delay(), arrive);
    }
  }

  private delay(): number {
    const { delay, jitter, heavyTail } = this.faults;
    if (this.random.chance(heavyTail)) {
      this.counters.late++;
      const tail = this.random.pareto(delay + jitter, 1.2);
      return Math.min(tail, HEAVY_TAIL_LIMIT_MS);
    }
    return delay + (jitter > 0 ? this.random.exponential(jitter) : 0);
  }
}

export function addressOf(endpoint: Endpoint): string {
  return `${endpoint.host}:${endpoint.port}`;
}
