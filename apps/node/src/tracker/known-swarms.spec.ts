import { unpackAnswers } from '@dnd/records';
import { copyAge, glanceAge, KnownSwarms } from './known-swarms';

const hash = (n: number): Buffer => Buffer.alloc(20, n);
const names = (list: readonly Buffer[]): number[] =>
  list.map((bytes) => bytes[0]).sort((x, y) => x - y);
const glanced = (states: Uint8Array): number[] =>
  names(unpackAnswers(states).map(({ swarm }) => Buffer.from(swarm, 'hex')));
const numbers = (seeds: number, leechers: number, completed = 0) => ({
  seeds,
  leechers,
  completed,
});

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

it('has numbers looked at every second and peers when they are old', () => {
  const table = known(1, 2);
  expect(table.dueGlances(10, glanceAge - 1)).toHaveLength(0);
  expect(table.dueCopies(10, glanceAge - 1)).toEqual([]);
  expect(glanced(table.dueGlances(10, glanceAge))).toEqual([1, 2]);
  expect(table.dueGlances(10, glanceAge + 1)).toHaveLength(0);
  table.shared(hash(2));
  table.ask(hash(1), copyAge.shared);
  expect(names(table.dueCopies(10, copyAge.shared))).toEqual([2]);
  expect(names(table.dueCopies(10, copyAge.own))).toEqual([1, 2]);
});

it('has peers asked for when the numbers are news', () => {
  const table = known(1);
  expect(table.answered(hash(1), numbers(0, 1), false, 10)).toBe(false);
  expect(table.answered(hash(1), numbers(1, 1), false, 20)).toBe(true);
  expect(table.answered(hash(1), numbers(1, 1, 1), false, 25)).toBe(true);
  table.stale(hash(1));
  expect(names(table.dueCopies(10, 30))).toEqual([1]);
  expect(table.dueCopies(10, 40)).toEqual([]);
});

it('says what it knows of a swarm when it has it looked at', () => {
  const table = known(1);
  table.answered(hash(1), numbers(2, 3, 4), false, 0);
  const [state] = unpackAnswers(table.dueGlances(10, glanceAge));
  const swarm = hash(1).toString('hex');
  expect(state).toMatchObject({ swarm, ...numbers(2, 3, 4) });
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
  table.dueCopies(10, 130_000);
  expect(table.size).toBe(1);
  expect(table.ask(hash(1), 0)).toBe(false);
  expect(table.ask(hash(2), 0)).toBe(true);
});
