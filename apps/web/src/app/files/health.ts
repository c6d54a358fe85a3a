import { Component, inject, input } from '@angular/core';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { Icon } from '../ui/icon';

/** Seeders and leechers as two small figures; green while somebody has the file. */
@Component({
  selector: 'app-health',
  imports: [Icon],
  host: { '[class.some]': 'seeders() > 0' },
  template: `
    <span class="cdk-visually-hidden">{{
      t().files.healthText(f.number(seeders()), f.number(leechers()))
    }}</span>
    <span class="up" aria-hidden="true" [title]="t().count.seeders(seeders())">
      <app-icon name="up" />{{ f.number(seeders()) }}
    </span>
    <span aria-hidden="true" [title]="t().count.leechers(leechers())">
      <app-icon name="down" />{{ f.number(leechers()) }}
    </span>
  `,
  styles: `
    :host {
      --icon-size: 15px;
      display: inline-flex;
      gap: 10px;
      color: var(--mat-sys-on-surface-variant);
      font-variant-numeric: tabular-nums;
    }
    span {
      display: inline-flex;
      align-items: center;
      gap: 2px;
    }
    :host(.some) .up {
      color: var(--app-good);
      font-weight: 500;
    }
  `,
})
export class Health {
  readonly seeders = input.required<number>();
  readonly leechers = input.required<number>();
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;
}
