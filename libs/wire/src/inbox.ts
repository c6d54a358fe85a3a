/**
 * What the messages of one connection mean: checks their form against the
 * torrent and hands them on as `PeerEvents`. Until the torrent is known (a
 * magnet link's metadata is still on its way) it keeps a bounded picture of
 * what the remote said, and tells it when `attach` names the torrent.
 */
import { Bitfield } from '@dnd/metainfo';
import { readUint16, readUint32 } from './big-endian';
import { EarlyState } from './early-state';
import type { FrameSink } from './frame-reader';
import { MAX_HASHES, readHashRange, type HashRange } from './hash-message';
import { BLOCK_SIZE, MAX_REQUEST, MessageId } from './message-id';
import type { MessageWriter } from './message-writer';
import type { PeerEvents } from './peer-link';
import { ProtocolError } from './protocol-error';

/** What a connection must know of a torrent; a `Metainfo` is one. */
export interface TorrentShape {
  readonly pieceCount: number;
  /** Bytes. */
  readonly pieceLength: number;
  /** Bytes of all pieces together. */
  readonly length: number;
}

/** Messages beside BEP 3's and 6's. */
export interface InboxEvents {
  /** BEP 5. */
  onPort(port: number): void;
  /** BEP 10: the id and what follows it, valid during the call. */
  onExtended(bytes: Uint8Array, from: number, to: number): void;
  /** BEP 52. */
  onHashRequest(range: HashRange): void;
  onHashes(range: HashRange, hashes: Uint8Array): void;
  onHashReject(range: HashRange): void;
}

/** The longest extension message that is read; longer ones are read past. */
const MAX_EXTENDED = 524_288;

export class Inbox implements FrameSink {
  /** Both sides offered BEP 6. */
  fast = false;
  /** Both sides offered BEP 10. */
  extensions = false;
  /** The torrent has a v2 info-hash. */
  hashes = false;
  readonly #say: MessageWriter;
  readonly #more: InboxEvents;
  #events: PeerEvents | undefined;
  #early: EarlyState | undefined = new EarlyState();
  #pieceCount = 0;
  #pieceLength = 0;
  #lastPieceLength = 0;

  constructor(say: MessageWriter, more: InboxEvents) {
    this.#say = say;
    this.#more = more;
  }

  /** From now on facts go to `events`; what the remote said before is told first. Throws ProtocolError when that does not fit the torrent. */
  attach(events: PeerEvents, shape: TorrentShape): void {
    this.#events = events;
    this.#pieceCount = shape.pieceCount;
    this.#pieceLength = shape.pieceLength;
    const before = (shape.pieceCount - 1) * shape.pieceLength;
    this.#lastPieceLength = shape.length - before;
    const early = this.#early;
    this.#early = undefined;
    early?.replay(events, shape.pieceCount);
  }

  limit(id: number, length: number): number {
    switch (id) {
      case MessageId.bitfield:
        this.#checkBitfieldLength(length - 1);
        return length;
      case MessageId.extended:
        return this.extensions && length <= MAX_EXTENDED ? length : 0;
      case MessageId.hashes:
        this.#needHashes();
        return 49 + 32 * (MAX_HASHES + 64);
      default:
        return 0;
    }
  }

  message(id: number, bytes: Uint8Array, from: number, to: number): void {
    switch (id) {
      case MessageId.have:
        return this.#have(readUint32(bytes, from));
      case MessageId.request:
        return this.#request(bytes, from);
      case MessageId.cancel:
        return this.#cancel(bytes, from);
      case MessageId.bitfield:
        return this.#bitfield(bytes.subarray(from, to));
      case MessageId.port:
        return this.#more.onPort(readUint16(bytes, from));
      case MessageId.extended:
        return this.#more.onExtended(bytes, from, to);
      case MessageId.hashRequest:
      case MessageId.hashes:
      case MessageId.hashReject:
        return this.#hash(id, bytes, from, to);
      default:
        return id <= MessageId.notInterested
          ? this.#interest(id)
          : this.#fast(id, bytes, from);
    }
  }

