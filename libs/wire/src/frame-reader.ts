/**
 * Cuts the bytes after the handshake into messages, however they were cut on
 * the way. A block's payload goes straight from the chunk into the place that
 * the sink names; other messages are handed over inside the chunk when they
 * lie in it whole, and collected in a small buffer when they do not. Nothing
 * is kept of a chunk after `read` returns, and no object is made per message.
 *
 * Length rules stand here (they bound memory); meaning stands in the sink.
 */
import { readUint32 } from './big-endian';
import {
  BLOCK_SIZE,
  FIXED_LENGTH,
  MAX_MESSAGE,
  MessageId,
  PIECE_HEADER,
} from './message-id';
import { ProtocolError } from './protocol-error';

export interface FrameSink {
  /**
   * Called for messages of varying length before they are read: the most bytes
   * (after the length prefix) that are of use, so that a longer one is refused
   * before it is kept, or 0 to read past the message.
   */
  limit(id: number, length: number): number;
  /** A whole message; its payload is `bytes` from `from` (after the id) to `to`, valid during the call. */
  message(id: number, bytes: Uint8Array, from: number, to: number): void;
  blockTarget(
    piece: number,
    begin: number,
    length: number,
  ): Uint8Array | undefined;
  block(piece: number, begin: number, length: number): void;
}

/** Works on any Uint8Array. */
const copyBytes = Buffer.prototype.copy;

export class FrameReader {
  /** Bytes of block payload read so far, also of blocks nobody wanted. */
  payloadBytes = 0;
  /** Set to end a `read` early; the rest of its chunk is dropped. */
  stopped = false;
  readonly #sink: FrameSink;

  readonly #head = new Uint8Array(PIECE_HEADER);
  #headFill = 0;

  #id = 0;
  /** Bytes of the current message that are still to come; 0 between messages. */
  #left = 0;
  #kind: 'body' | 'block' | 'skip' = 'skip';
  #body = new Uint8Array(64);
  #bodyFill = 0;

