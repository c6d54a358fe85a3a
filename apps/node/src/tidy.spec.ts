import { tidyAtRest } from './tidy';

const MB = 1024 * 1024;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

describe('a heap that is looked after', () => {
  let old = 40 * MB;
  let cpu = 0;
  let collected = 0;
  let end: () => void;

  /** Seconds pass, each with so much CPU time. */
  const pass = (seconds: number, share: number): void => {
    for (let i = 0; i < seconds; i++) {
      cpu += share * 1e6;
      jest.advanceTimersByTime(1_000);
    }
  };

  beforeEach(() => {
    old = 40 * MB;
    collected = 0;
    end = tidyAtRest(
      () => collected++,
      () => ({ cpu, old }),
    );
  });
  afterEach(() => end());

  it('is tidied once when the start is over', () => {
    pass(5, 0.9);
    expect(collected).toBe(0);
    pass(4, 0.02);
    expect(collected).toBe(1);
    pass(60, 0.02);
    expect(collected).toBe(1);
  });

  it('is tidied again when much was left behind, and not while work goes on', () => {
    pass(4, 0);
    old = 80 * MB;
    pass(60, 0.2);
    expect(collected).toBe(1);
    pass(4, 0);
    expect(collected).toBe(2);
  });

  it('is left alone where there is little to give back, and where V8 offers no collection', () => {
    pass(4, 0);
    old = 48 * MB;
    pass(60, 0);
    expect(collected).toBe(1);
    tidyAtRest(undefined, () => ({ cpu, old }))();
  });
});
