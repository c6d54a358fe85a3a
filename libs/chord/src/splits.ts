/**
 * Finds out that there are two rings, and makes them one. A node newly heard, to which this
 * node's own ring does not lead, belongs to another ring: this node looks itself up there, and
 * the nodes it would lie between come to know it and it them. Their next stabilisation does the
 * rest. In a whole ring the check costs one lookup for each node that appears.
 */
import type { Contact } from './contacts';
import type { Core } from './core';
import type { Lookups } from './lookups';
import type { NodeRef, RingId } from './node-ref';

const WAITING_LIMIT = 32;

export class Splits {
  dueAt = Infinity;
  private readonly waiting = new Map<RingId, NodeRef>();
  private checking = false;

  constructor(
    private readonly core: Core,
    private readonly lookups: Lookups,
    private readonly onMerged: () => void,
  ) {}

  stop(): void {
    this.waiting.clear();
    this.dueAt = Infinity;
  }

  /** Neighbours need no check: stabilisation sees to them. */
  onAlive({ node }: Contact): void {
    const { core } = this;
    if (!core.member || core.neighbours.has(node.id)) return;
    if (this.waiting.size >= WAITING_LIMIT) return;
    this.waiting.set(node.id, node);
    // Time for a node that is just joining to find its place.
    this.dueAt = Math.min(
      this.dueAt,
      core.now + core.spread(core.settings.stabiliseMs),
    );
  }

  tick(): void {
    const { core } = this;
    if (core.now < this.dueAt) return;
    this.dueAt = Infinity;
    if (!core.member || this.checking) return;
    const [node] = this.waiting.values();
    if (!node) return;
    this.waiting.delete(node.id);
    if (core.neighbours.has(node.id) || !core.contacts.get(node.id)?.usable) {
      this.again();
      return;
    }
    this.checking = true;
    this.lookups.find(
      node.id,
      1,
      ({ nodes, failure }) => {
        if (failure || nodes[0]?.id === node.id) this.checked();
        else this.lookUpSelf(node);
      },
      { apart: node.id },
    );
  }

  private lookUpSelf(through: NodeRef): void {
    const { core } = this;
    this.lookups.find(
      core.self.id,
      core.settings.successors,
      ({ nodes, namedBy, failure }) => {
        this.checked();
        if (failure || nodes[0]?.id === core.self.id) return;
        for (const node of nodes) core.hint(node);
        if (namedBy) core.hint(namedBy);
        core.event('merged', through);
        this.onMerged();
      },
      { start: [through], verify: 'always' },
    );
  }

  private checked(): void {
    this.checking = false;
    this.again();
  }

  private again(): void {
    if (this.waiting.size === 0) return;
    this.dueAt =
      this.core.now + this.core.spread(this.core.settings.stabiliseMs);
  }
}
