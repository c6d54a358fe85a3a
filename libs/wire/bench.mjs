/**
 * Runs this library's benchmarks: bundles one (TypeScript, path aliases) and
 * prints payload MB/s and CPU seconds a GB, the median of five rounds.
 *
 *     npx node libs/wire/bench.mjs [blocks]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const blocks = Number(process.argv[2] ?? 65_536);
const folder = await mkdtemp(join(tmpdir(), 'wire-bench-'));
try {
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'src/wire.bench.ts'),
    platform: 'node',
    tsconfig: join(import.meta.dirname, '../../tsconfig.base.json'),
  });
  const file = join(folder, 'bench.mjs');
  await bundle.write({ file, format: 'esm' });
  const bench = await import(pathToFileURL(file).href);
  for (const run of [
    bench.readBlocks(blocks),
    bench.writeBlocks(blocks),
    bench.rc4(blocks / 4),
    bench.writeBlocks(blocks / 4, 'required'),
    bench.passEncrypted(blocks / 4),
    bench.utp(blocks / 8),
  ]) {
    measure(run);
  }
} finally {
  await rm(folder, { recursive: true });
}

function measure(run) {
  run();
  const rounds = Array.from({ length: 5 }, () => {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const result = run();
    const wall = (performance.now() - start) / 1_000;
    const { user, system } = process.cpuUsage(cpu);
    return { result, wall, cpu: (user + system) / 1e6 };
  }).sort((a, b) => a.cpu - b.cpu);
  const { result, wall, cpu } = rounds[2];
  const gigabytes = result.bytes / 1e9;
  const line = [
    result.name.padEnd(28),
    `${((gigabytes * 1_000) / wall).toFixed(0).padStart(8)} MB/s`,
    `${(cpu / gigabytes).toFixed(3).padStart(8)} CPU s/GB`,
    `  (${result.proof})`,
  ];
  process.stdout.write(`${line.join('')}\n`);
}
