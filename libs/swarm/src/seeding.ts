/**
 * What a seed does beyond serving: gets different pieces out to different peers, by suggestions or,
 * where that is wished, by super-seeding. Made when there is something to seed and somebody to take it.
 */
import type { Bitfield } from '@dnd/metainfo';
import { wantsSlot } from './choker';
import type { PieceOrder } from './piece-order';
import type { SwarmSettings } from './settings';
import { Spreader } from './spreader';
import { SuperSeeder } from './super-seeder';
import type { SwarmPeer } from './swarm-peer';

/** Pieces suggested again at a time when nothing else is to be done. */
const AGAIN = 2;

export interface SeedingOptions {
  readonly peers: ReadonlyMap<number, SwarmPeer>;
  readonly have: Bitfield;
  readonly settings: SwarmSettings;
  readonly order: () => PieceOrder;
  readonly pieceLength: number;
  readonly random: () => number;
}

export class Seeding {
  #spreader: Spreader | undefined;
  #superSeeder: SuperSeeder | undefined;

  constructor(private readonly options: SeedingOptions) {}

  /** True when the peer is to see nothing but what is shown to it bit by bit. */
  joined(peer: SwarmPeer, introduce: (superSeeding: boolean) => void): boolean {
    const { settings, have, random } = this.options;
    if (settings.superSeeding && have.complete)
      this.#superSeeder ??= new SuperSeeder(have.size, random);
    const superSeeding = this.#superSeeder !== undefined;
    introduce(superSeeding);
    this.#superSeeder?.joined(peer);
    return superSeeding;
  }

  /** Forgets whom it has shown what: the settings have changed. */
  restart(): void {
    this.#spreader = undefined;
    this.#superSeeder = undefined;
  }

  left(peer: SwarmPeer): void {
    this.#spreader?.left(peer);
    this.#superSeeder?.left(peer);
  }

  hasPiece(peer: SwarmPeer, piece: number): void {
    this.#spreader?.has(peer, piece);
    this.#superSeeder?.has(peer, piece);
  }

  /** Whether the peer may ask for this piece. */
  shows(peer: SwarmPeer, piece: number): boolean {
    return this.#superSeeder?.shows(peer, piece) ?? true;
  }

  isFirstCopy(peer: SwarmPeer, piece: number): boolean {
    return this.#spreader?.isFirstCopy(peer, piece) ?? false;
  }

  requested(peer: SwarmPeer, piece: number): void {
    if (this.#spreader === undefined) return;
    this.#spreader.requested(peer, piece);
    if (!peer.amChoking) this.#spreader.topUp(peer);
  }

  unchoking(peer: SwarmPeer): void {
    if (this.#spreader === undefined) this.#beginSpreading();
    this.#spreader?.topUp(peer);
  }

  /** Nobody waits for bytes of ours: those who have no suggestion get some again. */
  idle(): void {
    if (this.#spreader === undefined) return;
    for (const peer of this.options.peers.values())
      if (!peer.amChoking && peer.guided.length === 0)
        this.#spreader.offerAgain(peer, AGAIN);
  }

  #beginSpreading(): void {
    const { settings, have, peers, pieceLength, random, order } = this.options;
    if (!settings.spread || !have.complete || this.#superSeeder !== undefined)
      return;
    const downloaders = () => {
      let count = 0;
      for (const peer of peers.values()) if (wantsSlot(peer)) count++;
      return count;
    };
    if (downloaders() < 2) return;
    this.#spreader = new Spreader({
      pieceCount: have.size,
      pieceLength,
      random,
      downloaders,
      availability: (piece) => order().availability[piece],
    });
    for (const peer of peers.values())
      if (!peer.amChoking) this.#spreader.topUp(peer);
  }
}
