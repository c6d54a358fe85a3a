/**
 * When one torrent announces, to which of its trackers and with which event (BEP 3, BEP 12). One
 * tracker is asked at a time: tier after tier, shuffled once within each, and whoever answers
 * moves to its tier's front. A tracker that fails is left alone for a time that doubles.
 *
 * Promises: `started` is the first and `stopped` the last that a tracker hears, the latter only
 * where it answered; `completed` is answered once, and never sent for a torrent that began
 * complete; at most one announce is under way but for the stops; however the clock jumps, a
 * tracker is not asked again before its time, events and its own failures apart.
 *
 * Leaves to its owner: asking (over HTTP or UDP) with a time-out of its own, and waking at `wakeAt`.
 */

export type ScheduleInput =
  /** The torrent begins; `complete` where nothing is left to download. */
  | { readonly type: 'start'; readonly complete: boolean }
  /** The download is complete. */
  | { readonly type: 'completed' }
  /** More peers are wanted: announce as soon as the tracker allows. */
  | { readonly type: 'hurry' }
  | { readonly type: 'stop' }
  | {
      readonly type: 'answered';
      readonly call: number;
      /** Seconds. */
      readonly interval?: number;
      readonly minInterval?: number;
      readonly trackerId?: string;
      /** Further trackers, tried after all others. */
      readonly trackers?: readonly (readonly string[])[];
    }
  | {
      readonly type: 'failed';
      readonly call: number;
      readonly reason: string;
      /** BEP 31. */
      readonly retryMinutes?: number | 'never';
    }
  | { readonly type: 'tick' };

export type ScheduleEvent = 'started' | 'completed' | 'stopped';

export type ScheduleOutput =
  | {
      readonly type: 'announce';
      /** To be given back with `answered` or `failed`. */
      readonly call: number;
      readonly url: string;
      readonly event?: ScheduleEvent;
      readonly trackerId?: string;
    }
  /** All stops are answered or given up; the torrent is silent. */
  | { readonly type: 'stopped' };

export interface AnnounceScheduleOptions {
  readonly tiers: readonly (readonly string[])[];
  /** A random number in [0, 1) a call. */
  readonly random: () => number;
  /** Seconds; a tracker that asks for less gets this. 60 unless given. */
  readonly minInterval?: number;
  /** Seconds; a tracker that asks for more gets this. 4 hours unless given. */
  readonly maxInterval?: number;
}

/** A tracker as the detail view shows it. Times in the caller's milliseconds. */
export interface TrackerState {
  readonly url: string;
  readonly tier: number;
  readonly state: 'waiting' | 'announcing' | 'working' | 'failing' | 'refused';
  /** Why it last failed. */
  readonly reason?: string;
  /** When it may be asked again. */
  readonly notBefore: number;
}

interface Tracker {
  readonly url: string;
  readonly tier: number;
  /** It has answered since the last start and will want to hear of the stop. */
  known: boolean;
  failures: number;
  reason: string | undefined;
  trackerId: string | undefined;
  /** Not to be asked before, in milliseconds; Infinity: never again. */
  notBefore: number;
  answered: boolean;
}

interface Call {
  readonly tracker: Tracker;
  readonly event: ScheduleEvent | undefined;
}

const FIRST_RETRY = 30_000;
const LAST_RETRY = 3_600_000;
/** Milliseconds that stops may take. */
const STOP_TIME = 5000;
const DEFAULT_INTERVAL = 1800;
/** Trackers kept; what is more is left out. */
const MAX_TRACKERS = 100;

export class AnnounceSchedule {
  private readonly order: Tracker[] = [];
  private readonly random: () => number;
  private readonly minInterval: number;
  private readonly maxInterval: number;
  private readonly calls = new Map<number, Call>();
  private nextCall = 1;
  private phase: 'idle' | 'running' | 'stopping' = 'idle';
  private complete = false;
  private owesCompleted = false;
  /** Who answered last. */
  private current: Tracker | undefined;
  private due = Infinity;
  private clock = -Infinity;

  constructor(options: AnnounceScheduleOptions) {
    this.random = options.random;
    this.minInterval = options.minInterval ?? 60;
    this.maxInterval = options.maxInterval ?? 4 * 3600;
    this.learn(options.tiers);
  }

