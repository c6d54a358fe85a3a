/**
 * How a seed gets every piece out once before it sends any twice: it suggests (BEP 6) different
 * pieces to different downloaders, a little ahead of what each asks, and leaves it to them to pass
 * the pieces on. Pieces that some other peer holds already are not suggested. A downloader that
 * takes no notice is left alone after a while.
 */
import type { SwarmPeer } from './swarm-peer';

/** Suggested and not yet requested: at least this many bytes, at most `MOST` pieces. */
const AHEAD_BYTES = 512 * 1024;
const AHEAD_SECONDS = 1.5;
const MOST = 256;
const IGNORED = 32;
const NOBODY = 0;

export interface SpreaderOptions {
  readonly pieceCount: number;
  /** Bytes of an ordinary piece. */
  readonly pieceLength: number;
  readonly random: () => number;
  /** Peers that want pieces of us. */
  readonly downloaders: () => number;
  /** Peers other than seeds that hold the piece. */
  readonly availability: (piece: number) => number;
}

export class Spreader {
  /** Pieces in a random order; those before `#next` have been handed to somebody or are held. */
  readonly #row: Int32Array;
  /** Piece → id of the peer it was suggested to. */
  readonly #taker: Int32Array;
  /** Pieces whose taker left before it had them. */
  readonly #returned: number[] = [];
  #next = 0;

  constructor(private readonly options: SpreaderOptions) {
    const { pieceCount, random } = options;
    this.#row = new Int32Array(pieceCount);
    this.#taker = new Int32Array(pieceCount);
    for (let i = 0; i < pieceCount; i++) {
      const at = Math.floor(random() * (i + 1));
      this.#row[i] = this.#row[at];
      this.#row[at] = i;
    }
  }

  /** Keeps enough suggested to this peer. */
  topUp(peer: SwarmPeer): void {
    if (!peer.commands.fast || peer.ignoredGuidance > IGNORED) return;
    const { pieceLength, downloaders } = this.options;
    const ahead = Math.max(AHEAD_BYTES, peer.up.rate * AHEAD_SECONDS);
    // What is left is shared out, so that nobody goes away empty-handed at the end.
    const left = this.#row.length - this.#next + this.#returned.length;
    const share = Math.ceil(left / (2 * Math.max(1, downloaders())));
    const pieces = Math.min(MOST, share, Math.ceil(ahead / pieceLength));
    while (peer.guided.length < pieces) {
      const piece = this.#fresh(peer);
      if (piece < 0) return;
      this.#taker[piece] = peer.id;
      peer.guided.push(piece);
      peer.commands.suggest(piece);
    }
  }

  /** The piece is nowhere but here, and on its way to nobody else. */
  isFirstCopy(peer: SwarmPeer, piece: number): boolean {
    const taker = this.#taker[piece];
    return (
      (taker === NOBODY || taker === peer.id) &&
      this.options.availability(piece) === 0
    );
  }

  /** The peer has asked for a block of this piece. */
  requested(peer: SwarmPeer, piece: number): void {
    const at = peer.guided.indexOf(piece);
    if (at >= 0) {
      peer.guided.splice(at, 1);
      peer.ignoredGuidance = 0;
    } else if (this.#taker[piece] === NOBODY) {
      this.#taker[piece] = peer.id;
      if (peer.guided.length > 0) peer.ignoredGuidance++;
    }
  }

  /**
   * The peer has the piece, from us or elsewhere: it need not be asked for any more.
   */
  has(peer: SwarmPeer, piece: number): void {
    const at = peer.guided.indexOf(piece);
    if (at >= 0) peer.guided.splice(at, 1);
  }

  left(peer: SwarmPeer): void {
    peer.guided.length = 0;
    for (let piece = 0; piece < this.#taker.length; piece++) {
      if (this.#taker[piece] !== peer.id) continue;
      this.#taker[piece] = NOBODY;
      if (this.options.availability(piece) === 0) this.#returned.push(piece);
    }
  }

  /**
   * We have nothing to send while this peer waits: suggests pieces again that were handed to others
   * and have not been seen since, for those may be slow.
   */
  offerAgain(peer: SwarmPeer, most: number): void {
    if (!peer.commands.fast || peer.ignoredGuidance > IGNORED) return;
    const { pieceCount, random, availability } = this.options;
    const start = Math.floor(random() * pieceCount);
    for (let i = 0; i < pieceCount && most > 0; i++) {
      const piece = (start + i) % pieceCount;
      if (availability(piece) > 0 || peer.have.has(piece)) continue;
      if (this.#taker[piece] === peer.id || peer.guided.includes(piece))
        continue;
      peer.guided.push(piece);
      peer.commands.suggest(piece);
      most--;
    }
  }

  #fresh(peer: SwarmPeer): number {
    while (this.#returned.length > 0) {
      const piece = this.#returned.pop() as number;
      if (this.#isFresh(piece) && !peer.have.has(piece)) return piece;
    }
    while (this.#next < this.#row.length) {
      const piece = this.#row[this.#next];
      this.#next++;
      if (this.#isFresh(piece)) return piece;
    }
    return -1;
  }

  /** Held by nobody else and handed to nobody. A fresh piece is one that no peer has, so this one lacks it. */
  #isFresh(piece: number): boolean {
    return (
      this.#taker[piece] === NOBODY && this.options.availability(piece) === 0
    );
  }
}
