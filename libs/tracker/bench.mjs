/**
 * Runs this library's benchmarks: bundles them (TypeScript, path aliases) and prints CPU
 * microseconds an announce, the median of five rounds; then memory and pauses of a table of a
 * million peers.
 *
 *     npx node libs/tracker/bench.mjs [swarms] [peers a swarm] [announces]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const [swarms, peersPerSwarm, announces] = [10_000, 50, 300_000].map(
  (standard, i) => Number(process.argv[2 + i] ?? standard),
);
const folder = await mkdtemp(join(tmpdir(), 'tracker-bench-'));
try {
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'src/tracker.bench.ts'),
    platform: 'node',
    tsconfig: join(import.meta.dirname, '../../tsconfig.base.json'),
  });
  const file = join(folder, 'bench.mjs');
  await bundle.write({ file, format: 'esm' });
  const bench = await import(pathToFileURL(file).href);
  million(bench);
  measure(bench.udpAnnounces({ swarms, peersPerSwarm, announces }));
  measure(
    bench.httpAnnounces({ swarms: swarms / 10, peersPerSwarm, announces }),
  );
} finally {
  await rm(folder, { recursive: true });
}

function million({ fullTable, expireAll }) {
  const before = process.memoryUsage().rss;
  const table = fullTable(100_000, 10);
  const { rss } = process.memoryUsage();
  const { swarms, peers } = table.stats;
  say(`${peers} peers in ${swarms} swarms`, [
    `${(rss / 1e6).toFixed(0)} MB, ${((rss - before) / 1e6).toFixed(0)} of them for the table`,
  ]);
  let longest = 0;
  const { proof } = expireAll(table, (sweep) => {
    // CPU time: on a busy machine the clock also counts others' turns.
    const start = process.cpuUsage();
    sweep();
    const { user, system } = process.cpuUsage(start);
    longest = Math.max(longest, (user + system) / 1000);
  });
  say('all of them expire', [
    `longest slice ${longest.toFixed(1)} ms CPU`,
    `${proof} slices`,
  ]);
}

function measure(run) {
  run();
  const rounds = Array.from({ length: 5 }, () => {
    const cpu = process.cpuUsage();
    const result = run();
    const { user, system } = process.cpuUsage(cpu);
    return { result, cpu: user + system };
  }).sort((a, b) => a.cpu - b.cpu);
  const { result, cpu } = rounds[2];
  say(result.name, [
    `${(cpu / result.operations).toFixed(2)} µs CPU`,
    `(${result.proof.toFixed(0)} bytes)`,
  ]);
}

function say(name, figures) {
  process.stdout.write(`${name.padEnd(40)} ${figures.join('  ')}\n`);
}
