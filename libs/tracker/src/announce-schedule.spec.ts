import fc from 'fast-check';
import {
  AnnounceSchedule,
  type ScheduleInput,
  type ScheduleOutput,
} from './announce-schedule';

/** Drives a schedule and notes every announce as `url event`. */
class Torrent {
  readonly schedule: AnnounceSchedule;
  readonly log: string[] = [];
  readonly open: number[] = [];
  now = 1_000_000;
  stopped = 0;

  constructor(tiers: string[][], random = () => 0.5) {
    this.schedule = new AnnounceSchedule({ tiers, random });
  }

  do(input: ScheduleInput): string[] {
    const outputs: ScheduleOutput[] = this.schedule.handle(input, this.now);
    const news: string[] = [];
    for (const output of outputs) {
      if (output.type === 'stopped') this.stopped++;
      else {
        news.push(`${output.url} ${output.event ?? '-'}`);
        this.open.push(output.call);
      }
    }
    this.log.push(...news);
    return news;
  }

  answer(
    more: {
      interval?: number;
      minInterval?: number;
      trackerId?: string;
      trackers?: string[][];
    } = {},
  ) {
    return this.do({
      type: 'answered',
      call: this.open.shift() ?? 0,
      interval: 1800,
      ...more,
    });
  }

  fail(more: { retryMinutes?: number | 'never' } = {}) {
    return this.do({
      type: 'failed',
      call: this.open.shift() ?? 0,
      reason: 'no',
      ...more,
    });
  }

  wake() {
    this.now = this.schedule.wakeAt;
    return this.do({ type: 'tick' });
  }
}

const start = { type: 'start', complete: false } as const;
const stop = { type: 'stop' } as const;
const completed = { type: 'completed' } as const;

