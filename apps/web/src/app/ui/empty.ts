import { Component, input } from '@angular/core';
import { Icon } from './icon';
import type { IconName } from './icons';

/** What is shown where a list has nothing: what that means and what to do. */
@Component({
  selector: 'app-empty',
  imports: [Icon],
  template: `
    <span class="mark"><app-icon [name]="icon()" /></span>
    @if (level() === '1') {
      <h1>{{ title() }}</h1>
    } @else {
      <h2>{{ title() }}</h2>
    }
    <p><ng-content /></p>
    <div class="actions"><ng-content select="[actions]" /></div>
  `,
  styles: `
    :host {
      display: grid;
      justify-items: center;
      align-content: center;
      gap: 8px;
      padding: 48px 24px;
      text-align: center;
    }
    .mark {
      --icon-size: 36px;
      display: grid;
      place-items: center;
      width: 80px;
      height: 80px;
      margin-bottom: 8px;
      border-radius: 50%;
      color: var(--mat-sys-on-primary-container);
      background: var(--mat-sys-primary-container);
    }
    h1,
    h2 {
      margin: 0;
      font: var(--mat-sys-title-large);
    }
    p {
      max-width: 440px;
      margin: 0;
      color: var(--mat-sys-on-surface-variant);
    }
    .actions {
      display: flex;
      flex-wrap: wrap;
      justify-content: center;
      gap: 8px;
      margin-top: 12px;
    }
  `,
})
export class Empty {
  readonly icon = input.required<IconName>();
  readonly title = input.required<string>();
  /** Of its heading: 1 where it is the page's only one. */
  readonly level = input<'1' | '2'>('2');
}
