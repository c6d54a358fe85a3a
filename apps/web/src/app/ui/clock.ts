/** The time as signals, for texts such as "5 minutes ago" and for lists that re-sort themselves now and then. */
import { DestroyRef, inject, Injectable, signal } from '@angular/core';

@Injectable({ providedIn: 'root' })
export class Clock {
  private readonly everyTwoSeconds = signal(Date.now());
  private readonly everyHalfMinute = signal(Date.now());

  /** Milliseconds, renewed every 2 s. */
  readonly soon = this.everyTwoSeconds.asReadonly();
  /** Milliseconds, renewed every 30 s. */
  readonly now = this.everyHalfMinute.asReadonly();

  constructor() {
    const fast = setInterval(() => this.everyTwoSeconds.set(Date.now()), 2000);
    const slow = setInterval(
      () => this.everyHalfMinute.set(Date.now()),
      30_000,
    );
    inject(DestroyRef).onDestroy(() => {
      clearInterval(fast);
      clearInterval(slow);
    });
  }
}
