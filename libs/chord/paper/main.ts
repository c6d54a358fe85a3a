/**
 * `nx paper chord`: the tables of the Chord paper (Stoica and others, IEEE/ACM Transactions on
 * Networking, 2003) with what the production code gives beside them, and plots in docs/ring.
 * `--only path,keys,failures,churn,contacts,garbage` runs a part, `--small` all of it in a small
 * size and without plots. The long ones run in pieces: `--rates .3,.4 --lookups 5000 --seed 2`
 * (churn), `--sizes 3,1000` (contacts), `--seeds 1000 --from 1` (garbage); docs/ring/figures.json
 * keeps the rows.
 */
import * as files from 'node:fs';
import { argument, Report } from '@dnd/sim';
import { contacts, paperChurn } from './churn-figures';
import { garbage } from './garbage-figures';
import { failures, keys, path } from './static-figures';

const args = process.argv.slice(2);
const small = args.includes('--small');
const report = new Report({
  ...(small ? {} : { files, folder: 'docs/ring' }),
  print: (line) => console.log(line),
  small,
  seed: number('seed') ?? 1,
});

const parts: Record<string, () => void> = {
  path: () => path(report),
  keys: () => keys(report),
  failures: () => failures(report),
  churn: () => paperChurn(report, numbers('rates'), number('lookups')),
  contacts: () => contacts(report, numbers('sizes'), number('lookups')),
  garbage: () => garbage(report, number('seeds'), number('from')),
};
const only = argument(args, 'only')?.split(',') ?? Object.keys(parts);
for (const name of only) {
  const run = parts[name];
  if (run) run();
  else throw new Error(`there is no part ${name}: ${Object.keys(parts)}`);
}

function number(name: string): number | undefined {
  const text = argument(args, name);
  return text === undefined ? undefined : Number(text);
}

function numbers(name: string): number[] | undefined {
  return argument(args, name)?.split(',').map(Number);
}
