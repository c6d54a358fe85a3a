import { AnswerMeter } from './answer-meter';
import { decodeLoad, encodeLoad } from './load';

it('tells percentiles within a quarter, and forgets', () => {
  const meter = new AnswerMeter();
  expect(meter.percentile(0.99)).toBe(0);
  for (let i = 1; i <= 1000; i++) meter.add(i / 100);
  meter.everySecond();
  expect(meter.percentile(0.5) / 5).toBeGreaterThanOrEqual(0.99);
  expect(meter.percentile(0.5) / 5).toBeLessThanOrEqual(1.26);
  expect(meter.percentile(0.99) / 9.9).toBeLessThanOrEqual(1.26);
  for (let i = 0; i < 1000; i++) meter.everySecond();
  expect(meter.percentile(0.5)).toBe(0);
  meter.add(1e12);
  expect(meter.percentile(1)).toBeLessThan(Infinity);
});

it('brings a load across in 20 bytes', () => {
  const load = {
    announcesPerSecond: 1,
    swarms: 2,
    peers: 3,
    seeds: 4,
    errorsPerMinute: 5,
  };
  expect(encodeLoad(load)).toHaveLength(20);
  expect(decodeLoad(encodeLoad(load))).toEqual(load);
  expect(decodeLoad(encodeLoad({ ...load, peers: 2 ** 40 })).peers).toBe(
    2 ** 32 - 1,
  );
});
