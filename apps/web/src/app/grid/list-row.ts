/** The cells of one row of a list, as a template: `<ng-template [appListRow]="items()" [identify]="idOf" let-item>`. */
import { Directive, inject, input, TemplateRef } from '@angular/core';

export interface RowContext<T> {
  readonly $implicit: NonNullable<T>;
  /** One line a row; else a card. */
  readonly wide: boolean;
  readonly roomy: boolean;
}

@Directive({ selector: '[appListRow]' })
export class ListRow<T> {
  /** One place a row; undefined where it is not known yet. */
  readonly appListRow = input.required<readonly T[]>();
  /** What a row is recognised by when the order changes; undefined for one that is not known yet. */
  readonly identify = input.required<(row: T) => string | undefined>();
  /** What screen readers call it when it can be selected. */
  readonly nameOf = input<(row: T) => string>(() => '');
  readonly template = inject<TemplateRef<RowContext<T>>>(TemplateRef);

  static ngTemplateContextGuard<T>(
    directive: ListRow<T>,
    context: unknown,
  ): context is RowContext<T> {
    return directive instanceof ListRow && context !== null;
  }
}
