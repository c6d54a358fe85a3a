/**
 * One ordered view of the catalogue, read from the node page by page as the list is scrolled. A page
 * that came stays until the search, the order or the catalogue changes; then the visible part is
 * read again and the rest forgotten.
 */
import { computed, inject, Injectable, signal } from '@angular/core';
import {
  Api,
  getCatalogueFacets,
  listCatalogue,
  type CatalogueEntryDto,
  type CatalogueFacetsDto,
} from '@dnd/api-client';
import type { CatalogueFilter } from './catalogue-filter';

export type CatalogueColumn = 'name' | 'size' | 'date' | 'seeders';

export interface CatalogueQuery extends CatalogueFilter {
  readonly search: string;
  readonly sort: CatalogueColumn;
  readonly order: 'asc' | 'desc';
}

export type Slot = CatalogueEntryDto | undefined;

/** Entries a request. */
export const pageSize = 100;
/** Places of the list that are kept in memory; the rest of a larger catalogue needs a narrower search. */
export const maxShown = 100_000;

@Injectable()
export class CatalogueView {
  private readonly api = inject(Api);
  private readonly list = signal<readonly Slot[]>([]);
  private readonly all = signal<number | undefined>(undefined);
  private readonly trouble = signal<unknown>(undefined);
  private readonly choices = signal<CatalogueFacetsDto | undefined>(undefined);
  private query: CatalogueQuery | undefined;
  private generation = 0;
  private readonly asked = new Set<number>();
  private range = { start: 0, end: pageSize };

  /** One place an entry; those not read yet are undefined. */
  readonly slots = this.list.asReadonly();
  /** Undefined until the first answer. */
  readonly total = this.all.asReadonly();
  readonly error = this.trouble.asReadonly();
  readonly empty = computed(() => this.all() === 0);
  /** What else the search could be narrowed to; undefined until the first answer. */
  readonly facets = this.choices.asReadonly();

  show(query: CatalogueQuery): Promise<void> {
    this.query = query;
    this.range = { start: 0, end: pageSize };
    return this.refresh();
  }

  /** Reads the visible part again. What is shown stays until the answer is here. */
  refresh(): Promise<void> {
    this.generation++;
    this.asked.clear();
    void this.count();
    return this.read(this.pagesOf(this.range), true);
  }

  /** The list shows the places from `start` up to `end` now. */
  visible(range: { readonly start: number; readonly end: number }): void {
    this.range = range;
    void this.read(
      this.pagesOf(range).filter((page) => !this.asked.has(page)),
      false,
    );
  }

  private async read(pages: readonly number[], fresh: boolean): Promise<void> {
    const { query, generation } = this;
    if (!query || pages.length === 0) return;
    for (const page of pages) this.asked.add(page);
    try {
      const answers = await Promise.all(
        pages.map((page) => this.page(query, page)),
      );
      if (generation !== this.generation) return;
      const total = Math.min(answers[0].total, maxShown);
      const slots = fresh ? [] : this.list().slice(0, total);
      slots.length = total;
      answers.forEach(({ items }, i) => {
        items.forEach((item, j) => {
          const at = pages[i] * pageSize + j;
          if (at < total) slots[at] = item;
        });
      });
      // A node that has just started may find nothing yet of what it keeps.
      const nothingYet = answers[0].reading && total === 0;
      this.all.set(nothingYet ? undefined : answers[0].total);
      this.list.set(slots);
      this.trouble.set(undefined);
    } catch (error) {
      if (generation !== this.generation) return;
      for (const page of pages) this.asked.delete(page);
      this.trouble.set(error);
    }
  }

  private async count(): Promise<void> {
    const { query, generation } = this;
    if (!query) return;
    try {
      const choices = await this.api.invoke(
        getCatalogueFacets,
        parametersOf(query),
      );
      if (generation === this.generation) this.choices.set(choices);
    } catch {
      // The list itself says what is wrong.
    }
  }

  private page(query: CatalogueQuery, page: number) {
    const { sort, order } = query;
    return this.api.invoke(listCatalogue, {
      ...parametersOf(query),
      sort,
      order,
      offset: page * pageSize,
      limit: pageSize,
    });
  }

  private pagesOf(range: { start: number; end: number }): number[] {
    const first = Math.floor(range.start / pageSize);
    const last = Math.floor(Math.max(range.start, range.end - 1) / pageSize);
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  }
}

const parametersOf = ({ search, kind, publisher, health }: CatalogueQuery) => ({
  ...(search ? { search } : {}),
  ...(kind ? { kind } : {}),
  ...(publisher === undefined ? {} : { publisher }),
  ...(health ? { health } : {}),
});
