/**
 * When to send a beacon and what to make of one: who is there, who looks for a ring, who goes.
 * A member's beacon is due every max(2 s, N / 20 s), so that a ring of any size sends at most 20
 * a second; whoever looks for a ring is answered sooner.
 */
import type { Core } from './core';
import type { Beacon } from './messages';
import { between } from './node-ref';

/** Beacons of a whole ring a second. */
const RING_RATE = 20;
const JOINING_MS = 500;
/**
 * A joining node is answered within this time for each member: some ten answers to a beacon, however
 * large the ring is.
 */
const ANSWER_MS = 50;

export class Beacons {
  dueAt = Infinity;

  constructor(
    private readonly core: Core,
    private readonly onJoinable: () => void,
  ) {}

  /** Sends one now and then on. */
  start(): void {
    this.dueAt = this.core.now;
  }

  stop(): void {
    this.dueAt = Infinity;
  }

  /** Time between two beacons of this node. */
  get period(): number {
    if (!this.core.member) return JOINING_MS;
    const { beaconMs } = this.core.settings;
    return Math.max(beaconMs, (this.core.size() * 1_000) / RING_RATE);
  }

  tick(): void {
    const { core } = this;
    if (core.now < this.dueAt) return;
    this.dueAt = core.now + core.spread(this.period, 0.1);
    this.send();
  }

  send(): void {
    const { self, mode, neighbours, outputs } = this.core;
    const successor = neighbours.successors[0]?.id;
    const state =
      mode === 'member' || mode === 'leaving' ? mode : ('joining' as const);
    outputs.push({
      type: 'beacon',
      beacon: { node: self, state, ...(successor ? { successor } : {}) },
    });
  }

  heard({ node, state, successor }: Beacon): void {
    const { core } = this;
    if (state === 'leaving') {
      const contact = core.contacts.get(node.id);
      if (contact && contact.node.incarnation <= node.incarnation) {
        core.bury(contact, 'gone');
      }
      return;
    }
    if (state === 'joining') {
      core.heard(node, core.isMember(node));
      if (!core.member) return;
      const within = ANSWER_MS * core.size();
      this.dueAt = Math.min(this.dueAt, core.now + core.random() * within);
      return;
    }
    const contact = core.heard(node, true);
    if (!contact) return;
    if (core.mode === 'joining') this.onJoinable();
    // It overlooks this node: a message of our own tells it.
    const overlooked = !successor || between(node.id, core.self.id, successor);
    if (core.member && overlooked) core.ping(contact);
  }
}
