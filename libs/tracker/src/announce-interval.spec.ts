import { announceInterval } from './announce-interval';

it.each([
  [0, 120],
  [60_000, 120],
  [900_000, 900],
  [90_000_000, 3600],
])('bids %i peers come back after %i s', (peers, interval) => {
  expect(announceInterval(peers, 1000, 120, 3600)).toBe(interval);
});
