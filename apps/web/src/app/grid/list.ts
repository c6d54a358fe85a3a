/**
 * A list that fills its page: headers that sort, a line a row where there is room and a card where there
 * is not, only the visible rows in the document, selection, context menu and the keyboard of the grid
 * pattern. The page gives columns and a template for the cells of a row, and hears what is opened.
 *
 *     <app-list [label]="…" [columns]="columns()" [(sort)]="sort" [menu]="menu" (opened)="open($event)">
 *       <ng-template [appListRow]="items()" [identify]="idOf" let-item let-wide="wide">
 *         <div role="gridcell" data-cell>…</div>
 *       </ng-template>
 *       <ng-container ngProjectAs="[empty]">what stands where there are no rows</ng-container>
 *     </app-list>
 *
 * Cells (`role="gridcell"`) or the controls in them that the arrows reach carry `data-cell`, a button
 * for the row's menu `aria-haspopup="menu"`. Also projected: `[tools]` above the list, `[bulk]` for
 * what can be done with the selected rows, `[notes]`.
 */
import {
  CdkFixedSizeVirtualScroll,
  CdkVirtualForOf,
  CdkVirtualScrollViewport,
} from '@angular/cdk/scrolling';
import { NgTemplateOutlet } from '@angular/common';
import {
  Component,
  computed,
  contentChild,
  inject,
  input,
  model,
  output,
  viewChild,
} from '@angular/core';
import { MatIconButton } from '@angular/material/button';
import { MatContextMenuTrigger, type MatMenu } from '@angular/material/menu';
import { MatProgressBar } from '@angular/material/progress-bar';
import { Language } from '../language/language';
import { Icon } from '../ui/icon';
import { Grid, type RowClick, type RowKey } from './grid';
import { ListRow } from './list-row';
import { LongPress } from './long-press';
import { room } from './room';
import type { Selection } from './selection';
import type { Sort } from './sort';
import { SortHeader } from './sort-header';

export interface ListColumn<Name extends string = string> {
  readonly name: Name;
  readonly label: string;
  /** Its track of the CSS grid. Without one it is no column of its own, only a choice of order. */
  readonly width?: string;
  readonly number?: boolean;
  /** Shown only where there is room for everything. */
  readonly roomy?: boolean;
  /** The order of a first click; descending unless said otherwise. */
  readonly first?: 'asc';
}

export interface ListKey<T> {
  readonly row: T;
  readonly event: KeyboardEvent;
}

@Component({
  selector: 'app-list',
  imports: [
    CdkFixedSizeVirtualScroll,
    CdkVirtualForOf,
    CdkVirtualScrollViewport,
    Grid,
    Icon,
    LongPress,
    MatContextMenuTrigger,
    MatIconButton,
    MatProgressBar,
    NgTemplateOutlet,
    SortHeader,
  ],
  templateUrl: './list.html',
  host: { class: 'list' },
})
export class List<T, Name extends string> {
  /** The list's name for screen readers. */
  readonly label = input.required<string>();
  readonly columns = input.required<readonly ListColumn<Name>[]>();
  readonly sort = model.required<Sort<Name>>();
  /** The width of a last column of buttons. */
  readonly buttons = input<string>();
  /** Of a row as a line and as a card, pixels. */
  readonly heights = input.required<readonly [number, number]>();
  /** The tracks of a card. */
  readonly card = input('minmax(0, 1fr) auto');
  readonly menu = input.required<MatMenu>();
  /** Where several rows can be selected. */
  readonly selection = input<Selection>();
  /** Nothing is known yet. */
  readonly loading = input(false);

  readonly opened = output<T>();
  /** The menu is about to open for this row. */
  readonly menuAsked = output<T>();
  /** A key that the list has no use for itself. */
  readonly pressed = output<ListKey<T>>();
  /** The rows from the first up to the second place are in the document now. */
  readonly seen = output<{ readonly start: number; readonly end: number }>();

  protected readonly t = inject(Language).texts;
  protected readonly room = room();
  protected readonly row = contentChild.required<ListRow<T>>(ListRow);
  private readonly grid = viewChild(Grid);

  protected readonly rows = computed(() => this.row().appListRow());
  /** Identities of the rows that are known. */
  protected readonly order = computed(() => {
    const identify = this.row().identify();
    return this.rows().flatMap((row) => identify(row) ?? []);
  });
  protected readonly whole = computed(
    () => this.order().length === this.rows().length,
  );
  protected readonly place = computed(() => {
    const identify = this.row().identify();
    return this.whole()
      ? (index: number, row: T) => identify(row) ?? index
      : (index: number) => index;
  });
  protected readonly height = computed(
    () => this.heights()[this.room.wide() ? 0 : 1],
  );
  protected readonly shown = computed(() =>
    this.columns().filter(
      ({ width, roomy }) => width && (!roomy || this.room.roomy()),
    ),
  );
  protected readonly tracks = computed(() => {
    if (!this.room.wide()) return this.card();
    const tracks = this.shown().map(({ width }) => width);
    const tick = this.selection() ? '32px' : '';
    return [tick, ...tracks, this.buttons() ?? ''].join(' ');
  });
  protected readonly chosen = computed(() => this.selection()?.count() ?? 0);

  /** Gives the keyboard back to the list, after a dialog. */
  focus(): void {
    this.grid()?.focusActive();
  }

  protected idOf(row: T): string | undefined {
    return this.row().identify()(row);
  }

  protected isChosen(row: T): boolean | undefined {
    const id = this.idOf(row);
    return id === undefined ? undefined : this.selection()?.has(id);
  }

  protected sortBy(name: Name): void {
    const { column, order } = this.sort();
    const first = this.columns().find((each) => each.name === name)?.first;
    const other = order === 'asc' ? 'desc' : 'asc';
    this.sort.set({
      column: name,
      order: name === column ? other : (first ?? 'desc'),
    });
  }

  protected onClick({ row, event }: RowClick): void {
    const selection = this.selection();
    this.with(row, (item, id) => {
      if (selection?.click(event, this.order(), id)) return;
      // Cards have no boxes: while some are selected, a tap selects too.
      if (!this.room.wide() && this.chosen() > 0) selection?.toggle(id);
      else this.open(item, id);
    });
  }

  protected onOpen(row: number): void {
    this.with(row, (item, id) => this.open(item, id));
  }

  protected toggle(row: number): void {
    this.with(row, (_, id) => this.selection()?.toggle(id));
  }

  protected extend(row: number): void {
    this.with(row, (_, id) => this.selection()?.extend(this.order(), id));
  }

  protected all(): void {
    this.selection()?.set(this.order());
  }

  protected onMenu(row: number): void {
    this.with(row, (item) => this.menuAsked.emit(item));
  }

  protected onKey({ row, event }: RowKey): void {
    if (event.key === 'Escape' && this.chosen() > 0) {
      this.selection()?.clear();
      event.preventDefault();
      event.stopPropagation();
    } else this.with(row, (item) => this.pressed.emit({ row: item, event }));
  }

  private open(item: T, id: string): void {
    this.selection()?.start(id);
    this.opened.emit(item);
  }

  private with(row: number, act: (item: T, id: string) => void): void {
    const item = this.rows()[row];
    if (item === undefined) return;
    const id = this.idOf(item);
    if (id !== undefined) act(item, id);
  }
}
