/**
 * Runs a protocol core: feeds it facts with the present time, performs its commands, and keeps the
 * one timer that it asks for. Commands given while others are performed wait their turn, so that a
 * step is never inside another.
 */
import type { Machine } from '@dnd/chord';

/** The longest a timer is set for; a core that wants to sleep longer is asked again. */
const longestTimer = 60_000;

export class MachineDriver<I extends { readonly type: string }, O> {
  private timer: NodeJS.Timeout | undefined;
  /** When it is due. */
  private timerAt = 0;
  private readonly waiting: (I | { readonly type: 'tick' })[] = [];
  private busy = false;
  private stopped = false;

  constructor(
    private readonly machine: Machine<I | { readonly type: 'tick' }, O>,
    private readonly perform: (output: O) => void,
    private readonly now: () => number,
  ) {}

  feed(input: I | { readonly type: 'tick' }): void {
    if (this.stopped) return;
    this.waiting.push(input);
    if (this.busy) return;
    this.busy = true;
    try {
      for (
        let next = this.waiting.shift();
        next !== undefined;
        next = this.waiting.shift()
      ) {
        for (const output of this.machine.handle(next, this.now()))
          this.perform(output);
      }
    } finally {
      this.busy = false;
    }
    this.setTimer();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  /** One that is due before it is needed stays: to be asked once too often costs less than a new timer for every step. */
  private setTimer(): void {
    const now = this.now();
    const at = Math.min(now + longestTimer, this.machine.wakeAt);
    if (this.timer && this.timerAt <= at) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(
      () => {
        this.timer = undefined;
        this.feed({ type: 'tick' });
      },
      Math.ceil(Math.max(0, at - now)),
    );
  }
}
