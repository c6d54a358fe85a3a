/**
 * Feeds hostile bytes to all readers of this library.
 *
 *     npx node libs/tracker/fuzz.mjs [inputs for each reader] [seed]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const inputs = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? 1);
const folder = await mkdtemp(join(tmpdir(), 'tracker-fuzz-'));
try {
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'src/tracker.fuzz.ts'),
    platform: 'node',
    tsconfig: join(import.meta.dirname, '../../tsconfig.base.json'),
  });
  const file = join(folder, 'fuzz.mjs');
  await bundle.write({ file, format: 'esm' });
  const { fuzz } = await import(pathToFileURL(file).href);
  const understood = fuzz(inputs, seed);
  for (const [name, count] of Object.entries(understood))
    process.stdout.write(
      `${name.padEnd(30)} ${inputs} inputs, ${count} understood\n`,
    );
} finally {
  await rm(folder, { recursive: true });
}
