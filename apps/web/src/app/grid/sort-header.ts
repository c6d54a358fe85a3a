/** A column's header: a button that sorts by it. */
import { Component, computed, inject, input, output } from '@angular/core';
import { Language } from '../language/language';
import { Icon } from '../ui/icon';
import type { Sort } from './sort';

@Component({
  selector: 'app-sort-header',
  imports: [Icon],
  host: { role: 'columnheader', '[attr.aria-sort]': 'aria()' },
  template: `
    <button
      type="button"
      data-cell
      [title]="t().sort.by(label())"
      (click)="sorted.emit()"
    >
      {{ label() }}
      @if (aria(); as direction) {
        <app-icon [name]="direction === 'ascending' ? 'up' : 'down'" />
      }
    </button>
  `,
})
export class SortHeader {
  readonly label = input.required<string>();
  readonly column = input.required<string>();
  readonly sort = input.required<Sort>();
  readonly sorted = output();

  protected readonly t = inject(Language).texts;
  protected readonly aria = computed(() => {
    const { column, order } = this.sort();
    if (column !== this.column()) return null;
    return order === 'asc' ? 'ascending' : 'descending';
  });
}
