/**
 * Answers what other nodes ask, at once and from what this node holds, and takes note of who asked.
 */
import type { Core } from './core';
import type { ChordReply, ChordRequest } from './messages';
import type { NodeRef, RingId } from './node-ref';
import type { Route } from './routing';
import type { Stabiliser } from './stabiliser';

/** Other nodes named in the answer to `read`. */
const GOSSIP = 4;

export class Responder {
  constructor(
    private readonly core: Core,
    private readonly stabiliser: Stabiliser,
    private readonly route: (key: RingId, count: number) => Route,
  ) {}

  answer(from: NodeRef, message: ChordRequest): ChordReply {
    const { core } = this;
    const me = { v: 1, me: core.self, member: core.member } as const;
    switch (message.type) {
      case 'ping':
        this.named(from, message.member);
        return { ...me, type: 'pong' };
      case 'find': {
        this.named(from, message.member);
        const found = core.member
          ? this.route(message.key, message.count)
          : { done: false, nodes: [] };
        const predecessor = core.neighbours.predecessor ?? null;
        return { ...me, type: 'found', predecessor, ...found };
      }
      case 'read': {
        const reply = this.readReply();
        core.heard(from, true);
        return reply;
      }
      case 'notify': {
        const contact = core.heard(from, true);
        for (const node of message.successors) core.hint(node);
        if (contact) this.stabiliser.rectify(contact);
        this.stabiliser.adopt();
        return { ...me, type: 'pong' };
      }
      case 'leave': {
        const contact = core.contacts.get(from.id);
        for (const node of message.successors) core.hint(node);
        if (message.predecessor) core.hint(message.predecessor);
        if (contact) core.bury(contact, 'gone');
        this.stabiliser.adopt();
        return { ...me, type: 'pong' };
      }
    }
  }

  /** One reply carries predecessor and list; none while a reply of the same kind is awaited. */
  private readReply(): ChordReply {
    const { core } = this;
    const me = { v: 1, me: core.self, member: core.member } as const;
    if (!core.member || this.stabiliser.busy) return { ...me, type: 'busy' };
    const { predecessor, successors } = core.neighbours;
    return {
      ...me,
      type: 'state',
      predecessor: predecessor ?? null,
      successors,
      contacts: this.gossip(),
    };
  }

  /** A few live contacts drawn at random. */
  private gossip(): NodeRef[] {
    const { sorted } = this.core.contacts;
    const chosen = new Set<NodeRef>();
    for (let i = 0; i < GOSSIP && sorted.length > 0; i++) {
      const contact = sorted[Math.floor(this.core.random() * sorted.length)];
      if (contact?.usable) chosen.add(contact.node);
    }
    return [...chosen];
  }

  /** A message that members and others send alike. */
  private named(from: NodeRef, member: boolean): void {
    const { core } = this;
    // A member was none before: what says so was overtaken on its way.
    if (member || core.isMember(from)) core.heard(from, true);
    else if (core.contacts.get(from.id)?.member) core.heard(from, false);
    else if (core.hint(from)) this.stabiliser.adopt();
  }
}
