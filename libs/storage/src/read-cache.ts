/**
 * Verified bytes on their way to peers, shared by all torrents: chunks of a piece, read at once because
 * a peer asks for one block after another and several peers for the same ones. Least recently used
 * chunks make room; their buffers are used again. Holds at most `limit` bytes.
 *
 * In a chunk each block of 16 KiB has `blockGap` free bytes before it, so that a peer can be sent a run of
 * blocks with their headers from where it lies.
 */
const BLOCK = 16_384;

/** A stretch of one piece in memory. */
export interface Chunk {
  /** The torrent's own map, in which the chunk is found by its key. */
  readonly home: Map<number, Chunk>;
  readonly key: number;
  /** Bytes of the piece in it. */
  readonly length: number;
  /** These with the gaps between them; valid once `loading` is undefined. */
  readonly bytes: Buffer;
  /** Until the bytes are there. */
  loading: Promise<void> | undefined;
  /** Who copies out of it or has parts of it lent; its buffer is not used again meanwhile. */
  users: number;
  dead: boolean;
}

export class ReadCache {
  readonly limit: number;
  readonly blockGap: number;
  #allocated = 0;
  /** Bytes of chunks that somebody uses. */
  #used = 0;
  /** Longest unused first. */
  readonly #chunks = new Set<Chunk>();
  readonly #free = new Map<number, ArrayBuffer[]>();

  constructor(options: { readonly limit: number; readonly blockGap: number }) {
    this.limit = options.limit;
    this.blockGap = options.blockGap;
  }

  /** So much is in use that lending more could keep others from their chunks. */
  get crowded(): boolean {
    return this.#used * 2 > this.limit;
  }

  /** Where a byte of a chunk lies among its blocks and gaps. */
  place(offset: number): number {
    return offset + (Math.floor(offset / BLOCK) + 1) * this.blockGap;
  }

  /** Bytes held, in chunks and in buffers that wait to be used again. */
  get allocated(): number {
    return this.#allocated;
  }

  /** Makes the chunk and starts `load`; when that fails the chunk is gone again. */
  add(
    home: Map<number, Chunk>,
    key: number,
    length: number,
    load: (chunk: Chunk) => Promise<void>,
  ): Chunk {
    const buffer = this.#take(
      Math.ceil(length / BLOCK) * (BLOCK + this.blockGap),
    );
    const chunk: Chunk = {
      home,
      key,
      length,
      bytes: Buffer.from(buffer),
      loading: undefined,
      users: 0,
      dead: false,
    };
    home.set(key, chunk);
    this.#chunks.add(chunk);
    this.hold(chunk);
    chunk.loading = load(chunk).then(
      () => {
        chunk.loading = undefined;
        this.release(chunk);
      },
      (error: unknown) => {
        this.drop(chunk);
        this.release(chunk);
        throw error;
      },
    );
    // Whoever needs the chunk awaits `loading` itself; a read-ahead that fails concerns nobody.
    chunk.loading.catch(() => undefined);
    return chunk;
  }

  /** Counts as used just now. */
  touch(chunk: Chunk): void {
    if (chunk.dead) return;
    this.#chunks.delete(chunk);
    this.#chunks.add(chunk);
  }

  /** Keeps the buffer as it is until `release`, also when the chunk is dropped meanwhile. */
  hold(chunk: Chunk): void {
    if (chunk.users++ === 0) this.#used += chunk.bytes.length;
  }

  release(chunk: Chunk): void {
    if (--chunk.users > 0) return;
    this.#used -= chunk.bytes.length;
    if (chunk.dead) this.#recycle(chunk);
  }

  /** Forgets the chunk. */
  drop(chunk: Chunk): void {
    if (chunk.dead) return;
    chunk.dead = true;
    this.#chunks.delete(chunk);
    if (chunk.home.get(chunk.key) === chunk) chunk.home.delete(chunk.key);
    if (chunk.users === 0) this.#recycle(chunk);
  }

  clear(): void {
    for (const chunk of [...this.#chunks]) this.drop(chunk);
    this.#trim(this.#allocated);
  }

  #take(size: number): ArrayBuffer {
    for (;;) {
      const free = this.#free.get(size)?.pop();
      if (free) return free;
      if (this.#allocated + size <= this.limit) break;
      const before = this.#allocated;
      this.#trim(this.#allocated + size - this.limit);
      if (this.#allocated < before) continue;
      const oldest = this.#oldest();
      // All that is held is being filled right now: a bounded number of loads goes over the limit.
      if (!oldest) break;
      this.drop(oldest);
    }
    this.#allocated += size;
    return new ArrayBuffer(size);
  }

  #oldest(): Chunk | undefined {
    for (const chunk of this.#chunks) if (chunk.users === 0) return chunk;
    return undefined;
  }

  #recycle(chunk: Chunk): void {
    const buffer = chunk.bytes.buffer as ArrayBuffer;
    if (this.#allocated > this.limit) {
      this.#allocated -= buffer.byteLength;
      return;
    }
    const free = this.#free.get(buffer.byteLength);
    if (free) free.push(buffer);
    else this.#free.set(buffer.byteLength, [buffer]);
  }

  #trim(bytes: number): void {
    for (const [size, free] of this.#free) {
      while (bytes > 0 && free.pop()) {
        bytes -= size;
        this.#allocated -= size;
      }
      if (free.length === 0) this.#free.delete(size);
    }
  }
}
