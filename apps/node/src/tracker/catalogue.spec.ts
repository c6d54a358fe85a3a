import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { Catalogue, type CatalogueItem } from './catalogue';
import { cataloguePlace } from './places';
import type { CatalogueFilterDto } from './tracker.dto';
import { encodeEntry, type Entry } from './values';
import { fold, sortable, termsOf } from './words';

const entry = (
  first: string,
  name: string,
  more: Partial<Entry> = {},
): Entry => ({
  infoHash: first.repeat(40).slice(0, 40),
  name,
  size: 100,
  files: 1,
  comment: '',
  private: false,
  publisherId: 7,
  publisherName: 'ana',
  publishedAt: 1000,
  paths: '',
  ...more,
});
const itemOf = (each: Entry): CatalogueItem => ({
  item: each.infoHash,
  value: encodeEntry(each),
});
const enter = (catalogue: Catalogue, ...entries: Entry[]): void => {
  for (const each of entries)
    catalogue.apply(cataloguePlace(each.infoHash), [itemOf(each)]);
};
const names = (catalogue: Catalogue, search: string): string[] =>
  catalogue.search({ search, sort: 'name' }).items.map(({ name }) => name);
const here = (): Promise<void> => Promise.resolve();

let catalogue: Catalogue;
beforeEach(() => {
  catalogue = new Catalogue(':memory:');
  enter(
    catalogue,
    entry('a', 'Película de verano.mkv', { size: 3, publishedAt: 3 }),
    entry('b', 'chapter 10.pdf', {
      size: 2,
      comment: 'Physics lecture',
      publishedAt: 2,
    }),
    entry('c', 'chapter 9.pdf', {
      size: 1,
      paths: 'extras/Übung.txt\n東京物語/第一章.txt',
      publishedAt: 1,
    }),
  );
});
afterEach(() => catalogue.close());

it.each([
  ['pelicula', ['Película de verano.mkv']],
  ['VERANO pel', ['Película de verano.mkv']],
  ['phys', ['chapter 10.pdf']],
  ['ubung', ['chapter 9.pdf']],
  ['物語', ['chapter 9.pdf']],
  ['chapter pdf', ['chapter 9.pdf', 'chapter 10.pdf']],
  ['ch p', ['chapter 9.pdf', 'chapter 10.pdf']],
  ['absent', []],
  ['chapter absent', []],
  ['"; DROP TABLE entry; --', []],
  ['* OR NEAR(', []],
  ['!?', []],
  ['  ', ['chapter 9.pdf', 'chapter 10.pdf', 'Película de verano.mkv']],
])('finds by the words %j', (search, expected) => {
  expect(names(catalogue, search)).toEqual(expected);
});

it('folds what people do not tell apart', () => {
  expect(fold('Ŀøđz ＡＢＣ ﬁn Straße')).toBe('l·odz abc fin strasse');
  expect([...termsOf('a-b_c a.B', 10)]).toEqual(['a', 'b', 'c']);
  expect(termsOf('x '.repeat(9) + 'y', 5).size).toBe(1);
  expect(sortable('Film 9') < sortable('film 10')).toBe(true);
});

it('lists everything for no words, sorted and paged', () => {
  const page = (
    sort: 'name' | 'size' | 'date' | 'seeders',
    order: 'asc' | 'desc',
    offset = 0,
    limit = 9,
  ) =>
    catalogue
      .search({ sort, order, offset, limit })
      .items.map(({ size }) => size);
  expect(page('size', 'asc')).toEqual([1, 2, 3]);
  expect(page('date', 'desc')).toEqual([3, 2, 1]);
  expect(page('name', 'asc')).toEqual([1, 2, 3]);
  expect(page('size', 'asc', 1, 1)).toEqual([2]);
  expect(page('size', 'asc', 5)).toEqual([]);
  catalogue.setCounts('b'.repeat(40), { seeders: 5, leechers: 1, at: 1 });
  catalogue.setCounts('c'.repeat(40), { seeders: 2, leechers: 0, at: 1 });
  expect(page('seeders', 'desc')).toEqual([2, 1, 3]);
  expect(catalogue.search({ limit: 1 })).toMatchObject({ total: 3 });
  expect(catalogue.get('b'.repeat(40))).toMatchObject({ seeders: 5 });
});

it('narrows by kind, publisher and health, and counts what else could be chosen', () => {
  enter(
    catalogue,
    entry('d', 'verano (2020)', {
      files: 3,
      publisherId: 9,
      publisherName: 'zoe',
    }),
  );
  catalogue.setCounts('a'.repeat(40), { seeders: 5, leechers: 0, at: 1 });
  catalogue.setCounts('b'.repeat(40), { seeders: 2, leechers: 0, at: 1 });
  const found = (filter: CatalogueFilterDto): string[] =>
    catalogue
      .search({ ...filter, sort: 'name' })
      .items.map(({ infoHash }) => infoHash[0]);
  expect(found({ kind: 'document' })).toEqual(['c', 'b']);
  expect(found({ kind: 'folder' })).toEqual(['d']);
  expect(found({ publisher: 9 })).toEqual(['d']);
  expect(found({ health: 'few' })).toEqual(['b']);
  expect(found({ health: 'none', publisher: 7 })).toEqual(['c']);
  expect(found({ search: 'verano', kind: 'video' })).toEqual(['a']);
  expect(found({ search: 'verano', kind: 'audio' })).toEqual([]);
  expect(catalogue.search({ kind: 'document', limit: 1 }).total).toBe(2);
  expect(found({})).toHaveLength(4);
  expect(catalogue.count({ publisher: 7 })).toEqual({
    kinds: [
      { kind: 'video', count: 1 },
      { kind: 'document', count: 2 },
    ],
    publishers: [
      { id: 7, name: 'ana', count: 3 },
      { id: 9, name: 'zoe', count: 1 },
    ],
    health: [
      { health: 'none', count: 1 },
      { health: 'few', count: 1 },
      { health: 'good', count: 1 },
    ],
  });
  expect(catalogue.count({ search: '!?' }).publishers).toEqual([]);
  catalogue.apply('x', [{ item: 'd'.repeat(40), value: null }]);
  expect(catalogue.count({}).publishers).toHaveLength(1);
});

