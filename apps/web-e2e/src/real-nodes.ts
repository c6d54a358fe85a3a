/** Starts real nodes from the built program, each with a Storage of its own, on free ports and a ring of their own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { AddressInfo } from 'node:net';

const program = resolve(__dirname, '../../../dist/apps/node/main.mjs');
/** Of a start on a busy machine, ms. */
const patience = 90_000;

export interface RealNode {
  readonly url: string;
  readonly storage: string;
  /** What it has said so far. */
  output(): string;
  /** Ends it cleanly; its Storage stays until `removeAll`. */
  stop(): Promise<void>;
}

export class RealNodes {
  private readonly nodes: (RealNode & { readonly process: ChildProcess })[] =
    [];

  private constructor(private readonly group: string) {}

  /** A discovery port that nobody else uses keeps rings of several test runs apart. */
  static async create(): Promise<RealNodes> {
    return new RealNodes(`239.255.4.3:${await freePort()}`);
  }

  async start(name: string, ...flags: string[]): Promise<RealNode> {
    const storage = await mkdtemp(join(tmpdir(), 'dnd-web-e2e-'));
    const ports = ['tracker', 'peer', 'ring', 'rpc'].flatMap((port) => [
      `--${port}-port`,
      '0',
    ]);
    const process = spawn(
      globalThis.process.execPath,
      [
        program,
        ...['--port', '0', ...ports, '--storage', storage, '--name', name],
        ...['--multicast', this.group, '--no-lsd', ...flags],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let said = '';
    process.stdout.on('data', (part: Buffer) => (said += part.toString()));
    const url = await addressOf(process);
    const stop = (): Promise<void> =>
      new Promise((done) => {
        if (process.exitCode !== null || process.signalCode) return done();
        process.once('exit', () => done());
        process.kill('SIGTERM');
      });
    const node = { url, storage, stop, process, output: () => said };
    this.nodes.push(node);
    return node;
  }

  async removeAll(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
    await Promise.all(
      this.nodes.map(({ storage }) =>
        rm(storage, { recursive: true, force: true }),
      ),
    );
  }
}

function addressOf(process: ChildProcess): Promise<string> {
  return new Promise((found, failed) => {
    let said = '';
    const timer = setTimeout(
      () => failed(new Error(`the node does not start:\n${said}`)),
      patience,
    );
    const read = (part: Buffer): void => {
      said += part.toString();
      const url = /Open (http:\/\/\S+)/.exec(said)?.[1];
      if (!url) return;
      clearTimeout(timer);
      found(url);
    };
    process.stdout?.on('data', read);
    process.stderr?.on('data', read);
    process.once('exit', (code) => {
      clearTimeout(timer);
      failed(new Error(`the node ended with ${code}:\n${said}`));
    });
  });
}

function freePort(): Promise<number> {
  return new Promise((found) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => found(port));
    });
  });
}
