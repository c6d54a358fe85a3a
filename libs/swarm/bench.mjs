// Runs the benchmarks of src/swarm.bench.ts: node --expose-gc libs/swarm/bench.mjs [blocks]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const here = fileURLToPath(new URL('.', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'swarm-bench-'));
const file = join(folder, 'bench.mjs');
const bundle = await rolldown({
  input: join(here, 'src/swarm.bench.ts'),
  platform: 'node',
  tsconfig: join(here, '../../tsconfig.base.json'),
});
await bundle.write({ file, format: 'esm' });
const benches = await import(pathToFileURL(file).href);
rmSync(folder, { recursive: true });

const blocks = Number(process.argv[2] ?? 262_144);
for (const make of [benches.downloadBlocks, benches.uploadBlocks]) {
  const run = make(blocks);
  for (let i = 0; i < 3; i++) run();
  const times = [];
  let result;
  for (let i = 0; i < 5; i++) {
    const start = process.cpuUsage();
    result = run();
    const { user, system } = process.cpuUsage(start);
    times.push((user + system) / 1e6);
  }
  times.sort((a, b) => a - b);
  const seconds = times[2];
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  make(8_192)();
  const bytes = (process.memoryUsage().heapUsed - before) / 8_192;
  console.log(
    `${result.name}: ${Math.round(result.blocks / seconds / 1000)}k blocks/s, ` +
      `${(seconds / (result.blocks * 16_384)) * 1e9} CPU s/GB, ` +
      `${bytes.toFixed(1)} heap bytes a block (setting up included), proof ${result.proof}`,
  );
}
