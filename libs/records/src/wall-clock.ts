/**
 * The time of day that the neighbours agree on. Machines whose clocks are wrong by minutes must
 * still write records that others accept, so messages carry their sender's idea of the time, and
 * a node that differs from the median of what it hears follows it (the lower of two middles, so
 * that two nodes do not change places). A node that comes new takes over what the others say.
 * It also tells how late a message arrived, by comparing with the fastest one that ever came from
 * the same start of the same node, whatever the two clocks show.
 */
import type { NodeRef, RingId } from '@dnd/chord';

/** Differences smaller than this are network delay, not a wrong clock, in milliseconds. */
const TOLERATED_MS = 1_000;
/** What a neighbour said longer ago than this does not count. */
const FORGET_MS = 60_000;
const MAX_SOURCES = 16;
/** Neighbours heard that make a newcomer sure. */
const QUORUM = 3;
/** In a ring too small for that, so many messages. */
const ENOUGH = 4;
/** Two machines' clocks drift apart by at most this part of the time that passes. */
const DRIFT = 1e-4;
/** A message that seems later than this shows that its sender's clock was set back. */
const MAX_LATE_MS = 120_000;

interface Source {
  incarnation: number;
  /** Their idea of the time less our uncorrected clock, by the last message. */
  time: number;
  /** Their `sent` less our `now` of the message that travelled fastest. */
  fastest: number;
  at: number;
}

export class WallClock {
  private readonly sources = new Map<RingId, Source>();
  private correction = 0;
  private heard = 0;
  /** Ours is as good as theirs now. */
  private settled = false;

  /** `offset` is the local time of day less the machine's `now`, in milliseconds. */
  constructor(public offset: number) {}

  /** Have enough of `neighbours` been heard for our idea of the time to be the common one? */
  informed(neighbours: number): boolean {
    return this.settled || this.sources.size >= Math.min(QUORUM, neighbours);
  }

  /** Milliseconds since 1970, as the neighbourhood sees it. */
  time(now: number): number {
    return now + this.offset + this.correction;
  }

  /**
   * Takes note of what a message says of the time and of when it was sent, each by its sender's
   * clock; how late it came in milliseconds, at least.
   */
  hear(
    from: NodeRef,
    message: { readonly clock: number; readonly sent: number },
    now: number,
  ): number {
    const travelled = message.sent - now;
    const time = message.clock - now - this.offset;
    let source = this.sources.get(from.id);
    if (source?.incarnation !== from.incarnation)
      source = {
        incarnation: from.incarnation,
        time,
        fastest: travelled,
        at: now,
      };
    const decayed = source.fastest - (now - source.at) * DRIFT;
    const late = decayed - travelled;
    const usual = late >= 0 && late <= MAX_LATE_MS;
    source.fastest = usual ? decayed : travelled;
    source.time = usual ? time + late : time;
    source.at = now;
    this.sources.delete(from.id);
    this.sources.set(from.id, source);
    const differs = Math.abs(source.time - this.correction) > TOLERATED_MS / 2;
    if (differs || !this.settled) this.correct(now);
    return usual ? late : 0;
  }

  private correct(now: number): void {
    if (this.sources.size > MAX_SOURCES) {
      const [oldest] = this.sources.keys();
      if (oldest !== undefined) this.sources.delete(oldest);
    }
    const times: number[] = [];
    for (const { time, at } of this.sources.values())
      if (at + FORGET_MS > now) times.push(time);
    if (times.length >= QUORUM || ++this.heard > ENOUGH) this.settled = true;
    if (this.settled) times.push(this.correction);
    times.sort((a, b) => a - b);
    const median = times[(times.length - 1) >> 1] ?? this.correction;
    if (Math.abs(median - this.correction) > TOLERATED_MS)
      this.correction = median;
  }
}
