import {
  CdkFixedSizeVirtualScroll,
  CdkVirtualForOf,
  CdkVirtualScrollViewport,
} from '@angular/cdk/scrolling';
import {
  Component,
  computed,
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
import { FileActions } from '../files/file-actions';
import { Grid, type RowClick, type RowKey } from '../grid/grid';
import { LongPress } from '../grid/long-press';
import { Selection } from '../grid/selection';
import { SortHeader, type Sort } from '../grid/sort-header';
import { Wide } from '../grid/wide';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { Dialogs } from '../shell/dialogs';
import { LastVisit } from '../shell/last-visit';
import { Preferences } from '../shell/preferences';
import { Clock } from '../ui/clock';
import { Empty } from '../ui/empty';
import { Icon } from '../ui/icon';
import { searchable } from '../ui/searchable';
import { throttled } from '../ui/throttled';
import { DownloadActions } from './download-actions';
import {
  downloadColumns,
  listIds,
  moving,
  passes,
  type DownloadColumn,
} from './download-list';
import { DownloadRow } from './download-row';
import { can, filters, isDone, type Act, type Filter } from './download-words';
import { RemoveDownloads } from './remove-downloads';

/** Downloads whose order costs a part of a frame. */
const longList = 1000;

@Component({
  selector: 'app-downloads',
  imports: [
    CdkFixedSizeVirtualScroll,
    CdkVirtualForOf,
    CdkVirtualScrollViewport,
    DownloadRow,
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
    RouterOutlet,
    SortHeader,
    Wide,
  ],
  templateUrl: './downloads.html',
})
export class Downloads {
  private readonly router = inject(Router);
  private readonly preferences = inject(Preferences);
  private readonly clock = inject(Clock);
  private readonly since = inject(LastVisit).at;
  private readonly remover = inject(RemoveDownloads);
  private readonly grid = viewChild(Grid);
  protected readonly store = inject(DownloadStore);
  protected readonly actions = inject(DownloadActions);
  protected readonly files = inject(FileActions);
  protected readonly f = inject(Formats);
  protected readonly dialogs = inject(Dialogs);
  protected readonly t = inject(Language).texts;

  protected readonly filters = filters;
  protected readonly columns = downloadColumns;
  protected readonly search = signal('');
  protected readonly filter = signal<Filter>('all');
  protected readonly sort = signal<Sort<DownloadColumn>>(
    readSort(this.preferences.read('downloads.sort')),
  );
  protected readonly selection = new Selection();
  protected readonly detail = signal(false);
  /** The download that the context menu was opened on. */
  protected readonly subject = signal('');

  /** A long list is put in order again once a second at most. */
  private readonly shape = throttled(this.store.shape, () =>
    this.store.size > longList ? 1000 : 0,
  );

  protected readonly counts = computed(() => {
    this.shape();
    const counts = Object.fromEntries(
      filters.map((filter) => [filter, 0]),
    ) as Record<Filter, number>;
    for (const { download } of this.store.values()) {
      for (const filter of filters) {
        if (passes(download, { filter, since: this.since })) counts[filter]++;
      }
    }
    return counts;
  });

  protected readonly ids = computed(() => {
    const sort = this.sort();
    this.shape();
    // Rows that overtake each other all the time cannot be read: every 2 s is enough.
    if (moving.has(sort.column)) this.clock.soon();
    const query = {
      filter: this.filter(),
      since: this.since,
      search: searchable(this.search().trim()),
      sort,
      without: this.actions.leaving(),
    };
    return untracked(() => listIds(this.store.values(), query));
  });

  /** What an action from the menu is about: the selection if the row belongs to it, else the row. */
  protected readonly targets = computed(() => {
    const id = this.subject();
    return this.selection.has(id) ? this.selection.ids() : [id];
  });

  constructor() {
    effect(() => {
      this.store.shape();
      untracked(() =>
        this.selection.keep((id) => this.store.signal(id) !== undefined),
      );
    });
  }

  protected readonly identity = (_: number, id: string): string => id;

  protected label(column: DownloadColumn): string {
    return this.t().downloads[column];
  }

  protected sortBy(column: DownloadColumn): void {
    const { column: now, order } = this.sort();
    const natural = column === 'name' || column === 'eta' ? 'asc' : 'desc';
    const other = order === 'asc' ? 'desc' : 'asc';
    const next = { column, order: now === column ? other : natural } as const;
    this.sort.set(next);
    this.preferences.write('downloads.sort', `${next.column} ${next.order}`);
  }

  protected can(act: Act, ids: readonly string[]): boolean {
    return ids.some((id) => {
      const download = this.store.find(id);
      return download !== undefined && can(act, download);
    });
  }

  protected canOpen(id: string): boolean {
    const download = this.store.find(id);
    return download !== undefined && (isDone(download) || download.size > 0);
  }

  protected onMenu(row: number): void {
    this.subject.set(this.ids()[row] ?? '');
  }

  protected onClick({ row, event }: RowClick): void {
    const id = this.ids()[row];
    if (id === undefined) return;
    if (!this.selection.click(event, this.ids(), id)) this.open(id);
  }

  protected open(id: string | undefined): void {
    if (id === undefined) return;
    this.selection.start(id);
    void this.router.navigate(['/downloads', id]);
  }

  protected onKey({ row, event }: RowKey): void {
    const id = this.ids()[row];
    if (id === undefined || event.ctrlKey || event.metaKey) return;
    const ids = this.selection.has(id) ? this.selection.ids() : [id];
    if (event.key === 'Escape') {
      if (this.selection.count() === 0) return;
      this.selection.clear();
    } else if (event.key === 'Delete') void this.remove(ids);
    else if (event.key === 'p') {
      const pause = this.can('pause', ids);
      void (pause ? this.actions.pause(ids) : this.actions.resume(ids));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  protected async remove(ids: readonly string[]): Promise<void> {
    await this.remover.ask(ids);
    this.refocus();
  }

  protected extend(row: number): void {
    const id = this.ids()[row];
    if (id) this.selection.extend(this.ids(), id);
  }

  protected toggle(row: number): void {
    const id = this.ids()[row];
    if (id) this.selection.toggle(id);
  }

  protected tab(row: number, cell: number): 0 | -1 {
    return this.grid()?.tab(row, cell) ?? -1;
  }

  protected refocus(): void {
    this.grid()?.focusActive();
  }
}

function readSort(stored = ''): Sort<DownloadColumn> {
  const [name, order] = stored.split(' ');
  const column = downloadColumns.find((known) => known === name);
  return column
    ? { column, order: order === 'asc' ? 'asc' : 'desc' }
    : { column: 'added', order: 'desc' };
}
