/**
 * The keyboard of a list in the ARIA grid pattern: one tab stop, arrows between cells, Home and End,
 * pages, Space to select, Enter to open. Rows carry `data-row` (−1 is the header), cells `data-cell`,
 * a button that opens the row's menu `aria-haspopup="menu"`. The directive finds them in the document,
 * whenever rows come or go, and keeps their `tabindex`; so templates say nothing about the keyboard.
 */
import { CdkVirtualScrollViewport } from '@angular/cdk/scrolling';
import {
  afterNextRender,
  contentChild,
  DestroyRef,
  Directive,
  effect,
  ElementRef,
  inject,
  Injector,
  input,
  output,
  untracked,
} from '@angular/core';

/** Frames that a row may take to be rendered after a jump. */
const patience = 60;

export interface RowClick {
  readonly row: number;
  readonly event: MouseEvent;
}

export interface RowKey {
  readonly row: number;
  readonly event: KeyboardEvent;
}

@Directive({
  selector: '[appGrid]',
  exportAs: 'appGrid',
  host: {
    role: 'grid',
    '[attr.aria-rowcount]': 'rows() + 1',
    '(click)': 'onClick($event)',
    '(mousedown)': 'onMouseDown($event)',
    '(keydown)': 'onKey($event)',
    '(focusin)': 'onFocus($event)',
  },
})
export class Grid {
  readonly rows = input.required<number>({ alias: 'appGrid' });
  /** Pixels. */
  readonly rowHeight = input.required<number>();
  /** Identities of the rows in their order: where a focused row moves, the focus follows it. */
  readonly order = input<readonly string[]>();

  /** A row was clicked, outside its buttons, links and fields. */
  readonly clicked = output<RowClick>();
  /** The context menu is about to open on this row. */
  readonly menuAsked = output<number>();
  readonly opened = output<number>();
  readonly toggled = output<number>();
  /** Shift and an arrow: the selection now reaches from its anchor to this row. */
  readonly extended = output<number>();
  readonly allSelected = output();
  /** Any other key pressed on a row. */
  readonly pressed = output<RowKey>();
  /** The rows from the first up to the second place are rendered now. */
  readonly seen = output<{ readonly start: number; readonly end: number }>();

  private readonly host =
    inject<ElementRef<HTMLElement>>(ElementRef).nativeElement;
  private readonly injector = inject(Injector);
  private readonly viewport = contentChild(CdkVirtualScrollViewport);
  private active = { row: 0, cell: 0 };

  constructor() {
    effect((onCleanup) => {
      const viewport = this.viewport();
      const subscription = viewport?.renderedRangeStream.subscribe((range) =>
        untracked(() => this.seen.emit(range)),
      );
      onCleanup(() => subscription?.unsubscribe());
    });
    const observer = new MutationObserver(() => this.settle());
    observer.observe(this.host, {
      childList: true,
      subtree: true,
      attributeFilter: ['data-row'],
    });
    inject(DestroyRef).onDestroy(() => observer.disconnect());
    // Before the menu's own listener, which is further inside.
    this.host.addEventListener('contextmenu', (event) => this.onMenu(event), {
      capture: true,
    });
    let before: readonly string[] | undefined;
    effect(() => {
      const order = this.order();
      const last = before;
      before = order;
      if (last && order) untracked(() => this.follow(last, order));
    });
  }

  /** Makes one rendered cell the tab stop: the active one, or the nearest to it. */
  private settle(): void {
    const stop = this.stop();
    // Most cells are as they should be: the browser finds the others quickest.
    const others = '[data-cell]:not([tabindex="-1"])';
    for (const cell of this.host.querySelectorAll<HTMLElement>(others))
      if (cell !== stop) cell.setAttribute('tabindex', '-1');
    if (stop?.getAttribute('tabindex') !== '0')
      stop?.setAttribute('tabindex', '0');
  }

  private stop(): HTMLElement | undefined {
    const rows = this.host.querySelectorAll<HTMLElement>('[data-row]');
    const away = (row: HTMLElement): number => {
      const index = Number(row.dataset['row']);
      const otherPart = index < 0 !== this.active.row < 0;
      return otherPart ? Infinity : Math.abs(index - this.active.row);
    };
    const nearest = [...rows]
      .map((row) => ({ row, distance: away(row) }))
      .sort((a, b) => a.distance - b.distance);
    for (const { row } of nearest) {
      const cells = row.querySelectorAll<HTMLElement>('[data-cell]');
      const last = cells.length - 1;
      if (last >= 0) return cells[Math.min(this.active.cell, last)];
    }
    return undefined;
  }

  /** Gives the keyboard back to the list, after a menu or a dialog. */
  focusActive(): void {
    const { row, cell } = this.active;
    this.focus(Math.min(row, this.rows() - 1), cell);
  }

  focus(row: number, cell: number): void {
    const target = this.cellAt(row, cell);
    if (target) {
      if (row >= 0) this.reveal(row);
      target.focus({ preventScroll: true });
      return;
    }
    if (row < 0 || row >= this.rows()) return;
    this.reveal(row);
    this.active = { row, cell };
    this.focusWhenRendered(row, cell, patience);
  }

  /** The virtual list renders the row in one of the next frames. */
  private focusWhenRendered(row: number, cell: number, frames: number): void {
    requestAnimationFrame(() => {
      const wanted = this.active;
      if (wanted.row !== row || wanted.cell !== cell) return;
      const target = this.cellAt(row, cell);
      if (target) target.focus({ preventScroll: true });
      else if (frames > 0) this.focusWhenRendered(row, cell, frames - 1);
    });
  }

