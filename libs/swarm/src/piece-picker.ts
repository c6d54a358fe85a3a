/**
 * Which piece a peer is asked for next. Knows what we have, what is wanted and how much, which
 * pieces are started, and how rare the others are; knows nothing of requests' timing or of choking.
 *
 * A piece is in exactly one of these: held (`have`), started (`partials`; receiving or being
 * verified), startable (`order`), or neither because nobody wants it (priority 0).
 *
 * The order in which a peer is asked: pieces with a deadline; the piece it is in the middle of;
 * started pieces; what it suggested; then the rarest. From a seed the pieces that only seeds hold
 * come before all that another downloader could send as well.
 *
 * A peer so fast that several pieces are asked of it at a time gets neighbours of equal worth: they go
 * to the disk in one write.
 */
import type { Bitfield } from '@dnd/metainfo';
import { BLOCK_LENGTH, PartialPiece } from './partial-piece';
import { PieceOrder } from './piece-order';

/** What picking looks at in a peer. */
export interface PickingPeer {
  readonly id: number;
  readonly have: Bitfield;
  /** The piece that the last request was for; -1 for none. */
  readonly currentPiece: number;
  /** Blocks that are asked of it at a time. */
  readonly ahead: number;
  /** Suspected of a corrupt block: asked only for pieces that it alone delivers. */
  readonly parole: boolean;
  /** Pieces it has suggested, oldest first. */
  readonly suggestions: number[];
  /** It is a seed that tells us what to ask: nothing but its suggestions until this time. */
  readonly guidedUntil: number;
  /** Asking this peer for this piece makes sense now (unchoked or allowed fast, not refused). */
  readonly mayAsk: (piece: number) => boolean;
}

export interface PickerOptions {
  readonly pieceCount: number;
  readonly pieceSize: (piece: number) => number;
  /** Taken over and kept up to date. */
  readonly have: Bitfield;
  /** 0 (skip) to 7 for each piece; taken over. All 4 by default. */
  readonly priority?: Uint8Array;
  readonly random: () => number;
  readonly reserve: (piece: number) => boolean;
  readonly discard: (piece: number) => void;
  readonly randomFirstPieces: number;
  readonly sequential: boolean;
}

export const NORMAL_PRIORITY = 4;
/** Bytes of neighbours asked of one peer at most. */
const LONGEST_STRETCH = 4 * 1024 * 1024;

export class PiecePicker {
  readonly have: Bitfield;
  readonly priority: Uint8Array;
  readonly partials = new Map<number, PartialPiece>();
  sequential: boolean;
  /** Counts up whenever something may be asked that could not be asked before. */
  epoch = 0;
  /** Wanted pieces that are not held. */
  missing = 0;
  /** Partials with free blocks. */
  readonly #open: PartialPiece[] = [];
  readonly #spareParts: PartialPiece[] = [];
  readonly #deadlines: { piece: number; at: number }[] = [];
  /** Pieces to be fetched from one peer alone. */
  readonly #suspect = new Set<number>();
  #order: PieceOrder | undefined;
  #starved = false;

  constructor(private readonly options: PickerOptions) {
    this.have = options.have;
    this.sequential = options.sequential;
    this.priority =
      options.priority ??
      new Uint8Array(options.pieceCount).fill(NORMAL_PRIORITY);
    for (let piece = 0; piece < options.pieceCount; piece++)
      if (this.wants(piece)) this.missing++;
  }

  /** Made when the first peer comes, for most seeding torrents have none. */
  get order(): PieceOrder {
    if (this.#order === undefined) {
      const { pieceCount, random } = this.options;
      this.#order = new PieceOrder(pieceCount, this.priority, random);
      if (this.missing > 0)
        for (let piece = 0; piece < pieceCount; piece++)
          if (this.wants(piece)) this.#order.add(piece);
    }
    return this.#order;
  }

  wants(piece: number): boolean {
    return this.priority[piece] > 0 && !this.have.has(piece);
  }

  /** Nothing is left to start and every block of the started pieces is asked of somebody. */
  get endGame(): boolean {
    return this.order.length === 0 && this.#open.length === 0;
  }

  get deadlines(): readonly { piece: number; at: number }[] {
    return this.#deadlines;
  }

