import fc from 'fast-check';
import { decodeLoad, encodeLoad, noLoad, type Load } from './load';

const count = fc.integer({ min: 0, max: 2 ** 40 });
const load = fc.record<Load>({
  announcesPerSecond: count,
  scrapesPerSecond: count,
  swarms: count,
  peers: count,
  seeds: count,
  p50: fc.double({ min: 0, max: 5_000, noNaN: true }),
  p99: fc.double({ min: 0, max: 5_000, noNaN: true }),
  malformed: count,
  refused: count,
  junk: count,
});

it('fits 20 bytes and comes back within a thousandth, small numbers as they were', () => {
  fc.assert(
    fc.property(load, (each) => {
      const bytes = encodeLoad(each);
      expect(bytes).toHaveLength(20);
      const back = decodeLoad(bytes);
      for (const name of Object.keys(each) as (keyof Load)[]) {
        const unit = name === 'p50' || name === 'p99' ? 0.001 : 1;
        const off = Math.abs(back[name] - each[name]);
        expect(off).toBeLessThanOrEqual(
          Math.max(unit / 2 + 1e-9, each[name] / 1_000),
        );
      }
    }),
  );
  const small = { ...noLoad, peers: 2_047, swarms: 1, announcesPerSecond: 99 };
  expect(decodeLoad(encodeLoad(small))).toEqual(small);
});
