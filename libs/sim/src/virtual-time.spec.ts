import { Random } from './random';
import { VirtualTime } from './virtual-time';

describe('VirtualTime', () => {
  it('fires in order of time and, at one time, of asking', () => {
    const time = new VirtualTime();
    const random = new Random(1);
    const asked = Array.from({ length: 500 }, (_, order) => ({
      at: random.int(50),
      order,
    }));
    const fired: typeof asked = [];
    for (const event of asked) time.at(event.at, () => fired.push(event));
    time.runUntil(100);
    expect(fired).toEqual(
      [...asked].sort((a, b) => a.at - b.at || a.order - b.order),
    );
    expect(time.now).toBe(100);
  });

  it('does not fire what was cancelled, nor beyond the time asked for', () => {
    const time = new VirtualTime();
    const fired: string[] = [];
    time.at(5, () => fired.push('cancelled')).cancel();
    time.at(10, () => fired.push('in time'));
    time.at(11, () => fired.push('later'));
    time.runUntil(10);
    expect(fired).toEqual(['in time']);
    expect(time.step()).toBe(true);
    expect(time.step()).toBe(false);
    expect(fired).toEqual(['in time', 'later']);
  });
});
