import { fuzz } from './tracker.fuzz';

it('survives changed bytes, and understands many of them', () => {
  const understood = fuzz(100_000, 1);
  expect(Object.keys(understood)).toHaveLength(5);
  for (const count of Object.values(understood)) {
    expect(count).toBeGreaterThan(5_000);
    expect(count).toBeLessThan(100_000);
  }
}, 60_000);
