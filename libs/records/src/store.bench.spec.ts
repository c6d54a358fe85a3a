import { measureStore } from './store.bench';

it('the benchmark runs, and an idle round asks each neighbour once', () => {
  const figures = measureStore(300, 3);
  expect(figures.requests).toBeGreaterThanOrEqual(2);
  expect(figures.requests).toBeLessThan(4);
  expect(figures.roundMs).toBeGreaterThanOrEqual(0);
});
