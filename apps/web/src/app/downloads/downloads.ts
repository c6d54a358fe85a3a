import {
  Component,
  computed,
  effect,
  inject,
  signal,
  untracked,
  viewChild,
} from '@angular/core';
import { MatButton } from '@angular/material/button';
import { MatMenu, MatMenuItem } from '@angular/material/menu';
import { Router, RouterLink, RouterOutlet } from '@angular/router';
import { FileActions } from '../files/file-actions';
import { List, type ListColumn, type ListKey } from '../grid/list';
import { ListRow } from '../grid/list-row';
import { Selection } from '../grid/selection';
import { rememberedSort } from '../grid/sort';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { Dialogs } from '../shell/dialogs';
import { LastVisit } from '../shell/last-visit';
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
import {
  can,
  filters,
  isDone,
  statesOf,
  type Act,
  type Filter,
} from './download-words';
import { RemoveDownloads } from './remove-downloads';

/** Downloads whose order costs a part of a frame. */
const longList = 1000;

const sameOrder = {
  equal: (a: readonly string[], b: readonly string[]): boolean =>
    a.length === b.length && a.every((id, i) => id === b[i]),
};

@Component({
  selector: 'app-downloads',
  imports: [
    DownloadRow,
    Empty,
    Icon,
    List,
    ListRow,
    MatButton,
    MatMenu,
    MatMenuItem,
    RouterLink,
    RouterOutlet,
  ],
  templateUrl: './downloads.html',
})
export class Downloads {
  private readonly router = inject(Router);
  private readonly clock = inject(Clock);
  private readonly since = inject(LastVisit).at;
  private readonly remover = inject(RemoveDownloads);
  private readonly list = viewChild(List);
  protected readonly store = inject(DownloadStore);
  protected readonly actions = inject(DownloadActions);
  protected readonly files = inject(FileActions);
  protected readonly f = inject(Formats);
  protected readonly dialogs = inject(Dialogs);
  protected readonly t = inject(Language).texts;

  protected readonly filters = filters;
  protected readonly search = signal('');
  protected readonly filter = signal<Filter>('all');
  protected readonly sort = rememberedSort('downloads.sort', downloadColumns, {
    column: 'added',
    order: 'desc',
  });
  protected readonly columns = computed<ListColumn<DownloadColumn>[]>(() => {
    const words = this.t().downloads;
    return [
      {
        name: 'name',
        label: words.name,
        width: 'minmax(0, 1fr)',
        first: 'asc',
      },
      { name: 'size', label: words.size },
      { name: 'progress', label: words.progress, width: '150px' },
      {
        name: 'downloadRate',
        label: words.downloadRate,
        width: '84px',
        number: true,
      },
      {
        name: 'uploadRate',
        label: words.uploadRate,
        width: '84px',
        number: true,
        roomy: true,
      },
      {
        name: 'eta',
        label: words.eta,
        width: '88px',
        number: true,
        first: 'asc',
      },
      {
        name: 'peers',
        label: words.peers,
        width: '52px',
        number: true,
        roomy: true,
      },
      { name: 'added', label: words.added, width: '96px', number: true },
    ];
  });
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
    const perState = untracked(this.store.counts);
    const query = { filter: 'fresh', since: this.since } as const;
    let fresh = 0;
    for (const { download } of this.store.values())
      if (passes(download, query)) fresh++;
    const count = (filter: Filter): number => {
      if (filter === 'all') return this.store.size;
      if (filter === 'fresh') return fresh;
      const states = statesOf[filter];
      return states.reduce((n, state) => n + (perState.get(state) ?? 0), 0);
    };
    return Object.fromEntries(
      filters.map((filter) => [filter, count(filter)]),
    ) as Record<Filter, number>;
  });

  /** The same list as before where nothing moved: then nothing of it is drawn anew. */
  protected readonly ids = computed<readonly string[]>(() => {
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
  }, sameOrder);

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

  protected readonly identity = (id: string): string => id;
  protected readonly nameOf = (id: string): string =>
    this.store.find(id)?.name ?? '';

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

  protected open(id: string): void {
    void this.router.navigate(['/downloads', id]);
  }

  protected onKey({ row: id, event }: ListKey<string>): void {
    if (event.ctrlKey || event.metaKey) return;
    const ids = this.selection.has(id) ? this.selection.ids() : [id];
    if (event.key === 'Delete') void this.remove(ids);
    else if (event.key === 'p') {
      const pause = this.can('pause', ids);
      void (pause ? this.actions.pause(ids) : this.actions.resume(ids));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  protected async remove(ids: readonly string[]): Promise<void> {
    await this.remover.ask(ids);
    this.list()?.focus();
  }
}
