// npm test: sets up what is missing, then lint, unit tests, types, builds and end-to-end tests.
// `npm test -- --quick` leaves the end-to-end tests out.
import { install, step } from './setup.mjs';

install();
const many = (targets) => [
  'nx',
  'run-many',
  '-t',
  ...targets,
  '--outputStyle=stream',
  '--parallel=2',
];
step('Builds', 'npx', many(['build']), {});
step('Lint and types', 'npx', many(['lint', 'typecheck']), {});
step('Boundaries', 'npx', ['node', 'tools/check-boundaries.mjs'], {});
step('Unit tests', 'npx', many(['test']), {});
if (!process.argv.includes('--quick'))
  step(
    'End-to-end tests',
    'npx',
    ['nx', 'run-many', '-t', 'e2e', '--outputStyle=stream', '--parallel=1'],
    {},
  );
console.log('\nEverything passed.');
