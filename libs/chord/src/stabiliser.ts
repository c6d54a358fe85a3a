/**
 * Keeps predecessor and successor list right: the one part that writes them.
 *
 * Each round reads the first successor's predecessor and list in one reply (Zave's stabilise from
 * successor); every node named there, and every other contact, is a candidate. The list is always
 * the first r candidates clockwise that answered themselves; nearer ones that have not are asked.
 * A better successor found in this way is read and notified at once (stabilise from predecessor),
 * a notification is weighed as in Zave's rectify. While a reply is awaited, `busy` is true and
 * this node's own state is not read.
 */
import type { Contact } from './contacts';
import type { Core } from './core';
import type { ChordReply } from './messages';
import type { NodeRef } from './node-ref';
import { between } from './node-ref';

/** Candidates asked for a sign of life at one time. */
const VERIFIED_AT_ONCE = 8;
/** Members before this node that are asked when its predecessor is gone. */
const LOOKED_BACK_AT = 3;
/** A busy successor is read again after 20 to 120 ms. */
const BUSY_RETRY_MS = 20;
const BUSY_SPREAD_MS = 100;

export class Stabiliser {
  dueAt = Infinity;
  private reading = false;
  /** Rounds done, for specs and measurements. */
  rounds = 0;

  constructor(private readonly core: Core) {}

  get busy(): boolean {
    return this.reading;
  }

  /** A round no later than `delay` from now. */
  soon(delay = 0): void {
    this.dueAt = Math.min(this.dueAt, this.core.now + delay);
  }

  stop(): void {
    this.dueAt = Infinity;
  }

  tick(): void {
    const { core } = this;
    if (core.now < this.dueAt) return;
    this.dueAt = core.now + core.spread(this.period);
    this.rounds++;
    this.adopt();
    this.refresh();
    this.readSuccessor();
  }

  /** Makes the list the first r responding nodes clockwise, and asks nearer ones that have not responded yet. */
  adopt(): void {
    const { core } = this;
    if (!core.member) return;
    const { contacts, neighbours, rules, settings, self } = core;
    const responding: NodeRef[] = [];
    let asked = 0;
    for (let i = 0; responding.length < settings.successors; i++) {
      const contact = contacts.clockwise(i);
      if (!contact) break;
      if (contact.state === 'dead') continue;
      const listed = neighbours.isSuccessor(contact.node.id);
      if (contact.member && (listed || this.isFresh(contact))) {
        responding.push(contact.node);
      } else if (asked < VERIFIED_AT_ONCE && core.now >= contact.probeAt) {
        asked++;
        contact.probeAt = core.now + settings.stabiliseMs / 2;
        core.ping(contact);
      }
    }
    const head = neighbours.successors[0];
    const list = rules.successors(self.id, responding, settings.successors);
    if (!neighbours.setSuccessors(list, core.now)) return;
    const first = list[0];
    if (first && first.id !== head?.id) {
      this.notify(first);
      this.soon();
    }
  }

  onAlive(contact: Contact): void {
    const { core } = this;
    if (!core.member) return;
    const { successors, predecessor } = core.neighbours;
    const last = successors[successors.length - 1];
    const { id } = contact.node;
    if (
      !last ||
      successors.length < core.settings.successors ||
      last.id === id ||
      between(core.self.id, id, last.id)
    ) {
      this.adopt();
    }
    if (!predecessor || predecessor.id === id || this.precedes(contact.node)) {
      this.rectify(contact);
    }
  }

  onDead(contact: Contact): void {
    const { core } = this;
    const { id } = contact.node;
    if (core.neighbours.isSuccessor(id)) {
      this.adopt();
      this.soon();
    }
    if (core.neighbours.predecessor?.id === id) {
      this.lookBack();
    }
  }

