import { SimDisk } from './disk';
import { Random } from './random';
import { forEachSeed, seeds } from './seeds';
import { VirtualTime } from './virtual-time';

describe('SimDisk', () => {
  it('keeps what was synced, and of the rest only a prefix, whatever the seed', () => {
    const left = new Set<number>();
    forEachSeed(seeds(50), (seed) => {
      const time = new VirtualTime();
      const disk = new SimDisk<number>(time, new Random(seed));
      let synced = false;
      disk.write('a', 1);
      disk.sync(() => (synced = true));
      time.run(1_000);
      disk.write('b', 2);
      disk.delete('a');
      disk.write('c', 3);
      expect([...disk.contents.keys()]).toEqual(['b', 'c']);
      expect(synced && disk.durable.get('a')).toBe(1);
      disk.crash();
      expect([['a'], ['a', 'b'], ['b'], ['b', 'c']]).toContainEqual([
        ...disk.contents.keys(),
      ]);
      left.add([...disk.contents.values()].reduce((x, y) => x * 10 + y, 0));
    });
    if (seeds(50).length > 1) expect(left.size).toBe(4);
  });

  it('does not finish a sync that a crash overtook', () => {
    const time = new VirtualTime();
    const disk = new SimDisk<number>(time, new Random(1));
    let synced = false;
    disk.write('a', 1);
    disk.sync(() => (synced = true));
    disk.replace();
    time.run(1_000);
    expect(synced).toBe(false);
    expect(disk.contents.size).toBe(0);
  });
});

describe('seeds', () => {
  it('are 1 … n, or the one to replay', () => {
    expect(seeds(3, {})).toEqual([1, 2, 3]);
    expect(seeds(3, { DND_SEED: '42' })).toEqual([42]);
    expect(seeds(2, { DND_SEED: 'x' })).toEqual([1, 2]);
  });

  it('name the one that failed', () => {
    expect(() =>
      forEachSeed([1, 2, 3], (seed) => {
        if (seed === 2) throw new Error('two rings');
      }),
    ).toThrow('seed 2 (replay it with -- --seed 2): two rings');
  });
});
