/**
 * Searches a made-up catalogue as the program does and, for comparison, by SQLite's FTS5:
 *
 *     npx node tools/bench/catalogue/main.mjs [entries] [rounds] [program,fts5,fts5-hybrid]
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';

const [entries = '100000', rounds = '40', ways = 'program,fts5,fts5-hybrid'] =
  process.argv.slice(2);
const folder = await mkdtemp(
  join(import.meta.dirname, '../../../node_modules/.bench-'),
);
try {
  const bundle = await rolldown({
    input: join(import.meta.dirname, 'bench.mts'),
    platform: 'node',
    tsconfig: join(import.meta.dirname, '../../../apps/node/tsconfig.json'),
    // (@oxc-project/runtime holds the decorator helpers; rolldown inlines them.)
    external: /^(?:node:|[a-z]|@(?!dnd|oxc-project))/,
  });
  const file = join(folder, 'bench.mjs');
  await bundle.write({ file, format: 'esm', codeSplitting: false });
  for (const way of ways.split(','))
    spawnSync(
      process.execPath,
      ['--expose-gc', '--no-warnings', file, way, entries, rounds],
      { stdio: 'inherit', env: { ...process.env, TMPDIR: tmpdir() } },
    );
} finally {
  await rm(folder, { recursive: true });
}
