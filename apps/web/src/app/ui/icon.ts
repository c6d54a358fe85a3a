import { Component, computed, input } from '@angular/core';
import { drawingOf, type IconName } from './icons';

/** One line icon, as tall as 1.5 em of its surroundings and in their colour. Never a name by itself. */
@Component({
  selector: 'app-icon',
  host: { 'aria-hidden': 'true' },
  template: `
    <svg viewBox="0 0 24 24" focusable="false">
      @if (drawing().d; as d) {
        <path class="line" [attr.d]="d" />
      }
      @if (drawing().fill; as fill) {
        <path class="fill" [attr.d]="fill" />
      }
    </svg>
  `,
  styles: `
    :host {
      display: inline-flex;
      flex: none;
      vertical-align: middle;
    }
    svg {
      width: var(--icon-size, 24px);
      height: var(--icon-size, 24px);
    }
    .line {
      fill: none;
      stroke: currentColor;
      stroke-width: 1.75;
      stroke-linecap: round;
      stroke-linejoin: round;
    }
    .fill {
      fill: currentColor;
    }
  `,
})
export class Icon {
  readonly name = input.required<IconName>();
  protected readonly drawing = computed(() => drawingOf(this.name()));
}
