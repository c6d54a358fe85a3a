/**
 * What happened in a simulation: a running 53-bit hash of every event, so that two runs can be
 * compared cheaply, and the last events as text for the report of a failure.
 */
// Looked up once: a test runner's context makes every use of a global slow.
const { imul } = Math;

export class Trace {
  private low = 0x811c9dc5 | 0;
  private high = 0x01000193 | 0;
  private count = 0;
  private readonly recent: string[] = [];

  constructor(private readonly keep = 200) {}

  record(time: number, event: string): void {
    this.count++;
    this.mix(`${time} ${event}`);
    if (this.keep === 0) return;
    this.recent[(this.count - 1) % this.keep] = `${time.toFixed(3)} ${event}`;
  }

  /** The same for the same events in the same order. */
  get hash(): string {
    const word = (n: number) => (n >>> 0).toString(16).padStart(8, '0');
    return `${word(this.high)}${word(this.low)}`;
  }

  /** Events recorded so far. */
  get length(): number {
    return this.count;
  }

  /** The last events, oldest first, one a line. */
  tail(lines = this.keep): string {
    const kept = Math.min(this.count, this.keep, lines);
    return Array.from(
      { length: kept },
      (_, i) => this.recent[(this.count - kept + i) % this.keep],
    ).join('\n');
  }

  private mix(text: string): void {
    let { low, high } = this;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      low = imul(low ^ code, 0x01000193);
      high = imul(high ^ code, 0x85ebca6b) ^ (high >>> 13);
    }
    this.low = low;
    this.high = high;
  }
}

/** For long runs: traces cost more than the simulation; a failing seed can be run again with one. */
export class NoTrace extends Trace {
  constructor() {
    super(0);
  }

  override record(): void {
    // Nothing is kept.
  }
}
