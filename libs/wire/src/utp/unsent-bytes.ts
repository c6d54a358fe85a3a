/** What a stream's owner wrote and no packet carries yet: chunks by reference, cut into packets in order. */
export class UnsentBytes {
  length = 0;
  #chunks: Uint8Array[] = [];
  /** How far into the first chunk all is cut off. */
  #at = 0;

  push(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#chunks.push(bytes);
    this.length += bytes.length;
  }

  /** Copies the next `size` bytes behind `before` free ones; `size` is at most `length`. */
  cut(size: number, before: number): Uint8Array {
    const bytes = new Uint8Array(before + size);
    let to = before;
    let used = 0;
    while (to < bytes.length) {
      const chunk = this.#chunks[used];
      const part = Math.min(bytes.length - to, chunk.length - this.#at);
      bytes.set(chunk.subarray(this.#at, this.#at + part), to);
      to += part;
      this.#at += part;
      if (this.#at < chunk.length) break;
      this.#at = 0;
      used++;
    }
    if (used > 0) this.#chunks.splice(0, used);
    this.length -= size;
    return bytes;
  }

  clear(): void {
    this.#chunks = [];
    this.#at = 0;
    this.length = 0;
  }
}
