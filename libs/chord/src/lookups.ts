/** The lookups a node has under way, and where they begin: at what the node itself knows. */
import type { Core } from './core';
import type { Done, LookupOptions } from './lookup';
import { Lookup } from './lookup';
import { MAX_NODES } from './messages';
import type { NodeRef, RingId } from './node-ref';
import type { Route } from './routing';

/** What the asking node knows itself. */
export interface OwnTable {
  route(key: RingId, count: number): Route;
  /** Nodes before the key, nearest to it first. */
  nearest(key: RingId, count: number): NodeRef[];
}

/** Of the node's own table, how many to begin with. */
const FIRST_CANDIDATES = 16;
export class Lookups {
  private readonly running = new Set<Lookup>();

  constructor(
    private readonly core: Core,
    private readonly own: OwnTable,
  ) {}

  get size(): number {
    return this.running.size;
  }

  /** When the oldest lookup's time is over. */
  get dueAt(): number {
    for (const lookup of this.running) return lookup.endsAt;
    return Infinity;
  }

  tick(): void {
    for (const lookup of this.running) {
      if (lookup.endsAt > this.core.now) return;
      lookup.fail('expired');
    }
  }

  find(key: RingId, count: number, done: Done, options: LookupOptions = {}) {
    const { core } = this;
    const none = { nodes: [], hops: 0, timeouts: 0 };
    if (this.running.size >= core.settings.lookupLimit) {
      done({ ...none, failure: 'overloaded' });
      return;
    }
    const lookup = new Lookup(
      core,
      key,
      Math.min(count, MAX_NODES),
      options,
      (result) => {
        this.running.delete(lookup);
        done(result);
      },
    );
    this.running.add(lookup);
    if (options.start) {
      lookup.begin(options.start);
      return;
    }
    lookup.begin(
      this.own.nearest(key, FIRST_CANDIDATES),
      this.own.route(key, count),
    );
  }
}
