import { Catalogue } from './catalogue';
import { cataloguePlace } from './places';
import type { Entry } from './values';

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

const names = (catalogue: Catalogue, search: string): string[] =>
  catalogue.search({ search, sort: 'name' }).items.map(({ name }) => name);

let catalogue: Catalogue;
beforeEach(() => {
  catalogue = new Catalogue(':memory:');
  const entries = [
    entry('a', 'Película de verano.mkv', { size: 3, publishedAt: 3 }),
    entry('b', 'chapter 10.pdf', {
      size: 2,
      comment: 'Physics lecture',
      publishedAt: 2,
    }),
    entry('c', 'chapter 9.pdf', {
      size: 1,
      paths: 'extras/Übung.txt',
      publishedAt: 1,
    }),
  ];
  for (const each of entries)
    catalogue.add(cataloguePlace(each.infoHash), each);
});
afterEach(() => catalogue.close());

it.each([
  ['pelicula', ['Película de verano.mkv']],
  ['VERANO pel', ['Película de verano.mkv']],
  ['phys', ['chapter 10.pdf']],
  ['ubung', ['chapter 9.pdf']],
  ['chapter pdf', ['chapter 9.pdf', 'chapter 10.pdf']],
  ['absent', []],
  ['"; DROP TABLE entry; --', []],
  ['* OR NEAR(', []],
])('finds by the words %j', (search, expected) => {
  expect(names(catalogue, search)).toEqual(expected);
});

it('lists everything for no words, sorted and paged', () => {
  const page = (
    sort: 'name' | 'size' | 'date',
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
  expect(catalogue.search({ limit: 1 }).total).toBe(3);
});

it('follows what the ring says of a place', () => {
  const place = cataloguePlace('a'.repeat(40));
  const version = catalogue.version;
  catalogue.apply(place, 'v2', {
    entries: [entry('a', 'New name.mkv')],
    deleted: [],
    complete: false,
  });
  expect(names(catalogue, 'new')).toEqual(['New name.mkv']);
  expect(names(catalogue, 'pelicula')).toEqual([]);
  catalogue.apply(place, 'v3', { entries: [], deleted: [], complete: true });
  expect(catalogue.get('a'.repeat(40))).toBe(undefined);
  expect(names(catalogue, '')).toHaveLength(2);
  catalogue.apply(cataloguePlace('b'.repeat(40)), 'v4', {
    entries: [],
    deleted: ['b'.repeat(40)],
    complete: false,
  });
  expect(names(catalogue, 'physics')).toEqual([]);
  expect(catalogue.versions().get(place)).toBe('v3');
  expect(catalogue.version).toBeGreaterThan(version);
});
