/**
 * One node of a Chord ring: membership and routing, without I/O. Feed `handle` with what happens,
 * perform what it returns, and tick it no later than `wakeAt`.
 *
 * Promises: a node that joined knows its first r live successors and its predecessor, or is on the
 * way to; after any r - 1 simultaneous crashes, and after any partition, the ring becomes whole
 * again. Lookups end, with live owners or a reason. Everything it keeps is bounded.
 * Leaves to its owner: sockets, timers, multicast, authentication, and keeping id and incarnation
 * on disk (a restarted node must have a higher incarnation).
 */
import { Beacons } from './beacons';
import type {
  ChordInput,
  ChordOutput,
  ContactView,
  RingMode,
  RingView,
} from './chord-io';
import { Core } from './core';
import { Fingers } from './fingers';
import { Identity } from './identity';
import { Joiner } from './joiner';
import type { LookupResult } from './lookup';
import { Lookups } from './lookups';
import type { Machine } from './machine';
import type { ChordReply, ChordRequest } from './messages';
import { isBeacon, isChordReply, isChordRequest, isNodeRef } from './messages';
import type { NodeRef, RingId } from './node-ref';
import { Responder } from './responder';
import { preceding, route } from './routing';
import type { RingRules } from './rules';
import { ringRules } from './rules';
import type { ChordSettings } from './settings';
import { defaultSettings } from './settings';
import { Splits } from './splits';
import { Stabiliser } from './stabiliser';

export interface ChordOptions {
  readonly self: NodeRef;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly settings?: Partial<ChordSettings>;
  readonly rules?: Partial<RingRules>;
}

export class ChordNode implements Machine<ChordInput, ChordOutput> {
  private readonly core: Core;
  private readonly stabiliser: Stabiliser;
  private readonly lookups: Lookups;
  private readonly fingers: Fingers;
  private readonly joiner: Joiner;
  private readonly splits: Splits;
  private readonly beacons: Beacons;
  private readonly identity: Identity;
  private readonly responder: Responder;
  private due = Infinity;

  /** Throws a RangeError when `self` is no valid reference. */
  constructor({ self, random, settings, rules }: ChordOptions) {
    if (!isNodeRef(self)) throw new RangeError('self is no valid node');
    const core = new Core(
      self,
      { ...defaultSettings, ...settings },
      { ...ringRules, ...rules },
      random,
    );
    this.core = core;
    this.stabiliser = new Stabiliser(core);
    this.lookups = new Lookups(core, {
      route: (key, count) => this.route(key, count),
      nearest: (key, count) =>
        preceding(core.contacts.sorted, core.self.id, key, count),
    });
    this.fingers = new Fingers(core, this.lookups);
    this.joiner = new Joiner(core, this.lookups, (how) => this.onMember(how));
    this.splits = new Splits(core, this.lookups, () => {
      this.stabiliser.adopt();
      this.stabiliser.soon();
    });
    this.beacons = new Beacons(core, () => this.joiner.attempt());
    this.identity = new Identity(core, () => this.onRenamed());
    this.responder = new Responder(core, this.stabiliser, (key, count) =>
      this.route(key, count),
    );
    core.hooks = {
      onAlive: (contact) => {
        this.joiner.attempt();
        this.stabiliser.onAlive(contact);
        this.splits.onAlive(contact);
      },
      onDead: (contact) => {
        this.stabiliser.onDead(contact);
        this.fingers.onDead(contact.node.id);
      },
      onStale: (known) => this.identity.challenged(known),
    };
  }

  get self(): NodeRef {
    return this.core.self;
  }

  get mode(): RingMode {
    return this.core.mode;
  }

  get predecessor(): NodeRef | undefined {
    return this.core.neighbours.predecessor;
  }

  get successors(): readonly NodeRef[] {
    return this.core.neighbours.successors;
  }

  get wakeAt(): number {
    return this.due;
  }

  handle(input: ChordInput, now: number): ChordOutput[] {
    const { core } = this;
    core.forgiveStall(this.due, now);
    core.now = now;
    core.outputs = [];
    this.perform(input);
    this.tick();
    if (core.neighbours.takeChanged()) {
      core.outputs.push({ type: 'changed', view: this.view() });
    }
    this.due = this.nextDue();
    return core.outputs;
  }

  /** The ring as this node sees it now. */
  view(): RingView {
    const { core } = this;
    const { predecessor, successors, stableSince } = core.neighbours;
    const contacts: ContactView[] = [];
    for (const { node, state, heardAt, roundTrip } of core.contacts.sorted) {
      if (state !== 'unknown')
        contacts.push({ node, state, heardAt, roundTrip: roundTrip.mean });
    }
    return {
      self: core.self,
      mode: core.mode,
      predecessor,
      successors,
      fingers: core.fingers,
      contacts,
      stableSince,
      size: core.member ? core.size() : 1,
    };
  }

  /** What it keeps, for checks that all of it is bounded. */
  get load() {
    return {
      contacts: this.core.contacts.size,
      calls: this.core.callsOpen,
      lookups: this.lookups.size,
    };
  }

