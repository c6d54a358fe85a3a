/**
 * What we say on one connection: each call appends one message to the outbox.
 * Nothing is checked against the torrent here; who decides is the swarm.
 */
import { Bitfield } from '@dnd/metainfo';
import { writeUint16, writeUint32 } from './big-endian';
import type { HashRange } from './hash-message';
import { MessageId, PIECE_HEADER } from './message-id';
import type { Outbox } from './outbox';
import type { PeerCommands } from './peer-link';

export class MessageWriter implements PeerCommands {
  /** Both sides offered BEP 6; false until the handshake is over. */
  fast = false;
  /** A message that BEP 3 counts (not extended, port or keep-alive) went out. */
  #begun = false;
  /** Bytes of block payload appended so far. */
  payloadBytes = 0;
  /** Messages appended so far, keep-alives too. */
  messages = 0;
  readonly #out: Outbox;

  constructor(out: Outbox) {
    this.#out = out;
  }

  /** Whether the first message (bitfield, have-all, have-none, or that it is left out) is behind us. */
  get begun(): boolean {
    return this.#begun;
  }

  keepAlive(): void {
    const at = this.#out.reserve(4);
    writeUint32(this.#out.buffer, at, 0);
    this.messages++;
    this.#out.written(4);
  }

  choke(): void {
    this.#bare(MessageId.choke);
  }

  unchoke(): void {
    this.#bare(MessageId.unchoke);
  }

  interested(): void {
    this.#bare(MessageId.interested);
  }

  notInterested(): void {
    this.#bare(MessageId.notInterested);
  }

  have(piece: number): void {
    this.#indexed(MessageId.have, piece);
  }

  /**
   * The first message, where it still can be; later (when a magnet's metadata
   * came during the connection) the same is said by one `have` a piece.
   */
  bitfield(have: Bitfield): void {
    if (this.#begun) {
      for (let i = 0; i < have.size; i++) if (have.has(i)) this.have(i);
      return;
    }
    if (this.fast && have.size > 0 && have.complete) {
      this.#bare(MessageId.haveAll);
    } else if (have.count > 0) {
      const length = have.bytes.length + 1;
      const at = this.#begin(MessageId.bitfield, length);
      this.#out.buffer.set(have.bytes, at + 5);
      this.#end(length);
    } else {
      this.nothing();
    }
  }

  /** The first message of one who has no piece: have-none, or no message where BEP 6 is not known. */
  nothing(): void {
    if (this.fast) this.#bare(MessageId.haveNone);
    this.#begun = true;
  }

  request(piece: number, begin: number, length: number): void {
    this.#block(MessageId.request, piece, begin, length);
  }

  cancel(piece: number, begin: number, length: number): void {
    this.#block(MessageId.cancel, piece, begin, length);
  }

  reject(piece: number, begin: number, length: number): void {
    if (this.fast) this.#block(MessageId.reject, piece, begin, length);
  }

  allowedFast(piece: number): void {
    if (this.fast) this.#indexed(MessageId.allowedFast, piece);
  }

  suggest(piece: number): void {
    if (this.fast) this.#indexed(MessageId.suggest, piece);
  }

  /** Said through BEP 54 by the connection, which knows the remote's id for it. */
  dontHave(piece: number): void {
    this.sendDontHave?.(piece);
  }

  /** Set while the remote offers lt_donthave. */
  sendDontHave: ((piece: number) => void) | undefined;

  /** One block, appended by reference: `block` must not change until it is sent. */
  piece(piece: number, begin: number, block: Uint8Array): void {
    const out = this.#out;
    const at = out.reserve(PIECE_HEADER);
    writePieceHeader(out.buffer, at, piece, begin, block.length);
    this.#begun = true;
    this.messages++;
    this.payloadBytes += block.length;
    out.written(PIECE_HEADER);
    out.reference(block);
  }

  /**
   * `count` whole piece messages, framed by the caller with `writePieceHeader`
   * in one buffer that holds `payload` bytes of blocks in all: one write to the
   * socket instead of two a block. Appended by reference.
   */
  framedPieces(bytes: Uint8Array, count: number, payload: number): void {
    this.#begun = true;
    this.messages += count;
    this.payloadBytes += payload;
    this.#out.reference(bytes);
  }

  /** BEP 5: the UDP port of our DHT node. */
  port(port: number): void {
    const at = this.#begin(MessageId.port, 3, false);
    writeUint16(this.#out.buffer, at + 5, port);
    this.#end(3);
  }

  /** BEP 10: `id` is the remote's; `tail`, if any, follows the payload by reference. */
  extended(id: number, payload: Uint8Array, tail?: Uint8Array): void {
    const length = 2 + payload.length;
    const at = this.#begin(
      MessageId.extended,
      length + (tail?.length ?? 0),
      false,
      4 + length,
    );
    this.#out.buffer[at + 5] = id;
    this.#out.buffer.set(payload, at + 6);
    this.#end(length);
    if (tail !== undefined && tail.length > 0) this.#out.reference(tail);
  }

  /** BEP 52. */
  hashRequest(range: HashRange): void {
    this.#hashes(MessageId.hashRequest, range);
  }

  /** BEP 52: `hashes` are 32 bytes each, base layer first, then the proof. */
  hashes(range: HashRange, hashes: Uint8Array): void {
    this.#hashes(MessageId.hashes, range, hashes);
  }

  /** BEP 52. */
  hashReject(range: HashRange): void {
    this.#hashes(MessageId.hashReject, range);
  }

  #hashes(id: number, range: HashRange, hashes?: Uint8Array): void {
    const length = 49 + (hashes?.length ?? 0);
    const at = this.#begin(id, length, false);
    const { buffer } = this.#out;
    buffer.set(range.piecesRoot, at + 5);
    writeUint32(buffer, at + 37, range.baseLayer);
    writeUint32(buffer, at + 41, range.index);
    writeUint32(buffer, at + 45, range.length);
    writeUint32(buffer, at + 49, range.proofLayers);
    if (hashes !== undefined) buffer.set(hashes, at + 53);
    this.#end(length);
  }

  #bare(id: number): void {
    this.#begin(id, 1);
    this.#end(1);
  }

  #indexed(id: number, piece: number): void {
    const at = this.#begin(id, 5);
    writeUint32(this.#out.buffer, at + 5, piece);
    this.#end(5);
  }

  #block(id: number, piece: number, begin: number, length: number): void {
    const at = this.#begin(id, 13);
    const { buffer } = this.#out;
    writeUint32(buffer, at + 5, piece);
    writeUint32(buffer, at + 9, begin);
    writeUint32(buffer, at + 13, length);
    this.#end(13);
  }

  /** Writes length and id; `reserve` is less than the whole when a tail follows by reference. */
  #begin(id: number, length: number, counts = true, reserve = 4 + length) {
    const at = this.#out.reserve(reserve);
    writeUint32(this.#out.buffer, at, length);
    this.#out.buffer[at + 4] = id;
    if (counts) this.#begun = true;
    return at;
  }

  #end(length: number): void {
    this.messages++;
    this.#out.written(4 + length);
  }
}

/** Writes the 13 bytes before a block of `length` bytes: length prefix, id, piece, begin. */
export function writePieceHeader(
  into: Uint8Array,
  at: number,
  piece: number,
  begin: number,
  length: number,
): void {
  writeUint32(into, at, length + 9);
  into[at + 4] = MessageId.piece;
  writeUint32(into, at + 5, piece);
  writeUint32(into, at + 9, begin);
}
