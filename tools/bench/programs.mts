/** Programs under measurement, each a process of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { v8Flags } from '../v8-flags.mjs';

/** Our node as it was built, or another build of it that BENCH_PROGRAM names. */
export const program =
  process.env['BENCH_PROGRAM'] ??
  join(import.meta.dirname, '../../dist/apps/node/main.mjs');

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Resolves with its output so far, ever after. */
export async function started(
  child: ChildProcess,
  sign?: RegExp,
  patience = 60_000,
): Promise<() => string> {
  let text = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(
      sign ? () => reject(new Error(`does not start:\n${text}`)) : resolve,
      sign ? patience : 2_000,
    );
    const read = (data: Buffer): void => {
      text += data;
      if (!sign?.test(text)) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => reject(new Error(`ended:\n${text}`)));
    child.once('error', reject);
  });
  return () => text;
}

export async function ended(children: readonly ChildProcess[]): Promise<void> {
  await Promise.all(
    children.map(
      (child) =>
        new Promise<void>((resolve) => {
          if (child.exitCode !== null || child.signalCode !== null) resolve();
          const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
          child.once('exit', () => {
            clearTimeout(force);
            resolve();
          });
          child.kill();
        }),
    ),
  );
}

export const run = (command: string, args: readonly string[], cwd?: string) =>
  spawn(command, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(cwd ? { cwd } : {}),
  });

/** Our node, with Node options from BENCH_NODE_OPTIONS. */
export const runNode = (
  flags: Readonly<Record<string, string | number>>,
  ...others: readonly string[]
): ChildProcess =>
  run(process.execPath, [
    ...v8Flags,
    ...(process.env['BENCH_NODE_OPTIONS']?.split(' ') ?? []),
    program,
    ...Object.entries(flags).flatMap(([k, v]) => [`--${k}`, String(v)]),
    ...others,
  ]);
