/**
 * `nx paper records`: what is promised of the records, in figures: partitions that heal (with one
 * ring and equal replicas), one permanent loss at any moment, a day with wrong clocks. Plots and
 * rows in docs/ring. `--only healing,losses,clocks` runs a part, `--small` all of it in a small
 * size; in pieces: `--sizes 10,1000` (healing), `--seeds 1000 --from 1` (losses, clocks).
 */
import * as files from 'node:fs';
import { argument, Report } from '@dnd/sim';
import { clocks, healings, lossesOf } from './figures';

const args = process.argv.slice(2);
const small = args.includes('--small');
const report = new Report({
  ...(small ? {} : { files, folder: 'docs/ring' }),
  print: (line) => console.log(line),
  small,
  seed: number('seed') ?? 1,
});

const parts: Record<string, () => readonly string[]> = {
  healing: () => healings(report, numbers('sizes'), numbers('parts')),
  losses: () => lossesOf(report, number('seeds'), number('from')),
  clocks: () => clocks(report, number('seeds'), number('from')),
};
const only = argument(args, 'only')?.split(',') ?? Object.keys(parts);
for (const name of only) {
  const run = parts[name];
  if (!run) throw new Error(`there is no part ${name}: ${Object.keys(parts)}`);
  for (const problem of run()) {
    console.log(problem);
    process.exitCode = 1;
  }
}

function number(name: string): number | undefined {
  const text = argument(args, name);
  return text === undefined ? undefined : Number(text);
}

function numbers(name: string): number[] | undefined {
  return argument(args, name)?.split(',').map(Number);
}
