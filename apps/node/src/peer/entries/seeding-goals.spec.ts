import type { SettingsDto } from '../dto/settings.dto';
import type { Entry } from './entry';
import { atGoal } from './seeding-goals';

const minute = 60_000;
const complete = (change: object = {}, uploadedBytes = 0): Entry =>
  ({
    row: { wish: 'run', published: false, completed_at: 0, ...change },
    session: { phase: 'active', uploadedBytes, metainfo: { size: 1000 } },
  }) as unknown as Entry;
const goals = (seedRatio: number, seedMinutes: number): SettingsDto =>
  ({ seedRatio, seedMinutes }) as SettingsDto;
const count = (entry: Entry, set: SettingsDto, now: number): number =>
  atGoal([entry], set, now).length;

it('are none by default: it is seeded for good', () => {
  const entry = complete({}, 1_000_000);
  expect(count(entry, goals(0, 0), 1e12)).toBe(0);
});

it('by what was sent for the size', () => {
  expect(count(complete({}, 1499), goals(1.5, 0), 1e12)).toBe(0);
  expect(count(complete({}, 1500), goals(1.5, 0), 0)).toBe(1);
});

it('by time since it was complete, whichever comes first', () => {
  expect(count(complete(), goals(2, 10), 10 * minute - 1)).toBe(0);
  expect(count(complete(), goals(2, 10), 10 * minute)).toBe(1);
  expect(count(complete({}, 2000), goals(2, 10), 0)).toBe(1);
});

it.each([
  ['what this node published', { published: true }],
  ['what is not complete', { completed_at: null }],
  ['what is paused', { wish: 'pause' }],
])('do not end %s', (_, change) => {
  const entry = complete(change, 10_000);
  expect(count(entry, goals(1, 1), 1e12)).toBe(0);
});
