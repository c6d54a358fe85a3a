/** `nx sim chord -- --seeds 1000 --from 1`: the long simulation by hand. Ends with 1 when a seed fails. */
import { soak } from './soak';

const seeds = Number(option('seeds') ?? 1_000);
const from = Number(option('from') ?? 1);
const settled: number[] = [];
const totals = new Map<string, number>();
let failed = 0;

for (let seed = from; seed < from + seeds; seed++) {
  const result = soak({ seed });
  settled.push(result.settleMs);
  for (const [name, count] of Object.entries(result.counters)) {
    totals.set(name, (totals.get(name) ?? 0) + count);
  }
  if (result.violations.length > 0) {
    failed++;
    console.log(`seed ${seed}: ${result.violations.join('\n  ')}`);
  }
  if ((seed - from + 1) % 1_000 === 0)
    console.log(`${seed - from + 1} seeds, ${failed} failed`);
}
settled.sort((a, b) => a - b);
const at = (share: number) => settled[Math.floor(share * (settled.length - 1))];
console.log(`${seeds} seeds from ${from}: ${failed} failed`);
console.log(
  `whole again after ms: median ${at(0.5)}, 99 % ${at(0.99)}, longest ${at(1)}`,
);
console.log(Object.fromEntries([...totals].sort()));
process.exitCode = failed > 0 ? 1 : 0;

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  if (at >= 0) return process.argv[at + 1];
  return process.argv.find((a) => a.startsWith(`--${name}=`))?.split('=')[1];
}
