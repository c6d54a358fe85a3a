/**
 * Two keyed hashes that a stranger cannot predict: SipHash-2-4 (64 bits, for connection ids that
 * prove an address) and HalfSipHash-1-3 (32 bits, to spread info-hashes over a table whose slots
 * nobody can aim at). Both work on 32-bit halves and allocate nothing. Source: Aumasson and
 * Bernstein, "SipHash: a fast short-input PRF".
 */

/** SipHash-2-4 of the first `length` bytes of `data` under a key of four little-endian words; `out` gets the low and the high half. */
export function sipHash24(
  key: Uint32Array,
  data: Uint8Array,
  length: number,
  out: Uint32Array,
): void {
  let v0l = 0x70736575 ^ key[0];
  let v0h = 0x736f6d65 ^ key[1];
  let v1l = 0x6e646f6d ^ key[2];
  let v1h = 0x646f7261 ^ key[3];
  let v2l = 0x6e657261 ^ key[0];
  let v2h = 0x6c796765 ^ key[1];
  let v3l = 0x79746573 ^ key[2];
  let v3h = 0x74656462 ^ key[3];
  const blocks = (length >> 3) + 1;
  for (let block = 0; block <= blocks; block++) {
    const at = block << 3;
    let ml = 0;
    let mh = 0;
    let rounds = 2;
    if (block < blocks - 1) {
      ml = wordAt(data, at, at + 4);
      mh = wordAt(data, at + 4, at + 8);
    } else if (block < blocks) {
      ml = wordAt(data, at, length);
      mh = wordAt(data, at + 4, length) | (length << 24);
    } else {
      v2l ^= 0xff;
      rounds = 4;
    }
    v3l ^= ml;
    v3h ^= mh;
    for (let r = 0; r < rounds; r++) {
      let low = (v0l >>> 0) + (v1l >>> 0);
      v0h = (v0h + v1h + (low > 0xffffffff ? 1 : 0)) | 0;
      v0l = low | 0;
      let t = (v1l << 13) | (v1h >>> 19);
      v1h = (v1h << 13) | (v1l >>> 19);
      v1l = t ^ v0l;
      v1h ^= v0h;
      t = v0l;
      v0l = v0h;
      v0h = t;
      low = (v2l >>> 0) + (v3l >>> 0);
      v2h = (v2h + v3h + (low > 0xffffffff ? 1 : 0)) | 0;
      v2l = low | 0;
      t = (v3l << 16) | (v3h >>> 16);
      v3h = (v3h << 16) | (v3l >>> 16);
      v3l = t ^ v2l;
      v3h ^= v2h;
      low = (v0l >>> 0) + (v3l >>> 0);
      v0h = (v0h + v3h + (low > 0xffffffff ? 1 : 0)) | 0;
      v0l = low | 0;
      t = (v3l << 21) | (v3h >>> 11);
      v3h = (v3h << 21) | (v3l >>> 11);
      v3l = t ^ v0l;
      v3h ^= v0h;
      low = (v2l >>> 0) + (v1l >>> 0);
      v2h = (v2h + v1h + (low > 0xffffffff ? 1 : 0)) | 0;
      v2l = low | 0;
      t = (v1l << 17) | (v1h >>> 15);
      v1h = (v1h << 17) | (v1l >>> 15);
      v1l = t ^ v2l;
      v1h ^= v2h;
      t = v2l;
      v2l = v2h;
      v2h = t;
    }
    v0l ^= ml;
    v0h ^= mh;
  }
  out[0] = v0l ^ v1l ^ v2l ^ v3l;
  out[1] = v0h ^ v1h ^ v2h ^ v3h;
}

/** Up to four bytes at `at`, little-endian, none past `end`. */
function wordAt(data: Uint8Array, at: number, end: number): number {
  let word = 0;
  for (let i = 0; i < 4 && at + i < end; i++) word |= data[at + i] << (8 * i);
  return word;
}

/** HalfSipHash-1-3 of five words (an info-hash) under a key of two words: an unsigned 32-bit number. */
export function hashWords(
  k0: number,
  k1: number,
  words: Uint32Array,
  at: number,
): number {
  let v0 = k0;
  let v1 = k1;
  let v2 = 0x6c796765 ^ k0;
  let v3 = 0x74656462 ^ k1;
  for (let i = 0; i < 9; i++) {
    const m = i < 5 ? words[at + i] : i === 5 ? 20 << 24 : 0;
    if (i === 6) v2 ^= 0xff;
    v3 ^= m;
    v0 = (v0 + v1) | 0;
    v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0;
    v0 = (v0 << 16) | (v0 >>> 16);
    v2 = (v2 + v3) | 0;
    v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2;
    v0 = (v0 + v3) | 0;
    v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0;
    v2 = (v2 + v1) | 0;
    v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2;
    v2 = (v2 << 16) | (v2 >>> 16);
    v0 ^= m;
  }
  return (v1 ^ v3) >>> 0;
}
