import { unpackAnswers } from '@dnd/records';
import { copyAge, glanceAge, KnownSwarms } from './known-swarms';

const hash = (n: number): Buffer => Buffer.alloc(20, n);
const names = (list: readonly Buffer[]): number[] =>
  list.map((bytes) => bytes[0]).sort((x, y) => x - y);
const glanced = (states: Uint8Array): number[] =>
  names(unpackAnswers(states).map(({ swarm }) => Buffer.from(swarm, 'hex')));
const numbers = (
  seeds: number,
  leechers: number,
  completed = 0,
  print = 0,
) => ({ seeds, leechers, completed, print });

function known(...swarms: number[]): KnownSwarms {
  const table = new KnownSwarms(Uint32Array.of(3, 4));
  for (const n of swarms) table.answered(hash(n), numbers(0, 1), true, 0);
  return table;
}

it('knows what was answered, and only that', () => {
  const table = known(1);
  expect(table.ask(hash(1), 0)).toBe(true);
  expect(table.ask(hash(2), 0)).toBe(false);
  table.missed(hash(2), 0);
  expect(table.ask(hash(2), 0)).toBe(true);
});

it('has numbers looked at again and again, and peers when they are old', () => {
  const table = known(1, 2);
  expect(table.dueGlances(10, glanceAge - 1)).toHaveLength(0);
  expect(table.dueCopies(10, glanceAge - 1, true)).toEqual([]);
  expect(glanced(table.dueGlances(10, glanceAge))).toEqual([1, 2]);
  expect(table.dueGlances(10, glanceAge + 1)).toHaveLength(0);
  table.answered(hash(1), numbers(0, 1), true, 5_000);
  expect(names(table.dueCopies(10, copyAge, true))).toEqual([2]);
  expect(names(table.dueCopies(10, copyAge + 5_000, true))).toEqual([1]);
});

it('tells whether there are more, or others', () => {
  const table = known(1);
  const answered = (...now: Parameters<typeof numbers>) =>
    table.answered(hash(1), numbers(...now), false, 10);
  expect(answered(0, 1)).toBeUndefined();
  expect(answered(1, 1)).toBe('numbers');
  expect(answered(1, 1, 1, 7)).toBe('numbers');
  expect(answered(1, 1, 1, 8)).toBe('peers');
});

it('has peers asked for at once where they are stale, before those that are old', () => {
  const table = known(1, 2, 3);
  for (const n of [3, 2, 3]) table.stale(hash(n));
  expect(names(table.dueCopies(1, copyAge, true))).toEqual([3]);
  table.answered(hash(2), numbers(0, 1), true, copyAge);
  expect(names(table.dueCopies(10, copyAge, true))).toEqual([1]);
  expect(table.dueCopies(10, copyAge + 1, true)).toEqual([]);
});

it('looks at copies that are old and not yet renewed', () => {
  const table = known(1, 2);
  table.stale(hash(2));
  expect(names(table.dueCopies(10, copyAge, false))).toEqual([2]);
  expect(glanced(table.dueGlances(10, copyAge))).toEqual([1]);
  expect(names(table.dueCopies(10, copyAge, true))).toEqual([1]);
});

it('says what it knows of a swarm when it has it looked at', () => {
  const table = known(1);
  table.answered(hash(1), numbers(2, 3, 4), false, 0);
  const [state] = unpackAnswers(table.dueGlances(10, glanceAge));
  const swarm = hash(1).toString('hex');
  expect(state).toMatchObject({ swarm, ...numbers(2, 3, 4) });
});

it('has none looked at that is followed, until that is in doubt', () => {
  const table = known(1, 2);
  table.followed(table.dueGlances(1, glanceAge));
  const due = (now: number) => glanced(table.dueGlances(10, now));
  expect(due(2 * glanceAge)).toEqual([2]);
  expect(due(60_000)).toEqual([2]);
  table.doubt();
  expect(due(60_000 + glanceAge)).toEqual([1, 2]);
});

it('renews copies of what it follows only where others have peers too', () => {
  const table = known(1, 2);
  table.followed(table.dueGlances(10, glanceAge));
  expect(table.dueCopies(10, copyAge, true)).toEqual([]);
  table.shared(hash(2));
  expect(names(table.dueCopies(10, copyAge, true))).toEqual([2]);
  table.stale(hash(1));
  expect(names(table.dueCopies(10, copyAge, true))).toEqual([1]);
  table.doubt();
  expect(names(table.dueCopies(10, 3 * copyAge, true))).toEqual([1, 2]);
});

it('follows only what it knows', () => {
  const table = known(1);
  const states = table.dueGlances(1, glanceAge);
  table.dueCopies(10, 130_000, true);
  expect(table.has(hash(1))).toBe(false);
  table.followed(states);
  expect(table.has(hash(1))).toBe(false);
  table.missed(hash(1), 130_000);
  expect(glanced(table.dueGlances(10, 130_000 + glanceAge))).toEqual([1]);
});

it('goes round when more is due than may be asked at once', () => {
  const table = known(...Array.from({ length: 50 }, (_, i) => i));
  const seen = new Set<number>();
  for (let i = 0; i < 5; i++)
    for (const n of glanced(table.dueGlances(10, glanceAge))) seen.add(n);
  expect(seen.size).toBe(50);
});

it('forgets what nobody asks for', () => {
  const table = known(1, 2);
  table.ask(hash(2), 100_000);
  table.dueCopies(10, 130_000, true);
  expect(table.size).toBe(1);
  expect(table.ask(hash(1), 0)).toBe(false);
  expect(table.ask(hash(2), 0)).toBe(true);
});
