/** Whether an element is wide enough for one line a row; narrower lists show cards. */
import {
  DestroyRef,
  Directive,
  ElementRef,
  inject,
  signal,
} from '@angular/core';

/** Pixels. */
const enough = 720;
const roomy = 960;

@Directive({ selector: '[appWide]', exportAs: 'appWide' })
export class Wide {
  private readonly isWide = signal(true);
  private readonly isRoomy = signal(true);

  readonly wide = this.isWide.asReadonly();
  /** Room for the less important columns too. */
  readonly roomy = this.isRoomy.asReadonly();

  constructor() {
    const { nativeElement } = inject<ElementRef<HTMLElement>>(ElementRef);
    if (typeof ResizeObserver === 'undefined') return;
    const observer = new ResizeObserver(([{ contentRect }]) => {
      // A list that is hidden behind its detail keeps its form.
      if (contentRect.width === 0) return;
      this.isWide.set(contentRect.width >= enough);
      this.isRoomy.set(contentRect.width >= roomy);
    });
    observer.observe(nativeElement);
    inject(DestroyRef).onDestroy(() => observer.disconnect());
  }
}
