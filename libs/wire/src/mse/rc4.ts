/**
 * The RC4 stream cipher, in place. Node's OpenSSL has none, and the cost of
 * encrypted transfers is this loop: four bytes a turn into one 32-bit word
 * where alignment allows it.
 */
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

export class Rc4 {
  readonly #s = new Int32Array(256);
  #i = 0;
  #j = 0;

  /** `discard` bytes of the key stream are thrown away (MSE: 1,024). */
  constructor(key: Uint8Array, discard = 0) {
    const s = this.#s;
    for (let i = 0; i < 256; i++) s[i] = i;
    for (let i = 0, j = 0; i < 256; i++) {
      j = (j + s[i] + key[i % key.length]) & 255;
      const swapped = s[i];
      s[i] = s[j];
      s[j] = swapped;
    }
    if (discard > 0) this.apply(new Uint8Array(discard));
  }

  /** Encrypts or decrypts `bytes` where they stand. */
  apply(bytes: Uint8Array): void {
    const length = bytes.length;
    let head = -bytes.byteOffset & 3;
    if (!LITTLE_ENDIAN || head + 4 > length) head = length;
    this.#bytes(bytes, 0, head);
    if (head === length) return;
    const words = (length - head) >> 2;
    this.#words(new Int32Array(bytes.buffer, bytes.byteOffset + head, words));
    this.#bytes(bytes, head + words * 4, length);
  }

  #bytes(bytes: Uint8Array, from: number, to: number): void {
    const s = this.#s;
    let i = this.#i;
    let j = this.#j;
    for (let k = from; k < to; k++) {
      i = (i + 1) & 255;
      const a = s[i];
      j = (j + a) & 255;
      const b = s[j];
      s[i] = b;
      s[j] = a;
      bytes[k] ^= s[(a + b) & 255];
    }
    this.#i = i;
    this.#j = j;
  }

  #words(words: Int32Array): void {
    const s = this.#s;
    let i = this.#i;
    let j = this.#j;
    for (let k = 0; k < words.length; k++) {
      i = (i + 1) & 255;
      let a = s[i];
      j = (j + a) & 255;
      let b = s[j];
      s[i] = b;
      s[j] = a;
      let word = s[(a + b) & 255];

      i = (i + 1) & 255;
      a = s[i];
      j = (j + a) & 255;
      b = s[j];
      s[i] = b;
      s[j] = a;
      word |= s[(a + b) & 255] << 8;

      i = (i + 1) & 255;
      a = s[i];
      j = (j + a) & 255;
      b = s[j];
      s[i] = b;
      s[j] = a;
      word |= s[(a + b) & 255] << 16;

      i = (i + 1) & 255;
      a = s[i];
      j = (j + a) & 255;
      b = s[j];
      s[i] = b;
      s[j] = a;
      words[k] ^= word | (s[(a + b) & 255] << 24);
    }
    this.#i = i;
    this.#j = j;
  }
}
