/**
 * The newest answer to a question that is asked again and again while its component lives and the page
 * is visible. It starts afresh when a signal read by `question` changes. Undefined until the first answer.
 */
import { DOCUMENT, effect, inject, signal, type Signal } from '@angular/core';

export interface Polled<T> {
  readonly value: Signal<T | undefined>;
  readonly error: Signal<unknown>;
  /** Asks now, without waiting for the next time. */
  ask(): Promise<void>;
}

/** `question` names what to ask, in a reactive context, and returns how; `period` in ms. */
export function polled<T>(
  question: () => () => Promise<T>,
  period: number,
): Polled<T> {
  const document = inject(DOCUMENT);
  const value = signal<T | undefined>(undefined);
  const error = signal<unknown>(undefined);
  let current: () => Promise<void> = () => Promise.resolve();
  effect((onCleanup) => {
    const ask = question();
    let live = true;
    let timer: ReturnType<typeof setTimeout>;
    value.set(undefined);
    current = async () => {
      try {
        const answer = await ask();
        if (live) value.set(answer);
        if (live) error.set(undefined);
      } catch (problem) {
        if (live) error.set(problem);
      }
    };
    const loop = async (): Promise<void> => {
      if (!document.hidden) await current();
      if (live) timer = setTimeout(loop, period);
    };
    void loop();
    onCleanup(() => {
      live = false;
      clearTimeout(timer);
    });
  });
  return { value, error, ask: () => current() };
}
