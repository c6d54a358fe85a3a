/**
 * A set of piece indexes in BEP 3's wire order (piece 0 is the high bit of byte 0).
 * `bytes` is the wire form, spare bits always clear; `count` is kept, not counted.
 */
export class Bitfield {
  readonly bytes: Uint8Array;
  #count = 0;

  constructor(readonly size: number) {
    this.bytes = new Uint8Array((size + 7) >> 3);
  }

  /** Takes the wire form over; `undefined` when its length is wrong or a spare bit is set (BEP 3: close). */
  static fromWire(bytes: Uint8Array, size: number): Bitfield | undefined {
    if (bytes.length !== (size + 7) >> 3) return undefined;
    const spare = bytes.length * 8 - size;
    if (spare > 0 && (bytes[bytes.length - 1] & ((1 << spare) - 1)) !== 0)
      return undefined;
    const field = new Bitfield(size);
    field.bytes.set(bytes);
    for (const byte of bytes) field.#count += ones(byte);
    return field;
  }

  static full(size: number): Bitfield {
    const field = new Bitfield(size);
    field.fill();
    return field;
  }

  get count(): number {
    return this.#count;
  }

  get complete(): boolean {
    return this.#count === this.size;
  }

  has(index: number): boolean {
    return (this.bytes[index >> 3] & (0x80 >> (index & 7))) !== 0;
  }

  /** True when the set changed. */
  add(index: number): boolean {
    if (index < 0 || index >= this.size || this.has(index)) return false;
    this.bytes[index >> 3] |= 0x80 >> (index & 7);
    this.#count++;
    return true;
  }

  /** True when the set changed. */
  delete(index: number): boolean {
    if (index < 0 || index >= this.size || !this.has(index)) return false;
    this.bytes[index >> 3] &= ~(0x80 >> (index & 7));
    this.#count--;
    return true;
  }

  fill(): void {
    this.bytes.fill(0xff);
    const spare = this.bytes.length * 8 - this.size;
    if (spare > 0) this.bytes[this.bytes.length - 1] &= 0xff << spare;
    this.#count = this.size;
  }

  clear(): void {
    this.bytes.fill(0);
    this.#count = 0;
  }

  clone(): Bitfield {
    const field = new Bitfield(this.size);
    field.bytes.set(this.bytes);
    field.#count = this.#count;
    return field;
  }
}

function ones(byte: number): number {
  let n = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) n++;
  return n;
}