  blockTarget(
    piece: number,
    begin: number,
    length: number,
  ): Uint8Array | undefined {
    if (this.#events === undefined) return undefined;
    if (piece >= this.#pieceCount) this.#badIndex('piece', piece);
    if (begin + length > this.#sizeOf(piece)) return undefined;
    return this.#events.blockTarget(piece, begin, length);
  }

  block(piece: number, begin: number, length: number): void {
    this.#events?.onBlock(piece, begin, length);
  }

  /** BEP 54: no longer has this piece; an index outside the torrent is ignored. */
  dontHave(piece: number): void {
    if (this.#events === undefined) this.#early?.dontHave(piece);
    else if (piece < this.#pieceCount) this.#events.onDontHave(piece);
  }

  #interest(id: number): void {
    const events = this.#events;
    if (events === undefined) this.#early?.interest(id);
    else if (id === MessageId.choke) events.onChoke();
    else if (id === MessageId.unchoke) events.onUnchoke();
    else if (id === MessageId.interested) events.onInterested();
    else events.onNotInterested();
  }

  #have(piece: number): void {
    if (this.#events === undefined) this.#early?.have(piece);
    else if (piece >= this.#pieceCount) this.#badIndex('have', piece);
    else this.#events.onHave(piece);
  }

  #checkBitfieldLength(length: number): void {
    const right =
      this.#events === undefined
        ? length > 0 && length <= EarlyState.MAX_BITFIELD
        : length === (this.#pieceCount + 7) >> 3;
    if (!right) {
      throw new ProtocolError('bad-bitfield', `a bitfield of ${length} bytes`);
    }
  }

  /** At any time and again: aria2 sends one instead of many haves. The last one counts. */
  #bitfield(bytes: Uint8Array): void {
    if (this.#events === undefined) this.#early?.bitfield(bytes);
    else this.#events.onBitfield(readBitfield(bytes, this.#pieceCount));
  }

  #request(bytes: Uint8Array, from: number): void {
    const piece = readUint32(bytes, from);
    const begin = readUint32(bytes, from + 4);
    const length = readUint32(bytes, from + 8);
    const events = this.#events;
    if (length > MAX_REQUEST) {
      throw new ProtocolError('bad-request', `${length} bytes asked at once`);
    }
    if (
      events !== undefined &&
      length > 0 &&
      length <= BLOCK_SIZE &&
      this.#inside(piece, begin, length)
    ) {
      events.onRequest(piece, begin, length);
    } else if (this.fast) this.#say.reject(piece, begin, length);
    else if (events !== undefined) {
      const place = `piece ${piece}, from ${begin}, ${length} bytes`;
      throw new ProtocolError('bad-request', place);
    }
  }

  #cancel(bytes: Uint8Array, from: number): void {
    const piece = readUint32(bytes, from);
    const begin = readUint32(bytes, from + 4);
    const length = readUint32(bytes, from + 8);
    if (this.#inside(piece, begin, length)) {
      this.#events?.onCancel(piece, begin, length);
    }
  }

  /** BEP 6. */
  #fast(id: number, bytes: Uint8Array, from: number): void {
    if (!this.fast) {
      throw new ProtocolError('not-negotiated', `fast message ${id}`);
    }
    if (id === MessageId.haveAll || id === MessageId.haveNone) {
      return this.#haveAllOrNone(id === MessageId.haveAll);
    }
    const events = this.#events;
    const piece = readUint32(bytes, from);
    if (events === undefined) {
      if (id === MessageId.allowedFast) this.#early?.allowedFast(piece);
    } else if (piece >= this.#pieceCount) return;
    else if (id === MessageId.suggest) events.onSuggest(piece);
    else if (id === MessageId.allowedFast) events.onAllowedFast(piece);
    else {
      const begin = readUint32(bytes, from + 4);
      events.onReject(piece, begin, readUint32(bytes, from + 8));
    }
  }

  #haveAllOrNone(all: boolean): void {
    if (this.#events === undefined) this.#early?.allOrNone(all);
    else {
      this.#events.onBitfield(
        all ? Bitfield.full(this.#pieceCount) : new Bitfield(this.#pieceCount),
      );
    }
  }

  #hash(id: number, bytes: Uint8Array, from: number, to: number): void {
    this.#needHashes();
    if (to - from < 48) {
      throw new ProtocolError('bad-length', 'hashes without their range');
    }
    const range = readHashRange(bytes, from);
    if (id === MessageId.hashRequest) this.#more.onHashRequest(range);
    else if (id === MessageId.hashReject) this.#more.onHashReject(range);
    else {
      if ((to - from - 48) % 32 !== 0) {
        throw new ProtocolError('bad-length', 'hashes that are not 32 bytes');
      }
      this.#more.onHashes(range, bytes.slice(from + 48, to));
    }
  }

  #needHashes(): void {
    if (this.hashes) return;
    throw new ProtocolError(
      'not-negotiated',
      'a hash message for a torrent without v2',
    );
  }

  #inside(piece: number, begin: number, length: number): boolean {
    return piece < this.#pieceCount && begin + length <= this.#sizeOf(piece);
  }

  #sizeOf(piece: number): number {
    return piece === this.#pieceCount - 1
      ? this.#lastPieceLength
      : this.#pieceLength;
  }

  #badIndex(what: string, piece: number): never {
    throw new ProtocolError(
      'bad-index',
      `${what} of piece ${piece}, there are ${this.#pieceCount}`,
    );
  }
}

/** Spare bits are cleared instead of held against the peer; the length was checked. */
export function readBitfield(bytes: Uint8Array, size: number): Bitfield {
  const wire = bytes.slice();
  const spare = wire.length * 8 - size;
  if (wire.length > 0) wire[wire.length - 1] &= 0xff << spare;
  const field = Bitfield.fromWire(wire, size);
  if (field === undefined) {
    throw new ProtocolError('bad-bitfield', `${bytes.length} bytes`);
  }
  return field;
}
