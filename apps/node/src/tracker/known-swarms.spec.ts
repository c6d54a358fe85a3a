import { copyAge, glanceAge, KnownSwarms } from './known-swarms';

const hash = (n: number): Buffer => Buffer.alloc(20, n);
const names = (list: readonly Buffer[]): number[] =>
  list.map((bytes) => bytes[0]).sort((x, y) => x - y);

function known(...swarms: number[]): KnownSwarms {
  const table = new KnownSwarms(Uint32Array.of(3, 4));
  for (const n of swarms) table.answered(hash(n), 0, 1, true, 0);
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
  expect(table.due(10, 10, glanceAge - 1)).toEqual({ glances: [], copies: [] });
  expect(names(table.due(10, 10, glanceAge).glances)).toEqual([1, 2]);
  expect(table.due(10, 10, glanceAge + 1).glances).toEqual([]);
  table.shared(hash(2));
  table.ask(hash(1), copyAge.shared);
  expect(names(table.due(10, 10, copyAge.shared).copies)).toEqual([2]);
  expect(names(table.due(10, 10, copyAge.own).copies)).toEqual([1, 2]);
});

it('has peers asked for when the numbers are news', () => {
  const table = known(1);
  expect(table.answered(hash(1), 0, 1, false, 10)).toBe(false);
  expect(table.answered(hash(1), 1, 1, false, 20)).toBe(true);
  table.stale(hash(1));
  expect(names(table.due(10, 10, 30).copies)).toEqual([1]);
  expect(table.due(10, 10, 40).copies).toEqual([]);
});

it('goes round when more is due than may be asked at once', () => {
  const table = known(...Array.from({ length: 50 }, (_, i) => i));
  const seen = new Set<number>();
  for (let i = 0; i < 5; i++)
    for (const n of names(table.due(10, 10, glanceAge).glances)) seen.add(n);
  expect(seen.size).toBe(50);
});

it('forgets what nobody asks for', () => {
  const table = known(1, 2);
  table.ask(hash(2), 100_000);
  table.due(0, 0, 130_000);
  expect(table.size).toBe(1);
  expect(table.ask(hash(1), 0)).toBe(false);
  expect(table.ask(hash(2), 0)).toBe(true);
});
