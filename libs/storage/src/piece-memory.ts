/**
 * The memory in which pieces are put together, shared by all torrents: shared buffers, so that a
 * hashing thread sees the bytes without a copy, recycled by size, never more than `limit` bytes
 * in all (those in use and those waiting to be used again).
 */
const UNIT = 16_384;

export class PieceMemory {
  /** Bytes that may be allocated at any time. */
  readonly limit: number;
  #allocated = 0;
  #used = 0;
  readonly #free = new Map<number, SharedArrayBuffer[]>();

  constructor(options: { readonly limit: number }) {
    this.limit = options.limit;
  }

  /** Bytes handed out and not yet given back. */
  get used(): number {
    return this.#used;
  }

  /** Bytes held, handed out or waiting. */
  get allocated(): number {
    return this.#allocated;
  }

  /** Bytes that a piece of `length` takes. */
  static rounded(length: number): number {
    return Math.max(UNIT, Math.ceil(length / UNIT) * UNIT);
  }

  /** A buffer of at least `length` bytes with any content, or undefined when the limit is reached. */
  take(length: number): SharedArrayBuffer | undefined {
    const size = PieceMemory.rounded(length);
    const waiting = this.#free.get(size)?.pop();
    if (waiting === undefined) {
      if (this.#used + size > this.limit) return undefined;
      this.#release(this.#allocated + size - this.limit);
      this.#allocated += size;
    }
    this.#used += size;
    return waiting ?? new SharedArrayBuffer(size);
  }

  give(buffer: SharedArrayBuffer): void {
    this.#used -= buffer.byteLength;
    const waiting = this.#free.get(buffer.byteLength);
    if (waiting) waiting.push(buffer);
    else this.#free.set(buffer.byteLength, [buffer]);
  }

  /** Lets go of all buffers that wait to be used again; for when nothing downloads any more. */
  trim(): void {
    this.#release(this.#allocated);
  }

  #release(bytes: number): void {
    for (const [size, waiting] of this.#free) {
      while (bytes > 0 && waiting.pop() !== undefined) {
        bytes -= size;
        this.#allocated -= size;
      }
      if (waiting.length === 0) this.#free.delete(size);
    }
  }
}