  /** A live member says, or is seen, to lie before this node. */
  rectify(candidate: Contact): void {
    const { core } = this;
    if (!core.member) return;
    const current = core.neighbours.predecessor;
    if (
      !current ||
      current.id === candidate.node.id ||
      this.precedes(candidate.node)
    ) {
      core.neighbours.setPredecessor(candidate.node, core.now);
      return;
    }
    // Adopted only if the present one is dead, which its silence will show (onDead).
    const known = core.contacts.get(current.id);
    if (known && !this.heardThisRound(known)) core.ping(known);
  }

  onReadReply(from: NodeRef, reply: ChordReply | undefined): void {
    const { core } = this;
    if (!reply || !core.member) return;
    if (reply.type === 'busy') {
      this.soon(BUSY_RETRY_MS + BUSY_SPREAD_MS * core.random());
      return;
    }
    if (reply.type !== 'state') return;
    const { predecessor } = reply;
    if (predecessor) core.hint(predecessor);
    for (const node of reply.successors) core.hint(node);
    for (const node of reply.contacts) core.hint(node);
    this.adopt();
    if (core.neighbours.successors[0]?.id !== from.id) return;
    const settled = predecessor?.id === core.self.id;
    const nearer =
      predecessor && between(core.self.id, predecessor.id, from.id);
    const known = predecessor && core.contacts.get(predecessor.id);
    // A nearer one that may be alive has just been asked; it comes first if it answers.
    if (!settled && !(nearer && known?.state !== 'dead')) this.notify(from);
  }

  /**
   * Takes the nearest member before this node that is not known to be dead, heard lately or not: a
   * farther one would make this node claim what belongs to others. It is asked for a sign of life,
   * and two more before it, in case that it gives none.
   */
  private lookBack(): void {
    const { core } = this;
    const { contacts } = core;
    let nearest: NodeRef | undefined;
    let asked = 0;
    for (let i = 0; i < contacts.size && asked < LOOKED_BACK_AT; i++) {
      const contact = contacts.counterClockwise(i);
      if (!contact?.member || contact.state === 'dead') continue;
      nearest ??= contact.node;
      asked++;
      core.ping(contact);
    }
    core.neighbours.setPredecessor(nearest, core.now);
  }

  private readSuccessor(): void {
    const { core } = this;
    const head = core.neighbours.successors[0];
    if (!head || this.reading) return;
    this.reading = true;
    core.ask(head, { v: 1, type: 'read' }, (reply) => {
      this.reading = false;
      this.onReadReply(head, reply);
    });
  }

  private notify(node: NodeRef): void {
    const { successors } = this.core.neighbours;
    this.core.ask(node, { v: 1, type: 'notify', successors }, () => undefined);
  }

  /** Asks those neighbours, one old contact and one dead one for a sign of life that gave none lately. */
  private refresh(): void {
    const { core } = this;
    const { contacts, neighbours } = core;
    if (!neighbours.predecessor) this.lookBack();
    for (const node of [
      neighbours.predecessor,
      ...neighbours.successors.slice(1),
    ]) {
      const contact = node && contacts.get(node.id);
      if (contact && !this.heardThisRound(contact)) core.ping(contact);
    }
    const stalest = contacts.stalest();
    if (stalest && !this.isFresh(stalest) && core.now >= stalest.probeAt) {
      core.ping(stalest);
    }
    const dead = contacts.nextDead();
    if (dead && core.now >= dead.probeAt) core.ping(dead);
  }

  private precedes(candidate: NodeRef): boolean {
    const { neighbours, rules, self } = this.core;
    const current = neighbours.predecessor;
    return !current || rules.precedes(current, candidate, self.id);
  }

  private isFresh(contact: Contact): boolean {
    return this.core.now - contact.heardAt <= this.core.settings.freshMs;
  }

  private heardThisRound(contact: Contact): boolean {
    return this.core.now - contact.heardAt <= this.period * 0.9;
  }

  private get period(): number {
    const { neighbours, now, settings } = this.core;
    const quiet = now - neighbours.stableSince > settings.quietAfterMs;
    return quiet ? settings.quietStabiliseMs : settings.stabiliseMs;
  }
}
