import { Component, computed, inject, input } from '@angular/core';
import { Language } from '../language/language';

/** Fewer seeders than this are few. */
const enough = 3;

/** Seeders and leechers in words, with a mark: green while several have the file, amber for one or two, hollow for none. */
@Component({
  selector: 'app-health',
  host: { '[class]': 'level()' },
  template: `
    <span class="mark" aria-hidden="true"></span>
    <span class="seeders">{{ t().count.seeders(seeders()) }}</span>
    <small>{{ t().count.leechers(leechers()) }}</small>
  `,
  styles: `
    :host {
      display: grid;
      grid-template-columns: auto minmax(0, 1fr);
      align-items: center;
      gap: 0 8px;
      font-variant-numeric: tabular-nums;
      white-space: nowrap;
    }
    .mark {
      width: 8px;
      height: 8px;
      box-sizing: border-box;
      border: 2px solid var(--mat-sys-outline);
      border-radius: 50%;
    }
    :host(.few) .mark {
      border-color: var(--app-warn);
      background: var(--app-warn);
    }
    :host(.good) .mark {
      border-color: var(--app-good);
      background: var(--app-good);
    }
    :host(.none) .seeders {
      color: var(--mat-sys-on-surface-variant);
    }
    small {
      grid-column: 2;
      color: var(--mat-sys-on-surface-variant);
      font: var(--mat-sys-body-small);
    }
    :host(.line) {
      display: inline-grid;
      grid-auto-flow: column;
      grid-template-columns: none;
    }
    :host(.line) small {
      grid-column: auto;
    }
  `,
})
export class Health {
  readonly seeders = input.required<number>();
  readonly leechers = input.required<number>();
  protected readonly t = inject(Language).texts;

  protected readonly level = computed(() => {
    const seeders = this.seeders();
    if (seeders === 0) return 'none';
    return seeders < enough ? 'few' : 'good';
  });
}
