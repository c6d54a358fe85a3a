/**
 * `nx sim records -- --seeds 1000 --from 1`: the scenarios of the specs for many seeds, by hand.
 * `--kind losses,powerFailure,migration,partitions,ordeal,serialLosses`
 * chooses, `--real` puts the real ring below.
 * A seed that fails is told with the end of its trace; the exit code is then 1.
 */
import { argument, forEachSeed } from '@dnd/sim';
import type { Scenario } from '../src/scenarios.contract';
import {
  losses,
  migration,
  mustPass,
  ordeal,
  partitions,
  powerFailure,
  serialLosses,
} from '../src/scenarios.contract';

const args = process.argv.slice(2);
const count = Number(argument(args, 'seeds') ?? 1_000);
const from = Number(argument(args, 'from') ?? 1);
const realRing = args.includes('--real');
const scenarios: Record<string, Scenario> = {
  losses,
  powerFailure,
  migration,
  partitions,
  ordeal,
  serialLosses,
};
const kinds = argument(args, 'kind')?.split(',') ?? Object.keys(scenarios);

for (const kind of kinds) {
  const scenario = scenarios[kind];
  if (!scenario) throw new Error(`there is no scenario ${kind}`);
  let failed = 0;
  for (let seed = from; seed < from + count; seed++) {
    try {
      forEachSeed([seed], () => mustPass(scenario, seed, { realRing }));
    } catch (error) {
      failed++;
      console.log((error as Error).message);
    }
  }
  console.log(`${kind}: ${count} seeds from ${from}: ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