  #target: Uint8Array | undefined;
  #targetFill = 0;
  #piece = 0;
  #blockBegin = 0;
  #blockLength = 0;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Reads on; throws ProtocolError. The chunk may be reused afterwards. */
  read(chunk: Uint8Array): void {
    const end = chunk.length;
    let at = 0;
    while (at < end && !this.stopped) {
      if (this.#left === 0) at = this.#readHead(chunk, at, end);
      else if (this.#kind === 'block') at = this.#readBlock(chunk, at, end);
      else if (this.#kind === 'body') at = this.#readBody(chunk, at, end);
      else at = this.#skip(at, end);
    }
  }

  /** Stops writing into the current block's target; its remaining bytes are read past and it is not reported. */
  dropBlock(): void {
    if (this.#kind === 'block') this.#target = undefined;
  }

  /** Bytes that the current block already has, and its place; undefined between blocks. */
  get incoming():
    { piece: number; begin: number; length: number; got: number } | undefined {
    if (this.#left === 0 || this.#kind !== 'block') return undefined;
    return {
      piece: this.#piece,
      begin: this.#blockBegin,
      length: this.#blockLength,
      got: this.#targetFill,
    };
  }

  /** Reads length prefix, id and for a block its place: from the chunk, or byte by byte where it is cut. */
  #readHead(chunk: Uint8Array, from: number, end: number): number {
    if (this.#headFill === 0 && end - from >= PIECE_HEADER) {
      return this.#begin(chunk, from, chunk, from, end);
    }
    let at = from;
    const head = this.#head;
    for (;;) {
      const need = this.#headNeed();
      while (this.#headFill < need) {
        if (at === end) return at;
        head[this.#headFill++] = chunk[at++];
      }
      if (this.#headNeed() === need) break;
    }
    this.#headFill = 0;
    return this.#begin(head, 0, chunk, at, end);
  }

  #headNeed(): number {
    if (this.#headFill < 4) return 4;
    const length = readUint32(this.#head, 0);
    if (length === 0 || length > MAX_MESSAGE) return 4;
    if (this.#headFill < 5) return 5;
    return this.#head[4] === MessageId.piece && length >= 9 ? PIECE_HEADER : 5;
  }

  /**
   * Starts the message whose head stands at `at` of `head`. When that is the
   * chunk itself, `next` is where the message begins, else where it goes on.
   */
  #begin(
    head: Uint8Array,
    at: number,
    chunk: Uint8Array,
    next: number,
    end: number,
  ): number {
    const inChunk = head === chunk;
    const length = readUint32(head, at);
    if (length === 0) return inChunk ? next + 4 : next;
    if (length > MAX_MESSAGE) {
      throw new ProtocolError('too-long', `a message of ${length} bytes`);
    }
    const id = head[at + 4];
    if (id === MessageId.piece) {
      this.#beginBlock(
        readUint32(head, at + 5),
        readUint32(head, at + 9),
        length - 9,
      );
      return inChunk ? next + PIECE_HEADER : next;
    }
    this.#check(id, length);
    const start = inChunk ? next + 5 : next;
    const stop = start + length - 1;
    if (this.#kind === 'body' && stop <= end) {
      this.#left = 0;
      this.#sink.message(id, chunk, start, stop);
      return stop;
    }
    this.#left = length - 1;
    return start;
  }

  /** Decides what becomes of a message that is no block. */
  #check(id: number, length: number): void {
    this.#id = id;
    this.#bodyFill = 0;
    this.#kind = 'body';
    const fixed = FIXED_LENGTH[id];
    if (fixed !== 0) {
      if (length === fixed) return;
      throw new ProtocolError(
        'bad-length',
        `message ${id} has ${length} bytes instead of ${fixed}`,
      );
    }
    const limit = this.#sink.limit(id, length);
    if (limit === 0) this.#kind = 'skip';
    else if (length > limit) {
      throw new ProtocolError('too-long', `message ${id} has ${length} bytes`);
    }
  }

  #beginBlock(piece: number, begin: number, length: number): void {
    if (length <= 0) {
      throw new ProtocolError('bad-length', 'a piece message without a block');
    }
    if (length > BLOCK_SIZE) {
      throw new ProtocolError('too-long', `a block of ${length} bytes`);
    }
    const target = this.#sink.blockTarget(piece, begin, length);
    if (target !== undefined && target.length !== length) {
      throw new RangeError(
        `target of ${target.length} bytes for a block of ${length}`,
      );
    }
    this.#kind = 'block';
    this.#target = target;
    this.#targetFill = 0;
    this.#piece = piece;
    this.#blockBegin = begin;
    this.#blockLength = length;
    this.#left = length;
  }

  #readBlock(chunk: Uint8Array, at: number, end: number): number {
    const size = Math.min(this.#left, end - at);
    const target = this.#target;
    if (target !== undefined) {
      // Into shared memory this is several times faster than `set`, and makes no view.
      copyBytes.call(chunk, target, this.#targetFill, at, at + size);
    }
    this.#targetFill += size;
    this.#left -= size;
    this.payloadBytes += size;
    if (this.#left === 0 && target !== undefined) {
      this.#target = undefined;
      this.#sink.block(this.#piece, this.#blockBegin, this.#blockLength);
    }
    return at + size;
  }

  #readBody(chunk: Uint8Array, at: number, end: number): number {
    const size = Math.min(this.#left, end - at);
    const fill = this.#bodyFill + size;
    if (fill > this.#body.length) this.#growBody(fill);
    this.#body.set(chunk.subarray(at, at + size), this.#bodyFill);
    this.#bodyFill = fill;
    this.#left -= size;
    if (this.#left === 0) {
      this.#sink.message(this.#id, this.#body, 0, fill);
      if (this.#body.length > BLOCK_SIZE) this.#body = new Uint8Array(64);
    }
    return at + size;
  }

  /** Room for what has come, not for what was promised. */
  #growBody(needed: number): void {
    const room = Math.max(needed, this.#body.length * 2);
    const grown = new Uint8Array(Math.min(room, MAX_MESSAGE));
    grown.set(this.#body.subarray(0, this.#bodyFill));
    this.#body = grown;
  }

  #skip(at: number, end: number): number {
    const size = Math.min(this.#left, end - at);
    this.#left -= size;
    return at + size;
  }
}
