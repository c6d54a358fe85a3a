import { UploadWork } from './upload-work';

describe('the work of an upload', () => {
  afterEach(() => jest.useRealTimers());

  it('measures the rate over the last three seconds', () => {
    const work = new UploadWork([]);
    expect(work.rate(0, 0)).toBe(0);
    expect(work.rate(1000, 1000)).toBe(1000);
    expect(work.rate(3000, 2000)).toBe(1500);
    expect(work.rate(3000, 5000)).toBe(0);
    work.begin();
    expect(work.rate(9000, 6000)).toBe(0);
  });

  it('tries again after 1, 2, 4, 8, 15, 15 seconds, and after 1 once it was reached', () => {
    jest.useFakeTimers();
    const work = new UploadWork([]);
    const pauseOf = (): number => {
      let seconds = 0;
      let again = false;
      work.tryAgain(() => (again = true));
      for (; !again; seconds++) jest.advanceTimersByTime(1000);
      return seconds;
    };
    const pauses = Array.from({ length: 6 }, pauseOf);
    expect(pauses).toEqual([1, 2, 4, 8, 15, 15]);
    work.reached();
    expect(pauseOf()).toBe(1);
  });
});
