import nx from '@nx/eslint-plugin';

// The layers of docs/ARCHITECTURE.md: who may import whom.
const layers = [
  {
    sourceTag: 'layer:leaf',
    onlyDependOnLibsWithTags: ['layer:leaf', 'scope:test'],
  },
  {
    sourceTag: 'layer:model',
    onlyDependOnLibsWithTags: ['layer:leaf', 'scope:test'],
  },
  {
    sourceTag: 'layer:protocol',
    onlyDependOnLibsWithTags: ['layer:model', 'layer:leaf', 'scope:test'],
  },
  {
    sourceTag: 'layer:engine',
    onlyDependOnLibsWithTags: [
      'layer:protocol',
      'layer:model',
      'layer:leaf',
      'scope:test',
    ],
  },
  { sourceTag: 'layer:routing', onlyDependOnLibsWithTags: ['scope:test'] },
  {
    sourceTag: 'layer:records',
    onlyDependOnLibsWithTags: ['layer:routing', 'scope:test'],
  },
];

const frameworks = ['@nestjs/*', '@angular/*', 'rxjs', 'rxjs/*'];
const io = [
  'net',
  'dgram',
  'http',
  'https',
  'tls',
  'dns',
  'timers',
  'timers/promises',
  'worker_threads',
  'child_process',
  'sqlite',
];
const disk = ['fs', 'fs/promises'];
const banned = (modules, message) =>
  modules.flatMap((m) => [
    { name: m, message },
    { name: `node:${m}`, message },
  ]);
const clocks = [
  { object: 'Date', property: 'now', message: 'A core is handed the time.' },
  {
    object: 'Math',
    property: 'random',
    message: 'A core is handed its random numbers.',
  },
  {
    object: 'performance',
    property: 'now',
    message: 'A core is handed the time.',
  },
];
const timers = ['setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
  name,
  message: 'A core says when to wake (`wakeAt`); its owner keeps the timer.',
}));

export default [
  ...nx.configs['flat/base'],
  ...nx.configs['flat/typescript'],
  ...nx.configs['flat/javascript'],
  {
    ignores: [
      '**/dist',
      '**/out-tsc',
      '**/generated',
      '**/.angular',
      '**/node_modules',
    ],
  },
  {
    files: ['**/*.ts', '**/*.tsx', '**/*.js', '**/*.jsx'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: true,
          allow: [
            '^.*/eslint(\\.base)?\\.config\\.[cm]?[jt]s$',
            '^.*/tools/jest/.*$',
          ],
          depConstraints: [
            ...layers,
            {
              sourceTag: 'scope:core',
              onlyDependOnLibsWithTags: ['scope:core', 'scope:test'],
              bannedExternalImports: frameworks,
            },
            {
              sourceTag: 'scope:test',
              onlyDependOnLibsWithTags: ['scope:test'],
              bannedExternalImports: frameworks,
            },
            {
              sourceTag: 'scope:node',
              onlyDependOnLibsWithTags: ['scope:core'],
              bannedExternalImports: ['@angular/*'],
            },
            {
              sourceTag: 'scope:api',
              onlyDependOnLibsWithTags: ['scope:api'],
              bannedExternalImports: ['@nestjs/*'],
            },
            {
              sourceTag: 'scope:web',
              onlyDependOnLibsWithTags: ['scope:api'],
              bannedExternalImports: ['@nestjs/*', 'node:*'],
            },
            {
              sourceTag: 'scope:tools',
              onlyDependOnLibsWithTags: ['scope:core', 'scope:test'],
            },
            {
              sourceTag: 'scope:e2e',
              onlyDependOnLibsWithTags: ['scope:core'],
            },
          ],
        },
      ],
    },
  },
];

const specs = [
  '**/*.spec.ts',
  '**/*.contract.ts',
  '**/*.bench.ts',
  '**/*.fuzz.ts',
  'src/testing/**',
];
const purity = (imports) => ({
  files: ['src/**/*.ts'],
  ignores: specs,
  rules: {
    'no-restricted-imports': [
      'error',
      {
        paths: [
          ...imports,
          { name: '@dnd/sim', message: 'For specs and tools only.' },
        ],
      },
    ],
    'no-restricted-properties': ['error', ...clocks],
    'no-restricted-globals': ['error', ...timers],
  },
});

/** For the cores: no clock, no timer, no socket, no disk, no chance of their own. */
export const core = [
  purity([
    ...banned(io, 'A core does no input or output.'),
    ...banned(disk, 'Storage alone touches the disk.'),
  ]),
];

/** For storage, which has the disk, its threads and its time-outs to itself, but no network. */
export const storage = [
  {
    files: ['src/**/*.ts'],
    ignores: specs,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: banned(
            ['net', 'dgram', 'http', 'https', 'tls', 'dns'],
            'Storage touches the disk, not the network.',
          ),
        },
      ],
    },
  },
];