  /** The started piece to take a block of for this peer; starts one where that is best. */
  next(
    peer: PickingPeer,
    now: number,
    tried: number,
  ): PartialPiece | undefined {
    if (peer.parole) return this.#nextOnParole(peer, tried);
    return (
      this.#nextUrgent(peer, tried) ??
      this.#ifUsable(this.partials.get(peer.currentPiece), peer, tried) ??
      (peer.have.complete
        ? this.#nextFromSeed(peer, now, tried)
        : this.#nextFromAnyone(peer, tried))
    );
  }

  /** Pieces verified elsewhere or found corrupt free a buffer. */
  bufferFreed(): void {
    this.#starved = false;
    this.epoch++;
  }

  /** Buffers are asked for again; others may have given some back. */
  retryBuffers(): void {
    if (this.#starved) this.bufferFreed();
  }

  /** A block of this partial has become free. */
  reopened(partial: PartialPiece): void {
    if (partial.free > 0 && partial.openIndex < 0 && !partial.doomed)
      partial.openIndex = this.#open.push(partial) - 1;
    this.epoch++;
  }

  /** No free block is left in it. */
  exhausted(partial: PartialPiece): void {
    const at = partial.openIndex;
    if (at < 0) return;
    const last = this.#open.pop() as PartialPiece;
    if (last !== partial) {
      this.#open[at] = last;
      last.openIndex = at;
    }
    partial.openIndex = -1;
  }

  /** The piece is verified. */
  verified(piece: number): void {
    this.#end(piece);
    this.#suspect.delete(piece);
    if (this.wants(piece)) this.missing--;
    this.have.add(piece);
    this.#order?.delete(piece);
    this.dropDeadline(piece);
    this.bufferFreed();
  }

  /** The started piece is given up and may be started again. `suspect`: from one peer alone. */
  abandoned(piece: number, suspect = false): void {
    this.#end(piece);
    if (suspect) this.#suspect.add(piece);
    if (this.wants(piece)) this.order.add(piece);
    this.bufferFreed();
  }

  /** A piece we held is not there any more. */
  lost(piece: number): void {
    if (!this.have.delete(piece) || !this.wants(piece)) return;
    this.missing++;
    this.order.add(piece);
    this.epoch++;
  }

  /** 0: skip. Returns the partial that nobody wants any more, if there is one. */
  setPriority(piece: number, priority: number): PartialPiece | undefined {
    if (this.priority[piece] === priority) return undefined;
    const wanted = this.wants(piece);
    this.#order?.delete(piece);
    this.priority[piece] = priority;
    const wants = this.wants(piece);
    this.missing += Number(wants) - Number(wanted);
    const partial = this.partials.get(piece);
    if (partial === undefined) {
      if (wants) this.#order?.add(piece);
    } else if (!wants) {
      return partial;
    }
    if (wants) this.epoch++;
    return undefined;
  }

  /** Earliest deadlines first; a piece has one. Pieces that are held or skipped are left out. */
  setDeadline(piece: number, at: number): void {
    this.dropDeadline(piece);
    if (!this.wants(piece)) return;
    let index = this.#deadlines.length;
    while (index > 0 && this.#deadlines[index - 1].at > at) index--;
    this.#deadlines.splice(index, 0, { piece, at });
    this.epoch++;
  }

  dropDeadline(piece: number): void {
    const at = this.#deadlines.findIndex((entry) => entry.piece === piece);
    if (at >= 0) this.#deadlines.splice(at, 1);
  }

  clearDeadlines(): void {
    this.#deadlines.length = 0;
  }

  #nextUrgent(peer: PickingPeer, tried: number): PartialPiece | undefined {
    for (const { piece } of this.#deadlines) {
      if (!peer.have.has(piece) || !peer.mayAsk(piece)) continue;
      const partial = this.partials.get(piece);
      const found =
        partial === undefined
          ? this.#start(piece, peer)
          : this.#ifUsable(partial, peer, tried);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #nextFromSeed(
    peer: PickingPeer,
    now: number,
    tried: number,
  ): PartialPiece | undefined {
    const found =
      this.#bestOpen(peer, tried, true) ?? this.#startSuggested(peer);
    if (found !== undefined) return found;
    if (peer.guidedUntil > now) return undefined;
    if (!this.#inOrder()) {
      const piece = this.#rarest(peer, true);
      if (piece >= 0) return this.#start(piece, peer);
    }
    return this.#nextFromAnyone(peer, tried);
  }

  #nextFromAnyone(peer: PickingPeer, tried: number): PartialPiece | undefined {
    return (
      this.#bestOpen(peer, tried, false) ??
      this.#startSuggested(peer) ??
      this.#startBest(peer)
    );
  }

  #nextOnParole(peer: PickingPeer, tried: number): PartialPiece | undefined {
    for (const partial of this.#open)
      if (partial.sole === peer.id && this.#ifUsable(partial, peer, tried))
        return partial;
    const started = this.#startBest(peer);
    if (started !== undefined) return started;
    // Nothing is left to have alone: better a shared piece than none.
    for (const partial of this.#open)
      if (
        partial.sole === 0 &&
        partial.tried !== tried &&
        peer.have.has(partial.piece) &&
        peer.mayAsk(partial.piece)
      )
        return partial;
    return undefined;
  }

  /** The first pieces are random, and a plain sequential download has no use for rarity. */
  #inOrder(): boolean {
    return this.sequential || this.have.count < this.options.randomFirstPieces;
  }

  /** The started piece of highest priority, then the one nearest to its end. */
  #bestOpen(
    peer: PickingPeer,
    tried: number,
    seedsOnly: boolean,
  ): PartialPiece | undefined {
    let best: PartialPiece | undefined;
    for (let i = 0; i < this.#open.length; i++) {
      const partial = this.#open[i];
      if (seedsOnly && this.order.availability[partial.piece] > 0) continue;
      if (this.#ifUsable(partial, peer, tried) === undefined) continue;
      if (best === undefined || this.#isBetter(partial, best)) best = partial;
    }
    return best;
  }

  #isBetter(one: PartialPiece, other: PartialPiece): boolean {
    const more = this.priority[one.piece] - this.priority[other.piece];
    if (more !== 0) return more > 0;
    if (this.sequential) return one.piece < other.piece;
    return one.done > other.done;
  }

  #ifUsable(
    partial: PartialPiece | undefined,
    peer: PickingPeer,
    tried: number,
  ): PartialPiece | undefined {
    if (partial === undefined || partial.openIndex < 0) return undefined;
    if (partial.tried === tried) return undefined;
    if (partial.sole !== 0 ? partial.sole !== peer.id : peer.parole)
      return undefined;
    return peer.have.has(partial.piece) && peer.mayAsk(partial.piece)
      ? partial
      : undefined;
  }

  #startSuggested(peer: PickingPeer): PartialPiece | undefined {
    const { suggestions } = peer;
    while (suggestions.length > 0) {
      const piece = suggestions[0];
      // What a seed suggested and others have by now is better had of them.
      const stale = peer.have.complete && this.order.availability[piece] > 0;
      if (!stale && this.order.has(piece) && peer.have.has(piece)) {
        if (!peer.mayAsk(piece)) return undefined;
        const started = this.#start(piece, peer);
        if (started !== undefined) suggestions.shift();
        return started;
      }
      suggestions.shift();
    }
    return undefined;
  }

  #startBest(peer: PickingPeer): PartialPiece | undefined {
    if (this.#starved) return undefined;
    const { order } = this;
    const piece = this.sequential
      ? order.first(peer.have, peer.mayAsk)
      : this.#inOrder()
        ? order.any(peer.have, peer.mayAsk)
        : this.#rarest(peer, false);
    return piece < 0 ? undefined : this.#start(piece, peer);
  }

  /**
   * The best piece, -1 for none: of those that are as good the one after the last, or the first of a new
   * stretch. `lonely`: only pieces that no counted peer holds.
   */
  #rarest(peer: PickingPeer, lonely: boolean): number {
    let piece = this.order.best(peer.have, peer.mayAsk, lonely);
    if (piece < 0) return piece;
    const stretch = this.#stretch(peer);
    const next = peer.currentPiece + 1;
    if (next % stretch > 0 && this.#isAsGood(next, piece, peer)) return next;
    while (piece % stretch > 0 && this.#isAsGood(piece - 1, piece, peer))
      piece--;
    return piece;
  }

  /** Pieces that make a stretch for this peer: a power of two, so that what is begun keeps its bounds. */
  #stretch({ ahead }: PickingPeer): number {
    const bytes = Math.min(ahead * BLOCK_LENGTH, LONGEST_STRETCH);
    const pieces = Math.max(1, bytes / this.options.pieceSize(0));
    return 2 ** Math.floor(Math.log2(pieces));
  }

  /** It can be started as well, is wanted as much and is as rare. */
  #isAsGood(piece: number, other: number, peer: PickingPeer): boolean {
    const { order, priority } = this;
    return (
      order.has(piece) &&
      priority[piece] === priority[other] &&
      order.availability[piece] <= order.availability[other] &&
      peer.have.has(piece) &&
      peer.mayAsk(piece)
    );
  }

  #start(piece: number, peer: PickingPeer): PartialPiece | undefined {
    if (this.#starved) return undefined;
    if (!this.options.reserve(piece)) {
      this.#starved = true;
      return undefined;
    }
    const partial = this.#spareParts.pop() ?? new PartialPiece();
    partial.begin(piece, this.options.pieceSize(piece));
    if (peer.parole || this.#suspect.has(piece)) partial.sole = peer.id;
    this.order.delete(piece);
    this.partials.set(piece, partial);
    partial.openIndex = this.#open.push(partial) - 1;
    return partial;
  }

  #end(piece: number): void {
    const partial = this.partials.get(piece);
    if (partial === undefined) return;
    this.exhausted(partial);
    this.partials.delete(piece);
    partial.end();
    if (this.#spareParts.length < 64) this.#spareParts.push(partial);
  }
}
