import * as fc from 'fast-check';
import { Deadlines } from './deadlines';
import { RoundTrip } from './round-trip';
import { defaultSettings as settings } from './settings';

describe('RoundTrip', () => {
  const after = (...samples: number[]) => {
    const trip = new RoundTrip();
    for (const sample of samples) trip.measured(sample);
    return trip;
  };
  const nothing = new RoundTrip();

  it('waits the first time-out for a node never measured, longer when all are slow', () => {
    expect(nothing.timeout(settings, nothing)).toBe(500);
    expect(nothing.timeout(settings, after(300))).toBe(900);
  });

  it('waits for smoothed round trip and four deviations, within bounds', () => {
    const steady = after(...Array<number>(50).fill(100));
    expect(steady.mean).toBeCloseTo(100);
    expect(steady.timeout(settings, nothing)).toBe(200);
    expect(after(400).timeout(settings, nothing)).toBe(400 + 4 * 200);
    expect(after(9_000).timeout(settings, nothing)).toBe(2_000);
  });

  it('waits twice as long after a miss', () => {
    expect(after(1).timeout(settings, nothing, 1)).toBe(400);
    expect(after(1).timeout(settings, nothing, 9)).toBe(2_000);
  });
});

describe('Deadlines', () => {
  it('give back what they were given, earliest first', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 })), (times) => {
        const deadlines = new Deadlines();
        times.forEach((time, i) => deadlines.push(time, i));
        deadlines.shift(7);
        const popped: number[] = [];
        while (deadlines.size > 0) {
          const due = deadlines.next;
          const item = deadlines.pop() as number;
          expect(due).toBe((times[item] as number) + 7);
          popped.push(due);
        }
        expect(popped).toEqual(times.map((t) => t + 7).sort((a, b) => a - b));
        expect(deadlines.next).toBe(Infinity);
      }),
    );
  });
});
