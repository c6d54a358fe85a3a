/**
 * Milliseconds since 1970 that never go back, whatever is done to the machine's clock, and that go on while
 * the machine sleeps: the system's own steady clock stands still then, and what should have expired in the
 * meantime would live on. A clock that is set forward cannot be told from a sleep and is taken for one; it
 * makes things expire early, which does no harm.
 */

/** Differences smaller than this are the clock's own corrections, milliseconds. */
const least = 2_000;
const origin = performance.timeOrigin;

export class SteadyClock {
  /** What `now` said last: for those who need no more than to be of this turn. */
  last: number;
  private slept = 0;
  /** The time of day less the system's steady clock, when last looked at. */
  private offset: number;

  constructor(
    private readonly day: () => number = Date.now,
    private readonly steady: () => number = () => origin + performance.now(),
  ) {
    this.last = steady();
    this.offset = day() - this.last;
  }

  readonly now = (): number => (this.last = this.steady() + this.slept);

  /** The time of day less `now`. */
  get wallOffset(): number {
    return this.day() - this.now();
  }

  /** To be called once a second or so; true when the machine has slept since the last call. */
  look(): boolean {
    const offset = this.day() - this.steady();
    const jump = offset - this.offset;
    this.offset = offset;
    if (jump < least) return false;
    this.slept += jump;
    return true;
  }
}
