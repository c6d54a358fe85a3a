/**
 * What the parts of a ring node share: who it is, what it knows, the calls it awaits, and the
 * outputs of the step under way. A part asks other nodes through `ask`; who answers is alive,
 * and who does not is pinged once more and then dead.
 */
import type { ChordOutput, RingEvent, RingMode } from './chord-io';
import type { Contact } from './contacts';
import { Contacts } from './contacts';
import { Deadlines } from './deadlines';
import type { ChordReply, ChordRequest } from './messages';
import type { NodeRef, RingId } from './node-ref';
import { Neighbours, sameAddress } from './neighbours';
import { RoundTrip } from './round-trip';
import { shareOfRing } from './ring-id';
import type { RingRules } from './rules';
import type { ChordSettings } from './settings';

/** Gets the reply, or undefined when none came in time or, `refused`, nobody is there. */
export type OnReply = (reply: ChordReply | undefined, refused: boolean) => void;

interface Call {
  readonly to: NodeRef;
  readonly sentAt: number;
  readonly onReply: OnReply;
  /** Its time is over; kept to learn from a late answer how slow the node is. */
  expired: boolean;
}

const noRoundTrip = new RoundTrip();

/** How long a late answer still counts as a sign of life. */
const LATE_MS = 10_000;
const EXPIRED_LIMIT = 1_024;
/** A wake-up this late means that the whole process stood still, not that others were silent. */
const STALL_MS = 300;

/** What the parts do when belief about a node changes; set by the node that owns them. */
export interface CoreHooks {
  onAlive(contact: Contact): void;
  onDead(contact: Contact): void;
  onStale(known: NodeRef): void;
}

export class Core {
  mode: RingMode = 'idle';
  now = 0;
  outputs: ChordOutput[] = [];
  readonly neighbours = new Neighbours();
  readonly contacts: Contacts;
  fingers: readonly NodeRef[] = [];
  hooks: CoreHooks = {
    onAlive: () => undefined,
    onDead: () => undefined,
    onStale: () => undefined,
  };
  /** Of all nodes together. */
  private readonly roundTrip = new RoundTrip();
  private readonly calls = new Map<number, Call>();
  private readonly deadlines = new Deadlines();
  private expired = 0;
  private nextCall = 1;

  constructor(
    public self: NodeRef,
    readonly settings: ChordSettings,
    readonly rules: RingRules,
    readonly random: () => number,
  ) {
    this.contacts = new Contacts(
      () => this.self.id,
      settings,
      (id) => this.neighbours.has(id) || this.fingers.some((f) => f.id === id),
    );
  }

  get member(): boolean {
    return this.mode === 'member';
  }

  /** When the first awaited answer is overdue. */
  get callsDueAt(): number {
    return this.deadlines.next;
  }

  get callsOpen(): number {
    return this.calls.size - this.expired;
  }

  /** The same time ± `spread` of it. */
  spread(time: number, spread = 0.25): number {
    return time * (1 + spread * (2 * this.random() - 1));
  }

  event(event: RingEvent, node: NodeRef): void {
    this.outputs.push({ type: 'event', event, node });
  }

  /** Sends a request and returns its number. */
  ask(to: NodeRef, message: ChordRequest, onReply: OnReply): number {
    const call = this.nextCall++;
    const contact = this.contacts.get(to.id);
    const timeout = (contact?.roundTrip ?? noRoundTrip).timeout(
      this.settings,
      this.roundTrip,
      contact?.misses,
    );
    const { now } = this;
    this.calls.set(call, { to, sentAt: now, onReply, expired: false });
    this.deadlines.push(now + timeout, call);
    this.outputs.push({ type: 'request', call, to, message });
    return call;
  }

  get pingMessage(): ChordRequest {
    return { v: 1, type: 'ping', member: this.member };
  }

  /** Asks for a sign of life, unless one is already asked for. */
  ping(contact: Contact, node = contact.node): void {
    if (contact.pingCall !== 0) return;
    const call = this.ask(node, this.pingMessage, () => {
      if (contact.pingCall === call) contact.pingCall = 0;
    });
    contact.pingCall = call;
  }

  onReply(call: number, reply: ChordReply): void {
    const open = this.calls.get(call);
    if (!open) return;
    this.calls.delete(call);
    if (open.expired) this.expired--;
    const { to } = open;
    if (to.id !== '' && reply.me.id !== to.id) this.replaced(to.id);
    const { me } = reply;
    const since = this.contacts.get(me.id)?.heardAt ?? -Infinity;
    // An answer from before it became a member may come after what told so.
    const overtaken = since >= open.sentAt && this.isMember(me);
    const contact = this.heard(me, reply.member || overtaken);
    const rtt = this.now - open.sentAt;
    if (contact) contact.roundTrip.measured(rtt);
    this.roundTrip.measured(rtt);
    if (reply.type === 'stale') this.hooks.onStale(reply.known);
    if (!open.expired) open.onReply(reply, false);
  }

  onUnreachable(call: number): void {
    const open = this.calls.get(call);
    if (!open) return;
    this.calls.delete(call);
    if (open.expired) {
      this.expired--;
      return;
    }
    this.missed(open);
    open.onReply(undefined, true);
  }

