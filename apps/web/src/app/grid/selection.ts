/** Which rows of a list are selected, with the anchor from which Shift extends. */
import { computed, signal } from '@angular/core';

export class Selection {
  private readonly chosen = signal<ReadonlySet<string>>(new Set());
  private anchor: string | undefined;

  readonly ids = computed(() => [...this.chosen()]);
  readonly count = computed(() => this.chosen().size);

  has(id: string): boolean {
    return this.chosen().has(id);
  }

  toggle(id: string): void {
    const after = new Set(this.chosen());
    if (!after.delete(id)) after.add(id);
    this.chosen.set(after);
    this.anchor = id;
  }

  /** Selects exactly the rows from the anchor to `id`. */
  extend(order: readonly string[], id: string): void {
    const from = Math.max(0, order.indexOf(this.anchor ?? id));
    const to = order.indexOf(id);
    if (to < 0) return;
    this.anchor ??= id;
    const [first, last] = from < to ? [from, to] : [to, from];
    this.chosen.set(new Set(order.slice(first, last + 1)));
  }

  /** Where the next Shift begins, without selecting anything. */
  start(id: string): void {
    if (this.chosen().size === 0) this.anchor = id;
  }

  set(ids: Iterable<string>): void {
    this.chosen.set(new Set(ids));
  }

  clear(): void {
    if (this.chosen().size > 0) this.chosen.set(new Set());
    this.anchor = undefined;
  }

  /** Forgets what is not there any more. */
  keep(present: (id: string) => boolean): void {
    const after = [...this.chosen()].filter(present);
    if (after.length < this.chosen().size) this.chosen.set(new Set(after));
  }

  /** True when the click meant the selection and not the row: with Shift or Ctrl, or a tap once something is selected. */
  click(event: MouseEvent, order: readonly string[], id: string): boolean {
    if (event.shiftKey) this.extend(order, id);
    else if (event.ctrlKey || event.metaKey || this.taps(event))
      this.toggle(id);
    else return false;
    event.preventDefault();
    return true;
  }

  private taps(event: MouseEvent): boolean {
    const touched = (event as Partial<PointerEvent>).pointerType === 'touch';
    return touched && this.chosen().size > 0;
  }
}
