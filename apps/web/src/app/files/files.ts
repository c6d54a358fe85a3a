import {
  CdkFixedSizeVirtualScroll,
  CdkVirtualForOf,
  CdkVirtualScrollViewport,
} from '@angular/cdk/scrolling';
import {
  Component,
  computed,
  DestroyRef,
  effect,
  inject,
  signal,
  untracked,
  viewChild,
} from '@angular/core';
import { MatButton, MatIconButton } from '@angular/material/button';
import {
  MatContextMenuTrigger,
  MatMenu,
  MatMenuItem,
} from '@angular/material/menu';
import { MatProgressBar } from '@angular/material/progress-bar';
import { Router, RouterLink, RouterOutlet } from '@angular/router';
import type { CatalogueEntryDto } from '@dnd/api-client';
import { Grid, type RowClick, type RowKey } from '../grid/grid';
import { LongPress } from '../grid/long-press';
import { Selection } from '../grid/selection';
import { SortHeader } from '../grid/sort-header';
import { Wide } from '../grid/wide';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { CatalogueVersion } from '../live/catalogue-version';
import { DownloadStore } from '../live/download-store';
import { problemText } from '../session/problem';
import { Preferences } from '../shell/preferences';
import { Clock } from '../ui/clock';
import { Empty } from '../ui/empty';
import { Icon } from '../ui/icon';
import { kindIcons, kindOfAll } from '../ui/kinds';
import {
  CatalogueView,
  type CatalogueColumn,
  type CatalogueQuery,
  type Slot,
} from './catalogue-view';
import { FileActions } from './file-actions';
import { FileState } from './file-state';
import { Health } from './health';

/** Milliseconds after the last key until the search is asked. */
const typingPause = 150;
/** Seeders and leechers change without a word: the visible rows are read again this often, ms. */
const freshness = 10_000;
/** Changes of the catalogue are gathered for this long, ms. */
const gathering = 300;

const columns: readonly CatalogueColumn[] = ['name', 'size', 'date', 'seeders'];

@Component({
  selector: 'app-files',
  imports: [
    CdkFixedSizeVirtualScroll,
    CdkVirtualForOf,
    CdkVirtualScrollViewport,
    Empty,
    FileState,
    Grid,
    Health,
    Icon,
    LongPress,
    MatButton,
    MatContextMenuTrigger,
    MatIconButton,
    MatMenu,
    MatMenuItem,
    MatProgressBar,
    RouterLink,
    RouterOutlet,
    SortHeader,
    Wide,
  ],
  providers: [CatalogueView],
  templateUrl: './files.html',
})
export class Files {
  private readonly router = inject(Router);
  private readonly preferences = inject(Preferences);
  private readonly store = inject(DownloadStore);
  private readonly grid = viewChild(Grid);
  protected readonly view = inject(CatalogueView);
  protected readonly actions = inject(FileActions);
  protected readonly clock = inject(Clock);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;

  protected readonly columns = columns;
  protected readonly search = signal('');
  protected readonly sort = signal(
    readSort(this.preferences.read('files.sort')),
  );
  protected readonly selection = new Selection();
  protected readonly detail = signal(false);
  private readonly viewport = viewChild(CdkVirtualScrollViewport);
  /** The entry that the context menu is about. */
  protected readonly subject = signal<CatalogueEntryDto | undefined>(undefined);
  protected readonly problem = computed(() => {
    const error = this.view.error();
    return error === undefined ? '' : problemText(error, this.t());
  });
  private readonly query = computed<CatalogueQuery>(() => ({
    search: this.search().trim(),
    sort: this.sort().column,
    order: this.sort().order,
  }));

  constructor() {
    let first = true;
    effect((onCleanup) => {
      const query = this.query();
      const ask = (): void => void this.view.show(query);
      const timer = setTimeout(ask, first ? 0 : typingPause);
      first = false;
      onCleanup(() => clearTimeout(timer));
    });
    effect((onCleanup) => {
      const seen = this.viewport()?.renderedRangeStream.subscribe((range) =>
        untracked(() => this.view.visible(range)),
      );
      onCleanup(() => seen?.unsubscribe());
    });
    const version = inject(CatalogueVersion);
    effect((onCleanup) => {
      if (version.changes() === 0) return;
      const timer = setTimeout(() => void this.view.refresh(), gathering);
      onCleanup(() => clearTimeout(timer));
    });
    const timer = setInterval(() => {
      if (!document.hidden) void this.view.refresh();
    }, freshness);
    inject(DestroyRef).onDestroy(() => clearInterval(timer));
  }

  protected readonly place = (index: number): number => index;
  protected readonly iconOf = (entry: CatalogueEntryDto) =>
    kindIcons[kindOfAll(entry)];

  protected label(column: CatalogueColumn): string {
    return this.t().files[column];
  }

  protected sortBy(column: CatalogueColumn): void {
    const { column: now, order } = this.sort();
    const natural = column === 'name' ? 'asc' : 'desc';
    const other = order === 'asc' ? 'desc' : 'asc';
    this.setSort(column, now === column ? other : natural);
  }

  protected setSort(column: CatalogueColumn, order: 'asc' | 'desc'): void {
    this.sort.set({ column, order });
    this.preferences.write('files.sort', `${column} ${order}`);
  }

  protected onMenu(row: number): void {
    this.subject.set(this.at(row));
  }

  protected onClick({ row, event }: RowClick): void {
    const entry = this.at(row);
    if (!entry) return;
    if (!this.selection.click(event, this.order(), entry.infoHash)) {
      this.open(entry);
    }
  }

  protected open(entry: Slot): void {
    if (!entry) return;
    this.selection.start(entry.infoHash);
    void this.router.navigate(['/files', entry.infoHash]);
  }

  protected at(row: number): Slot {
    return this.view.slots()[row];
  }

  protected toggle(row: number): void {
    const entry = this.at(row);
    if (entry) this.selection.toggle(entry.infoHash);
  }

  protected extend(row: number): void {
    const entry = this.at(row);
    if (entry) this.selection.extend(this.order(), entry.infoHash);
  }

  protected onKey({ event }: RowKey): void {
    if (event.key === 'Escape') this.selection.clear();
  }

  protected downloadSelected(): void {
    const chosen = this.selection.ids();
    this.selection.clear();
    void this.actions.downloadAll(chosen);
  }

  protected isHere(infoHash: string): boolean {
    return this.store.find(infoHash) !== undefined;
  }

  protected tab(row: number, cell: number): 0 | -1 {
    return this.grid()?.tab(row, cell) ?? -1;
  }

  /** Where the buttons begin among a row's cells. */
  protected actionCell(width: Wide): number {
    if (width.roomy()) return 5;
    return width.wide() ? 4 : 1;
  }

  protected openMenu(event: Event): void {
    this.grid()?.openMenu(event.currentTarget as HTMLElement);
  }

  protected refocus(): void {
    this.grid()?.focusActive();
  }

  /** The entries read so far; a selection reaches over these. */
  protected order(): string[] {
    return untracked(this.view.slots).flatMap((entry) =>
      entry ? [entry.infoHash] : [],
    );
  }
}

function readSort(stored = ''): {
  column: CatalogueColumn;
  order: 'asc' | 'desc';
} {
  const [column, order] = stored.split(' ');
  const known = columns.find((name) => name === column);
  return known
    ? { column: known, order: order === 'asc' ? 'asc' : 'desc' }
    : { column: 'date', order: 'desc' };
}
