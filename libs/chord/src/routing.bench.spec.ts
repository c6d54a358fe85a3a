import { measureRouting } from './routing.bench';

it('the benchmark runs', () => {
  const { checksum, contacts } = measureRouting(8, 50);
  expect(contacts).toBe(7);
  expect(checksum).toBeGreaterThan(0);
});
