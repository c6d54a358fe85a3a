import { ChangeLog } from './change-log';

const swarm = (n: number): string => n.toString(16).padStart(40, '0');

describe('the log of changes', () => {
  it('tells each swarm once that has changed since', () => {
    const log = new ChangeLog(1);
    log.note(swarm(1));
    const before = log.now;
    for (const n of [2, 3, 2]) log.note(swarm(n));
    expect(log.since(before, 10)).toEqual([swarm(2), swarm(3)]);
    expect(log.since(log.now, 10)).toEqual([]);
  });

  it('says so where there is more than is of use', () => {
    const log = new ChangeLog(1);
    const before = log.now;
    for (const n of [2, 3, 2]) log.note(swarm(n));
    expect(log.since(before, 2)).toHaveLength(2);
    expect(log.since(before, 1)).toBeUndefined();
  });

  it('knows nothing of what another table said, nor of what has not been', () => {
    const log = new ChangeLog(1);
    expect(log.since({ epoch: 2, revision: 0 }, 10)).toBeUndefined();
    expect(log.since({ epoch: 1, revision: 1 }, 10)).toBeUndefined();
  });

  it('forgets the oldest, and says so to whoever asks for them', () => {
    const log = new ChangeLog(1);
    const start = log.now;
    for (let n = 0; n < 16_384; n++) log.note(swarm(n % 10));
    expect(log.since(start, 10)).toHaveLength(10);
    const later = log.now;
    for (let n = 0; n < 10_000; n++) log.note(swarm(n % 7));
    expect(log.since(start, 10)).toBeUndefined();
    expect(log.since(later, 10)).toHaveLength(7);
  });
});
