import {
  CdkFixedSizeVirtualScroll,
  CdkVirtualForOf,
  CdkVirtualScrollViewport,
} from '@angular/cdk/scrolling';
import { Component, computed, inject, signal, viewChild } from '@angular/core';
import { MatButton, MatIconButton } from '@angular/material/button';
import {
  MatContextMenuTrigger,
  MatMenu,
  MatMenuItem,
} from '@angular/material/menu';
import { MatProgressBar } from '@angular/material/progress-bar';
import { Router, RouterLink } from '@angular/router';
import { Api, withdraw, type LibraryItemDto } from '@dnd/api-client';
import { ratioOf } from '../downloads/download-words';
import { RemoveDownloads } from '../downloads/remove-downloads';
import { FileActions } from '../files/file-actions';
import { Grid, type RowClick } from '../grid/grid';
import { LongPress } from '../grid/long-press';
import { SortHeader, type Sort } from '../grid/sort-header';
import { Wide } from '../grid/wide';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { problemText } from '../session/problem';
import { Dialogs } from '../shell/dialogs';
import { Notices } from '../shell/notices';
import { Clock } from '../ui/clock';
import { Empty } from '../ui/empty';
import { Icon } from '../ui/icon';
import { kindIcons, kindOfAll, kinds, type Kind } from '../ui/kinds';
import { matches, searchable } from '../ui/searchable';
import { LibraryStore } from './library-store';

type Column = 'name' | 'size' | 'uploaded' | 'date';
type Origin = 'all' | 'published' | 'downloaded';

const value: Record<Column, (item: LibraryItemDto) => string | number> = {
  name: ({ name }) => searchable(name),
  size: ({ size }) => size,
  uploaded: ({ uploadedBytes }) => uploadedBytes,
  date: ({ completedAt, addedAt }) => completedAt ?? addedAt,
};

@Component({
  selector: 'app-library',
  imports: [
    CdkFixedSizeVirtualScroll,
    CdkVirtualForOf,
    CdkVirtualScrollViewport,
    Empty,
    Grid,
    Icon,
    LongPress,
    MatButton,
    MatContextMenuTrigger,
    MatIconButton,
    MatMenu,
    MatMenuItem,
    MatProgressBar,
    RouterLink,
    SortHeader,
    Wide,
  ],
  providers: [LibraryStore],
  templateUrl: './library.html',
})
export class Library {
  private readonly api = inject(Api);
  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  private readonly remover = inject(RemoveDownloads);
  private readonly router = inject(Router);
  private readonly grid = viewChild(Grid);
  protected readonly store = inject(LibraryStore);
  protected readonly actions = inject(FileActions);
  protected readonly clock = inject(Clock);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;

  protected readonly origins: readonly Origin[] = [
    'all',
    'published',
    'downloaded',
  ];
  protected readonly search = signal('');
  protected readonly origin = signal<Origin>('all');
  protected readonly kind = signal<Kind | 'all'>('all');
  protected readonly sort = signal<Sort<Column>>({
    column: 'date',
    order: 'desc',
  });
  protected readonly subject = signal<LibraryItemDto | undefined>(undefined);
  protected readonly ratioOf = ratioOf;

  protected readonly problem = computed(() => {
    const error = this.store.error();
    return error === undefined ? '' : problemText(error, this.t());
  });
  /** Kinds there are something of, in their usual order. */
  protected readonly present = computed(() => {
    const present = new Set((this.store.items() ?? []).map(kindOfAll));
    return kinds.filter((kind) => present.has(kind));
  });
  protected readonly items = computed(() => {
    const wanted = searchable(this.search().trim());
    const { column, order } = this.sort();
    const sign = order === 'asc' ? 1 : -1;
    return (this.store.items() ?? [])
      .filter(
        (item) =>
          this.origin() === 'all' ||
          item.published === (this.origin() === 'published'),
      )
      .filter(
        (item) => this.kind() === 'all' || kindOfAll(item) === this.kind(),
      )
      .filter(({ name }) => wanted === '' || matches(searchable(name), wanted))
      .map((item) => ({ item, key: value[column](item) }))
      .sort((a, b) => (a.key < b.key ? -sign : a.key > b.key ? sign : 0))
      .map(({ item }) => item);
  });
  protected readonly order = computed(() =>
    this.items().map(({ infoHash }) => infoHash),
  );

  protected readonly identity = (_: number, item: LibraryItemDto): string =>
    item.infoHash;
  protected readonly iconOf = (item: LibraryItemDto) =>
    kindIcons[kindOfAll(item)];

  protected sortBy(column: Column): void {
    const { column: now, order } = this.sort();
    const natural = column === 'name' ? 'asc' : 'desc';
    const other = order === 'asc' ? 'desc' : 'asc';
    this.sort.set({ column, order: now === column ? other : natural });
  }

  protected onMenu(row: number): void {
    this.subject.set(this.items()[row]);
  }

  protected onClick({ row }: RowClick): void {
    this.open(this.items()[row]);
  }

  protected open(item: LibraryItemDto | undefined): void {
    if (item) void this.actions.openFile(item.infoHash, undefined);
  }

  protected details(item: LibraryItemDto): void {
    void this.router.navigate(['/downloads', item.infoHash]);
  }

  protected async withdraw({ infoHash, name }: LibraryItemDto): Promise<void> {
    const words = this.t().library;
    const answer = await this.dialogs.ask({
      title: words.withdrawTitle,
      text: words.withdrawText(name),
      answers: [{ value: 'yes', label: words.withdrawAction, danger: true }],
    });
    if (!answer) return;
    try {
      await this.api.invoke(withdraw, { infoHash });
      this.notices.say(words.withdrawn(name));
      await this.store.load();
    } catch (error) {
      this.notices.fail(error);
    }
  }

  protected async remove({ infoHash }: LibraryItemDto): Promise<void> {
    if (await this.remover.ask([infoHash])) await this.store.load();
  }

  protected tab(row: number, cell: number): 0 | -1 {
    return this.grid()?.tab(row, cell) ?? -1;
  }

  protected openMenu(event: Event): void {
    this.grid()?.openMenu(event.currentTarget as HTMLElement);
  }

  protected refocus(): void {
    this.grid()?.focusActive();
  }
}
