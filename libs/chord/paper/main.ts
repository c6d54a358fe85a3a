/**
 * `nx paper chord`: the tables of the Chord paper (Stoica and others, IEEE/ACM Transactions on
 * Networking, 2003) with what the production code gives beside them, and plots in docs/ring.
 * `--only path,failures,churn,contacts,keys,partitions` runs a part; `--small` runs all of it at
 * a tenth of the size.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { Random } from '@dnd/sim';
import { RingSimulation } from '../sim/ring-simulation';
import { churn } from './churn';
import { keysPerNode } from './keys';
import { StaticRing } from './static-ring';
import { svgPlot } from './svg-plot';

const small = process.argv.includes('--small');
const only = option('only')?.split(',');
const seed = Number(option('seed') ?? 1);
const pictures = 'docs/ring';
const ours = { name: 'this program', colour: '#1565c0' };
const papers = { name: 'the paper', colour: '#c62828', dashed: true };

const parts: Record<string, () => void> = {
  path,
  keys,
  failures,
  churn: churned,
  contacts,
  partitions,
};
for (const [name, run] of Object.entries(parts)) {
  if (!only || only.includes(name)) run();
}

/** Path length by size, fingers alone: one successor, no predecessor. */
function path(): void {
  const exponents = small
    ? [3, 6, 9]
    : [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
  const sizes = exponents.map((e) => 2 ** e);
  if (!small) sizes.push(100_000);
  const lookups = small ? 2_000 : 20_000;
  const points: [number, number][] = [];
  heading('Path length, fingers only', [
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
    row([
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
  plot(
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
function keys(): void {
  const nodes = small ? 1_000 : 10_000;
  const random = new Random(seed);
  heading('Keys a node, mean 100', [
    'virtual nodes',
    '1 %',
    '99 %',
    'times the mean',
  ]);
  for (const virtual of [1, 2, 5, 10, 20]) {
    const { low, high } = keysPerNode(nodes, virtual, nodes * 100, random);
    row([virtual, low, high, (high / 100).toFixed(2)]);
  }
}

/** A part of 1,000 nodes fails at once; lookups before any repair. */
function failures(): void {
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
  heading('1,000 nodes, lists of 20, a part fails at once', [
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
    row([
      share,
      paperPath,
      (hops / total).toFixed(2),
      paperTimeouts,
      (timeouts / total).toFixed(2),
      wrong,
    ]);
  }
  plot(
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

/** Joins and failures go on while lookups are made; the paper's settings. */
function churned(): void {
  const table = [
    [0.05, 3.9, 0.05, 0],
    [0.1, 3.83, 0.11, 0],
    [0.2, 3.81, 0.23, 5],
    [0.3, 3.91, 0.34, 8],
    [0.4, 4.06, 0.46, 15],
  ] as const;
  const [nodes, lookups] = small ? [100, 500] : [1_000, 10_000];
  const rates = process.argv.includes('--all-rates') ? table : table.slice(-1);
  heading('Churn, lists of 20, no contacts, stabilised every 30 s', [
    'rate',
    'path, paper',
    'path',
    'time-outs, paper',
    'time-outs',
    'wrong per 10⁴, paper',
    'wrong per 10⁴',
  ]);
  for (const [rate, paperPath, paperTimeouts, paperWrong] of rates) {
    const result = churn({
      seed,
      nodes,
      rate: (rate * nodes) / 1_000,
      lookups,
      lookupsPerSecond: 1,
      multicast: false,
      settings: {
        successors: 20,
        contacts: 0,
        stabiliseMs: 30_000,
        quietStabiliseMs: 30_000,
        fingerMs: 30_000,
        trustMs: 0,
      },
    });
    const wrong = (result.wrongOrFailed / result.lookups) * 10_000;
    row([
      rate,
      paperPath,
      (result.meanHops + result.confirmed).toFixed(2),
      paperTimeouts,
      result.meanTimeouts.toFixed(2),
      paperWrong,
      wrong.toFixed(1),
    ]);
  }
}

/** The program's own settings: contacts and beacons. */
function contacts(): void {
  const sizes = small ? [3, 30] : [3, 10, 30, 100, 300, 1_000];
  heading('Churn at 0.4 a second, contacts and beacons on', [
    'N',
    'within one hop',
    'hops',
    'time-outs',
    'wrong per 10⁴',
  ]);
  for (const nodes of sizes) {
    const result = churn({
      seed,
      nodes,
      rate: 0.4,
      lookups: small ? 1_000 : 5_000,
      lookupsPerSecond: nodes < 100 ? 2 : 20,
      multicast: true,
      settings: {},
    });
    const wrong = (result.wrongOrFailed / result.lookups) * 10_000;
    row([
      nodes,
      `${(100 * result.withinOneHop).toFixed(2)} %`,
      result.meanHops.toFixed(2),
      result.meanTimeouts.toFixed(2),
      wrong.toFixed(0),
    ]);
  }
}

/** Parts of a network that was cut for five minutes find together. */
function partitions(): void {
  const sizes = small ? [10] : [10, 100, 1_000];
  heading('Partitions healed after five minutes', [
    'N',
    'parts',
    'beacon period, s',
    'one ring after, s',
    'periods',
  ]);
  for (const nodes of sizes) {
    for (const count of [2, 5]) {
      const ring = new RingSimulation({ seed, faults: { multicastDrop: 0.1 } });
      ring.startSettled(nodes);
      ring.network.partition(
        Array.from({ length: count }, (_, part) =>
          ring.nodes.filter((_, i) => i % count === part).map((n) => n.self),
        ),
      );
      ring.time.run(300_000);
      ring.network.heal();
      const took = ring.settle(600_000) / 1_000;
      const period = Math.max(2, nodes / 20);
      row([nodes, count, period, took.toFixed(1), (took / period).toFixed(2)]);
    }
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function heading(title: string, columns: readonly string[]): void {
  console.log(`\n${title}\n`);
  row(columns);
  row(columns.map(() => '---'));
}

function row(cells: readonly (string | number)[]): void {
  console.log(`| ${cells.join(' | ')} |`);
}

function plot(file: string, ...figure: Parameters<typeof svgPlot>): void {
  if (small) return;
  mkdirSync(pictures, { recursive: true });
  writeFileSync(`${pictures}/${file}`, svgPlot(...figure));
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  if (at >= 0) return process.argv[at + 1];
  return process.argv.find((a) => a.startsWith(`--${name}=`))?.split('=')[1];
}
