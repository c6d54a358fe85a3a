/**
 * What a remote said before we knew the torrent's size: kept in bounded memory
 * and told, as one complete picture, when the size is known.
 */
import { Bitfield } from '@dnd/metainfo';
import { MessageId } from './message-id';
import type { PeerEvents } from './peer-link';
import { ProtocolError } from './protocol-error';

const MAX_BITFIELD = 262_144;
const MAX_ALLOWED_FAST = 64;
/** Pieces lost by one who had everything; of more than these the rejects tell. */
const MAX_LOST = 1_024;

export class EarlyState {
  /** Bytes: two million pieces. */
  static readonly MAX_BITFIELD = MAX_BITFIELD;
  #unchoked = false;
  #interested = false;
  /** Undefined while nothing was said about pieces. */
  #bits: Uint8Array | undefined;
  /** Length of the bitfield that came, or -1. */
  #fieldLength = -1;
  #all = false;
  /** Of all pieces, the ones that are not there any more. */
  readonly #lost = new Set<number>();
  #highest = -1;
  readonly #allowedFast: number[] = [];

  interest(id: number): void {
    if (id === MessageId.choke) this.#unchoked = false;
    else if (id === MessageId.unchoke) this.#unchoked = true;
    else this.#interested = id === MessageId.interested;
  }

  bitfield(bytes: Uint8Array): void {
    this.#bits = bytes.slice();
    this.#fieldLength = bytes.length;
    this.#all = false;
    this.#lost.clear();
  }

  allOrNone(all: boolean): void {
    this.#all = all;
    this.#lost.clear();
    this.#bits = new Uint8Array(0);
    this.#fieldLength = -1;
  }

  /** A piece beyond the two millionth is forgotten; later messages of a real torrent of that size repair it. */
  have(piece: number): void {
    this.#highest = Math.max(this.#highest, piece);
    this.#lost.delete(piece);
    const at = Math.floor(piece / 8);
    if (at >= MAX_BITFIELD) return;
    const bits = this.#room(at + 1);
    bits[at] |= 0x80 >> (piece & 7);
  }

  dontHave(piece: number): void {
    if (this.#all && this.#lost.size < MAX_LOST) this.#lost.add(piece);
    const at = Math.floor(piece / 8);
    if (this.#bits !== undefined && at < this.#bits.length) {
      this.#bits[at] &= ~(0x80 >> (piece & 7));
    }
  }

  allowedFast(piece: number): void {
    if (this.#allowedFast.length < MAX_ALLOWED_FAST) {
      this.#allowedFast.push(piece);
    }
  }

  /** Throws ProtocolError when what was said does not fit `pieceCount`. */
  replay(events: PeerEvents, pieceCount: number): void {
    const length = (pieceCount + 7) >> 3;
    if (this.#fieldLength >= 0 && this.#fieldLength !== length) {
      throw new ProtocolError('bad-bitfield', `${this.#fieldLength} bytes`);
    }
    if (this.#highest >= pieceCount) {
      throw new ProtocolError('bad-index', `have of piece ${this.#highest}`);
    }
    if (this.#bits !== undefined) {
      events.onBitfield(this.#picture(this.#bits, pieceCount));
    }
    for (const piece of this.#allowedFast) {
      if (piece < pieceCount) events.onAllowedFast(piece);
    }
    if (this.#interested) events.onInterested();
    if (this.#unchoked) events.onUnchoke();
  }

  #picture(bits: Uint8Array, pieceCount: number): Bitfield {
    if (this.#all) {
      const most = Bitfield.full(pieceCount);
      for (const piece of this.#lost) most.delete(piece);
      return most;
    }
    const field = new Bitfield(pieceCount);
    for (let i = 0; i < pieceCount && i >> 3 < bits.length; i++) {
      if ((bits[i >> 3] & (0x80 >> (i & 7))) !== 0) field.add(i);
    }
    return field;
  }

  #room(length: number): Uint8Array {
    const bits = this.#bits ?? new Uint8Array(0);
    if (bits.length >= length) return (this.#bits = bits);
    const grown = new Uint8Array(
      Math.min(Math.max(length, bits.length * 2), MAX_BITFIELD),
    );
    grown.set(bits);
    return (this.#bits = grown);
  }
}
