import { join } from 'node:path';
import { runStorageBenchmarks } from './storage.bench';

it('the benchmarks run', async () => {
  const lines: string[] = [];
  const moved = await runStorageBenchmarks({
    mebibytes: 1,
    pieceLength: 65_536,
    rounds: 1,
    workerUrl: join(__dirname, 'hash-worker.ts'),
    print: (line) => lines.push(line),
  });
  expect(lines).toHaveLength(moved.size);
  for (const bytes of moved.values()) expect(bytes).toBe(2 ** 20);
});
