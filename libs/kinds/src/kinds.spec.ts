import { kindOf, kindOfAll } from './kinds';

it.each([
  ['film.MKV', 'video'],
  ['song.flac', 'audio'],
  ['a.b.pdf', 'document'],
  ['debian.iso', 'archive'],
  ['setup.exe', 'program'],
  ['README', 'other'],
  ['.mp4', 'video'],
  ['folder.mp4/', 'other'],
  ['', 'other'],
])('%j is of the kind %s', (name, kind) => {
  expect(kindOf(name)).toBe(kind);
});

it('takes several files for a folder', () => {
  expect(kindOfAll({ name: 'film.mkv', files: 2 })).toBe('folder');
  expect(kindOfAll({ name: 'film.mkv', files: 1 })).toBe('video');
  expect(kindOfAll({ name: 'nothing.zip', files: 0 })).toBe('archive');
});
