import { tidyAtRest } from './tidy';

const MB = 1024 * 1024;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('a heap that is looked after', () => {
  let heap = { used: 40 * MB, old: 40 * MB };
  let collected = 0;
  let end: () => void;

  /** Seconds pass in which so much is made. */
  const pass = (seconds: number, bytes: number): void => {
    for (let i = 0; i < seconds; i++) {
      heap = { ...heap, used: heap.used + bytes };
      jest.advanceTimersByTime(1_000);
    }
  };

  beforeEach(() => {
    heap = { used: 40 * MB, old: 40 * MB };
    collected = 0;
    end = tidyAtRest(
      () => collected++,
      () => heap,
    );
  });
  afterEach(() => end());

  it('is tidied once when the start is over', () => {
    pass(5, 3 * MB);
    expect(collected).toBe(0);
    pass(4, MB / 2);
    expect(collected).toBe(1);
    pass(60, MB / 2);
    expect(collected).toBe(1);
  });

  it('is tidied again when much was left behind, and not while work goes on', () => {
    pass(4, 0);
    heap = { used: 90 * MB, old: 80 * MB };
    pass(60, 2 * MB);
    expect(collected).toBe(1);
    pass(4, 0);
    expect(collected).toBe(2);
  });

  it('is left alone where there is little to give back, and where V8 offers no collection', () => {
    pass(4, 0);
    heap = { used: 44 * MB, old: 48 * MB };
    pass(60, 0);
    expect(collected).toBe(1);
    tidyAtRest(undefined, () => heap)();
  });
});