  private perform(input: ChordInput): void {
    const { core } = this;
    switch (input.type) {
      case 'tick':
        return;
      case 'request':
        if (isNodeRef(input.from) && isChordRequest(input.message)) {
          this.onRequest(input.call, input.from, input.message);
        }
        return;
      case 'reply':
        if (isChordReply(input.message)) {
          core.onReply(input.call, input.message);
        }
        return;
      case 'unreachable':
        return core.onUnreachable(input.call);
      case 'join':
        if (core.mode !== 'idle') return;
        this.joiner.start(input.contacts);
        return this.beacons.start();
      case 'beacon':
        return this.onBeacon(input.beacon);
      case 'lookup':
        return this.onLookup(input.call, input.key, input.count);
      case 'suspect': {
        const contact = core.contacts.get(input.id);
        if (contact && contact.state !== 'dead') core.ping(contact);
        return;
      }
      case 'leave':
        return this.leave();
    }
  }

  private tick(): void {
    this.core.expireCalls();
    this.lookups.tick();
    this.joiner.tick();
    if (this.core.member) {
      this.stabiliser.tick();
      this.fingers.tick();
      this.splits.tick();
    }
    this.beacons.tick();
  }

  /** When the first of the parts that `tick` runs is due. */
  private nextDue(): number {
    const { core } = this;
    const dues = [core.callsDueAt, this.lookups.dueAt, this.joiner.dueAt];
    dues.push(this.beacons.dueAt);
    if (core.member) {
      dues.push(this.stabiliser.dueAt, this.fingers.dueAt, this.splits.dueAt);
    }
    let first = dues[0] as number;
    for (const due of dues) if (due < first) first = due;
    return first;
  }

  private onRequest(call: number, from: NodeRef, message: ChordRequest): void {
    const { core } = this;
    if (core.mode === 'left' || core.mode === 'idle') return;
    const known = this.identity.refusal(from);
    if (from.id === core.self.id) this.identity.challenged(from);
    const reply: ChordReply = known
      ? { v: 1, type: 'stale', me: core.self, member: core.member, known }
      : this.responder.answer(from, message);
    core.outputs.push({ type: 'reply', call, to: from, message: reply });
  }

  private onBeacon(beacon: unknown): void {
    const { core } = this;
    if (!isBeacon(beacon) || core.mode === 'idle' || core.mode === 'left') {
      return;
    }
    const { node } = beacon;
    if (node.id === core.self.id) {
      if (node.incarnation >= core.self.incarnation) {
        this.identity.challenged(node);
      }
    } else if (!this.identity.refusal(node)) this.beacons.heard(beacon);
  }

  private onLookup(call: number, key: RingId, count?: number): void {
    const { core } = this;
    if (!core.member) {
      const reason = 'not-joined';
      const none = { hops: 0, timeouts: 0 };
      core.outputs.push({ type: 'no-owners', call, key, reason, ...none });
      return;
    }
    const wanted = count ?? core.settings.owners;
    this.lookups.find(key, wanted, (result) => this.tell(call, key, result));
  }

  private tell(call: number, key: RingId, result: LookupResult): void {
    const { hops, timeouts, nodes, failure, confirmed = false } = result;
    this.core.outputs.push(
      failure
        ? { type: 'no-owners', call, key, reason: failure, hops, timeouts }
        : { type: 'owners', call, key, nodes, hops, timeouts, confirmed },
    );
  }

  private route(key: RingId, count: number) {
    const { self, neighbours, contacts, complete } = this.core;
    const { predecessor, successors } = neighbours;
    const table = contacts.sorted;
    return route(
      { self, predecessor, successors, complete, table },
      key,
      count,
    );
  }

  private onMember(how: 'joined' | 'formed'): void {
    const { core } = this;
    core.event(how, core.self);
    this.stabiliser.soon();
    this.fingers.start();
    this.beacons.start();
  }

  private onRenamed(): void {
    const { core } = this;
    core.contacts.delete(core.self.id);
    core.neighbours.setPredecessor(undefined, core.now);
    core.neighbours.setSuccessors([], core.now);
    this.stabiliser.stop();
    this.fingers.stop();
    this.splits.stop();
    this.joiner.start([]);
    this.beacons.start();
  }

  private leave(): void {
    const { core } = this;
    if (core.mode === 'leaving' || core.mode === 'left') return;
    const { predecessor, successors } = core.neighbours;
    const told = new Map<RingId, NodeRef>();
    if (core.member) {
      for (const node of successors) told.set(node.id, node);
      if (predecessor) told.set(predecessor.id, predecessor);
    }
    core.mode = 'leaving';
    this.beacons.send();
    this.beacons.stop();
    this.stabiliser.stop();
    this.fingers.stop();
    this.splits.stop();
    this.joiner.stop();
    let awaited = told.size;
    for (const node of told.values()) {
      core.ask(
        node,
        { v: 1, type: 'leave', predecessor: predecessor ?? null, successors },
        () => {
          if (--awaited === 0) this.left();
        },
      );
    }
    core.neighbours.touch(core.now);
    if (awaited === 0) this.left();
  }

  private left(): void {
    this.core.mode = 'left';
    this.core.event('left', this.core.self);
    this.core.neighbours.touch(this.core.now);
  }
}
