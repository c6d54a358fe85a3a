/**
 * The time of day that the neighbours agree on. Machines whose clocks are wrong by minutes must
 * still write records that others accept, so messages carry their sender's idea of the time. A
 * node that comes new takes over what the ring says, forward or back; later it only follows those
 * that are ahead, for what it has stamped must not come to lie in the future. One node alone may
 * not pull the others along by more than ten minutes, two may.
 * It also tells how late a message arrived, by comparing with the fastest one that ever came from
 * the same start of the same node, whatever the two clocks show.
 */
import type { NodeRef, RingId } from '@dnd/chord';

/** Differences smaller than this are network delay, not a wrong clock, in milliseconds. */
const TOLERATED_MS = 500;
/** A single node is followed as far ahead as this. */
const CREDIBLE_MS = 600_000;
/** Two nodes that differ by less than this support each other. */
const SUPPORT_MS = 60_000;
/** What a neighbour said longer ago than this does not count. */
const FORGET_MS = 60_000;
/** Among newcomers only, our own clock is as good as theirs after so long. */
const WAIT_MS = 2_000;
const MAX_SOURCES = 16;
/** Two machines' clocks drift apart by at most this part of the time that passes. */
const DRIFT = 1e-4;
/** A message that seems later than this shows that its sender's clock was set back. */
const MAX_LATE_MS = 120_000;

/** What every message says of the time. */
export interface Told {
  /** The sender's idea of the time, milliseconds since 1970. */
  readonly clock: number;
  /** The sender has compared it with a ring, or had none to compare with. */
  readonly agreed: boolean;
  /** The sender's own `now`, of which only differences mean something. */
  readonly sent: number;
}

interface Source {
  incarnation: number;
  /** Their idea of the time less our uncorrected clock, by the last message. */
  time: number;
  agreed: boolean;
  /** Their `sent` less our `now` of the message that travelled fastest. */
  fastest: number;
  at: number;
}

export class WallClock {
  private readonly sources = new Map<RingId, Source>();
  private correction = 0;
  /** No earlier than this, for that was stamped here before; by our uncorrected clock. */
  private least = -Infinity;
  private firstHeard: number | undefined;
  private known = false;

  /** `offset` is the local time of day less the machine's `now`, in milliseconds. */
  constructor(public offset: number) {}

  /** Is our idea of the time as good as anybody's? */
  get agreed(): boolean {
    return this.known;
  }

  /** Milliseconds since 1970, as the neighbourhood sees it. */
  time(now: number): number {
    return now + this.offset + this.correction;
  }

  /** There is nobody to ask. */
  settle(): void {
    this.known = true;
  }

  /** It is not earlier than `time`: our disk has records of then. */
  notBefore(time: number, now: number): void {
    this.least = Math.max(this.least, time - now - this.offset);
    this.correction = Math.max(this.correction, this.least);
  }

  /** Takes note of what a message says; how late it came in milliseconds, at least. */
  hear(from: NodeRef, told: Told, now: number): number {
    const travelled = told.sent - now;
    let source = this.sources.get(from.id);
    if (source?.incarnation !== from.incarnation)
      source = {
        incarnation: from.incarnation,
        time: 0,
        agreed: false,
        fastest: travelled,
        at: now,
      };
    const decayed = source.fastest - (now - source.at) * DRIFT;
    const late = decayed - travelled;
    const usual = late >= 0 && late <= MAX_LATE_MS;
    source.fastest = usual ? decayed : travelled;
    source.time = told.clock - now - this.offset + (usual ? late : 0);
    source.agreed = told.agreed;
    source.at = now;
    this.remember(from.id, source);
    this.firstHeard ??= now;
    const ahead = source.time > this.correction + TOLERATED_MS;
    if (!this.known || (ahead && source.agreed)) this.correct(now);
    return usual ? late : 0;
  }

  private remember(id: RingId, source: Source): void {
    this.sources.delete(id);
    this.sources.set(id, source);
    const [oldest] = this.sources.keys();
    if (this.sources.size > MAX_SOURCES && oldest !== undefined)
      this.sources.delete(oldest);
  }

  private correct(now: number): void {
    const times: number[] = [];
    for (const { time, at, agreed } of this.sources.values())
      if (agreed && at + FORGET_MS > now) times.push(time);
    times.sort((a, b) => b - a);
    if (this.known) {
      const best = times.find((time, i) => this.isCredible(times, time, i));
      if (best !== undefined && best > this.correction) this.correction = best;
      return;
    }
    const middle = times[times.length >> 1];
    if (middle !== undefined) {
      this.correction = Math.max(middle, this.least);
      this.known = true;
    } else if (now - (this.firstHeard ?? now) >= WAIT_MS) this.known = true;
  }

  private isCredible(
    times: readonly number[],
    time: number,
    index: number,
  ): boolean {
    if (time <= this.correction + CREDIBLE_MS) return true;
    return times.some(
      (other, i) => i !== index && Math.abs(other - time) < SUPPORT_MS,
    );
  }
}
