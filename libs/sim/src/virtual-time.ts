/**
 * Virtual time: a queue of events that fire in order of their time and, at one time, in the
 * order in which they were asked for. Time moves only from event to event, so an hour of a
 * quiet network costs nothing and every run of one seed is the same.
 */
export interface Scheduled {
  readonly time: number;
  /** Never fires after this; calling it twice, or late, does no harm. */
  cancel(): void;
}

class Entry implements Scheduled {
  live = true;

  constructor(
    readonly time: number,
    readonly order: number,
    readonly action: () => void,
  ) {}

  cancel(): void {
    this.live = false;
  }
}

export class VirtualTime {
  private readonly heap: Entry[] = [];
  private order = 0;
  private time = 0;

  /** Milliseconds since the simulation began. */
  get now(): number {
    return this.time;
  }

  /** Events that still wait, cancelled ones that were not yet passed included. */
  get pending(): number {
    return this.heap.length;
  }

  /** At `time`, or now when that has passed. */
  at(time: number, action: () => void): Scheduled {
    const entry = new Entry(
      time > this.time ? time : this.time,
      this.order++,
      action,
    );
    this.push(entry);
    return entry;
  }

  after(delay: number, action: () => void): Scheduled {
    return this.at(this.time + delay, action);
  }

  /** Fires the next event; false when none waits. */
  step(): boolean {
    for (let entry = this.pop(); entry; entry = this.pop()) {
      if (!entry.live) continue;
      entry.live = false;
      this.time = entry.time;
      entry.action();
      return true;
    }
    return false;
  }

  /** Fires everything due up to and including `time`, then stands at `time`. */
  runUntil(time: number): void {
    for (
      let next = this.heap[0];
      next && next.time <= time;
      next = this.heap[0]
    ) {
      if (next.live) this.step();
      else this.pop();
    }
    this.time = Math.max(this.time, time);
  }

  run(duration: number): void {
    this.runUntil(this.time + duration);
  }

  private push(entry: Entry): void {
    const heap = this.heap;
    let at = heap.length;
    heap.push(entry);
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Entry;
      if (!before(entry, parent)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = entry;
  }

  private pop(): Entry | undefined {
    const heap = this.heap;
    const first = heap[0];
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      const right = heap[down + 1];
      if (right && before(right, heap[down] as Entry)) down++;
      const child = heap[down] as Entry;
      if (!before(child, last)) break;
      heap[at] = child;
      at = down;
    }
    heap[at] = last;
    return first;
  }
}

function before(a: Entry, b: Entry): boolean {
  return a.time < b.time || (a.time === b.time && a.order < b.order);
}
