/**
 * What is due when: a binary heap of callbacks by time. Cancelled ones stay until they reach the
 * top, and the heap is rebuilt when most of it is cancelled, so its size follows what is live.
 */
export interface Timer {
  readonly at: number;
  run: (() => void) | undefined;
}

/** What is due within a microsecond is due: an owner may count its time from another zero. */
const SLACK_MS = 0.001;

export class Timers {
  private heap: Timer[] = [];
  private cancelled = 0;

  /** When the next one is due; Infinity when there is none. */
  get next(): number {
    this.skip();
    return this.heap[0]?.at ?? Infinity;
  }

  add(at: number, run: () => void): Timer {
    const timer: Timer = { at, run };
    this.push(timer);
    return timer;
  }

  cancel(timer: Timer): void {
    if (timer.run === undefined) return;
    timer.run = undefined;
    if (++this.cancelled > 64 && this.cancelled > this.heap.length / 2)
      this.rebuild();
  }

  /** Runs all that is due at `now`, in order of time. */
  runDue(now: number): void {
    while (this.next <= now + SLACK_MS) {
      const timer = this.pop();
      const due = timer?.run;
      if (timer) timer.run = undefined;
      due?.();
    }
  }

  private skip(): void {
    while (this.heap.length > 0 && this.heap[0]?.run === undefined) {
      this.pop();
      this.cancelled--;
    }
  }

  private rebuild(): void {
    const live = this.heap.filter((timer) => timer.run !== undefined);
    this.heap = [];
    this.cancelled = 0;
    for (const timer of live) this.push(timer);
  }

  private push(timer: Timer): void {
    const heap = this.heap;
    let i = heap.length;
    heap.push(timer);
    while (i > 0) {
      const up = (i - 1) >> 1;
      const parent = heap[up] as Timer;
      if (parent.at <= timer.at) break;
      heap[i] = parent;
      i = up;
    }
    heap[i] = timer;
  }

  private pop(): Timer | undefined {
    const heap = this.heap;
    const top = heap[0];
    const last = heap.pop();
    if (top === undefined || last === undefined || heap.length === 0)
      return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && right.at < (heap[child] as Timer).at) child++;
      if ((heap[child] as Timer).at >= last.at) break;
      heap[i] = heap[child] as Timer;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}
