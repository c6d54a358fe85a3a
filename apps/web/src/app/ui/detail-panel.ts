/** The frame of a detail beside its list: a title, a way to close it (also Escape), and what is in it. */
import {
  afterNextRender,
  Component,
  ElementRef,
  inject,
  input,
  output,
  viewChild,
} from '@angular/core';
import { MatIconButton } from '@angular/material/button';
import { Language } from '../language/language';
import { Icon } from './icon';

@Component({
  selector: 'app-detail-panel',
  imports: [Icon, MatIconButton],
  host: { style: 'display: contents' },
  template: `
    <aside
      #panel
      class="detail"
      tabindex="-1"
      [attr.aria-label]="title()"
      (keydown.escape)="closed.emit()"
    >
      <div class="detail-head">
        <button
          matIconButton
          type="button"
          class="back"
          [attr.aria-label]="t().actions.back"
          (click)="closed.emit()"
        >
          <app-icon name="back" />
        </button>
        <h2 dir="auto">{{ title() }}</h2>
        <button
          matIconButton
          type="button"
          class="close"
          [attr.aria-label]="t().actions.close"
          (click)="closed.emit()"
        >
          <app-icon name="close" />
        </button>
      </div>
      <ng-content select="[bar]" />
      <div
        class="detail-body"
        tabindex="0"
        role="group"
        [attr.aria-label]="title()"
      >
        <ng-content />
      </div>
    </aside>
  `,
  styles: `
    @media (min-width: 1024px) {
      .back {
        display: none !important;
      }
    }
    @media (max-width: 1023.9px) {
      .close {
        display: none !important;
      }
      .detail-head {
        padding: 8px 16px 4px 8px;
      }
    }
  `,
})
export class DetailPanel {
  readonly title = input.required<string>();
  readonly closed = output();
  protected readonly t = inject(Language).texts;
  private readonly panel = viewChild.required<ElementRef<HTMLElement>>('panel');

  constructor() {
    // Where the detail covers its list, the keyboard must come along.
    afterNextRender(() => {
      const { nativeElement } = this.panel();
      const width = nativeElement.ownerDocument.defaultView?.innerWidth ?? 0;
      if (width > 0 && width < 1024) nativeElement.focus();
    });
  }
}
