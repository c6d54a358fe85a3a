/**
 * One id, one live node. A node that is told that its id is known with a higher incarnation, or
 * at another address, finds out which it is: its own past (it takes a higher incarnation), or
 * another host with a copy of its disk (it takes a new id and joins again).
 */
import type { Core } from './core';
import type { NodeRef } from './node-ref';
import { sameAddress } from './neighbours';
import { randomRingId } from './ring-id';

export class Identity {
  private asking = false;

  constructor(
    private readonly core: Core,
    private readonly onRenamed: () => void,
  ) {}

  /** Who is to be refused, and with what; undefined when `from` may speak. */
  refusal(from: NodeRef): NodeRef | undefined {
    const { self, contacts } = this.core;
    if (from.id === self.id) {
      return from.incarnation <= self.incarnation && !sameAddress(from, self)
        ? self
        : undefined;
    }
    const known = contacts.get(from.id);
    if (!known) return undefined;
    if (known.node.incarnation > from.incarnation) return known.node;
    const elsewhere =
      known.node.incarnation === from.incarnation &&
      !sameAddress(known.node, from);
    return elsewhere && known.usable && this.isFresh(known.heardAt)
      ? known.node
      : undefined;
  }

  /** Somebody holds `known` to be the live node of this node's id. */
  challenged(known: NodeRef): void {
    const { core } = this;
    const { self } = core;
    if (known.id !== self.id || known.incarnation < self.incarnation) return;
    if (sameAddress(known, self)) {
      if (known.incarnation > self.incarnation) this.rise(known.incarnation);
      return;
    }
    if (this.asking) return;
    this.asking = true;
    core.ask({ ...known, id: '' }, core.pingMessage, (reply) => {
      this.asking = false;
      if (!reply || reply.me.id !== core.self.id) {
        this.rise(known.incarnation);
      } else if (this.yieldsTo(reply.me)) this.rename();
      else this.rise(reply.me.incarnation);
    });
  }

  private yieldsTo(other: NodeRef): boolean {
    const { self } = this.core;
    if (other.incarnation !== self.incarnation) {
      return other.incarnation > self.incarnation;
    }
    return address(other) < address(self);
  }

  private rise(above: number): void {
    const { core } = this;
    const incarnation = Math.max(above, core.self.incarnation) + 1;
    if (!Number.isSafeInteger(incarnation)) {
      this.rename();
      return;
    }
    core.self = { ...core.self, incarnation };
    core.outputs.push({ type: 'identity', self: core.self });
    core.neighbours.touch(core.now);
  }

  private rename(): void {
    const { core } = this;
    core.self = { ...core.self, id: randomRingId(core.random), incarnation: 1 };
    core.outputs.push({ type: 'identity', self: core.self });
    core.event('renamed', core.self);
    this.onRenamed();
  }

  private isFresh(heardAt: number): boolean {
    return this.core.now - heardAt <= this.core.settings.freshMs;
  }
}

function address(node: NodeRef): string {
  return `${node.host}:${node.port}`;
}