  /** Ends the calls whose time is over. */
  expireCalls(): void {
    while (this.deadlines.next <= this.now) {
      const call = this.deadlines.pop() as number;
      const open = this.calls.get(call);
      if (!open) continue;
      if (open.expired || this.expired >= EXPIRED_LIMIT) {
        if (open.expired) this.expired--;
        this.calls.delete(call);
        if (open.expired) continue;
      } else {
        open.expired = true;
        this.expired++;
        this.deadlines.push(this.now + LATE_MS, call);
      }
      this.missed(open);
      open.onReply(undefined, false);
    }
  }

  /** After the whole process stood still, answers are awaited that much longer. */
  forgiveStall(wakeAt: number, now: number): void {
    const late = now - wakeAt;
    if (late > STALL_MS && late !== Infinity) this.deadlines.shift(late);
  }

  /**
   * `node` itself spoke. Undefined when it is not to be believed: the node itself, or an older
   * start of a known one.
   */
  heard(node: NodeRef, member: boolean): Contact | undefined {
    const contact = this.contacts.enter(node);
    if (!contact) return undefined;
    if (node.incarnation < contact.node.incarnation) return undefined;
    const restarted = node.incarnation > contact.node.incarnation;
    const moved = restarted || !sameAddress(node, contact.node);
    if (moved) contact.node = node;
    const { state } = contact;
    const wasUsable = contact.usable && !moved;
    const wasMember = contact.member;
    contact.state = 'alive';
    contact.member = member;
    contact.heardAt = this.now;
    contact.misses = 0;
    contact.probes = 0;
    if (state === 'dead') contact.probeAt = -Infinity;
    if (state === 'unknown') this.event('appeared', node);
    else if (state !== 'alive') this.event('returned', node);
    if (contact.usable && !wasUsable) this.hooks.onAlive(contact);
    else if (!member && wasMember) this.hooks.onDead(contact);
    return contact;
  }

  /** This start of the node said that it is a member, and is not known to have gone. */
  isMember({ id, incarnation }: NodeRef): boolean {
    const contact = this.contacts.get(id);
    return contact?.member === true && contact.node.incarnation === incarnation;
  }

  /** Somebody else named this node; true when it was not known. */
  hint(node: NodeRef): boolean {
    const known = this.contacts.get(node.id);
    if (!known) return this.contacts.enter(node) !== undefined;
    if (node.incarnation > known.node.incarnation) this.ping(known, node);
    return false;
  }

  /** It does not answer, or is no member any more. */
  bury(contact: Contact, event: 'dead' | 'gone'): void {
    if (contact.state === 'dead') return;
    contact.state = 'dead';
    contact.member = false;
    contact.probes = 0;
    contact.probeAt =
      event === 'gone'
        ? Infinity
        : this.now + this.spread(this.settings.deadProbeMs);
    this.event(event, contact.node);
    this.hooks.onDead(contact);
    this.contacts.forgetDead();
  }

  /** Live members of the ring with this node; an estimate when they are too many to know. */
  size(): number {
    const counted = this.contacts.countUsable() + 1;
    const { successors } = this.neighbours;
    const last = successors[successors.length - 1];
    if (!last || successors.length < this.settings.successors) return counted;
    if (counted < this.settings.contacts / 2) {
      const share = shareOfRing(this.self.id, last.id);
      const estimate = share > 0 ? Math.round(successors.length / share) : 0;
      // Four gaps tell little; they matter only where far more nodes exist than are known.
      return estimate > 8 * counted ? estimate : counted;
    }
    return counted;
  }

  /** The successors are all the other nodes there are. */
  get complete(): boolean {
    const { successors } = this.neighbours;
    if (successors.length >= this.settings.successors) return false;
    for (const contact of this.contacts.sorted) {
      if (contact.state === 'dead') continue;
      if (!this.neighbours.isSuccessor(contact.node.id)) return false;
    }
    return true;
  }

  /** Another node answered at the address of `id`, which will hardly come back there. */
  private replaced(id: RingId): void {
    const contact = this.contacts.get(id);
    if (!contact) return;
    this.bury(contact, 'dead');
    contact.probeAt = Infinity;
  }

  private missed({ to, sentAt }: Call): void {
    const contact = this.contacts.get(to.id);
    // What was sent before the last time-out says nothing new.
    if (!contact || sentAt < contact.missedAt || sentAt < contact.heardAt) {
      return;
    }
    const { deadProbeMs, deadProbeLimitMs, misses } = this.settings;
    contact.misses++;
    contact.missedAt = this.now;
    if (contact.state === 'dead') {
      const wait = Math.min(
        deadProbeMs * 2 ** ++contact.probes,
        deadProbeLimitMs,
      );
      contact.probeAt = this.now + this.spread(wait);
    } else if (contact.misses >= misses) {
      this.bury(contact, 'dead');
    } else {
      if (contact.state === 'alive') this.event('suspected', contact.node);
      if (contact.state !== 'unknown') contact.state = 'suspected';
      contact.pingCall = 0;
      this.ping(contact);
    }
  }
}