  /** When `tick` is due; Infinity when nothing is waited for. */
  get wakeAt(): number {
    return this.due;
  }

  get trackers(): TrackerState[] {
    const busy = new Set([...this.calls.values()].map((call) => call.tracker));
    return this.order.map((tracker) => ({
      url: tracker.url,
      tier: tracker.tier,
      state: stateOf(tracker, busy.has(tracker)),
      ...(tracker.reason !== undefined && { reason: tracker.reason }),
      notBefore: tracker.notBefore,
    }));
  }

  handle(input: ScheduleInput, now: number): ScheduleOutput[] {
    this.follow(now);
    switch (input.type) {
      case 'start':
        return this.start(input.complete, now);
      case 'completed':
        if (!this.complete && this.phase === 'running') {
          this.owesCompleted = true;
          this.due = now;
        }
        this.complete = true;
        return this.advance(now);
      case 'hurry':
        return this.hurry(now);
      case 'stop':
        return this.stop(now);
      case 'answered':
        return this.onAnswered(input, now);
      case 'failed':
        return this.onFailed(input, now);
      case 'tick':
        return this.advance(now);
    }
  }

  private start(complete: boolean, now: number): ScheduleOutput[] {
    if (this.phase === 'running') return [];
    this.phase = 'running';
    this.complete = complete;
    this.owesCompleted = false;
    this.calls.clear();
    for (const tracker of this.order) {
      tracker.known = false;
      if (tracker.failures === 0) tracker.notBefore = -Infinity;
    }
    this.due = now;
    return this.advance(now);
  }

  /** Not past the tracker that serves us: that it bids us wait is no reason to go to the next. */
  private hurry(now: number): ScheduleOutput[] {
    if (this.phase !== 'running') return [];
    const soon = Math.max(now, this.current?.notBefore ?? now);
    this.due = Math.min(this.due, soon);
    return this.advance(now);
  }

  private stop(now: number): ScheduleOutput[] {
    if (this.phase !== 'running') return [];
    this.phase = 'stopping';
    this.due = now + STOP_TIME;
    // Whoever is being asked right now hears of the stop when that is over.
    const busy = [...this.calls.values()].map((call) => call.tracker);
    const stops = this.order
      .filter((tracker) => tracker.known && !busy.includes(tracker))
      .map((tracker) => this.call(tracker, 'stopped'));
    return [...stops, ...this.finish()];
  }

  private onAnswered(
    input: Extract<ScheduleInput, { type: 'answered' }>,
    now: number,
  ): ScheduleOutput[] {
    const call = this.take(input.call);
    if (call === undefined) return [];
    const { tracker, event } = call;
    if (event === 'stopped') return this.finish();
    tracker.known = true;
    tracker.answered = true;
    tracker.failures = 0;
    tracker.reason = undefined;
    tracker.trackerId = input.trackerId ?? tracker.trackerId;
    this.learn(input.trackers ?? []);
    this.current = tracker;
    this.promote(tracker);
    if (this.phase === 'stopping') return [this.call(tracker, 'stopped')];
    if (event === 'completed') this.owesCompleted = false;
    const interval = this.clamp(input.interval ?? DEFAULT_INTERVAL);
    const least = Math.min(
      interval,
      this.clamp(input.minInterval ?? this.minInterval),
    );
    tracker.notBefore = now + least * 1000;
    this.due = now + interval * 1000;
    return this.advance(now);
  }

  /** Adds tiers after those that there are; trackers that are known stay where they are. */
  private learn(tiers: readonly (readonly string[])[]): void {
    const seen = new Set(this.order.map(({ url }) => url));
    const first = (this.order.at(-1)?.tier ?? -1) + 1;
    tiers.forEach((urls, i) => {
      const fresh = urls
        .filter((url) => !seen.has(url) && seen.add(url))
        .slice(0, MAX_TRACKERS - this.order.length);
      for (const url of this.shuffle(fresh))
        this.order.push(newTracker(url, first + i));
    });
  }

