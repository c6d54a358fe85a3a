import { aDownload } from '../live/a-download';
import { searchable } from '../ui/searchable';
import { listIds, type Keyed, type ListQuery } from './download-list';

const keyed = (some: Parameters<typeof aDownload>[0]): Keyed => {
  const download = aDownload(some);
  return { key: searchable(download.name), download };
};
const all = [
  keyed({ id: '1', name: 'Zebra', size: 30, eta: 5 }),
  keyed({ id: '2', name: 'Árbol', size: 10, state: 'paused' }),
  keyed({
    id: '3',
    name: 'banana',
    size: 20,
    state: 'seeding',
    eta: 1,
    completedAt: '2026-01-03T00:00:00Z',
  }),
];
const list = (query: Partial<ListQuery>) =>
  listIds(all, {
    filter: 'all',
    since: '2026-01-02T00:00:00Z',
    search: '',
    sort: { column: 'name', order: 'asc' },
    without: new Set(),
    ...query,
  }).join('');

describe('listIds', () => {
  it('sorts names without case and accents', () => {
    expect(list({})).toBe('231');
    expect(list({ sort: { column: 'name', order: 'desc' } })).toBe('132');
  });

  it('sorts figures, the unknown ones last', () => {
    expect(list({ sort: { column: 'size', order: 'asc' } })).toBe('231');
    expect(list({ sort: { column: 'eta', order: 'asc' } })).toBe('312');
  });

  it('filters by state, by words, and leaves out what is leaving', () => {
    expect(list({ filter: 'paused' })).toBe('2');
    expect(list({ filter: 'done' })).toBe('3');
    expect(list({ filter: 'fresh' })).toBe('3');
    expect(list({ search: 'arb' })).toBe('2');
    expect(list({ without: new Set(['2', '3']) })).toBe('1');
  });

  it('sorts ten thousand by name', () => {
    const many = Array.from({ length: 10_000 }, (_, i) =>
      keyed({ id: String(i), name: `file ${(i * 7919) % 10_000}` }),
    );
    const ids = listIds(many, {
      filter: 'all',
      since: '',
      search: '',
      sort: { column: 'name', order: 'asc' },
      without: new Set(),
    });
    expect(ids).toHaveLength(10_000);
    expect(ids[0]).toBe('0');
  });
});
