/**
 * Feeds hostile bytes to every reader of a library, with an eye on time and memory.
 *
 *     npx nx fuzz wire -- [inputs for each reader] [seed]
 *     node tools/fuzz.mjs bencode|metainfo|wire|chord|records [inputs] [seed]
 *
 * Ends with code 1 at the first input that throws, hangs for a second, or leaves 64 MiB behind.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { rolldown } from 'rolldown';

const [library, inputs = '1000000', seed = '1'] = process.argv.slice(2);
const root = join(import.meta.dirname, '..');
const most = 64 * 1024 * 1024;
/** Inputs between two looks at the memory. */
const step = 100_000;

const folder = await mkdtemp(join(tmpdir(), 'dnd-fuzz-'));
try {
  const bundle = await rolldown({
    input: {
      targets: join(root, `libs/${library}/src/${library}.fuzz.ts`),
      fuzz: join(root, 'libs/sim/src/fuzz.ts'),
    },
    platform: 'node',
    tsconfig: join(root, 'tsconfig.base.json'),
  });
  await bundle.write({
    dir: folder,
    format: 'esm',
    entryFileNames: '[name].mjs',
  });
  const load = (name) => import(pathToFileURL(join(folder, name)).href);
  const [{ targets }, { fuzz }] = [
    await load('targets.mjs'),
    await load('fuzz.mjs'),
  ];
  for (const [name, target] of Object.entries(targets)) {
    let understood = 0;
    let done = 0;
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    for (let round = 0; done < Number(inputs); round++) {
      const count = Math.min(step, Number(inputs) - done);
      const options = {
        inputs: count,
        seed: Number(seed) + round * 1_000_003,
        clock: () => performance.now(),
      };
      understood += fuzz({ [name]: target }, options)[name];
      done += count;
      globalThis.gc?.();
      const grown = process.memoryUsage().heapUsed - before;
      if (globalThis.gc && grown > most)
        throw new Error(`${name} has kept ${grown} bytes`);
    }
    console.log(`${name.padEnd(28)} ${done} inputs, ${understood} understood`);
  }
} finally {
  await rm(folder, { recursive: true });
}