  protected onFocus(event: FocusEvent): void {
    const at = this.positionOf(event.target as HTMLElement);
    if (!at) return;
    this.active = at;
    this.settle();
  }

  /** Shift extends the selection of rows, not of text. */
  protected onMouseDown(event: MouseEvent): void {
    if (event.shiftKey && (rowOf(event) ?? -1) >= 0) event.preventDefault();
  }

  protected onClick(event: MouseEvent): void {
    const row = rowOf(event);
    const target = event.target as HTMLElement;
    if (row === undefined || row < 0) return;
    const control = target.closest<HTMLElement>('button, a, input');
    if (!control) this.clicked.emit({ row, event });
    else if (control.getAttribute('aria-haspopup') === 'menu')
      this.openMenu(control);
  }

  protected onKey(event: KeyboardEvent): void {
    const at = this.positionOf(event.target as HTMLElement);
    if (!at || event.altKey) return;
    if (this.move(event, at) || (at.row >= 0 && this.act(event, at.row))) {
      event.preventDefault();
      event.stopPropagation();
    } else if (at.row >= 0) this.pressed.emit({ row: at.row, event });
  }

  private move(
    event: KeyboardEvent,
    { row, cell }: { row: number; cell: number },
  ): boolean {
    const last = this.rows() - 1;
    const page = Math.max(
      1,
      Math.floor(
        (this.viewport()?.getViewportSize() ?? 400) / this.rowHeight(),
      ) - 1,
    );
    const rows: Partial<Record<string, number>> = {
      ArrowDown: row + 1,
      ArrowUp: row - 1,
      PageDown: row + page,
      PageUp: Math.max(0, row - page),
      ...(event.ctrlKey || event.metaKey ? { Home: 0, End: last } : {}),
    };
    const to = rows[event.key];
    if (to !== undefined) {
      const first = this.cellAt(-1, 0) ? -1 : 0;
      const target = Math.max(first, Math.min(to, last));
      this.focus(target, target < 0 ? this.nearest(-1, cell) : cell);
      if (event.shiftKey && target >= 0) this.extended.emit(target);
      return true;
    }
    const count = this.cellsOf(row).length;
    const cells: Partial<Record<string, number>> = {
      ArrowRight: Math.min(cell + 1, count - 1),
      ArrowLeft: Math.max(cell - 1, 0),
      Home: 0,
      End: count - 1,
    };
    const toCell = cells[event.key];
    if (toCell === undefined) return false;
    this.focus(row, toCell);
    return true;
  }

  private act(event: KeyboardEvent, row: number): boolean {
    const { key } = event;
    const own = (event.target as HTMLElement).matches('button, a, input');
    if ((event.ctrlKey || event.metaKey) && key.toLowerCase() === 'a') {
      this.allSelected.emit();
    } else if (key === 'ContextMenu' || (event.shiftKey && key === 'F10')) {
      this.openMenu(event.target as HTMLElement);
    } else if (key === ' ' && !own) this.toggled.emit(row);
    else if (key === 'Enter' && !own) this.opened.emit(row);
    else return false;
    return true;
  }

  private onMenu(event: Event): void {
    const row = rowOf(event);
    if (row !== undefined && row >= 0) this.menuAsked.emit(row);
    // Below the last row there is nothing that the menu could be about.
    else event.stopPropagation();
  }

  /** As the mouse would, at the lower left of the element. */
  private openMenu(target: HTMLElement): void {
    const { left, bottom } = target.getBoundingClientRect();
    target.dispatchEvent(
      new MouseEvent('contextmenu', {
        bubbles: true,
        cancelable: true,
        clientX: left,
        clientY: bottom,
      }),
    );
  }

  private follow(before: readonly string[], after: readonly string[]): void {
    const { row, cell } = this.active;
    const id = before[row];
    const had = this.host.contains(this.host.ownerDocument.activeElement);
    if (id === undefined || after[row] === id) return;
    const now = after.indexOf(id);
    if (now >= 0) this.active = { row: now, cell };
    if (!had) return;
    afterNextRender(
      () => {
        const { activeElement, body } = this.host.ownerDocument;
        if (activeElement === body) this.focusActive();
      },
      { injector: this.injector },
    );
  }

  private reveal(row: number): void {
    const viewport = this.viewport();
    if (!viewport) return;
    const height = this.rowHeight();
    const top = row * height;
    const from = viewport.measureScrollOffset();
    const size = viewport.getViewportSize();
    if (top < from) viewport.scrollToOffset(top);
    else if (top + height > from + size) {
      viewport.scrollToOffset(top + height - size);
    }
  }

  private positionOf(
    target: HTMLElement,
  ): { row: number; cell: number } | undefined {
    const row = target.closest<HTMLElement>('[data-row]');
    const cell = target.closest<HTMLElement>('[data-cell]');
    if (!row || !cell) return undefined;
    const index = Number(row.dataset['row']);
    return { row: index, cell: this.cellsOf(index).indexOf(cell) };
  }

  private cellsOf(row: number): HTMLElement[] {
    return [
      ...this.host.querySelectorAll<HTMLElement>(
        `[data-row="${row}"] [data-cell]`,
      ),
    ];
  }

  private cellAt(row: number, cell: number): HTMLElement | undefined {
    const cells = this.cellsOf(row);
    return cells[Math.min(cell, cells.length - 1)];
  }

  private nearest(row: number, cell: number): number {
    return Math.max(0, Math.min(cell, this.cellsOf(row).length - 1));
  }
}

function rowOf(event: Event): number | undefined {
  const row = (event.target as HTMLElement).closest<HTMLElement>('[data-row]');
  return row ? Number(row.dataset['row']) : undefined;
}
