import {
  Component,
  computed,
  effect,
  inject,
  signal,
  untracked,
} from '@angular/core';
import { MatButton } from '@angular/material/button';
import { MatMenu, MatMenuItem } from '@angular/material/menu';
import { Router, RouterLink } from '@angular/router';
import { Api, withdraw, type LibraryItemDto } from '@dnd/api-client';
import { kindOfAll, kinds, type Kind } from '@dnd/kinds';
import { ratioOf } from '../downloads/download-words';
import { RemoveDownloads } from '../downloads/remove-downloads';
import { FileActions } from '../files/file-actions';
import { List, type ListColumn, type ListKey } from '../grid/list';
import { ListRow } from '../grid/list-row';
import { Selection } from '../grid/selection';
import { rememberedSort } from '../grid/sort';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { problemText } from '../session/problem';
import { Dialogs } from '../shell/dialogs';
import { Notices } from '../shell/notices';
import { Clock } from '../ui/clock';
import { Empty } from '../ui/empty';
import { Icon } from '../ui/icon';
import { KindIcon } from '../ui/kind-icon';
import { plays } from '../ui/kinds';
import { matches, searchable } from '../ui/searchable';
import { LibraryStore } from './library-store';

const columns = ['name', 'size', 'uploaded', 'date'] as const;
type Column = (typeof columns)[number];
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
    Empty,
    Icon,
    KindIcon,
    List,
    ListRow,
    MatButton,
    MatMenu,
    MatMenuItem,
    RouterLink,
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
  protected readonly sort = rememberedSort('library.sort', columns, {
    column: 'date',
    order: 'desc',
  });
  protected readonly columns = computed<ListColumn<Column>[]>(() => {
    const words = this.t().library;
    return [
      {
        name: 'name',
        label: words.name,
        width: 'minmax(0, 1fr)',
        first: 'asc',
      },
      { name: 'size', label: words.size, width: '88px', number: true },
      { name: 'uploaded', label: words.uploaded, width: '160px' },
      { name: 'date', label: words.date, width: '128px', roomy: true },
    ];
  });
  protected readonly selection = new Selection();
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
  constructor() {
    effect(() => {
      const present = new Set(
        this.store.items()?.map(({ infoHash }) => infoHash),
      );
      untracked(() => this.selection.keep((id) => present.has(id)));
    });
  }

  protected readonly identity = (item: LibraryItemDto): string => item.infoHash;
  protected readonly nameOf = (item: LibraryItemDto): string => item.name;
  protected readonly kindOf = kindOfAll;
  protected readonly plays = plays;

  protected open(item: LibraryItemDto): void {
    void this.actions.openFile(item.infoHash, undefined);
  }

  protected onKey({ row, event }: ListKey<LibraryItemDto>): void {
    if (event.key !== 'Delete') return;
    const { infoHash } = row;
    void this.remove(
      this.selection.has(infoHash) ? this.selection.ids() : [infoHash],
    );
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

  protected async remove(infoHashes: readonly string[]): Promise<void> {
    if (await this.remover.ask(infoHashes)) await this.store.load();
  }
}
