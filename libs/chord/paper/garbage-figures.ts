/** The table of rings that start from garbage. */
import type { Report } from '@dnd/sim';
import { garbageStart } from '../sim/garbage';

const BLUE = '#1565c0';

interface GarbageRow {
  readonly seeds: number;
  readonly never: readonly number[];
  readonly flaws: number;
  /** Seeds that were ideal after so many tenths of a round. */
  readonly tenths: Readonly<Record<string, number>>;
}

/** Rings of 1 to 10 nodes that start from garbage, half of the beacons lost. */
export function garbage(report: Report, seeds = 10_000, from = 1): void {
  const count = report.small ? 30 : seeds;
  const tenths: Record<string, number> = {};
  const never: number[] = [];
  let flaws = 0;
  for (let seed = from; seed < from + count; seed++) {
    const result = garbageStart(seed);
    flaws += result.flaws;
    const after = Math.round(result.rounds * 10);
    if (result.rounds === Infinity) never.push(seed);
    else tenths[after] = (tenths[after] ?? 0) + 1;
  }
  const row: GarbageRow = { seeds: count, never, flaws, tenths };
  report.keep('garbage', `${from}`, row);
  drawGarbage(report);
}

/** All pieces together. */
function drawGarbage(report: Report): void {
  const rows = report.kept<GarbageRow>('garbage');
  const sum = (of: (row: GarbageRow) => number) =>
    rows.reduce((total, row) => total + of(row), 0);
  const total = sum(({ seeds }) => seeds);
  const never = rows.flatMap((row) => row.never);
  const sorted = rows
    .flatMap(({ tenths }) => Object.entries(tenths))
    .map(([tenth, n]) => [Number(tenth) / 10, n] as const)
    .sort(([a], [b]) => a - b);
  const ideal = total - never.length;
  const at = (share: number): number => {
    let seen = 0;
    for (const [rounds, n] of sorted) {
      seen += n;
      if (seen >= share * ideal) return rounds;
    }
    return Infinity;
  };
  report.heading('Garbage, all pieces together', [
    'seeds',
    'never ideal',
    'flaws at the start, mean',
    'rounds: median',
    '99 %',
    'longest',
  ]);
  report.row([
    total,
    never.length === 0 ? 0 : `${never.length}: seeds ${never.join(' ')}`,
    (sum(({ flaws }) => flaws) / total).toFixed(1),
    at(0.5),
    at(0.99),
    at(1),
  ]);
  const shares = Array.from({ length: 101 }, (_, i) => i);
  report.plot(
    'garbage.svg',
    {
      title: 'From garbage to the ideal ring, half of the beacons lost',
      xLabel: '% of the seeds',
      yLabel: 'rounds of stabilisation',
      xMarks: [0, 25, 50, 75, 100].map((share) => [share, `${share}`]),
    },
    [
      {
        name: `${total} rings of 1 to 10 nodes`,
        colour: BLUE,
        points: shares.map((share) => [share, at(share / 100)]),
      },
    ],
  );
}
