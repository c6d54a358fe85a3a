/**
 * Stamps of a hybrid logical clock: which of two versions of a record is the later one.
 * A stamp is 56 lower-case hex digits, so that string order is the order of writing:
 * 12 of milliseconds since 1970, 4 of a counter inside one millisecond, 40 of the writer's id.
 * Source: Kulkarni et al., "Logical Physical Clocks", 2014; the counter never overflows, it
 * borrows the next millisecond.
 */
import type { RingId } from '@dnd/chord';

export type Stamp = string;

/** A stamp further ahead of our clock than this is refused, in milliseconds. */
export const MAX_AHEAD_MS = 30_000;

const PATTERN = /^[0-9a-f]{56}$/;
const MAX_COUNT = 0xffff;

export function isStamp(value: unknown): value is Stamp {
  return typeof value === 'string' && PATTERN.test(value);
}

export function makeStamp(time: number, count: number, origin: RingId): Stamp {
  return hex(time, 12) + hex(count, 4) + origin;
}

/** The least stamp of this origin that is later than both. */
export function stampAfter(stamp: Stamp, other: Stamp, origin: RingId): Stamp {
  const later = stamp > other ? stamp : other;
  const count = stampCount(later);
  return count < MAX_COUNT
    ? makeStamp(stampTime(later), count + 1, origin)
    : makeStamp(stampTime(later) + 1, 0, origin);
}

/** Milliseconds since 1970 in a stamp. */
export function stampTime(stamp: Stamp): number {
  return parseInt(stamp.slice(0, 12), 16);
}

function stampCount(stamp: Stamp): number {
  return parseInt(stamp.slice(12, 16), 16);
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}

/** Gives out stamps that grow and never lie behind one that was seen. */
export class HybridClock {
  private time = 0;
  private count = 0;

  constructor(public origin: RingId) {}

  /** The time of the latest stamp given out or seen, milliseconds since 1970. */
  get last(): number {
    return this.time;
  }

  /** A stamp later than every stamp given out or seen; `wall` in milliseconds since 1970. */
  next(wall: number): Stamp {
    this.advance(Math.max(0, Math.floor(wall)), -1);
    return makeStamp(this.time, this.count, this.origin);
  }

  /**
   * Takes note of another node's stamp. False, and nothing noted, when it lies more than
   * MAX_AHEAD_MS ahead of `wall`: such a writer's clock is wrong.
   */
  observe(stamp: Stamp, wall: number): boolean {
    const time = stampTime(stamp);
    if (time > wall + MAX_AHEAD_MS) return false;
    this.raise(time, stampCount(stamp));
    return true;
  }

  /** As `observe`, of a stamp from our own disk, whatever our wall clock says now. */
  restore(stamp: Stamp): void {
    this.raise(stampTime(stamp), stampCount(stamp));
  }

  private raise(time: number, count: number): void {
    if (time > this.time) {
      this.time = time;
      this.count = count;
    } else if (time === this.time && count > this.count) this.count = count;
  }

  private advance(time: number, count: number): void {
    if (time > this.time) {
      this.time = time;
      this.count = count + 1;
      return;
    }
    this.count++;
    if (this.count > MAX_COUNT) {
      this.time++;
      this.count = 0;
    }
  }
}
