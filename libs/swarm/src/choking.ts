/**
 * Gives and takes upload slots: free ones at once, all of them anew every ten seconds, and as many
 * as our line can make something of.
 */
import {
  FIRST_SLOTS,
  MOST_SLOTS,
  chooseUnchoked,
  slotsFor,
  wantsSlot,
} from './choker';
import type { SwarmPeer } from './swarm-peer';
import type { SwarmSettings } from './settings';
import type { TokenBucket } from './token-bucket';
import type { Uploader } from './uploader';

/** Peers that are served before it can be said that our line is full. */
const TELLING = 4;

export interface ChokingOptions {
  readonly peers: ReadonlyMap<number, SwarmPeer>;
  readonly settings: SwarmSettings;
  readonly uploader: Uploader;
  readonly limits: readonly TokenBucket[];
  /** Bytes of an ordinary piece. */
  readonly pieceLength: number;
  readonly random: () => number;
  /** Whether we have all that we want. */
  readonly seeding: () => boolean;
  /** Bytes per second that go up. */
  readonly rate: () => number;
  /** The peer is about to be told that it is unchoked. */
  readonly unchoking: (peer: SwarmPeer) => void;
}

export class Choking {
  #slots = FIRST_SLOTS;
  #rechokeAt = 0;
  #optimistAt = 0;

  constructor(private readonly options: ChokingOptions) {}

  fillSlots(now: number): void {
    const { peers, uploader } = this.options;
    if (!uploader.enabled) return;
    let free = this.#available();
    for (const peer of peers.values())
      if (!peer.amChoking && wantsSlot(peer)) free--;
    for (const peer of peers.values()) {
      if (free <= 0) return;
      if (!peer.amChoking || !wantsSlot(peer)) continue;
      this.#unchoke(peer, now);
      free--;
    }
  }

  everySecond(now: number): void {
    if (!this.options.uploader.enabled) return;
    const due = now >= this.#rechokeAt;
    this.#adaptSlots(due, now);
    if (due) this.#rechoke(now);
  }

  chokeAll(now: number): void {
    for (const peer of this.options.peers.values()) this.#choke(peer, now);
  }

  #rechoke(now: number): void {
    const { peers, random, seeding } = this.options;
    const { rechokeEvery, optimisticEvery, seedChoking } =
      this.options.settings;
    this.#rechokeAt = now + rechokeEvery;
    const newOptimist = now >= this.#optimistAt;
    if (newOptimist) this.#optimistAt = now + optimisticEvery;
    const chosen = chooseUnchoked(peers.values(), {
      now,
      slots: this.#available(),
      seeding: seeding(),
      seedChoking,
      newOptimist,
      random,
    });
    for (const peer of peers.values())
      if (!chosen.has(peer)) this.#choke(peer, now);
    for (const peer of chosen) this.#unchoke(peer, now);
  }

  #available(): number {
    const { limits, pieceLength, settings } = this.options;
    if (settings.uploadSlots !== 'auto') return settings.uploadSlots;
    let rate = Infinity;
    for (const limit of limits) rate = Math.min(rate, limit.rate);
    return Math.min(slotsFor(rate, pieceLength), this.#slots);
  }

  /**
   * When most of those we serve take it slowly, it is our own line that is full, and what goes
   * through it now is what there is to share. As long as it is not, more may be served.
   */
  #adaptSlots(rechoke: boolean, now: number): void {
    let served = 0;
    let slow = 0;
    let waiting = 0;
    for (const peer of this.options.peers.values()) {
      if (peer.amChoking && wantsSlot(peer)) waiting++;
      if (peer.amChoking || peer.up.total === 0) continue;
      served++;
      if (peer.takesSlowly(now)) slow++;
    }
    if (slow * 2 > served && served >= TELLING) {
      const { rate, pieceLength } = this.options;
      const sensible = slotsFor(rate() * 1.1, pieceLength);
      if (rechoke || sensible < this.#slots) this.#slots = sensible;
    } else if (slow === 0 && waiting > 0 && this.#slots < MOST_SLOTS) {
      this.#slots = Math.min(MOST_SLOTS, Math.ceil(this.#slots * 1.5));
      this.fillSlots(now);
    }
  }

  #choke(peer: SwarmPeer, now: number): void {
    if (peer.amChoking) return;
    peer.amChoking = true;
    peer.chokedAt = now;
    peer.optimistic = false;
    peer.commands.choke();
    this.options.uploader.choked(peer);
  }

  #unchoke(peer: SwarmPeer, now: number): void {
    if (!peer.amChoking) return;
    peer.amChoking = false;
    peer.unchokedAt = now;
    this.options.unchoking(peer);
    peer.commands.unchoke();
  }
}
