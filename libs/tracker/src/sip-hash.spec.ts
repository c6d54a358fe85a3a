import { hashWords, sipHash24 } from './sip-hash';

const key = new Uint32Array([0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c]);

// The first two and the last of the sixteen inputs are the paper's own vectors.
it.each([
  [0, 0x726fdb47, 0xdd0e0e31],
  [1, 0x74f839c5, 0x93dc67fd],
  [8, 0x93f5f579, 0x9a932462],
  [15, 0xa129ca61, 0x49be45e5],
])('hashes the bytes 0 … %i as published', (length, high, low) => {
  const out = new Uint32Array(2);
  const data = Uint8Array.from({ length: 16 }, (_, i) => i);
  sipHash24(key, data, length, out);
  expect([out[1], out[0]]).toEqual([high, low]);
});

it('spreads words that differ in one bit, differently under each key', () => {
  const seen = new Set<number>();
  for (let bit = 0; bit < 160; bit++) {
    const words = new Uint32Array(5);
    words[bit >> 5] = 1 << (bit & 31);
    seen.add(hashWords(1, 2, words, 0)).add(hashWords(2, 2, words, 0));
  }
  expect(seen.size).toBe(320);
});
