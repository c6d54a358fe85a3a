import { fuzz } from './tracker.fuzz';

it('survives changed bytes, and understands many of them', () => {
  const understood = fuzz(4000, 1);
  expect(Object.keys(understood)).toHaveLength(5);
  for (const count of Object.values(understood)) {
    expect(count).toBeGreaterThan(200);
    expect(count).toBeLessThan(4000);
  }
});
