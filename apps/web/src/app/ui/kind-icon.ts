import { Component, computed, input } from '@angular/core';
import type { Kind } from '@dnd/kinds';
import { Icon } from './icon';
import { kindIcons } from './kinds';

/** The kind of a file as an icon on a tile of the kind's colour, so that a long list can be scanned. */
@Component({
  selector: 'app-kind-icon',
  imports: [Icon],
  host: { '[class]': 'kind()', 'aria-hidden': 'true' },
  template: `<app-icon [name]="icon()" />`,
  styles: `
    :host {
      --icon-size: 20px;
      --tint: var(--mat-sys-on-surface-variant);
      display: grid;
      flex: none;
      place-items: center;
      width: 36px;
      height: 36px;
      border-radius: 10px;
      color: var(--tint);
      background: color-mix(in srgb, var(--tint) 12%, transparent);
    }
    :host(.video) {
      --tint: light-dark(#7a3cc2, #cfa8ff);
    }
    :host(.audio) {
      --tint: light-dark(#b0286f, #ff9fcb);
    }
    :host(.image) {
      --tint: light-dark(#0b6b74, #6fd6df);
    }
    :host(.document) {
      --tint: light-dark(#1f5fbf, #9cc3ff);
    }
    :host(.archive) {
      --tint: light-dark(#8a5100, #f5bd6b);
    }
    :host(.program) {
      --tint: light-dark(#3f6b16, #aedb7d);
    }
    :host(.folder) {
      --tint: light-dark(#3b4bc8, #b9c3ff);
    }
    :host-context(html[data-theme='contrast']) {
      --tint: var(--mat-sys-on-surface);
      border: 1px solid var(--mat-sys-outline);
      background: none;
      box-sizing: border-box;
    }
  `,
})
export class KindIcon {
  readonly kind = input.required<Kind>();
  protected readonly icon = computed(() => kindIcons[this.kind()]);
}
