// Nodes run from a copy of the program: one of these suites calls `npm run ring`, which may build it anew.
const { cpSync, rmSync } = require('node:fs');
const { join } = require('node:path');

module.exports = () => {
  if (process.env.DND_E2E_PROGRAM) return;
  const dist = join(__dirname, '../../dist');
  const copy = join(dist, 'e2e');
  rmSync(copy, { recursive: true, force: true });
  cpSync(join(dist, 'apps'), copy, { recursive: true });
  process.env.DND_E2E_PROGRAM = join(copy, 'node/main.mjs');
};
