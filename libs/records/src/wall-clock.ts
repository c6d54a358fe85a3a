/**
 * The time of day as the neighbourhood sees it. Machines whose clocks are wrong by minutes must
 * still write records that others accept, so a node corrects its own clock by the median of what
 * its neighbours' messages say (the lower one of two middles: in a ring of two both then follow
 * the slower clock). It also tells how late a message arrived, by comparing with the fastest one
 * that ever came from the same start of the same node, whatever the two clocks show.
 */
import type { NodeRef, RingId } from '@dnd/chord';

/** Offsets smaller than this are network delay, not a wrong clock, in milliseconds. */
const TOLERATED_MS = 2_000;
const MAX_SOURCES = 16;
/** Two machines' clocks drift apart by at most this part of the time that passes. */
const DRIFT = 1e-4;
/** A message that seems later than this shows that its sender's clock was set back. */
const MAX_LATE_MS = 120_000;

interface Source {
  incarnation: number;
  /** Their clock less ours, by the last message. */
  offset: number;
  /** The largest such offset seen: that of the message that travelled fastest. */
  fastest: number;
  at: number;
}

export class WallClock {
  private readonly sources = new Map<RingId, Source>();
  private correction = 0;

  /** `offset` is the local time of day less the machine's `now`, in milliseconds. */
  constructor(public offset: number) {}

  /** Has any neighbour's clock been compared with ours? */
  get informed(): boolean {
    return this.sources.size > 0;
  }

  /** Our own clock, uncorrected: what our messages carry. */
  raw(now: number): number {
    return now + this.offset;
  }

  /** Milliseconds since 1970, as the neighbourhood sees it. */
  time(now: number): number {
    return now + this.offset + this.correction;
  }

  /** Takes note of the clock in a message; how late it came in milliseconds, at least. */
  hear(from: NodeRef, theirs: number, now: number): number {
    const offset = theirs - this.raw(now);
    let source = this.sources.get(from.id);
    if (source === undefined || source.incarnation !== from.incarnation) {
      source = {
        incarnation: from.incarnation,
        offset,
        fastest: offset,
        at: now,
      };
    }
    const decayed = source.fastest - (now - source.at) * DRIFT;
    const late = decayed - offset;
    source.fastest = late < 0 || late > MAX_LATE_MS ? offset : decayed;
    source.offset = offset;
    source.at = now;
    this.sources.delete(from.id);
    this.sources.set(from.id, source);
    this.correct();
    return late > 0 && late <= MAX_LATE_MS ? late : 0;
  }

  private correct(): void {
    if (this.sources.size > MAX_SOURCES) {
      const [oldest] = this.sources.keys();
      if (oldest !== undefined) this.sources.delete(oldest);
    }
    const offsets = [0];
    for (const source of this.sources.values()) offsets.push(source.fastest);
    offsets.sort((a, b) => a - b);
    const median = offsets[(offsets.length - 1) >> 1] ?? 0;
    this.correction = Math.abs(median) > TOLERATED_MS ? median : 0;
  }
}