  private onFailed(
    input: Extract<ScheduleInput, { type: 'failed' }>,
    now: number,
  ): ScheduleOutput[] {
    const call = this.take(input.call);
    if (call === undefined) return [];
    if (call.event === 'stopped') return this.finish();
    const { tracker } = call;
    tracker.failures++;
    tracker.reason = input.reason;
    tracker.notBefore = now + this.pause(tracker.failures, input.retryMinutes);
    if (this.phase === 'stopping')
      return tracker.known ? [this.call(tracker, 'stopped')] : this.finish();
    if (this.current === tracker) this.current = undefined;
    this.due = now;
    return this.advance(now);
  }

  /** Announces if it is time and anybody may be asked; else sees to waking when that is so. */
  private advance(now: number): ScheduleOutput[] {
    if (this.phase === 'stopping') {
      if (now < this.due) return [];
      this.calls.clear();
      return this.finish();
    }
    if (this.phase === 'idle') return [];
    if (this.calls.size > 0) {
      this.due = Infinity;
      return [];
    }
    if (this.owesCompleted) {
      const told = this.order.find((t) => t.known && t.failures === 0);
      if (told !== undefined) return [this.call(told, 'completed')];
    }
    if (now < this.due) return [];
    const tracker = this.order.find((t) => t.notBefore <= now);
    if (tracker !== undefined)
      return [this.call(tracker, tracker.known ? undefined : 'started')];
    this.due = Math.min(...this.order.map((t) => t.notBefore), Infinity);
    return [];
  }

  private call(
    tracker: Tracker,
    event: ScheduleEvent | undefined,
  ): ScheduleOutput {
    const call = this.nextCall++;
    this.calls.set(call, { tracker, event });
    if (event === 'stopped') tracker.known = false;
    else this.due = Infinity;
    return {
      type: 'announce',
      call,
      url: tracker.url,
      ...(event !== undefined && { event }),
      ...(tracker.trackerId !== undefined && { trackerId: tracker.trackerId }),
    };
  }

  private take(number: number): Call | undefined {
    const call = this.calls.get(number);
    this.calls.delete(number);
    return call;
  }

  private finish(): ScheduleOutput[] {
    if (this.phase !== 'stopping' || this.calls.size > 0) return [];
    this.phase = 'idle';
    this.due = Infinity;
    return [{ type: 'stopped' }];
  }

  /** A clock set back takes all times with it, so that nothing waits longer than it would have. */
  private follow(now: number): void {
    const jump = now - this.clock;
    if (jump < -1000) {
      this.due += jump;
      for (const tracker of this.order) tracker.notBefore += jump;
    }
    this.clock = now;
  }

  private pause(failures: number, retry?: number | 'never'): number {
    if (retry === 'never') return Infinity;
    const doubled = FIRST_RETRY * 2 ** Math.min(failures - 1, 10);
    const waits = Math.min(doubled, LAST_RETRY) * (0.8 + 0.4 * this.random());
    return Math.max(waits, (retry ?? 0) * 60_000);
  }

  private clamp(seconds: number): number {
    return Math.min(Math.max(seconds, this.minInterval), this.maxInterval);
  }

  private promote(tracker: Tracker): void {
    const from = this.order.indexOf(tracker);
    const to = this.order.findIndex((other) => other.tier === tracker.tier);
    this.order.splice(from, 1);
    this.order.splice(to, 0, tracker);
  }

  private shuffle(urls: readonly string[]): string[] {
    const shuffled = [...urls];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const k = Math.floor(this.random() * (i + 1));
      [shuffled[i], shuffled[k]] = [shuffled[k], shuffled[i]];
    }
    return shuffled;
  }
}

function newTracker(url: string, tier: number): Tracker {
  return {
    url,
    tier,
    known: false,
    failures: 0,
    reason: undefined,
    trackerId: undefined,
    notBefore: -Infinity,
    answered: false,
  };
}

function stateOf(tracker: Tracker, busy: boolean): TrackerState['state'] {
  if (busy) return 'announcing';
  if (tracker.notBefore === Infinity) return 'refused';
  if (tracker.failures > 0) return 'failing';
  return tracker.answered ? 'working' : 'waiting';
}
