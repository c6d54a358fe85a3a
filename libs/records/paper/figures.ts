/** Tables of simulated rings of records. Each returns what was wrong, in words; nothing when all is well. */
import type { Report } from '@dnd/sim';
import { hours } from '../src/clocks.contract';
import { healing, loss, REPAIRED_MS } from '../src/scenarios.contract';

const BLUE = '#1565c0';
const GREEN = '#2e7d32';

interface HealingRow {
  readonly nodes: number;
  readonly parts: number;
  readonly seed: number;
  readonly acknowledged: number;
  readonly oneRingAfter: number;
  readonly beaconPeriods: number;
  readonly equalAfter: number;
  readonly problems: number;
}

/** Five minutes apart, with writes in every part. */
export function healings(
  report: Report,
  sizes: readonly number[] = [10, 30, 100, 300, 1_000],
  parts: readonly number[] = [2, 5],
): string[] {
  const all: string[] = [];
  report.heading(
    'Five minutes of writes in parts of a network that then heals',
    [
      'N',
      'parts',
      'acknowledged writes',
      'one ring after, s',
      'beacon periods',
      'replicas equal after, s',
      'lost, unreadable, broken',
    ],
  );
  for (const nodes of report.small ? [6] : sizes)
    for (const count of report.small ? [2] : parts) {
      const result = healing({
        seed: report.seed,
        nodes,
        parts: count,
        apartMs: report.small ? 20_000 : 300_000,
        writes: report.small ? 10 : Math.max(200, 2 * nodes),
      });
      const row: HealingRow = {
        nodes,
        parts: count,
        seed: report.seed,
        acknowledged: result.acknowledged,
        oneRingAfter: result.oneRingAfter / 1_000,
        beaconPeriods: result.beaconPeriods,
        equalAfter: result.equalAfter / 1_000,
        problems: result.problems.length,
      };
      report.keep('healing', `${nodes} ${count}`, row);
      report.row([
        nodes,
        count,
        row.acknowledged,
        row.oneRingAfter.toFixed(1),
        row.beaconPeriods.toFixed(2),
        row.equalAfter.toFixed(1),
        row.problems,
      ]);
      for (const problem of result.problems.slice(0, 10))
        all.push(`${nodes} nodes in ${count} parts: ${problem}`);
    }
  drawHealings(report);
  return all;
}

function drawHealings(report: Report): void {
  const rows = report.kept<HealingRow>('healing');
  const sizes = [...new Set(rows.map(({ nodes }) => nodes))];
  const series = [...new Set(rows.map(({ parts }) => parts))].flatMap(
    (parts) => {
      const some = rows.filter((row) => row.parts === parts);
      const dashed = parts !== 2;
      const points = (of: (row: HealingRow) => number) =>
        some.map((row) => [Math.log10(row.nodes), of(row)] as const);
      return [
        {
          name: `one ring, ${parts} parts`,
          colour: BLUE,
          dashed,
          points: points((row) => row.oneRingAfter),
        },
        {
          name: `replicas equal, ${parts} parts`,
          colour: GREEN,
          dashed,
          points: points((row) => row.equalAfter),
        },
      ];
    },
  );
  report.plot(
    'healing.svg',
    {
      title: 'A network that was apart for five minutes heals',
      xLabel: 'nodes',
      yLabel: 'seconds after healing',
      xMarks: sizes.map((nodes) => [Math.log10(nodes), `${nodes}`]),
    },
    series,
  );
}

interface LossRow {
  readonly from: number;
  readonly seeds: number;
  readonly failed: number;
  /** Seeds repaired within so many half seconds. */
  readonly repaired: readonly number[];
}

/** One permanent loss at any moment, then any two. */
export function lossesOf(report: Report, seeds = 10_000, from = 1): string[] {
  const count = report.small ? 10 : seeds;
  const repaired = new Array<number>(REPAIRED_MS / 500 + 1).fill(0);
  const failed: string[] = [];
  for (let seed = from; seed < from + count; seed++) {
    const { problems, repairedAfter } = loss(seed);
    const slot = Math.ceil(repairedAfter / 500);
    if (slot < repaired.length) repaired[slot] = (repaired[slot] ?? 0) + 1;
    else failed.push(`seed ${seed}: not repaired in half a minute`);
    if (problems.length > 0)
      failed.push(`seed ${seed}: ${problems.join('; ')}`);
  }
  report.keep('losses', `${from}`, {
    from,
    seeds: count,
    failed: failed.length,
    repaired,
  });
  const rows = report.kept<LossRow>('losses');
  const kept = rows.length > 0 ? rows : [];
  const total = kept.reduce((sum, row) => sum + row.seeds, 0);
  const all = repaired.map((_, i) =>
    kept.reduce((sum, row) => sum + (row.repaired[i] ?? 0), 0),
  );
  const within = all.map((_, i) =>
    all.slice(0, i + 1).reduce((sum, n) => sum + n, 0),
  );
  const after = (share: number) =>
    within.findIndex((n) => n >= share * (within.at(-1) ?? 0)) / 2;
  report.heading('One permanent loss at any moment, all pieces together', [
    'seeds',
    'failed',
    'repaired after, s: median',
    '99 %',
    'longest',
  ]);
  report.row([
    total,
    kept.reduce((sum, row) => sum + row.failed, 0),
    after(0.5),
    after(0.99),
    after(1),
  ]);
  report.plot(
    'losses.svg',
    {
      title: 'A node and its disk are lost: when all copies are there again',
      xLabel: 'seconds after the loss',
      yLabel: '% of the seeds',
      xMarks: [0, 5, 10, 15, 20, 25, 30].map((s) => [s, `${s}`]),
    },
    [
      {
        name: `${total} seeds`,
        colour: BLUE,
        points: within.map((n, i) => [i / 2, (100 * n) / (total || 1)]),
      },
    ],
  );
  return failed;
}

/** 24 virtual hours, clocks up to a minute wrong. */
export function clocks(report: Report, seeds = 4, from = 1): string[] {
  const all: string[] = [];
  report.heading('A day with clocks that are up to a minute wrong', [
    'seed',
    'hours',
    'peers handed out',
    'latest, s beyond its time',
    'problems',
  ]);
  const minutes = report.small ? 30 : 24 * 60;
  for (let seed = from; seed < from + (report.small ? 1 : seeds); seed++) {
    const { problems, handedOut, latest } = hours(seed, minutes);
    const late = latest / 1_000;
    report.keep('clocks', `${seed}`, { seed, minutes, handedOut, late });
    report.row([
      seed,
      minutes / 60,
      handedOut,
      late.toFixed(2),
      problems.length,
    ]);
    for (const problem of problems.slice(0, 5))
      all.push(`seed ${seed}: ${problem}`);
  }
  const rows = report.kept<{ seed: number; late: number }>('clocks');
  report.plot(
    'clocks.svg',
    {
      title: 'The latest that a peer was handed out beyond its time, in a day',
      xLabel: 'seed',
      yLabel: 'seconds (10 are allowed)',
      xMarks: rows.map(({ seed }) => [seed, `${seed}`]),
    },
    [
      {
        name: 'latest',
        colour: BLUE,
        points: rows.map(({ seed, late }) => [seed, late]),
      },
    ],
  );
  return all;
}
