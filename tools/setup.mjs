// Brings a fresh clone to the point where it can run, and does nothing where it is there already.
// Runs on any Node ≥ 20: it may not import a package.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ownNode = join(root, 'node_modules', '.bin', 'node');

/** The workspace's own Node, or the system's where npm has none for it and it is new enough. */
export function node() {
  if (existsSync(ownNode)) return ownNode;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 24 || (major === 24 && minor >= 15)) return process.execPath;
  fail(
    `npm has no Node 24 for ${process.platform}/${process.arch}: install Node 24.15 or newer and run this again`,
  );
}

/** Installs the packages of the lockfile, unless those of this very lockfile are there. */
export function install() {
  const stamp = join(root, 'node_modules', '.installed');
  const wanted = hash(readFileSync(join(root, 'package-lock.json')));
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  step(
    'Installing the packages (once; about a minute)',
    'npm',
    ['ci', '--no-audit', '--no-fund'],
    {},
  );
  node();
  writeFileSync(stamp, wanted);
}

/** Builds node and page, unless what is built was built from these very sources. */
export function build() {
  const stamp = join(root, 'dist', '.built');
  const wanted = hash(
    sources()
      .map((file) => `${file} ${statSync(file).mtimeMs} ${statSync(file).size}`)
      .join('\n'),
  );
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  step(
    'Building (about half a minute)',
    'npx',
    ['nx', 'run-many', '-t', 'build', '--outputStyle=stream'],
    { quiet: true },
  );
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

/** Runs a command in the workspace; ends this process when it fails. */
export function step(title, command, args, { quiet = false, env = {} }) {
  console.log(`\n\u001b[1m${title}\u001b[0m`);
  const started = Date.now();
  const result = spawnSync(command, args, {
    cwd: root,
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    env: { ...process.env, NX_DAEMON: 'false', NX_TUI: 'false', ...env },
    shell: process.platform === 'win32',
    maxBuffer: 1 << 28,
  });
  if (result.error || result.status !== 0) {
    if (quiet)
      process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
    fail(
      `${command} ${args.join(' ')} failed${result.error ? `: ${result.error.message}` : ''}`,
    );
  }
  console.log(
    `${title}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`,
  );
}

function fail(message) {
  console.error(`error: ${message}`);
  process.exit(1);
}

function hash(data) {
  return createHash('sha256').update(data).digest('hex');
}

/** Every file that a build reads. */
function sources() {
  const files = [
    'package-lock.json',
    'package.json',
    'nx.json',
    'tsconfig.base.json',
  ].map((name) => join(root, name));
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== 'generated' && entry.name !== 'node_modules')
          visit(path);
      } else if (!entry.name.includes('.spec.')) files.push(path);
    }
  };
  visit(join(root, 'libs'));
  visit(join(root, 'apps', 'node'));
  visit(join(root, 'apps', 'web'));
  return files.sort();
}
