import { passEncrypted, rc4, readBlocks, utp, writeBlocks } from './wire.bench';

describe('the benchmarks', () => {
  const BLOCKS = 64;
  const BYTES = BLOCKS * 16_384;

  it.each([
    ['read', readBlocks, BLOCKS + 7],
    ['write', writeBlocks, BYTES + BLOCKS * 13],
    ['encrypted', passEncrypted, BLOCKS + 7],
    ['utp', utp, BYTES],
  ])('do the whole work when tiny: %s', (_name, run, proof) => {
    const result = run(BLOCKS)();
    expect(result.bytes).toBe(BYTES);
    expect(result.proof).toBe(proof);
  });

  it('do the whole work when tiny: rc4', () => {
    expect(rc4(BLOCKS)().bytes).toBe(BYTES);
  });
});
