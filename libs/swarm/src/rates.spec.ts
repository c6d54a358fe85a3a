import fc from 'fast-check';
import { RateMeter } from './rate-meter';
import { RequestWindow } from './request-window';
import { TokenBucket, allowance } from './token-bucket';

describe('RateMeter', () => {
  it('tells a steady rate from the first second on', () => {
    const meter = new RateMeter(0);
    for (let now = 100; now <= 1_000; now += 100) {
      meter.add(5_000);
      expect(meter.sample(now)).toBeCloseTo(50_000, 6);
    }
    expect(meter.total).toBe(50_000);
  });

  it('forgets what has ended', () => {
    const meter = new RateMeter(0);
    meter.add(1_000_000);
    meter.sample(1_000);
    for (let now = 2_000; now <= 60_000; now += 1_000) meter.sample(now);
    expect(meter.rate).toBe(0);
  });

  it('does not care how often it is asked', () => {
    const meter = new RateMeter(0);
    meter.add(1_000);
    expect(meter.sample(1)).toBe(0);
    expect(meter.sample(1_000)).toBeCloseTo(1_000, 6);
  });
});

describe('TokenBucket', () => {
  it('never gives more than its rate and depth allow, and not much less', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1_000, max: 1e8 }),
        fc.array(fc.integer({ min: 0, max: 500 }), {
          minLength: 1,
          maxLength: 60,
        }),
        (rate, waits) => {
          const bucket = new TokenBucket(rate, 0);
          let now = 0;
          let taken = 0;
          for (const wait of waits) {
            now += wait;
            const room = bucket.available(now);
            bucket.take(room);
            taken += room;
          }
          expect(taken).toBeLessThanOrEqual(
            (rate * now) / 1000 + rate / 10 + 1,
          );
        },
      ),
    );
  });

  it('says when there will be enough', () => {
    const bucket = new TokenBucket(1_000, 0);
    bucket.take(100 + 50);
    expect(bucket.available(0)).toBe(-50);
    const at = bucket.readyAt(20, 0);
    expect(at).toBe(70);
    expect(bucket.available(at)).toBeGreaterThanOrEqual(20);
  });

  it('can be opened and closed', () => {
    const bucket = new TokenBucket(0, 0);
    expect(bucket.available(10_000)).toBe(0);
    expect(bucket.readyAt(1, 10_000)).toBe(10_000);
    bucket.setRate(Infinity, 10_000);
    expect(bucket.available(10_000)).toBe(Infinity);
    bucket.setRate(100, 10_000);
    expect(bucket.available(11_000)).toBe(10);
  });

  it('of several the tightest counts', () => {
    const wide = new TokenBucket(1_000_000, 0);
    const narrow = new TokenBucket(1_000, 0);
    expect(allowance([wide, narrow], 0)).toBe(100);
    expect(allowance([], 0)).toBe(Infinity);
  });
});

describe('RequestWindow', () => {
  /** Blocks answered through a pipe of `rate` blocks/ms and `delay` ms: the window in the end, and the largest. */
  function run(
    rate: number,
    delay: number,
    limit = 2_000,
    rounds = 6_000,
  ): { readonly size: number; readonly most: number } {
    const window = new RequestWindow();
    let now = 0;
    let lastOut = 0;
    const due: { at: number; asked: number }[] = [];
    let bytes = 0;
    let adapted = 0;
    let most = 0;
    for (let i = 0; i < rounds; i++) {
      while (due.length < window.size) {
        lastOut = Math.max(lastOut, now) + 1 / rate;
        due.push({ at: lastOut + delay, asked: now });
      }
      const { at, asked } = due.shift() as (typeof due)[0];
      now = Math.max(now, at);
      window.onBlock(now, now - asked, limit);
      most = Math.max(most, window.size);
      bytes += 16_384;
      if (now - adapted > 500) {
        window.adapt((bytes * 1000) / (now - adapted), 0, limit);
        adapted = now;
        bytes = 0;
      }
    }
    return { size: window.size, most };
  }

  it('grows until a long fat line is full', () => {
    // 2 blocks/ms with 200 ms of delay: 400 blocks are under way when it is full.
    expect(run(2, 200).size).toBeGreaterThan(380);
  });

  it('grows on a line that has no bound but its length', () => {
    // What is asked for at once comes at once, 50 ms later.
    expect(run(1_000, 50, 2_000, 12_000).size).toBe(2_000);
  });

  it('asks no more of a near peer than keeps it busy', () => {
    // 1 GB/s within 0.1 ms.
    expect(run(60, 0.1, 2_000, 120_000).most).toBeLessThanOrEqual(512);
  });

  it('asks a slow peer for no more than comes in a second', () => {
    expect(run(0.1, 1).most).toBeLessThanOrEqual(101);
  });

  it('learns nothing of blocks that nobody knows the time of', () => {
    const window = new RequestWindow();
    for (let now = 0; now < 1_000; now++) window.onBlock(now, Infinity, 100);
    expect(window.size).toBe(100);
  });

  it('keeps to the limit', () => {
    expect(run(10, 500, 250).most).toBeLessThanOrEqual(250);
  });

  it('collapses to one block and starts again', () => {
    const window = new RequestWindow();
    window.collapse();
    expect(window.size).toBe(1);
    window.restart();
    expect(window.size).toBeGreaterThan(1);
  });
});
