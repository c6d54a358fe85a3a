/**
 * The finger table: for each power of two the first node that far round the ring, looked up one
 * at a time, from the farthest down to where the successor list takes over (Chord, ToN 2003,
 * section IV-D). Each distinct node is kept once.
 */
import type { Core } from './core';
import type { Lookups } from './lookups';
import type { NodeRef, RingId } from './node-ref';
import { betweenIncl } from './node-ref';
import { sameNode } from './neighbours';
import { plusPowerOfTwo } from './ring-id';

const HIGHEST = 159;

export class Fingers {
  dueAt = Infinity;
  private exponent = HIGHEST;
  private readonly table = new Map<number, NodeRef>();

  constructor(
    private readonly core: Core,
    private readonly lookups: Lookups,
  ) {}

  start(): void {
    this.dueAt = this.core.now + this.core.spread(this.core.settings.fingerMs);
  }

  stop(): void {
    this.dueAt = Infinity;
  }

  tick(): void {
    const { core } = this;
    if (core.now < this.dueAt) return;
    this.dueAt = core.now + core.spread(core.settings.fingerMs);
    if (!core.member) return;
    const exponent = this.exponent;
    const target = plusPowerOfTwo(core.self.id, exponent);
    if (this.isNear(target)) {
      for (const known of [...this.table.keys()]) {
        if (known <= exponent) this.table.delete(known);
      }
      this.publish();
      this.exponent = HIGHEST;
      return;
    }
    this.exponent = exponent === 0 ? HIGHEST : exponent - 1;
    this.lookups.find(target, 1, ({ nodes }) => this.set(exponent, nodes[0]));
  }

  onDead(id: RingId): void {
    for (const [exponent, node] of this.table) {
      if (node.id === id) this.table.delete(exponent);
    }
    this.publish();
  }

  private set(exponent: number, node: NodeRef | undefined): void {
    if (!node || node.id === this.core.self.id) this.table.delete(exponent);
    else if (!sameNode(this.table.get(exponent), node)) {
      this.table.set(exponent, node);
    }
    this.publish();
  }

  private publish(): void {
    const distinct = new Map<RingId, NodeRef>();
    for (const node of this.table.values()) distinct.set(node.id, node);
    this.core.fingers = [...distinct.values()];
    for (const node of this.core.fingers) this.core.hint(node);
  }

  /** Inside the successor list. */
  private isNear(target: RingId): boolean {
    const { self, neighbours } = this.core;
    const last = neighbours.successors[neighbours.successors.length - 1];
    return !last || betweenIncl(self.id, target, last.id);
  }
}
