/** Filters and sorts the downloads of a store; pure, and quick for ten thousand of them. */
import type { DownloadDto } from '@dnd/api-client';
import type { Sort } from '../grid/sort';
import { matches } from '../ui/searchable';
import { progressOf, statesOf, type Filter } from './download-words';

export const downloadColumns = [
  'name',
  'size',
  'progress',
  'downloadRate',
  'uploadRate',
  'eta',
  'peers',
  'added',
] as const;
export type DownloadColumn = (typeof downloadColumns)[number];

/** Columns whose order changes by itself, without a change of the list. */
export const moving: ReadonlySet<DownloadColumn> = new Set([
  'progress',
  'downloadRate',
  'uploadRate',
  'eta',
  'peers',
]);

export interface Keyed {
  readonly key: string;
  readonly download: DownloadDto;
}

const figure: Record<
  Exclude<DownloadColumn, 'name' | 'added'>,
  (download: DownloadDto) => number
> = {
  size: ({ size }) => size,
  progress: progressOf,
  downloadRate: ({ downloadRate }) => downloadRate,
  uploadRate: ({ uploadRate }) => uploadRate,
  eta: ({ eta }) => eta ?? Number.MAX_VALUE,
  peers: ({ peers }) => peers,
};

export interface ListQuery {
  readonly filter: Filter;
  /** ISO time of the last visit, for the filter `fresh`. */
  readonly since: string;
  /** Searchable text. */
  readonly search: string;
  readonly sort: Sort<DownloadColumn>;
  /** Downloads to leave out. */
  readonly without: ReadonlySet<string>;
}

/** The ids to show, in order; equal ones keep the order of their names. */
export function listIds(all: Iterable<Keyed>, query: ListQuery): string[] {
  const { search, sort, without } = query;
  const rows: { id: string; key: string; value: number | string }[] = [];
  for (const { key, download } of all) {
    if (!passes(download, query)) continue;
    if (search !== '' && !matches(key, search)) continue;
    if (without.has(download.id)) continue;
    const value =
      sort.column === 'name'
        ? key
        : sort.column === 'added'
          ? download.addedAt
          : figure[sort.column](download);
    rows.push({ id: download.id, key, value });
  }
  const sign = sort.order === 'asc' ? 1 : -1;
  rows.sort((a, b) => {
    if (a.value !== b.value) return a.value < b.value ? -sign : sign;
    return a.key < b.key ? -1 : a.key > b.key ? 1 : a.id < b.id ? -1 : 1;
  });
  return rows.map(({ id }) => id);
}

export function passes(
  download: DownloadDto,
  { filter, since }: Pick<ListQuery, 'filter' | 'since'>,
): boolean {
  if (filter === 'all') return true;
  if (filter === 'fresh') {
    return (download.completedAt ?? download.addedAt) > since;
  }
  return statesOf[filter].includes(download.state);
}
