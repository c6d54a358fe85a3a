/**
 * The nodes one node has heard of: what is believed of each, how long its answers take, and in
 * which order they lie on the ring. Bounded: what is neither a neighbour nor a finger makes room,
 * dead nodes first.
 */
import type { NodeRef, RingId } from './node-ref';
import { RoundTrip } from './round-trip';
import type { Routable } from './routing';
import { firstAtOrAfter } from './routing';
import type { ChordSettings } from './settings';

/** `unknown`: named by others, never heard itself. */
export type ContactState = 'unknown' | 'alive' | 'suspected' | 'dead';

export class Contact implements Routable {
  state: ContactState = 'unknown';
  /** It said itself that it belongs to a ring. */
  member = false;
  /** When a message of its own last came, -Infinity for never. */
  heardAt = -Infinity;
  /** Time-outs in a row. */
  misses = 0;
  missedAt = -Infinity;
  /** The ping to it that is under way, 0 for none. */
  pingCall = 0;
  /** Not pinged again before. */
  probeAt = -Infinity;
  probes = 0;
  readonly roundTrip = new RoundTrip();

  constructor(public node: NodeRef) {}

  get usable(): boolean {
    return this.state === 'alive' && this.member;
  }
}

export class Contacts {
  /** In ascending order of id. */
  readonly sorted: Contact[] = [];
  private readonly byId = new Map<RingId, Contact>();

  constructor(
    private readonly self: () => RingId,
    private readonly settings: ChordSettings,
    /** Neighbours and fingers, which are never dropped. */
    private readonly pinned: (id: RingId) => boolean,
  ) {}

  get size(): number {
    return this.sorted.length;
  }

  get(id: RingId): Contact | undefined {
    return this.byId.get(id);
  }

  /** The contact of this id, new when it was not known; undefined for the node itself. */
  enter(node: NodeRef): Contact | undefined {
    const known = this.byId.get(node.id);
    if (known) return known;
    if (node.id === this.self()) return undefined;
    const contact = new Contact(node);
    this.byId.set(node.id, contact);
    this.sorted.splice(firstAtOrAfter(this.sorted, node.id), 0, contact);
    this.makeRoom(contact);
    return contact;
  }

  /** Forgets the dead beyond the limit, those first that are pinged last. */
  forgetDead(): void {
    const dead = this.sorted.filter((c) => c.state === 'dead');
    if (dead.length <= this.settings.deadLimit) return;
    dead.sort((a, b) => b.probeAt - a.probeAt);
    dead.length -= this.settings.deadLimit;
    for (const contact of dead) this.delete(contact.node.id);
  }

  delete(id: RingId): void {
    if (!this.byId.delete(id)) return;
    this.sorted.splice(firstAtOrAfter(this.sorted, id), 1);
  }

  /** The `nth` contact clockwise after the node itself, from 0, wrapping. */
  clockwise(nth: number): Contact | undefined {
    const size = this.sorted.length;
    if (nth >= size) return undefined;
    return this.sorted[(firstAtOrAfter(this.sorted, this.self()) + nth) % size];
  }

  /** The same, counter-clockwise. */
  counterClockwise(nth: number): Contact | undefined {
    return this.clockwise(this.sorted.length - 1 - nth);
  }

  /** The contact not known to be dead that has been silent the longest. */
  stalest(): Contact | undefined {
    let stalest: Contact | undefined;
    for (const contact of this.sorted) {
      if (contact.state === 'dead' || contact.pingCall) continue;
      if (!stalest || contact.heardAt < stalest.heardAt) stalest = contact;
    }
    return stalest;
  }

  /** The dead contact whose next ping is due first. */
  nextDead(): Contact | undefined {
    let next: Contact | undefined;
    for (const contact of this.sorted) {
      if (contact.state !== 'dead' || contact.pingCall) continue;
      if (!next || contact.probeAt < next.probeAt) next = contact;
    }
    return next;
  }

  count(state: ContactState): number {
    let count = 0;
    for (const contact of this.sorted) if (contact.state === state) count++;
    return count;
  }

  /** Live members, the node itself not counted. */
  countUsable(): number {
    let count = 0;
    for (const contact of this.sorted) if (contact.usable) count++;
    return count;
  }

  private get limit(): number {
    return this.settings.contacts + 4 * this.settings.successors;
  }

  /** Drops a part of the table at once, so that the search for the least useful is rare. */
  private makeRoom(newest: Contact): void {
    const slack = 16 + (this.limit >> 4);
    if (this.sorted.length <= this.limit + slack) return;
    const near = new Set<Contact>([newest]);
    for (let i = 0; i < 2 * this.settings.successors; i++) {
      const after = this.clockwise(i);
      const before = this.counterClockwise(i);
      if (after) near.add(after);
      if (before) near.add(before);
    }
    const dropped = this.sorted
      .filter((c) => !near.has(c) && !this.pinned(c.node.id))
      .sort((a, b) => usefulness(a) - usefulness(b) || a.heardAt - b.heardAt)
      .slice(0, this.sorted.length - this.limit);
    for (const contact of dropped) this.delete(contact.node.id);
  }
}

const ORDER: readonly ContactState[] = [
  'dead',
  'unknown',
  'suspected',
  'alive',
];

function usefulness(contact: Contact): number {
  return ORDER.indexOf(contact.state);
}
