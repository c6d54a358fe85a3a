/** Tables of rings in motion: constant change as in the paper and the program's own settings. */
import type { Report } from '@dnd/sim';
import type { ChurnResult } from './churn';
import { churn } from './churn';

const BLUE = '#1565c0';
const RED = '#c62828';
const GREEN = '#2e7d32';
const ORANGE = '#ef6c00';

/** Rate, path, time-outs, wrong of 10⁴: the paper's figures. */
const PAPER = [
  [0.05, 3.9, 0.05, 0],
  [0.1, 3.83, 0.11, 0],
  [0.2, 3.81, 0.23, 5],
  [0.3, 3.91, 0.34, 8],
  [0.4, 4.06, 0.46, 15],
] as const;

interface ChurnRow {
  readonly rate: number;
  readonly seed: number;
  readonly lookups: number;
  readonly path: number;
  readonly timeouts: number;
  readonly wrong: number;
}

/** Joins and failures go on while one lookup a second is made; the paper's settings. */
export function paperChurn(
  report: Report,
  rates: readonly number[] = PAPER.map(([rate]) => rate),
  lookups = 10_000,
): void {
  const [nodes, count] = report.small ? [30, 60] : [1_000, lookups];
  report.heading('Churn, lists of 20, no contacts, stabilised every 30 s', [
    'rate',
    'seed',
    'lookups',
    'path',
    'time-outs',
    'wrong or failed',
    'joins',
    'failures',
  ]);
  for (const rate of rates) {
    const result = churn({
      seed: report.seed,
      nodes,
      rate: (rate * nodes) / 1_000,
      lookups: count,
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
    const row: ChurnRow = {
      rate,
      seed: report.seed,
      lookups: result.lookups,
      // The paper's path ends at the owner, which is asked too.
      path: result.meanHops + result.confirmed,
      timeouts: result.meanTimeouts,
      wrong: result.wrongOrFailed,
    };
    report.keep('churn', `${rate} ${report.seed}`, row);
    report.row([
      rate,
      row.seed,
      row.lookups,
      row.path.toFixed(2),
      row.timeouts.toFixed(2),
      mistakesOf(result),
      result.joins,
      result.failures,
    ]);
  }
  drawChurn(report);
}

function mistakesOf({ wrongOrFailed, mistakes }: ChurnResult): string {
  const kinds = Object.entries(mistakes).filter(([, count]) => count > 0);
  const words = kinds.map(([kind, count]) => `${count} ${kind}`).join(', ');
  return words ? `${wrongOrFailed} (${words})` : `${wrongOrFailed}`;
}

/** All runs of one rate together. */
function drawChurn(report: Report): void {
  const byRate = new Map<number, ChurnRow[]>();
  for (const row of report.kept<ChurnRow>('churn'))
    byRate.set(row.rate, [...(byRate.get(row.rate) ?? []), row]);
  const rows = [...byRate].map(([rate, runs]) => {
    const total = runs.reduce((sum, { lookups }) => sum + lookups, 0);
    const mean = (of: (row: ChurnRow) => number) =>
      runs.reduce((sum, row) => sum + of(row) * row.lookups, 0) / total;
    return { rate, path: mean((r) => r.path), missed: mean((r) => r.timeouts) };
  });
  report.plot(
    'churn.svg',
    {
      title: 'Joins and failures go on: 1,000 nodes, successor lists of 20',
      xLabel: 'joins a second, and failures a second',
      yLabel: 'a lookup',
      xMarks: PAPER.map(([rate]) => [rate, `${rate}`]),
    },
    [
      {
        name: 'hops, this program',
        colour: BLUE,
        points: rows.map(({ rate, path }) => [rate, path]),
      },
      {
        name: 'hops, the paper',
        colour: RED,
        dashed: true,
        points: PAPER.map(([rate, path]) => [rate, path]),
      },
      {
        name: 'time-outs, this program',
        colour: GREEN,
        points: rows.map(({ rate, missed }) => [rate, missed]),
      },
      {
        name: 'time-outs, the paper',
        colour: ORANGE,
        dashed: true,
        points: PAPER.map(([rate, , missed]) => [rate, missed]),
      },
    ],
  );
}

interface ContactsRow {
  readonly nodes: number;
  readonly lookups: number;
  readonly withinOneHop: number;
  readonly hops: number;
  readonly timeouts: number;
  readonly wrong: number;
}

const SIZES = [3, 10, 30, 100, 300, 1_000];

/** The program's own settings, with contacts and beacons. */
export function contacts(
  report: Report,
  sizes: readonly number[] = SIZES,
  lookups = 5_000,
): void {
  report.heading('Churn at 0.4 a second, contacts and beacons on', [
    'N',
    'lookups',
    'within one hop',
    'hops',
    'time-outs',
    'wrong or failed',
    'joins',
    'failures',
  ]);
  for (const nodes of report.small ? [3, 12] : sizes) {
    const result = churn({
      seed: report.seed,
      nodes,
      rate: 0.4,
      lookups: report.small ? 100 : lookups,
      lookupsPerSecond: nodes < 100 ? 2 : 20,
      multicast: true,
      settings: {},
    });
    const row: ContactsRow = {
      nodes,
      lookups: result.lookups,
      withinOneHop: result.withinOneHop,
      hops: result.meanHops,
      timeouts: result.meanTimeouts,
      wrong: result.wrongOrFailed,
    };
    report.keep('contacts', `${nodes}`, row);
    report.row([
      nodes,
      row.lookups,
      `${(100 * row.withinOneHop).toFixed(2)} %`,
      row.hops.toFixed(2),
      row.timeouts.toFixed(2),
      mistakesOf(result),
      result.joins,
      result.failures,
    ]);
  }
  const rows = report.kept<ContactsRow>('contacts');
  report.plot(
    'contacts.svg',
    {
      title: 'Contacts and beacons on, 0.4 joins and failures a second',
      xLabel: 'nodes',
      yLabel: '% of lookups',
      xMarks: rows.map(({ nodes }) => [Math.log10(nodes), `${nodes}`]),
    },
    [
      {
        name: 'within one hop',
        colour: BLUE,
        points: rows.map((row) => [
          Math.log10(row.nodes),
          100 * row.withinOneHop,
        ]),
      },
      {
        name: 'wrong or failed',
        colour: RED,
        points: rows.map((row) => [
          Math.log10(row.nodes),
          (100 * row.wrong) / row.lookups,
        ]),
      },
    ],
  );
}
