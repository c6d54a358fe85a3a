/**
 * The bytes that wait to be sent on one connection, in order. Small messages
 * are written side by side into one buffer; blocks are appended by reference,
 * so a served block is not copied here and must not change until it is sent.
 * Handed-out bytes are never written again.
 */
const ARENA_SIZE = 4_096;

export class Outbox {
  /** Bytes that wait, blocks included. */
  pending = 0;
  /** Bytes that wait, appended blocks left out: what the remote makes us say. */
  pendingControl = 0;
  #chunks: Uint8Array[] = [];
  #arena = new Uint8Array(0);
  #arenaFrom = 0;
  #arenaTo = 0;
  readonly #onFirst: () => void;

  /** `onFirst` is called when bytes wait and none did before. */
  constructor(onFirst: () => void) {
    this.#onFirst = onFirst;
  }

  /** The buffer in which the last `reserve` made room. */
  get buffer(): Uint8Array {
    return this.#arena;
  }

  /** Makes room for `length` bytes, which the caller writes into `buffer` from the offset returned, and then calls `written`. */
  reserve(length: number): number {
    if (this.#arena.length - this.#arenaTo < length) {
      this.#closeRun();
      this.#arena = new Uint8Array(Math.max(ARENA_SIZE, length));
      this.#arenaFrom = 0;
      this.#arenaTo = 0;
    }
    const at = this.#arenaTo;
    this.#arenaTo += length;
    return at;
  }

  /** The `length` bytes reserved last stand in the buffer. */
  written(length: number): void {
    this.pendingControl += length;
    this.#grown(length);
  }

  /** Appends bytes that are sent as they are, without a copy. */
  reference(bytes: Uint8Array): void {
    this.#closeRun();
    this.#chunks.push(bytes);
    this.#grown(bytes.length);
  }

  /** All that waits, in order; the queue is empty afterwards. */
  take(): Uint8Array[] {
    this.#closeRun();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.pending = 0;
    this.pendingControl = 0;
    return chunks;
  }

  #closeRun(): void {
    if (this.#arenaTo === this.#arenaFrom) return;
    this.#chunks.push(this.#arena.subarray(this.#arenaFrom, this.#arenaTo));
    this.#arenaFrom = this.#arenaTo;
  }

  #grown(length: number): void {
    const wasEmpty = this.pending === 0;
    this.pending += length;
    if (wasEmpty && length > 0) this.#onFirst();
  }
}
