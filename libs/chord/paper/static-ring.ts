/**
 * A ring whose tables are set by calculation instead of by protocol, so that 10⁵ nodes fit in
 * memory; every lookup in it runs the production code, hop by hop.
 */
import { Core } from '../src/core';
import type { LookupResult } from '../src/lookup';
import { Lookups } from '../src/lookups';
import type { NodeRef, RingId } from '../src/node-ref';
import { plusPowerOfTwo } from '../src/ring-id';
import type { Routable, RoutingView } from '../src/routing';
import { firstAtOrAfter, preceding, route } from '../src/routing';
import { ringRules } from '../src/rules';
import { defaultSettings } from '../src/settings';
import type { Random } from '@dnd/sim';

export class StaticRing {
  private readonly entries: Routable[];
  private readonly tables: (readonly Routable[] | undefined)[];
  private readonly index = new Map<RingId, number>();
  private readonly dead = new Set<RingId>();

  constructor(
    size: number,
    private readonly successors: number,
    private readonly random: Random,
    private readonly options: {
      /** False for the published routing, which knows none. */
      readonly predecessors: boolean;
    } = { predecessors: true },
  ) {
    const ids = new Set<RingId>();
    while (ids.size < size) ids.add(random.hex(40));
    this.entries = [...ids].sort().map((id) => ({
      node: { id, host: 'h', port: 1, incarnation: 1 },
      usable: true,
    }));
    this.entries.forEach((entry, i) => this.index.set(entry.node.id, i));
    this.tables = new Array(size);
  }

  get size(): number {
    return this.entries.length;
  }

  /** Makes a part of the nodes fail at once; nobody is told. */
  fail(share: number): void {
    const count = Math.round(share * this.size);
    for (const { node } of this.random.shuffle(this.entries).slice(0, count)) {
      this.dead.add(node.id);
    }
  }

  /** The first live node at or after the key. */
  owner(key: RingId): RingId {
    for (let i = firstAtOrAfter(this.entries, key); ; i++) {
      const { id } = this.at(i).node;
      if (!this.dead.has(id)) return id;
    }
  }

  /** One lookup from a random live node. */
  lookup(key: RingId): LookupResult {
    let from = this.random.int(this.size);
    while (this.dead.has(this.at(from).node.id))
      from = this.random.int(this.size);
    const self = this.at(from).node;
    const settings = { ...defaultSettings, successors: this.successors };
    const core = new Core(self, settings, ringRules, this.random.uniform);
    const view = this.view(from);
    const lookups = new Lookups(core, {
      route: (wanted, count) => route(view, wanted, count),
      nearest: (wanted, count) => preceding(view.table, self.id, wanted, count),
    });
    let result: LookupResult | undefined;
    lookups.find(key, 1, (found) => (result = found));
    while (!result) this.deliver(core);
    return result;
  }

  /** Answers what was asked; the dead do not. */
  private deliver(core: Core): void {
    const { outputs } = core;
    core.outputs = [];
    if (outputs.length === 0) throw new Error('a lookup stands still');
    for (const output of outputs) {
      if (output.type !== 'request' || output.message.type !== 'find') continue;
      const me: NodeRef = output.to;
      if (this.dead.has(me.id)) {
        core.onUnreachable(output.call);
        continue;
      }
      const view = this.view(this.index.get(me.id) as number);
      const { key, count } = output.message;
      const found = route(view, key, count);
      const predecessor = view.predecessor ?? null;
      const reply = { v: 1, type: 'found', me, member: true } as const;
      core.onReply(output.call, { ...reply, predecessor, ...found });
    }
  }

  private view(i: number): RoutingView {
    const successors = Array.from(
      { length: Math.min(this.successors, this.size - 1) },
      (_, n) => this.at(i + 1 + n).node,
    );
    return {
      self: this.at(i).node,
      predecessor: this.options.predecessors ? this.at(i - 1).node : undefined,
      successors,
      complete: this.successors >= this.size,
      table: this.table(i),
    };
  }

  /** Fingers and successors, sorted; kept, for they are asked for again and again. */
  private table(i: number): readonly Routable[] {
    const kept = this.tables[i];
    if (kept) return kept;
    const self = this.at(i).node.id;
    const numbers = new Set<number>();
    for (let n = 1; n <= Math.min(this.successors, this.size - 1); n++) {
      numbers.add((i + n) % this.size);
    }
    for (let exponent = 159; exponent >= 0; exponent--) {
      const target = plusPowerOfTwo(self, exponent);
      const finger = firstAtOrAfter(this.entries, target) % this.size;
      numbers.add(finger);
      // All nearer fingers are the first successor too.
      if (finger === (i + 1) % this.size) break;
    }
    numbers.delete(i);
    const table = [...numbers].sort((a, b) => a - b).map((n) => this.at(n));
    this.tables[i] = table;
    return table;
  }

  private at(i: number): Routable {
    const { length } = this.entries;
    return this.entries[((i % length) + length) % length] as Routable;
  }
}
