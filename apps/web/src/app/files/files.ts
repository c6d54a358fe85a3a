import {
  Component,
  computed,
  DestroyRef,
  effect,
  inject,
  input,
  signal,
} from '@angular/core';
import { MatButton } from '@angular/material/button';
import { MatMenu, MatMenuItem } from '@angular/material/menu';
import { Router, RouterLink, RouterOutlet } from '@angular/router';
import { kindOfAll } from '@dnd/kinds';
import { List, type ListColumn } from '../grid/list';
import { ListRow } from '../grid/list-row';
import { Selection } from '../grid/selection';
import { rememberedSort } from '../grid/sort';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { CatalogueVersion } from '../live/catalogue-version';
import { DownloadStore } from '../live/download-store';
import { problemText } from '../session/problem';
import { Clock } from '../ui/clock';
import { Empty } from '../ui/empty';
import { Icon } from '../ui/icon';
import { KindIcon } from '../ui/kind-icon';
import { healths, readFilter, type CatalogueFilter } from './catalogue-filter';
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
    Empty,
    FileState,
    Health,
    Icon,
    KindIcon,
    List,
    ListRow,
    MatButton,
    MatMenu,
    MatMenuItem,
    RouterLink,
    RouterOutlet,
  ],
  providers: [CatalogueView],
  templateUrl: './files.html',
})
export class Files {
  /** From the address. */
  readonly kind = input<string>();
  readonly publisher = input<string>();
  readonly health = input<string>();

  private readonly router = inject(Router);
  private readonly store = inject(DownloadStore);
  protected readonly view = inject(CatalogueView);
  protected readonly actions = inject(FileActions);
  protected readonly clock = inject(Clock);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;

  protected readonly search = signal('');
  protected readonly sort = rememberedSort('files.sort', columns, {
    column: 'date',
    order: 'desc',
  });
  protected readonly columns = computed<ListColumn<CatalogueColumn>[]>(() => {
    const words = this.t().files;
    return [
      {
        name: 'name',
        label: words.name,
        width: 'minmax(0, 1fr)',
        first: 'asc',
      },
      { name: 'size', label: words.size, width: '88px', number: true },
      { name: 'date', label: words.date, width: '128px', roomy: true },
      { name: 'seeders', label: words.seeders, width: '112px' },
    ];
  });
  protected readonly selection = new Selection();
  protected readonly detail = signal(false);
  /** The entry that the context menu is about. */
  protected readonly subject = signal<Slot>(undefined);
  protected readonly problem = computed(() => {
    const error = this.view.error();
    return error === undefined ? '' : problemText(error, this.t());
  });
  protected readonly filter = computed(() =>
    readFilter({
      kind: this.kind(),
      publisher: this.publisher(),
      health: this.health(),
    }),
  );
  protected readonly narrowed = computed(
    () => this.search().trim() !== '' || Object.keys(this.filter()).length > 0,
  );
  /** Kinds there are, and the chosen one even when it has nothing. */
  protected readonly kindCounts = computed(() => {
    const { kind } = this.filter();
    const counts = this.view.facets()?.kinds ?? [];
    return kind === undefined || counts.some((each) => each.kind === kind)
      ? counts
      : [...counts, { kind, count: 0 }];
  });
  protected readonly anyKind = computed(() =>
    (this.view.facets()?.kinds ?? []).reduce(
      (sum, { count }) => sum + count,
      0,
    ),
  );
  private readonly query = computed<CatalogueQuery>(() => ({
    ...this.filter(),
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

  protected readonly identity = (entry: Slot): string | undefined =>
    entry?.infoHash;
  protected readonly nameOf = (entry: Slot): string => entry?.name ?? '';
  protected readonly kindOf = kindOfAll;
  protected readonly healths = healths;

  protected open(entry: Slot): void {
    if (!entry) return;
    void this.router.navigate(['/files', entry.infoHash], {
      queryParamsHandling: 'preserve',
    });
  }

  /** An empty text takes the filter away. */
  protected narrow(by: keyof CatalogueFilter, value: string): void {
    void this.router.navigate([], {
      queryParams: { [by]: value === '' ? null : value },
      queryParamsHandling: 'merge',
    });
  }

  protected showAll(): void {
    this.search.set('');
    void this.router.navigate([], { queryParams: {} });
  }

  protected downloadSelected(): void {
    const chosen = this.selection.ids();
    this.selection.clear();
    void this.actions.downloadAll(chosen);
  }

  protected isHere(infoHash: string): boolean {
    return this.store.find(infoHash) !== undefined;
  }
}
