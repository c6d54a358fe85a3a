/**
 * The way into a ring: ask the contacts given by hand again and again, listen for beacons, look
 * up the own id through whoever answers, and take the place between the node that answered and
 * the successors it named. A node that reaches nobody forms a ring of its own, and goes on trying:
 * such rings merge.
 */
import type { Address } from './chord-io';
import type { Core } from './core';
import type { Lookups } from './lookups';
import type { NodeRef } from './node-ref';
import { sameAddress } from './neighbours';

interface Seed extends Address {
  nextAt: number;
  delay: number;
  asking: boolean;
  /** Who answered there last. */
  known: NodeRef | undefined;
}

const SEED_LIMIT = 64;

export class Joiner {
  private seeds: Seed[] = [];
  private aloneAt = Infinity;
  private attempting = false;
  private retryAt = Infinity;

  constructor(
    private readonly core: Core,
    private readonly lookups: Lookups,
    private readonly onMember: (how: 'joined' | 'formed') => void,
  ) {}

  get dueAt(): number {
    let due = Math.min(this.attempting ? Infinity : this.aloneAt, this.retryAt);
    for (const seed of this.seeds) {
      if (!seed.asking) due = Math.min(due, seed.nextAt);
    }
    return due;
  }

  start(contacts: readonly Address[]): void {
    const { core } = this;
    core.mode = 'joining';
    core.neighbours.touch(core.now);
    for (const { host, port } of contacts.slice(0, SEED_LIMIT)) {
      if (this.seeds.some((s) => sameAddress(s, { host, port }))) continue;
      this.seeds.push({
        host,
        port,
        nextAt: core.now,
        delay: core.settings.seedRetryMs,
        asking: false,
        known: undefined,
      });
    }
    this.waitAlone();
    this.attempt();
  }

  stop(): void {
    this.seeds = [];
    this.aloneAt = this.retryAt = Infinity;
  }

  tick(): void {
    const { core } = this;
    for (const seed of this.seeds) {
      if (!seed.asking && core.now >= seed.nextAt) this.knock(seed);
    }
    if (core.mode !== 'joining') return;
    if (core.now >= this.retryAt) this.attempt();
    if (core.now >= this.aloneAt && !this.attempting) {
      this.become('formed');
    }
  }

  /** A live member was heard. */
  attempt(): void {
    const { core } = this;
    this.retryAt = Infinity;
    if (core.mode !== 'joining' || this.attempting) return;
    const start = core.contacts.sorted.filter((c) => c.usable);
    if (start.length === 0) return;
    this.attempting = true;
    const { id } = core.self;
    this.lookups.find(
      id,
      core.settings.successors + 1,
      ({ nodes, failure, namedBy }) => {
        const others = nodes.filter((node) => node.id !== id);
        if (failure) this.tryAgain();
        else this.greet(others, namedBy);
      },
      { start: start.slice(0, 8).map((c) => c.node), verify: 'always' },
    );
  }

  /**
   * A member only once its successors have answered, or had time to: until then a near one that is
   * slow would seem not to be there, and its keys a farther one's.
   */
  private greet(nodes: readonly NodeRef[], namedBy: NodeRef | undefined): void {
    const { core } = this;
    for (const node of nodes) core.hint(node);
    const near = nodes.slice(0, core.settings.successors);
    let open = near.length;
    let answered = 0;
    const done = (): void => {
      if (near.length > 0 && answered === 0) {
        this.tryAgain();
        return;
      }
      this.attempting = false;
      if (core.mode !== 'joining') return;
      this.become('joined');
      // So that the one before this node knows at once that it has a new successor.
      const before = namedBy && core.contacts.get(namedBy.id);
      if (before) core.ping(before);
    };
    if (open === 0) done();
    for (const node of near) {
      core.ask(node, core.pingMessage, (reply) => {
        if (reply) answered++;
        if (--open === 0) done();
      });
    }
  }

  private tryAgain(): void {
    const { core } = this;
    this.attempting = false;
    if (core.mode !== 'joining') return;
    this.retryAt = core.now + core.spread(core.settings.seedRetryMs);
    if (core.contacts.countUsable() > 0) this.waitAlone();
  }

  private become(how: 'joined' | 'formed'): void {
    this.aloneAt = this.retryAt = Infinity;
    this.core.mode = 'member';
    this.core.neighbours.touch(this.core.now);
    this.onMember(how);
  }

  private waitAlone(): void {
    const { core } = this;
    this.aloneAt = core.now + core.settings.aloneMs * (1 + core.random());
  }

  /** Asks who is at an address given by hand, unless that node is a live contact already. */
  private knock(seed: Seed): void {
    const { core } = this;
    const known = seed.known && core.contacts.get(seed.known.id);
    seed.delay = Math.min(seed.delay * 2, core.settings.seedRetryLimitMs);
    seed.nextAt = core.now + core.spread(seed.delay);
    if (known?.usable && sameAddress(known.node, seed)) {
      if (core.mode === 'joining') this.attempt();
      return;
    }
    seed.asking = true;
    const to: NodeRef = {
      id: '',
      host: seed.host,
      port: seed.port,
      incarnation: 0,
    };
    core.ask(to, core.pingMessage, (reply) => {
      seed.asking = false;
      if (!reply) return;
      if (reply.me.id === core.self.id) {
        this.seeds = this.seeds.filter((s) => s !== seed);
        return;
      }
      seed.known = reply.me;
      if (!reply.member) {
        seed.delay = core.settings.seedRetryMs;
        seed.nextAt = core.now + core.spread(seed.delay);
      }
      this.attempt();
    });
  }
}
