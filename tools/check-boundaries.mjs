// Shows that the linter keeps the boundaries of docs/ARCHITECTURE.md: each line below breaks one and must be caught.
import { ESLint } from 'eslint';

const violations = [
  [
    'libs/bencode/src/x.ts',
    `import { Swarm } from '@dnd/swarm'; Swarm;`,
    '@nx/enforce-module-boundaries',
  ],
  [
    'libs/metainfo/src/x.ts',
    `import { AnnounceTable } from '@dnd/tracker'; AnnounceTable;`,
    '@nx/enforce-module-boundaries',
  ],
  [
    'libs/chord/src/x.ts',
    `import { Records } from '@dnd/records'; Records;`,
    '@nx/enforce-module-boundaries',
  ],
  [
    'libs/wire/src/x.ts',
    `import { Injectable } from '@nestjs/common'; Injectable;`,
    '@nx/enforce-module-boundaries',
  ],
  [
    'apps/web/src/app/x.ts',
    `import { parseTorrent } from '@dnd/metainfo'; parseTorrent;`,
    '@nx/enforce-module-boundaries',
  ],
  [
    'libs/swarm/src/x.ts',
    `import { decode } from '../../bencode/src/decode'; decode;`,
    '@nx/enforce-module-boundaries',
  ],
  [
    'libs/wire/src/x.ts',
    `import { connect } from 'node:net'; connect;`,
    'no-restricted-imports',
  ],
  [
    'libs/tracker/src/x.ts',
    `import { readFileSync } from 'fs'; readFileSync;`,
    'no-restricted-imports',
  ],
  [
    'libs/chord/src/x.ts',
    `import { Random } from '@dnd/sim'; Random;`,
    'no-restricted-imports',
  ],
  [
    'libs/swarm/src/x.ts',
    `export const now = Date.now();`,
    'no-restricted-properties',
  ],
  [
    'libs/records/src/x.ts',
    `export const draw = Math.random();`,
    'no-restricted-properties',
  ],
  [
    'libs/bencode/src/x.ts',
    `setTimeout(() => undefined, 1);`,
    'no-restricted-globals',
  ],
];

const eslint = new ESLint();
let missed = 0;
for (const [filePath, code, rule] of violations) {
  const [{ messages }] = await eslint.lintText(code, { filePath });
  if (messages.some(({ ruleId }) => ruleId === rule)) continue;
  missed++;
  console.error(`not caught by ${rule}: ${filePath}: ${code}`);
}
if (missed > 0) process.exit(1);
console.log(
  `${violations.length} deliberate violations of the boundaries, all caught`,
);
