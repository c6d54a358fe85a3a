/** Tables of rings that stand still: path length, keys a node, simultaneous failures. */
import { Random } from '@dnd/sim';
import type { Report } from '@dnd/sim';
import { keysPerNode } from './keys';
import { StaticRing } from './static-ring';

const ours = { name: 'this program', colour: '#1565c0' };
const papers = { name: 'the paper', colour: '#c62828', dashed: true };

/** Path length by size, fingers alone: one successor, no predecessor. */
export function path(report: Report): void {
  const { seed, small } = report;
  const exponents = small
    ? [3, 6, 9]
    : [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
  const sizes = exponents.map((e) => 2 ** e);
  if (!small) sizes.push(100_000);
  const lookups = small ? 2_000 : 20_000;
  const points: [number, number][] = [];
  report.heading('Path length, fingers only', [
    'N',
    '½ log₂ N',
    'mean',
    '1 %',
    '99 %',
    'wrong',
  ]);
  for (const size of sizes) {
    const random = new Random(seed + size);
    const ring = new StaticRing(size, 1, random, { predecessors: false });
    const hops: number[] = [];
    let wrong = 0;
    for (let i = 0; i < lookups; i++) {
      const key = random.hex(40);
      const result = ring.lookup(key);
      hops.push(result.hops);
      if (result.nodes[0]?.id !== ring.owner(key)) wrong++;
    }
    hops.sort((a, b) => a - b);
    const at = (share: number) =>
      hops[Math.floor(share * (lookups - 1))] as number;
    const half = Math.log2(size) / 2;
    points.push([2 * half, mean(hops)]);
    report.row([
      size,
      half.toFixed(2),
      mean(hops).toFixed(2),
      at(0.01),
      at(0.99),
      wrong,
    ]);
  }
  if (!small)
    console.log(
      `resident memory after 10⁵ nodes: ${Math.round(process.memoryUsage().rss / 2 ** 20)} MiB`,
    );
  report.plot(
    'path-length.svg',
    {
      title: 'Path length by ring size, fingers only',
      xLabel: 'nodes',
      yLabel: 'mean hops of a lookup',
      xMarks: exponents.filter((e) => e % 2 === 0).map((e) => [e, `${2 ** e}`]),
    },
    [
      { ...ours, points },
      { ...papers, name: '½ log₂ N', points: points.map(([x]) => [x, x / 2]) },
    ],
  );
}

/** Keys a node by the number of virtual nodes it runs. */
export function keys(report: Report): void {
  const { seed, small } = report;
  const nodes = small ? 1_000 : 10_000;
  const random = new Random(seed);
  report.heading('Keys a node, mean 100', [
    'virtual nodes',
    '1 %',
    '99 %',
    'times the mean',
  ]);
  for (const virtual of [1, 2, 5, 10, 20]) {
    const { low, high } = keysPerNode(nodes, virtual, nodes * 100, random);
    report.row([virtual, low, high, (high / 100).toFixed(2)]);
  }
}

/** A part of 1,000 nodes fails at once; lookups before any repair. */
export function failures(report: Report): void {
  const { seed, small } = report;
  const table = [
    [0, 3.84, 0],
    [0.1, 4.03, 0.6],
    [0.2, 4.22, 1.17],
    [0.3, 4.44, 2.02],
    [0.4, 4.69, 3.23],
    [0.5, 5.09, 5.1],
  ] as const;
  const rings = small ? 2 : 20;
  const lookups = 1_000;
  const random = new Random(seed);
  const paths: [number, number][] = [];
  const missed: [number, number][] = [];
  report.heading('1,000 nodes, lists of 20, a part fails at once', [
    'part',
    'path, paper',
    'path',
    'time-outs, paper',
    'time-outs',
    'wrong',
  ]);
  for (const [share, paperPath, paperTimeouts] of table) {
    let [hops, timeouts, wrong] = [0, 0, 0];
    for (let i = 0; i < rings; i++) {
      const ring = new StaticRing(1_000, 20, random);
      ring.fail(share);
      for (let n = 0; n < lookups; n++) {
        const key = random.hex(40);
        const result = ring.lookup(key);
        // The paper's path ends at the owner, which is asked too.
        hops += result.hops + (result.confirmed ? 1 : 0);
        timeouts += result.timeouts;
        if (result.nodes[0]?.id !== ring.owner(key)) wrong++;
      }
    }
    const total = rings * lookups;
    paths.push([share, hops / total]);
    missed.push([share, timeouts / total]);
    report.row([
      share,
      paperPath,
      (hops / total).toFixed(2),
      paperTimeouts,
      (timeouts / total).toFixed(2),
      wrong,
    ]);
  }
  report.plot(
    'failures.svg',
    {
      title: 'A part of 1,000 nodes fails at once (successor lists of 20)',
      xLabel: 'part of the nodes that failed',
      yLabel: 'a lookup',
      xMarks: table.map(([share]) => [share, `${share}`]),
    },
    [
      { ...ours, name: 'hops, this program', points: paths },
      {
        ...papers,
        name: 'hops, the paper',
        points: table.map(([x, y]) => [x, y]),
      },
      {
        ...ours,
        name: 'time-outs, this program',
        colour: '#2e7d32',
        points: missed,
      },
      {
        ...papers,
        name: 'time-outs, the paper',
        colour: '#ef6c00',
        points: table.map(([x, , y]) => [x, y]),
      },
    ],
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
