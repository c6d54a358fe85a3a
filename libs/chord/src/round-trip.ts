/**
 * How long answers take: smoothed round trip and mean deviation, as in RFC 6298. Until a node has
 * answered a few times, what is known of all nodes stands in for what is not known of it.
 */
import type { ChordSettings } from './settings';

/** Answers after which a node's own figures are enough. */
const ENOUGH = 6;

export class RoundTrip {
  private smoothed = 0;
  private deviation = 0;
  private samples = 0;

  /** Milliseconds, undefined before the first answer. */
  get mean(): number | undefined {
    return this.samples === 0 ? undefined : this.smoothed;
  }

  measured(rtt: number): void {
    if (this.samples++ === 0) {
      this.smoothed = rtt;
      this.deviation = rtt / 2;
      return;
    }
    this.deviation += (Math.abs(this.smoothed - rtt) - this.deviation) / 4;
    this.smoothed += (rtt - this.smoothed) / 8;
  }

  /** How long to wait for an answer; twice that after each answer missed in a row. */
  timeout(settings: ChordSettings, all: RoundTrip, misses = 0): number {
    const { callFirstMs, callMinMs, callMaxMs } = settings;
    let wait = this.bound;
    if (this.samples < ENOUGH) wait = Math.max(wait, all.bound);
    if (this.samples === 0) wait = Math.max(wait, callFirstMs);
    const bounded = Math.max(wait, callMinMs) * 2 ** Math.min(misses, 4);
    return Math.min(bounded, callMaxMs);
  }

  private get bound(): number {
    return this.smoothed + 4 * this.deviation;
  }
}
