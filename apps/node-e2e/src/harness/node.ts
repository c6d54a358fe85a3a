/** One process of our program, on ports of its own, with a Storage folder that outlives it. */
import { join } from 'node:path';
import { Api } from './api';
import { Child, type Exit } from './child';
import { eventually } from './eventually';
import type { Machine } from './namespaces';

export const workspace = join(__dirname, '../../../..');
export const program =
  process.env['DND_E2E_PROGRAM'] ?? join(workspace, 'dist/apps/node/main.mjs');

/** `false` leaves a flag out. */
export type Flags = Readonly<Record<string, string | number | boolean>>;

export interface Ports {
  readonly http: number;
  readonly tracker: number;
  readonly peer: number;
  readonly ring: number;
  readonly rpc: number;
}

export const argumentsOf = (flags: Flags): string[] =>
  Object.entries(flags).flatMap(([name, value]) =>
    typeof value === 'boolean'
      ? value
        ? [`--${name}`]
        : []
      : [`--${name}`, String(value)],
  );

/** The program with these arguments, before anybody knows whether it will run. */
export const runProgram = (
  args: readonly string[],
  logFile: string,
  env: Readonly<Record<string, string>> = {},
  namespace?: string,
): Child => {
  const own = [program, ...args];
  return new Child({
    command: namespace ? 'ip' : process.execPath,
    args: namespace
      ? ['netns', 'exec', namespace, process.execPath, ...own]
      : own,
    env,
    logFile,
  });
};

export class Node {
  readonly api: Api;
  private child: Child | undefined;

  constructor(
    readonly name: string,
    readonly storage: string,
    readonly ports: Ports,
    private readonly flags: Flags,
    private readonly logFile: string,
    private readonly machine?: Machine,
  ) {
    this.api = new Api(`http://${this.host}:${ports.http}`);
  }

  /** As it stands in a URL. */
  get host(): string {
    const host = this.machine?.host ?? this.flags['host'];
    if (typeof host !== 'string') return '127.0.0.1';
    return host.includes(':') ? `[${host}]` : host;
  }

  get process(): Child {
    if (!this.child) throw new Error(`${this.name} has not been started`);
    return this.child;
  }

  get alive(): boolean {
    return this.child !== undefined && this.child.ended === undefined;
  }

  get peerAddress(): string {
    return `${this.host}:${this.ports.peer}`;
  }

  get announceUrl(): string {
    return `http://${this.host}:${this.ports.tracker}/announce`;
  }

  /** Starts the process, again after it ended; resolves when it says that it is ready. */
  async start(more: Flags = {}): Promise<this> {
    if (this.alive) throw new Error(`${this.name} runs already`);
    const { http, tracker, peer, ring, rpc } = this.ports;
    const flags: Flags = {
      storage: this.storage,
      port: http,
      'tracker-port': tracker,
      'peer-port': peer,
      'ring-port': ring,
      'rpc-port': rpc,
      name: this.name,
      'no-lsd': true,
      ...(this.machine ? { host: this.host, open: true } : {}),
      ...this.flags,
      ...more,
    };
    const { namespace } = this.machine ?? {};
    this.child = runProgram(argumentsOf(flags), this.logFile, {}, namespace);
    await this.child.line(/^(Open http|Ready: )/, 120_000);
    return this;
  }

  /** SIGTERM, and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.process.signal(signal);
    return this.process.exit;
  }

  async kill(): Promise<void> {
    await this.child?.kill();
  }

  /** Waits until this node sees a ring of exactly these nodes, all alive. */
  async seesRingOf(count: number, ms = 30_000): Promise<void> {
    await eventually(
      `${this.name} is in a ring of ${count}`,
      async () => {
        const ring = await this.api.ring();
        const alive = ring.nodes.filter(({ state }) => state === 'alive');
        if (
          alive.length === count &&
          ring.successors.length >= Math.min(count - 1, 3) &&
          (count === 1 || ring.predecessor !== undefined)
        )
          return true;
        throw new Error(JSON.stringify(ring.nodes.map(({ state }) => state)));
      },
      ms,
    );
  }

  /** Waits for a state of one of its downloads; fails at once when it is `failed` instead. */
  async reaches(id: string, state: string, ms = 30_000): Promise<void> {
    const reached = await eventually(
      `${this.name} has ${id} ${state}`,
      async () => {
        const download = await this.api.download(id);
        if (download.state === state) return 'reached' as const;
        if (download.state === 'failed') return download.reason ?? 'failed';
        throw new Error(JSON.stringify(download));
      },
      ms,
    );
    if (reached !== 'reached')
      throw new Error(`${this.name}: ${id} failed: ${reached}`);
  }

  /** Adds what the catalogue has under this hash and waits until it is complete and seeding. */
  async fetch(infoHash: string, ms = 30_000): Promise<void> {
    await this.api.add({ infoHash });
    await this.reaches(infoHash, 'seeding', ms);
  }
}
