import { parseRange } from './file-stream';

it.each([
  ['bytes=0-99', { start: 0, end: 100 }],
  ['bytes=100-', { start: 100, end: 1000 }],
  ['bytes=-10', { start: 990, end: 1000 }],
  ['bytes=-5000', { start: 0, end: 1000 }],
  ['bytes=999-5000', { start: 999, end: 1000 }],
  ['bytes=1000-', undefined],
  ['bytes=5-4', undefined],
  ['bytes=-0', undefined],
  [undefined, 'whole'],
  ['bytes=0-1,5-6', 'whole'],
  ['bytes=-', 'whole'],
  ['lines=1-2', 'whole'],
])('reads the range %s of 1,000 bytes', (header, expected) => {
  expect(parseRange(header, 1000)).toEqual(expected);
});

it('has no range in an empty file', () => {
  expect(parseRange('bytes=0-', 0)).toBe(undefined);
  expect(parseRange('bytes=-1', 0)).toBe(undefined);
});
