/**
 * `nx sim chord -- --seeds 1000 --from 1`: the long simulation by hand, random ordeals, or with
 * `--kind garbage` rings that start from garbage. Ends with 1 when a seed fails.
 */
import { garbageStart } from './garbage';
import { soak } from './soak';

const seeds = Number(option('seeds') ?? 1_000);
const from = Number(option('from') ?? 1);
const run = option('kind') === 'garbage' ? garbage : ordeal;
const unit = run === garbage ? 'rounds' : 'ms';
const settled: number[] = [];
const totals = new Map<string, number>();
let failed = 0;

for (let seed = from; seed < from + seeds; seed++) {
  const violations = run(seed);
  if (violations.length > 0) {
    failed++;
    console.log(`seed ${seed}: ${violations.join('\n  ')}`);
  }
  const done = seed - from + 1;
  if (done % 1_000 === 0) console.log(`${done} seeds, ${failed} failed`);
}
settled.sort((a, b) => a - b);
const at = (share: number) => settled[Math.floor(share * (settled.length - 1))];
console.log(`${seeds} seeds from ${from}: ${failed} failed`);
console.log(
  `whole after ${unit}: median ${at(0.5)}, 99 % ${at(0.99)}, longest ${at(1)}`,
);
if (totals.size > 0) console.log(Object.fromEntries([...totals].sort()));
process.exitCode = failed > 0 ? 1 : 0;

function ordeal(seed: number): readonly string[] {
  const result = soak({ seed });
  settled.push(result.settleMs);
  for (const [name, count] of Object.entries(result.counters)) {
    totals.set(name, (totals.get(name) ?? 0) + count);
  }
  return result.violations;
}

function garbage(seed: number): readonly string[] {
  const { rounds } = garbageStart(seed);
  settled.push(rounds);
  return rounds === Infinity ? ['never became whole'] : [];
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  if (at >= 0) return process.argv[at + 1];
  return process.argv.find((a) => a.startsWith(`--${name}=`))?.split('=')[1];
}
