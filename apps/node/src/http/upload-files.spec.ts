import { formName, safeParts } from './upload-files';

it.each([
  ['a.txt', ['a.txt']],
  ['folder/sub folder/ñandú 😀.txt', ['folder', 'sub folder', 'ñandú 😀.txt']],
  ['say %22hi%22.txt', ['say "hi".txt']],
  ['x'.repeat(255), ['x'.repeat(255)]],
])('takes the name %j', (name, parts) => {
  expect(safeParts(formName(name))).toEqual(parts);
});

it.each([
  '',
  '/etc/passwd',
  '../up',
  'a/../b',
  'a//b',
  'a/',
  './a',
  'nul\0l',
  'line%0Abreak',
  'x'.repeat(256),
  '😀'.repeat(64),
  Array.from({ length: 101 }, () => 'd').join('/'),
])('refuses the name %j', (name) => {
  expect(() => safeParts(formName(name))).toThrow(
    expect.objectContaining({ code: 'bad-input' }),
  );
});
