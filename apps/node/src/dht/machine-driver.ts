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

  private setTimer(): void {
    clearTimeout(this.timer);
    const { wakeAt } = this.machine;
    const delay = Math.min(longestTimer, Math.max(0, wakeAt - this.now()));
    this.timer = setTimeout(
      () => this.feed({ type: 'tick' }),
      Math.ceil(delay),
    );
  }
}
