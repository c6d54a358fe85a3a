/**
 * Pieces that are being put together in memory: from `reserve` to the piece being written or discarded.
 * A piece's memory goes back only when no thread and no write looks at it any more.
 */
import type { FileLayout } from '@dnd/metainfo';
import type { PieceMemory } from './piece-memory';
import { StorageError } from './storage-error';

export interface Reservation {
  readonly piece: number;
  readonly memory: SharedArrayBuffer;
  /** Exactly the piece. */
  readonly bytes: Uint8Array;
  /** A thread or the disk looks at the bytes. */
  users: number;
  /** The bytes are right; only writing them is left. */
  verified: boolean;
  discarded: boolean;
}

export class Reservations {
  readonly #layout: FileLayout;
  readonly #memory: PieceMemory;
  readonly #held = new Map<number, Reservation>();

  constructor(layout: FileLayout, memory: PieceMemory) {
    this.#layout = layout;
    this.#memory = memory;
  }

  has(piece: number): boolean {
    return this.#held.has(piece);
  }

  /** False when the memory is used up, or the piece was discarded and is still looked at. */
  add(piece: number): boolean {
    const known = this.#held.get(piece);
    if (known) return !known.discarded;
    const size = this.#layout.pieceSize(piece);
    const memory = this.#memory.take(size);
    if (!memory) return false;
    const bytes = new Uint8Array(memory, 0, size);
    this.#zeroGaps(piece, bytes);
    this.#held.set(piece, {
      piece,
      memory,
      bytes,
      users: 0,
      verified: false,
      discarded: false,
    });
    return true;
  }

  target(piece: number, begin: number, length: number): Uint8Array | undefined {
    const held = this.#held.get(piece);
    if (!held || held.users > 0) return undefined;
    if (!(begin >= 0 && length > 0 && begin + length <= held.bytes.length)) {
      return undefined;
    }
    // Other bytes have to be hashed anew.
    held.verified = false;
    return held.bytes.subarray(begin, begin + length);
  }

  /** To be let go of. Throws StorageError `not-had`. */
  hold(piece: number): Reservation {
    const held = this.#held.get(piece);
    if (!held || held.discarded) {
      throw new StorageError('not-had', `piece ${piece} is not reserved`);
    }
    held.users++;
    return held;
  }

  letGo(held: Reservation): void {
    held.users--;
    this.#release(held);
  }

  discard(piece: number): void {
    const held = this.#held.get(piece);
    if (!held) return;
    held.discarded = true;
    this.#release(held);
  }

  discardAll(): void {
    for (const piece of [...this.#held.keys()]) this.discard(piece);
  }

  #release(held: Reservation): void {
    if (!held.discarded || held.users > 0) return;
    if (this.#held.get(held.piece) !== held) return;
    this.#held.delete(held.piece);
    this.#memory.give(held.memory);
  }

  /** Padding is zeros, whether peers send it or not. */
  #zeroGaps(piece: number, bytes: Uint8Array): void {
    let end = 0;
    const start = this.#layout.pieceOffset(piece);
    this.#layout.each(start, bytes.length, (_file, _offset, length, at) => {
      if (at > end) bytes.fill(0, end, at);
      end = at + length;
    });
    if (end < bytes.length) bytes.fill(0, end);
  }
}
