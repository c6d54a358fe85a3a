/**
 * How rare each piece is, and the pieces that may be started in the order of their worth: priority
 * first, then rarity. Every change of a piece's availability moves it between two lists in constant
 * time, so a hundred thousand pieces and hundreds of peers cost no sorting.
 * Peers that hold everything raise all pieces alike and are left out of the counts.
 */
import type { Bitfield } from '@dnd/metainfo';

/** Availabilities from here on are one list. */
const LEVELS = 256;
const PRIORITIES = 8;
/** Pieces looked at in the lists before the sets are intersected instead. */
const TRIES = 128;

export class PieceOrder {
  /** Peers (seeds not counted) that hold the piece. */
  readonly availability: Uint16Array;
  /** Number of pieces in the lists. */
  length = 0;
  readonly #priority: Uint8Array;
  /** Where the piece stands in its list; -1 outside. */
  readonly #position: Int32Array;
  /** The same pieces as a set in BEP 3's bit order. */
  readonly #bits: Uint8Array;
  readonly #lists: (number[] | undefined)[] = [];
  readonly #perPriority = new Uint32Array(PRIORITIES);

  constructor(
    private readonly pieceCount: number,
    priority: Uint8Array,
    private readonly random: () => number,
  ) {
    this.#priority = priority;
    this.availability = new Uint16Array(pieceCount);
    this.#position = new Int32Array(pieceCount).fill(-1);
    this.#bits = new Uint8Array((pieceCount + 7) >> 3);
  }

  has(piece: number): boolean {
    return this.#position[piece] >= 0;
  }

  /** The piece may be started (its priority must not change while it is in here). */
  add(piece: number): void {
    if (this.has(piece)) return;
    this.#insert(piece);
    this.#perPriority[this.#priority[piece]]++;
    this.#bits[piece >> 3] |= 0x80 >> (piece & 7);
    this.length++;
  }

  delete(piece: number): void {
    if (!this.has(piece)) return;
    this.#remove(piece);
    this.#perPriority[this.#priority[piece]]--;
    this.#bits[piece >> 3] &= ~(0x80 >> (piece & 7));
    this.length--;
  }

  /** One more (`by` = 1) or one less (-1) peer holds the piece. */
  change(piece: number, by: 1 | -1): void {
    const listed = this.#position[piece] >= 0;
    if (listed) this.#remove(piece);
    this.availability[piece] += by;
    if (listed) this.#insert(piece);
  }

  changeAll(have: Bitfield, by: 1 | -1): void {
    const { bytes } = have;
    for (let i = 0; i < bytes.length; i++) {
      const byte = bytes[i];
      if (byte === 0) continue;
      for (let bit = 0; bit < 8; bit++)
        if ((byte & (0x80 >> bit)) !== 0) this.change(i * 8 + bit, by);
    }
  }

  /**
   * The best piece that `have` contains and `allowed` lets pass, ties at random; -1 for none.
   * `rarestOnly`: only pieces that no counted peer holds.
   */
  best(
    have: Bitfield,
    allowed: (piece: number) => boolean,
    rarestOnly = false,
  ): number {
    if (this.length === 0) return -1;
    let tries = have.complete
      ? this.pieceCount
      : Math.min(TRIES, (have.count * TRIES * 4) / this.pieceCount);
    for (let priority = PRIORITIES - 1; priority > 0; priority--) {
      if (this.#perPriority[priority] === 0) continue;
      const levels = rarestOnly ? 1 : LEVELS;
      for (let level = 0; level < levels; level++) {
        const list = this.#lists[priority * LEVELS + level];
        if (list === undefined || list.length === 0) continue;
        const start = Math.floor(this.random() * list.length);
        for (let i = 0; i < list.length; i++) {
          if (tries-- <= 0) return this.#intersect(have, allowed, rarestOnly);
          const piece = list[(start + i) % list.length];
          if (have.has(piece) && allowed(piece)) return piece;
        }
      }
    }
    return -1;
  }

  /** Any piece of the highest priority at hand, all equally likely: for the first few pieces. */
  any(have: Bitfield, allowed: (piece: number) => boolean): number {
    const start = Math.floor(this.random() * this.pieceCount);
    let found = -1;
    for (let i = 0; i < this.pieceCount; i++) {
      let piece = start + i;
      if (piece >= this.pieceCount) piece -= this.pieceCount;
      if (this.#position[piece] < 0 || !have.has(piece) || !allowed(piece))
        continue;
      if (found < 0 || this.#priority[piece] > this.#priority[found])
        found = piece;
      if (this.#isTop(this.#priority[found])) break;
    }
    return found;
  }

  /** The piece of lowest index (among those of the highest priority at hand) that `have` contains. */
  first(have: Bitfield, allowed: (piece: number) => boolean): number {
    let found = -1;
    for (let i = 0; i < this.#bits.length; i++) {
      const byte = this.#bits[i] & have.bytes[i];
      if (byte === 0) continue;
      for (let bit = 0; bit < 8; bit++) {
        const piece = i * 8 + bit;
        if ((byte & (0x80 >> bit)) === 0 || !allowed(piece)) continue;
        if (found < 0 || this.#priority[piece] > this.#priority[found])
          found = piece;
        if (this.#isTop(this.#priority[found])) return found;
      }
    }
    return found;
  }

  #isTop(priority: number): boolean {
    for (let p = PRIORITIES - 1; p > priority; p--)
      if (this.#perPriority[p] > 0) return false;
    return true;
  }

  /** For peers that hold little: walk what both sets contain rather than lists that the peer has nothing of. */
  #intersect(
    have: Bitfield,
    allowed: (piece: number) => boolean,
    rarestOnly: boolean,
  ): number {
    let found = -1;
    let best = Infinity;
    let ties = 0;
    for (let i = 0; i < this.#bits.length; i++) {
      const byte = this.#bits[i] & have.bytes[i];
      if (byte === 0) continue;
      for (let bit = 0; bit < 8; bit++) {
        if ((byte & (0x80 >> bit)) === 0) continue;
        const piece = i * 8 + bit;
        const key = this.#key(piece);
        if (key > best || !allowed(piece)) continue;
        if (rarestOnly && this.availability[piece] !== 0) continue;
        ties = key === best ? ties + 1 : 1;
        best = key;
        if (ties === 1 || this.random() * ties < 1) found = piece;
      }
    }
    return found;
  }

  /** Lower is better. */
  #key(piece: number): number {
    const level = Math.min(this.availability[piece], LEVELS - 1);
    return (PRIORITIES - this.#priority[piece]) * LEVELS + level;
  }

  #listOf(piece: number): number[] {
    const level = Math.min(this.availability[piece], LEVELS - 1);
    return (this.#lists[this.#priority[piece] * LEVELS + level] ??= []);
  }

  #insert(piece: number): void {
    this.#position[piece] = this.#listOf(piece).push(piece) - 1;
  }

  #remove(piece: number): void {
    const list = this.#listOf(piece);
    const last = list.pop() as number;
    const at = this.#position[piece];
    if (last !== piece) {
      list[at] = last;
      this.#position[last] = at;
    }
    this.#position[piece] = -1;
  }
}
