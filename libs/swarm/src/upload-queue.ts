/** Requests of one peer that wait to be served: a bounded ring of (piece, begin, length) in one array. */

const FIRST = 16;

export class UploadQueue {
  length = 0;
  #ring = new Int32Array(0);
  #head = 0;

  constructor(private readonly limit: number) {}

  /** False when the queue is full. */
  push(piece: number, begin: number, length: number): boolean {
    if (this.length >= this.limit) return false;
    if (this.length * 3 === this.#ring.length) this.#grow();
    const at = this.#slot(this.length);
    this.#ring[at] = piece;
    this.#ring[at + 1] = begin;
    this.#ring[at + 2] = length;
    this.length++;
    return true;
  }

  piece(index: number): number {
    return this.#ring[this.#slot(index)];
  }

  begin(index: number): number {
    return this.#ring[this.#slot(index) + 1];
  }

  size(index: number): number {
    return this.#ring[this.#slot(index) + 2];
  }

  /** Drops the first `count` requests. */
  shift(count: number): void {
    this.#head = this.#slot(count) % (this.#ring.length || 1);
    this.length -= count;
  }

  /** True when the request was there. */
  remove(piece: number, begin: number, length: number): boolean {
    for (let i = 0; i < this.length; i++) {
      if (
        this.piece(i) === piece &&
        this.begin(i) === begin &&
        this.size(i) === length
      ) {
        this.removeAt(i);
        return true;
      }
    }
    return false;
  }

  removeAt(index: number): void {
    for (let i = index; i < this.length - 1; i++) {
      const to = this.#slot(i);
      const from = this.#slot(i + 1);
      this.#ring.copyWithin(to, from, from + 3);
    }
    this.length--;
  }

  clear(): void {
    this.length = 0;
    this.#head = 0;
  }

  #slot(index: number): number {
    const at = this.#head + index * 3;
    return at < this.#ring.length ? at : at - this.#ring.length;
  }

  #grow(): void {
    const size = Math.min(
      Math.max(FIRST, this.length * 2),
      Math.max(this.limit, 1),
    );
    const ring = new Int32Array(size * 3);
    const tail = this.#ring.subarray(this.#head);
    ring.set(tail);
    ring.set(this.#ring.subarray(0, this.#head), tail.length);
    this.#ring = ring;
    this.#head = 0;
  }
}
