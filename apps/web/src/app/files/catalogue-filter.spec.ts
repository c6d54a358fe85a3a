import { readFilter } from './catalogue-filter';

it('reads what an address says, and leaves out what makes no sense', () => {
  expect(
    readFilter({ kind: 'video', publisher: '4503599627370495', health: 'few' }),
  ).toEqual({ kind: 'video', publisher: 4503599627370495, health: 'few' });
  expect(
    readFilter({ kind: 'cheese', publisher: '-1', health: 'constructor' }),
  ).toEqual({});
  expect(readFilter({})).toEqual({});
});
