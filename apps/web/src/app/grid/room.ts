/** How much room the component has that asks, as signals. */
import {
  DestroyRef,
  ElementRef,
  inject,
  signal,
  type Signal,
} from '@angular/core';

/** Pixels. */
const enough = 720;
const plenty = 960;

export interface Room {
  /** Enough for one line a row; narrower lists show cards. */
  readonly wide: Signal<boolean>;
  /** Enough for the less important columns too. */
  readonly roomy: Signal<boolean>;
}

export function room(): Room {
  const wide = signal(true);
  const roomy = signal(true);
  const { nativeElement } = inject<ElementRef<HTMLElement>>(ElementRef);
  if (typeof ResizeObserver !== 'undefined') {
    const observer = new ResizeObserver(([{ contentRect }]) => {
      // A list that is hidden behind its detail keeps its form.
      if (contentRect.width === 0) return;
      wide.set(contentRect.width >= enough);
      roomy.set(contentRect.width >= plenty);
    });
    observer.observe(nativeElement);
    inject(DestroyRef).onDestroy(() => observer.disconnect());
  }
  return { wide: wide.asReadonly(), roomy: roomy.asReadonly() };
}
