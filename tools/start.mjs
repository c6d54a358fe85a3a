// npm start: sets up what is missing, builds what has changed, runs one node; all arguments are the node's.
// npm run ring: the initial topology, three nodes with a Storage folder each.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, install, node, root } from './setup.mjs';
import { v8Flags } from './v8-flags.mjs';

const args = process.argv.slice(2);
const ring = args[0] === '--ring';
if (ring) args.shift();

install();
build();

const program = join(root, 'dist', 'apps', 'node', 'main.mjs');
const children = ring
  ? [1, 2, 3].map((i) => start(`node-${i}`, ringArgs(i)))
  : [start('', args)];

/** Node i of the ring: the same flags and a Storage of its own. */
function ringArgs(i) {
  const at = args.indexOf('--storage');
  const base = at >= 0 ? args[at + 1] : 'Storage';
  const rest = at >= 0 ? [...args.slice(0, at), ...args.slice(at + 2)] : args;
  return [...rest, '--storage', join(base, `node-${i}`)];
}

function start(label, childArgs) {
  const child = spawn(node(), [...v8Flags, program, ...childArgs], {
    stdio: label ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  if (label) {
    prefix(child.stdout, process.stdout, label);
    prefix(child.stderr, process.stderr, label);
  }
  return child;
}

function prefix(from, to, label) {
  let rest = '';
  from.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const line of lines) to.write(`[${label}] ${line}\n`);
  });
}

// Ctrl-C reaches the children by themselves (one process group); a plain kill is handed on.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => children.forEach((child) => child.kill('SIGTERM')));

let worst = 0;
let left = children.length;
for (const child of children) {
  child.on('error', (error) => {
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    worst = Math.max(worst, code ?? (signal ? 1 : 0));
    if (--left === 0) process.exit(worst);
  });
}
