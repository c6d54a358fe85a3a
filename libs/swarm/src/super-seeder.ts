/**
 * BEP 16: a seed that pretends to have nothing and shows each peer one piece at a time. The next
 * piece is shown when the last one has been seen at another peer, so peers that pass pieces on get
 * more. Meant for the first seed of a new torrent with little upload.
 */
import type { SwarmPeer } from './swarm-peer';

export class SuperSeeder {
  /** How often each piece has been shown or seen. */
  readonly #spread: Uint16Array;
  readonly #peers = new Map<SwarmPeer, Set<number>>();

  constructor(
    pieceCount: number,
    private readonly random: () => number,
  ) {
    this.#spread = new Uint16Array(pieceCount);
  }

  shows(peer: SwarmPeer, piece: number): boolean {
    return this.#peers.get(peer)?.has(piece) ?? false;
  }

  joined(peer: SwarmPeer): void {
    this.#peers.set(peer, new Set());
    this.#showNext(peer);
  }

  left(peer: SwarmPeer): void {
    this.#peers.delete(peer);
  }

  /** The peer says it has the piece. */
  has(peer: SwarmPeer, piece: number): void {
    this.#count(piece);
    let others = 0;
    for (const [other] of this.#peers) {
      if (other === peer) continue;
      others++;
      if (other.shown === piece) this.#showNext(other);
    }
    // Alone it has nobody to pass pieces on to.
    if (others === 0 && peer.shown === piece) this.#showNext(peer);
  }

  #showNext(peer: SwarmPeer): void {
    const shown = this.#peers.get(peer);
    const piece = shown === undefined ? -1 : this.#rarestFor(peer, shown);
    if (shown === undefined || piece < 0) return;
    shown.add(piece);
    peer.shown = piece;
    this.#count(piece);
    peer.commands.have(piece);
  }

  #rarestFor(peer: SwarmPeer, shown: ReadonlySet<number>): number {
    const count = this.#spread.length;
    const start = Math.floor(this.random() * count);
    let best = -1;
    for (let i = 0; i < count; i++) {
      const piece = (start + i) % count;
      if (peer.have.has(piece) || shown.has(piece)) continue;
      if (best < 0 || this.#spread[piece] < this.#spread[best]) best = piece;
      if (this.#spread[best] === 0) break;
    }
    return best;
  }

  #count(piece: number): void {
    if (this.#spread[piece] < 0xffff) this.#spread[piece]++;
  }
}