describe('AnnounceSchedule', () => {
  it('tells started first, completed once and stopped last', () => {
    const t = new Torrent([['a']]);
    t.do(start);
    t.answer();
    t.wake();
    t.answer();
    t.do(completed);
    t.answer();
    t.do(completed);
    t.wake();
    t.answer();
    t.do(stop);
    t.answer();
    expect(t.log).toEqual([
      'a started',
      'a -',
      'a completed',
      'a -',
      'a stopped',
    ]);
    expect(t.stopped).toBe(1);
    expect(t.schedule.wakeAt).toBe(Infinity);
  });

  it('never tells completed for a torrent that began complete', () => {
    const t = new Torrent([['a']]);
    t.do({ type: 'start', complete: true });
    t.answer();
    expect(t.do(completed)).toEqual([]);
  });

  it('tells started before completed where the download was quicker than the tracker', () => {
    const t = new Torrent([['a']]);
    t.do(start);
    t.do(completed);
    expect(t.answer()).toEqual(['a completed']);
    expect(t.answer()).toEqual([]);
  });

  it.each([440, 1800, 3600])('keeps an interval of %i s', (interval) => {
    const t = new Torrent([['a']]);
    t.do(start);
    t.answer({ interval });
    expect(t.schedule.wakeAt - t.now).toBe(interval * 1000);
  });

  it.each([
    [undefined, 1800],
    [1, 60],
    [1e9, 4 * 3600],
  ])('bounds an interval of %s s to %i s', (interval, seconds) => {
    const t = new Torrent([['a']]);
    t.do(start);
    t.answer({ interval });
    expect(t.schedule.wakeAt - t.now).toBe(seconds * 1000);
  });

  it('goes down the tiers until one answers, which moves to its tier’s front', () => {
    const t = new Torrent(
      [
        ['a', 'b'],
        ['c', 'd'],
      ],
      () => 0.99,
    );
    t.do(start);
    t.fail();
    t.fail();
    t.fail();
    t.answer();
    expect(t.log).toEqual(['a started', 'b started', 'c started', 'd started']);
    expect(t.schedule.trackers.map((s) => `${s.url} ${s.state}`)).toEqual([
      'a failing',
      'b failing',
      'd working',
      'c failing',
    ]);
    expect(t.wake()).toEqual(['a started']);
  });

  it('asks trackers that an answer names after all others, each once', () => {
    const t = new Torrent([['a'], ['b']]);
    t.do(start);
    t.answer({ trackers: [['b', 'c', 'c'], [], ['d', 'a']] });
    expect(t.schedule.trackers.map((s) => `${s.tier}${s.url}`)).toEqual([
      '0a',
      '1b',
      '2c',
      '4d',
    ]);
    t.wake();
    t.fail();
    t.fail();
    t.answer({ trackers: [Array.from({ length: 200 }, (_, i) => `e${i}`)] });
    expect(t.log.slice(-2)).toEqual(['b started', 'c started']);
    expect(t.schedule.trackers).toHaveLength(100);
  });

  it('shuffles within a tier only', () => {
    const first = new Set<string>();
    for (let seed = 0; seed < 10; seed++) {
      const t = new Torrent([['a', 'b', 'c'], ['d']], () => seed / 10);
      first.add(t.do(start)[0]);
      expect(t.schedule.trackers[3].url).toBe('d');
    }
    expect(first.size).toBeGreaterThan(1);
    expect(first).not.toContain('d started');
  });

  it('waits twice as long after each failure, and as BEP 31 asks', () => {
    const t = new Torrent([['a']]);
    t.do(start);
    const waits = [1, 2, 3, 4].map(() => {
      t.fail();
      const wait = t.schedule.wakeAt - t.now;
      t.wake();
      return wait / 1000;
    });
    expect(waits).toEqual([30, 60, 120, 240]);
    t.fail({ retryMinutes: 90 });
    expect(t.schedule.wakeAt - t.now).toBe(90 * 60_000);
    t.wake();
    t.fail({ retryMinutes: 'never' });
    expect(t.schedule.wakeAt).toBe(Infinity);
    expect(t.schedule.trackers[0].state).toBe('refused');
  });

  it('clears an error with the next good answer', () => {
    const t = new Torrent([['a']]);
    t.do(start);
    t.fail();
    expect(t.schedule.trackers[0]).toMatchObject({
      state: 'failing',
      reason: 'no',
    });
    t.wake();
    t.answer();
    expect(t.schedule.trackers[0]).toEqual({
      url: 'a',
      tier: 0,
      state: 'working',
      notBefore: t.now + 60_000,
    });
  });

  it('tells no tracker to stop that never answered', () => {
    const t = new Torrent([['a'], ['b']]);
    t.do(start);
    expect(t.do(stop)).toEqual([]);
    expect(t.stopped).toBe(0);
    expect(t.fail()).toEqual([]);
    expect(t.stopped).toBe(1);
  });

  it('tells the stop to a tracker that answers meanwhile', () => {
    const t = new Torrent([['a']]);
    t.do(start);
    t.do(stop);
    expect(t.answer()).toEqual(['a stopped']);
    t.answer();
    expect(t.stopped).toBe(1);
  });

  it('gives up stops after five seconds', () => {
    const t = new Torrent([['a']]);
    t.do(start);
    t.answer();
    t.do(stop);
    expect(t.schedule.wakeAt - t.now).toBe(5000);
    t.wake();
    expect(t.stopped).toBe(1);
  });

  it('announces once on resuming', () => {
    const t = new Torrent([['a'], ['b']]);
    t.do(start);
    t.answer();
    t.do(stop);
    t.answer();
    t.now += 1000;
    expect(t.do(start)).toEqual(['a started']);
    expect(t.answer()).toEqual([]);
  });

  it('hurries, but not sooner than the tracker allows, nor past it', () => {
    const t = new Torrent([['a'], ['b']]);
    t.do(start);
    t.answer({ minInterval: 300 });
    expect(t.do({ type: 'hurry' })).toEqual([]);
    expect(t.schedule.wakeAt - t.now).toBe(300_000);
    expect(t.wake()).toEqual(['a -']);
  });

  it('sends the tracker id back', () => {
    const t = new Torrent([['a']]);
    t.do(start);
    t.answer({ trackerId: 'xyz' });
    t.now = t.schedule.wakeAt;
    expect(t.schedule.handle({ type: 'tick' }, t.now)).toMatchObject([
      { type: 'announce', trackerId: 'xyz' },
    ]);
  });

  it('has nothing to do without trackers', () => {
    const t = new Torrent([]);
    expect(t.do(start)).toEqual([]);
    expect(t.schedule.wakeAt).toBe(Infinity);
    t.do(stop);
    expect(t.stopped).toBe(1);
  });
});

it('makes no storm, whatever the trackers answer and however the clock jumps', () => {
  const turn = fc.record({
    ok: fc.boolean(),
    jump: fc.constantFrom(0, 0, 0, 1000, 86_400_000, -86_400_000, -3_600_000),
    hurry: fc.boolean(),
    interval: fc.constantFrom(undefined, 0.001, 60, 1800, 1e12),
  });
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 80 }), fc.nat(), (turns, seed) => {
      let draw = seed;
      const t = new Torrent([['a', 'b'], ['c']], () => {
        draw = (draw * 1103515245 + 12345) % 2 ** 31;
        return draw / 2 ** 31;
      });
      t.do(start);
      let elapsed = 0;
      for (const { ok, jump, hurry, interval } of turns) {
        expect(t.open.length).toBeLessThanOrEqual(1);
        if (t.open.length > 0) {
          if (ok) t.answer({ interval });
          else t.fail();
        }
        t.now += jump;
        elapsed += Math.max(jump, 0);
        if (hurry) t.do({ type: 'hurry' });
        t.do({ type: 'tick' });
        if (t.open.length === 0 && t.schedule.wakeAt < Infinity) {
          const wait = t.schedule.wakeAt - t.now;
          expect(wait).toBeLessThanOrEqual(4 * 3600_000);
          elapsed += Math.max(wait, 0);
          t.wake();
        }
      }
      // Three trackers, each asked at most every 24 s (30 s less the jitter).
      expect(t.log.length).toBeLessThanOrEqual(3 * (elapsed / 24_000 + 1));
    }),
  );
});
