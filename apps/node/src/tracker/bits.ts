/** A set of small whole numbers. */
export class Bits {
  private words: Uint32Array;

  /** For numbers below `size`; `set` makes room for larger ones. */
  constructor(size: number) {
    this.words = new Uint32Array((size >>> 5) + 1);
  }

  has(n: number): boolean {
    const word = this.words[n >>> 5];
    return word !== undefined && ((word >>> (n & 31)) & 1) === 1;
  }

  set(n: number): void {
    const at = n >>> 5;
    if (at >= this.words.length) {
      const grown = new Uint32Array(at * 2 + 1);
      grown.set(this.words);
      this.words = grown;
    }
    this.words[at] |= 1 << (n & 31);
  }

  clear(n: number): void {
    if (n >>> 5 < this.words.length) this.words[n >>> 5] &= ~(1 << (n & 31));
  }

  copy(): Bits {
    const copy = new Bits(0);
    copy.words = this.words.slice();
    return copy;
  }

  /** Drops what is not in `other`. */
  keepOnly(other: Bits): void {
    for (let i = 0; i < this.words.length; i++)
      this.words[i] &= other.words[i] ?? 0;
  }

  get count(): number {
    let count = 0;
    for (let word of this.words) {
      word -= (word >>> 1) & 0x55555555;
      word = (word & 0x33333333) + ((word >>> 2) & 0x33333333);
      count += Math.imul((word + (word >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
    }
    return count;
  }
}
