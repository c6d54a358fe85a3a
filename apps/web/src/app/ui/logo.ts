import { Component } from '@angular/core';

/** The mark: a ring of nodes around an arrow that comes down. */
@Component({
  selector: 'app-logo',
  host: { 'aria-hidden': 'true' },
  template: `
    <svg viewBox="0 0 48 48" focusable="false">
      <circle class="ring" cx="24" cy="24" r="17" />
      <path class="arrow" d="M24 15v17M16.5 25l7.5 7.5 7.5-7.5" />
      <circle class="node" cx="24" cy="7" r="5" />
      <circle class="node" cx="39" cy="32" r="5" />
      <circle class="node" cx="9" cy="32" r="5" />
    </svg>
  `,
  styles: `
    :host {
      display: inline-flex;
    }
    svg {
      width: var(--logo-size, 40px);
      height: var(--logo-size, 40px);
    }
    .ring {
      fill: none;
      stroke: var(--mat-sys-outline-variant);
      stroke-width: 3;
    }
    .arrow {
      fill: none;
      stroke: var(--mat-sys-primary);
      stroke-width: 4;
      stroke-linecap: round;
      stroke-linejoin: round;
    }
    .node {
      fill: var(--mat-sys-primary);
    }
  `,
})
export class Logo {}
