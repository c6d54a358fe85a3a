/** A signal that follows another one, at most once a period; the last value always arrives. */
import { effect, signal, untracked, type Signal } from '@angular/core';

/** `period` in ms, asked anew each time; 0 follows at once. */
export function throttled<T>(
  source: Signal<T>,
  period: () => number,
): Signal<T> {
  const value = signal(untracked(source));
  let last = -Infinity;
  effect((onCleanup) => {
    const next = source();
    const wait = last + untracked(period) - performance.now();
    const take = (): void => {
      last = performance.now();
      value.set(next);
    };
    if (wait <= 0) {
      take();
      return;
    }
    const timer = setTimeout(take, wait);
    onCleanup(() => clearTimeout(timer));
  });
  return value.asReadonly();
}
