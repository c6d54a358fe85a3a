/**
 * What the catalogue is searched and sorted by, in memory: words anywhere in name, comment and file
 * paths, by prefix, case and accents folded; names, sizes, dates and seeders in order. Each change
 * gives an entry a new number. Numbers of what is gone stay until its owner makes it all anew, which
 * `isWasteful` asks for.
 */
import { Bits } from './bits';
import { CatalogueFacets } from './catalogue-facets';
import { SortedOrder } from './sorted-order';
import type {
  CatalogueFacetsDto,
  CatalogueFilterDto,
  CatalogueQueryDto,
  CatalogueSort,
} from './tracker.dto';
import type { Entry } from './values';
import { WordIndex } from './word-index';
import { sortable, termsOf, wordsOf } from './words';

export interface Counts {
  readonly seeders: number;
  readonly leechers: number;
  /** When the ring said so, milliseconds; 0: never. */
  readonly at: number;
}

const mostTerms = 4_000;
const mostWords = 16;
/** The order by seeders is made anew when it is asked for and so old, milliseconds. */
const seedersAge = 2_000;
const unknown: Counts = { seeders: 0, leechers: 0, at: 0 };

export class CatalogueMemory {
  private readonly numbers = new Map<string, number>();
  private readonly live = new Bits(1024);
  private readonly words = new WordIndex();
  // Per number.
  private readonly infoHashes: string[] = [];
  private readonly sortNames: string[] = [];
  private readonly sizes: number[] = [];
  private readonly dates: number[] = [];
  private readonly counts: Counts[] = [];
  private readonly facets = new CatalogueFacets(
    (number) => this.counts[number].seeders,
  );
  private bySeeders: { at: number; order: Int32Array } | undefined;
  private readonly orders = {
    name: this.orderOf((a, b) =>
      textOrder(this.sortNames[a], this.sortNames[b]),
    ),
    size: this.orderOf((a, b) => this.sizes[a] - this.sizes[b]),
    date: this.orderOf((a, b) => this.dates[a] - this.dates[b]),
  };

  get size(): number {
    return this.numbers.size;
  }

  get isWasteful(): boolean {
    return this.infoHashes.length > 2 * this.size + 10_000;
  }

  has(infoHash: string): boolean {
    return this.numbers.has(infoHash);
  }

  enter(entry: Entry): void {
    const counts = this.countsOf(entry.infoHash);
    this.drop(entry.infoHash);
    const number = this.infoHashes.length;
    this.infoHashes.push(entry.infoHash);
    this.sortNames.push(sortable(entry.name));
    this.sizes.push(entry.size);
    this.dates.push(entry.publishedAt);
    this.counts.push(counts);
    this.facets.add(entry);
    this.numbers.set(entry.infoHash, number);
    this.live.set(number);
    const text = `${entry.name}\n${entry.comment}\n${entry.paths}`;
    this.words.add(number, termsOf(text, mostTerms));
    for (const order of Object.values(this.orders)) order.add(number);
  }

  drop(infoHash: string): void {
    const number = this.numbers.get(infoHash);
    if (number === undefined) return;
    this.numbers.delete(infoHash);
    this.live.clear(number);
  }

  countsOf(infoHash: string): Counts {
    const number = this.numbers.get(infoHash);
    return number === undefined ? unknown : this.counts[number];
  }

  setCounts(infoHash: string, counts: Counts): void {
    const number = this.numbers.get(infoHash);
    if (number !== undefined) this.counts[number] = counts;
  }

  /** The info-hashes of some entries from the number `from` on, and the number to go on with: 0 after the last. */
  walk(from: number, most: number): { hashes: string[]; next: number } {
    const hashes: string[] = [];
    for (let number = from; number < this.infoHashes.length; number++) {
      if (!this.live.has(number)) continue;
      if (hashes.length === most) return { hashes, next: number };
      hashes.push(this.infoHashes[number]);
    }
    return { hashes, next: 0 };
  }

  /** The info-hashes of a page. */
  search(
    query: CatalogueQueryDto,
    now: number,
  ): { total: number; hashes: string[] } {
    const found = this.find(query);
    const total = found?.count ?? 0;
    const offset = query.offset ?? 0;
    const hashes: string[] = [];
    if (!found || total <= offset) return { total, hashes };
    const sort = query.sort ?? 'date';
    const rises = (query.order ?? (sort === 'name' ? 'asc' : 'desc')) === 'asc';
    const order = this.orderBy(sort, now);
    const most = Math.min(query.limit ?? 100, total - offset);
    let skip = offset;
    for (let i = 0; i < order.length && hashes.length < most; i++) {
      const number = order[rises ? i : order.length - 1 - i];
      if (found.has(number) && skip-- <= 0)
        hashes.push(this.infoHashes[number]);
    }
    return { total, hashes };
  }

  /** How many there are of each kind, publisher and health among what the search finds. */
  count({ search = '', ...filter }: CatalogueFilterDto): CatalogueFacetsDto {
    return this.facets.count(this.match(search) ?? new Bits(0), filter);
  }

  private find({
    search = '',
    ...filter
  }: CatalogueFilterDto): Bits | undefined {
    const found = this.match(search);
    const { kind, publisher, health } = filter;
    if (!found || (kind ?? publisher ?? health) === undefined) return found;
    const narrowed = found.copy();
    this.facets.narrow(narrowed, filter);
    return narrowed;
  }

  /** Every word must begin some word of the entry. Undefined: nothing can match. */
  private match(search: string): Bits | undefined {
    const words = wordsOf(search, mostWords);
    if (words.length === 0) return search.trim() === '' ? this.live : undefined;
    const found = this.words.match(words, this.infoHashes.length);
    found.keepOnly(this.live);
    return found;
  }

  private orderBy(sort: CatalogueSort, now: number): Int32Array {
    if (sort !== 'seeders') return this.orders[sort].read();
    const { bySeeders } = this;
    if (bySeeders && Math.abs(now - bySeeders.at) < seedersAge)
      return bySeeders.order;
    this.bySeeders = { at: now, order: this.orderOfSeeders() };
    return this.bySeeders.order;
  }

  private orderOf(compare: (a: number, b: number) => number): SortedOrder {
    return new SortedOrder(
      (a, b) => compare(a, b) || a - b,
      (number) => this.live.has(number),
    );
  }

  /** Count and number in one float each: sorted without a call per comparison. */
  private orderOfSeeders(): Int32Array {
    const both = new Float64Array(this.size);
    let k = 0;
    for (const number of this.numbers.values())
      both[k++] =
        Math.min(this.counts[number].seeders, 0xfffff) * 2 ** 32 + number;
    return Int32Array.from(both.sort(), (each) => each % 2 ** 32);
  }
}

const textOrder = (a: string, b: string): number =>
  a < b ? -1 : a > b ? 1 : 0;
