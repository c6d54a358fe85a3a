/** A speed limit: a number with its unit, or none at all. Speaks bytes per second; 0 is unlimited. */
import {
  Component,
  computed,
  inject,
  input,
  linkedSignal,
  output,
} from '@angular/core';
import { Language } from '../language/language';

const units = { 'KB/s': 1000, 'MB/s': 1_000_000 } as const;
type Unit = keyof typeof units;
/** Where a limit begins when it is switched on, bytes per second. */
const firstLimit = 1_000_000;

@Component({
  selector: 'app-limit-field',
  template: `
    <fieldset>
      <legend>{{ label() }}</legend>
      <label class="check">
        <input
          type="checkbox"
          [checked]="value() === 0"
          (change)="changed.emit($any($event.target).checked ? 0 : first)"
        />
        {{ t().settings.unlimited }}
      </label>
      @if (value() > 0) {
        <input
          class="plain"
          type="number"
          inputmode="decimal"
          min="1"
          step="any"
          [attr.aria-label]="label() + ': ' + t().settings.limited"
          [value]="amount()"
          (change)="enter($any($event.target).valueAsNumber)"
        />
        <select
          class="choice"
          [attr.aria-label]="label() + ': ' + t().settings.perSecond"
          (change)="unit.set($any($event.target).value)"
        >
          @for (name of names; track name) {
            <option [value]="name" [selected]="unit() === name">
              {{ name }}
            </option>
          }
        </select>
      }
    </fieldset>
  `,
  styles: `
    fieldset {
      display: flex;
      flex-wrap: wrap;
      align-items: center;
      gap: 4px 12px;
      min-height: 48px;
      margin: 0;
      padding: 0;
      border: 0;
    }
    legend {
      float: left;
      flex: 1 0 140px;
      padding: 0;
    }
    .plain {
      width: 96px;
      min-height: 40px;
      padding: 6px 10px;
    }
  `,
})
export class LimitField {
  readonly label = input.required<string>();
  readonly value = input.required<number>();
  readonly changed = output<number>();

  protected readonly t = inject(Language).texts;
  protected readonly first = firstLimit;
  protected readonly names = Object.keys(units) as Unit[];
  protected readonly unit = linkedSignal<number, Unit>({
    source: this.value,
    computation: (value, previous) =>
      previous?.value ?? (value >= 1_000_000 ? 'MB/s' : 'KB/s'),
  });
  protected readonly amount = computed(() => this.value() / units[this.unit()]);

  protected enter(amount: number): void {
    if (!(amount > 0)) return;
    this.changed.emit(Math.max(1, Math.round(amount * units[this.unit()])));
  }
}
