import { freshness, type HeardBeacon } from './beacon';
import { Replays } from './replays';

const told = (port: number, sentAt: number): HeardBeacon => ({
  beacon: {
    node: { id: 'ab'.repeat(20), host: '10.0.0.1', port, incarnation: 1 },
    state: 'member',
  },
  seamPort: 0,
  sentAt,
});

it('takes each beacon of a node once, and none from before it', () => {
  const replays = new Replays();
  expect(replays.isNew(told(1, 1_000), 5_000)).toBe(true);
  expect(replays.isNew(told(1, 1_000), 5_001)).toBe(false);
  expect(replays.isNew(told(1, 999), 5_002)).toBe(false);
  expect(replays.isNew(told(1, 1_001), 5_003)).toBe(true);
  expect(replays.isNew(told(2, 7), 5_004)).toBe(true);
});

it('hears a node again whose clock was set back, when old beacons are refused by their age', () => {
  const replays = new Replays();
  expect(replays.isNew(told(1, 900_000), 0)).toBe(true);
  expect(replays.isNew(told(1, 1_000), freshness)).toBe(false);
  expect(replays.isNew(told(1, 2_000), 2 * freshness)).toBe(true);
});

it('remembers a bounded number of nodes', () => {
  const replays = new Replays();
  for (let port = 0; port < 5_000; port++) replays.isNew(told(port, 1), 1);
  expect(replays.isNew(told(4_999, 1), 2)).toBe(false);
  expect(replays.isNew(told(0, 1), 2)).toBe(true);
});
