/** The order of a list, and how this browser remembers it. */
import { effect, inject, signal, type WritableSignal } from '@angular/core';
import { Preferences, type PreferenceName } from '../shell/preferences';

export type Order = 'asc' | 'desc';

export interface Sort<Column extends string = string> {
  readonly column: Column;
  readonly order: Order;
}

/** The order of last time, if it is one of these columns; each change is remembered. */
export function rememberedSort<Column extends string>(
  name: PreferenceName,
  columns: readonly Column[],
  otherwise: Sort<Column>,
): WritableSignal<Sort<Column>> {
  const preferences = inject(Preferences);
  const [stored, order] = (preferences.read(name) ?? '').split(' ');
  const column = columns.find((known) => known === stored);
  const sort = signal<Sort<Column>>(
    column ? { column, order: order === 'asc' ? 'asc' : 'desc' } : otherwise,
  );
  effect(() => preferences.write(name, `${sort().column} ${sort().order}`));
  return sort;
}
