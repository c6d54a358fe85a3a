import { AnswerMeter } from './answer-meter';

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
