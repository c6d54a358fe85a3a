/**
 * Congestion control by delay (LEDBAT, RFC 6817, with BEP 29's constants): the
 * window grows while the queue that we cause adds less than 100 ms to the
 * one-way delay, shrinks in proportion when it adds more, and is halved by loss, so that the
 * transfer yields to everything else on the line. Bytes and milliseconds;
 * delays are differences of two clocks in microseconds, of which only changes
 * mean anything.
 */
const TARGET = 100_000;
/** The most that a window grows in one round trip once slow start is over, in packets. */
const GAIN = 2;
/** Part of the target at which slow start ends: one round trip later the queue has doubled. */
const SLOW_START_END = 0.5;
/** Minutes over which the least delay counts as the line's own. */
const BASE_MINUTES = 10;
/** Of how many samples the least is the delay now: one late packet is no queue. */
const FILTER = 4;

export class Ledbat {
  /** Bytes that may be under way. */
  window: number;
  /** Payload bytes of a full packet. */
  readonly packet: number;
  readonly #most: number;
  #threshold = Infinity;
  readonly #bases: number[] = [];
  #minute = -Infinity;
  readonly #recent: number[] = [];
  #recentAt = 0;

  /** `packet` is the payload of a full packet; `most` bounds the window. */
  constructor(packet: number, most: number) {
    this.packet = packet;
    this.#most = most;
    this.window = 4 * packet;
  }

  /** The queue's part of the delay now, in microseconds; 0 before the first sample. */
  get queueDelay(): number {
    if (this.#recent.length === 0) return 0;
    let base = this.#bases[0];
    for (const each of this.#bases) {
      if (wrapped(each - base) < 0) base = each;
    }
    let least = wrapped(this.#recent[0] - base);
    for (const each of this.#recent) {
      least = Math.min(least, wrapped(each - base));
    }
    return Math.max(0, least);
  }

  /** A one-way delay as the remote measured it (32 bits of microseconds). */
  sample(delay: number, now: number): void {
    const last = this.#bases.length - 1;
    if (last < 0 || now >= this.#minute + 60_000) {
      this.#minute = now;
      this.#bases.push(delay);
      if (this.#bases.length > BASE_MINUTES) this.#bases.shift();
    } else if (wrapped(delay - this.#bases[last]) < 0) {
      this.#bases[last] = delay;
    }
    this.#recent[this.#recentAt] = delay;
    this.#recentAt = (this.#recentAt + 1) % FILTER;
  }

  /** `bytes` were acknowledged; `full` says that the window was in use. */
  acked(bytes: number, full: boolean): void {
    const queue = this.queueDelay;
    const offTarget = (TARGET - queue) / TARGET;
    if (this.window < this.#threshold) {
      if (queue < TARGET * SLOW_START_END) {
        if (full) this.#set(this.window + bytes);
        return;
      }
      this.#threshold = this.window;
    }
    if (offTarget > 0 && !full) return;
    const share = Math.min(bytes / this.window, 1);
    // Too long a queue is drained in proportion (LEDBAT++), at most by half a round trip.
    const change =
      offTarget > 0
        ? GAIN * this.packet * offTarget
        : Math.max(offTarget, -0.5) * this.window;
    this.#set(this.window + change * share);
  }

  /** Packets were lost; call once a round trip. */
  lost(): void {
    this.#set(this.window / 2);
    this.#threshold = this.window;
  }

  /** Nothing was heard for a whole time-out: begin as at the start. */
  timedOut(): void {
    this.#threshold = Math.max(this.window / 2, 2 * this.packet);
    this.window = this.packet;
  }

  #set(window: number): void {
    this.window = Math.min(Math.max(window, this.packet * 2), this.#most);
  }
}

/** The difference of two 32-bit clock readings, with its sign. */
function wrapped(difference: number): number {
  return difference | 0;
}
