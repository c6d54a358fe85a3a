import { beat, every } from './beat';

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('the beat', () => {
  it('runs each task once a period until it is ended', () => {
    const runs = { often: 0, seldom: 0 };
    const endOften = every(beat, () => runs.often++);
    const endSeldom = every(4 * beat, () => runs.seldom++);
    jest.advanceTimersByTime(8 * beat);
    expect(runs).toEqual({ often: 8, seldom: 2 });
    endOften();
    jest.advanceTimersByTime(8 * beat);
    expect(runs).toEqual({ often: 8, seldom: 4 });
    endSeldom();
  });

  it('wakes once for all that is due and not at all for nothing', () => {
    const first = every(beat, () => undefined);
    jest.advanceTimersByTime(beat / 2);
    const ends = [first, every(beat, () => undefined), every(1_000, () => 0)];
    expect(jest.getTimerCount()).toBe(1);
    for (const end of ends) end();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('runs what was begun between two beats within its period', () => {
    const end = every(beat, () => undefined);
    jest.advanceTimersByTime(beat + 100);
    let ran = 0;
    const endLate = every(beat, () => ran++);
    jest.advanceTimersByTime(beat - 100);
    expect(ran).toBe(1);
    end();
    endLate();
  });

  it('lets a task end itself and others while it runs', () => {
    const ran: string[] = [];
    const endFirst = every(beat, () => {
      ran.push('first');
      endFirst();
      endSecond();
    });
    const endSecond = every(beat, () => ran.push('second'));
    jest.advanceTimersByTime(2 * beat);
    expect(ran).toEqual(['first']);
    expect(jest.getTimerCount()).toBe(0);
  });
});
