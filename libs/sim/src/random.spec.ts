import { Random } from './random';

const draw = (random: Random, count: number, next: (r: Random) => number) =>
  Array.from({ length: count }, () => next(random));
const mean = (list: number[]) => list.reduce((a, b) => a + b) / list.length;

describe('Random', () => {
  it('gives the same sequence for a seed and another for another', () => {
    const bits = (seed: number) => draw(new Random(seed), 8, (r) => r.next());
    expect(bits(7)).toEqual(bits(7));
    expect(bits(7)).not.toEqual(bits(8));
    expect(bits(7)).not.toEqual(bits(7 + 2 ** 32));
  });

  it('is uniform, exponential and heavy-tailed as asked', () => {
    const random = new Random(1);
    expect(mean(draw(random, 20_000, (r) => r.uniform()))).toBeCloseTo(0.5, 1);
    expect(
      mean(draw(random, 20_000, (r) => r.exponential(10))),
    ).toBeGreaterThan(9.7);
    const tail = draw(random, 20_000, (r) => r.pareto(1, 1.2));
    expect(Math.min(...tail)).toBeGreaterThanOrEqual(1);
    expect(tail.filter((x) => x > 100).length / 20_000).toBeCloseTo(
      Math.pow(100, -1.2),
      2,
    );
  });

  it('draws every whole number of a range and shuffles without loss', () => {
    const random = new Random(3);
    const seen = new Set(draw(random, 500, (r) => r.range(2, 6)));
    expect([...seen].sort()).toEqual([2, 3, 4, 5, 6]);
    const list = Array.from({ length: 50 }, (_, i) => i);
    const shuffled = random.shuffle(list);
    expect(shuffled).not.toEqual(list);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(list);
    expect(random.hex(40)).toMatch(/^[0-9a-f]{40}$/);
    expect(random.bytes(7)).toHaveLength(7);
  });

  it('has a fork that leaves its parent where it was', () => {
    const [a, b] = [new Random(5), new Random(5)];
    const fork = a.fork();
    b.fork().next();
    draw(fork, 10, (r) => r.next());
    expect(a.next()).toBe(b.next());
  });
});