it('follows what the ring says of a place', () => {
  const place = cataloguePlace('a'.repeat(40));
  const version = catalogue.version;
  catalogue.setCounts('a'.repeat(40), { seeders: 4, leechers: 1, at: 1 });
  catalogue.apply(place, [itemOf(entry('a', 'New name.mkv'))]);
  catalogue.reached(place, 'v2');
  expect(names(catalogue, 'new')).toEqual(['New name.mkv']);
  expect(names(catalogue, 'pelicula')).toEqual([]);
  expect(catalogue.get('a'.repeat(40))?.seeders).toBe(4);
  catalogue.keepOnly(place, []);
  expect(catalogue.get('a'.repeat(40))).toBe(undefined);
  expect(names(catalogue, '')).toHaveLength(2);
  catalogue.apply('x', [{ item: 'b'.repeat(40), value: null }]);
  expect(names(catalogue, 'physics')).toEqual([]);
  expect(catalogue.versions().get(place)).toBe('v2');
  expect(catalogue.version).toBeGreaterThan(version);
});

it('leaves out what is malformed or says that it is something else', () => {
  const item = 'd'.repeat(40);
  catalogue.apply('x', [
    { item, value: Uint8Array.of(0xc1) },
    { item, value: encodeEntry(entry('e', 'other')) },
    itemOf(entry('f', 'good')),
  ]);
  expect(names(catalogue, '')).toHaveLength(4);
  expect(catalogue.get(item)).toBe(undefined);
});

it('is made anew from what is kept, with what changes meanwhile', async () => {
  const hash = (i: number): string => i.toString(16).padStart(40, '0');
  for (let i = 0; i < 300; i++)
    enter(catalogue, { ...entry('0', `file ${i}`), infoHash: hash(i) });
  let pauses = 0;
  await catalogue.load(() => {
    if (pauses++ === 0) {
      enter(catalogue, { ...entry('0', 'changed'), infoHash: hash(3) });
      catalogue.apply('x', [{ item: hash(4), value: null }]);
      enter(catalogue, { ...entry('0', 'brand new'), infoHash: hash(999) });
    }
    return here();
  });
  expect(pauses).toBeGreaterThan(1);
  expect(catalogue.size).toBe(303);
  expect(names(catalogue, 'changed')).toEqual(['changed']);
  expect(names(catalogue, 'brand')).toEqual(['brand new']);
  expect(catalogue.get(hash(4))).toBe(undefined);
});

it('finds what has been read in so far, and gives any entry whole', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'catalogue-'));
  mkdirSync(join(folder, '.node'));
  const hash = (i: number): string => i.toString(16).padStart(40, '0');
  const kept = new Catalogue(folder);
  for (let i = 0; i < 300; i++)
    enter(kept, { ...entry('0', `file ${i}`), infoHash: hash(i) });
  kept.close();
  const started = new Catalogue(folder);
  const found: number[] = [];
  const versions = new Set<number>();
  await started.load(() => {
    found.push(started.search({ search: 'file' }).total);
    versions.add(started.version);
    expect(started.get(hash(299))?.name).toBe('file 299');
    enter(started, { ...entry('0', 'file changed'), infoHash: hash(7) });
    return here();
  });
  expect(found).toEqual([100, 200, 300]);
  expect(versions.size).toBe(3);
  expect(started.size).toBe(300);
  expect(names(started, 'changed')).toEqual(['file changed']);
  started.close();
  rmSync(folder, { recursive: true });
});

it('finds and orders as a plain list does, whatever comes and goes', () => {
  const step = fc.record({
    n: fc.integer({ min: 0, max: 15 }),
    words: fc.option(
      fc.array(fc.constantFrom('ab', 'abc', 'b', 'bd', 'cd'), { maxLength: 3 }),
    ),
    size: fc.integer({ min: 0, max: 5 }),
  });
  const search = fc.constantFrom('', 'a', 'ab', 'b a', 'cd b', 'abc');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), search, (steps, text) => {
      const index = new Catalogue(':memory:');
      const model = new Map<string, Entry>();
      for (const { n, words, size } of steps) {
        const infoHash = n.toString(16).repeat(40);
        if (words) {
          const each = { ...entry('0', words.join(' '), { size }), infoHash };
          enter(index, each);
          model.set(infoHash, each);
        } else {
          index.apply('x', [{ item: infoHash, value: null }]);
          model.delete(infoHash);
        }
      }
      const wanted = [...model.values()].filter(({ name }) =>
        text
          .split(' ')
          .every((prefix) => name.split(' ').some((w) => w.startsWith(prefix))),
      );
      const { total, items } = index.search({ search: text, sort: 'size' });
      expect(total).toBe(wanted.length);
      expect(items.map(({ infoHash }) => infoHash).sort()).toEqual(
        wanted.map(({ infoHash }) => infoHash).sort(),
      );
      const sizes = items.map(({ size }) => size);
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      index.close();
    }),
    { numRuns: 60 },
  );
});
