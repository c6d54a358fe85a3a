/** The trackers under load, each as a process of its own on a free port. */
import type { ChildProcess } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ended,
  freePort,
  program,
  run,
  runNode,
  started,
} from '../programs.mts';
import type { SwarmSet } from './swarm-set.mts';

export interface RunningTracker {
  readonly port: number;
  /** The process whose CPU counts. */
  readonly pid: number;
  /** Other processes that work for it: the rest of the ring. */
  readonly others: readonly number[];
  /** All that it has printed. */
  output(): string;
  stop(): Promise<void>;
}

export interface TrackerKind {
  readonly name: string;
  readonly installed: boolean;
  start(set: SwarmSet): Promise<RunningTracker>;
}

const opentracker = '/usr/bin/opentracker';

/** A ring of `nodes`; the first one is announced at. */
export const ourNodes = (nodes: number): TrackerKind => ({
  name: nodes === 1 ? 'D&D, one node' : `D&D, ring of ${nodes}`,
  installed: existsSync(program),
  async start() {
    const folder = mkdtempSync(join(tmpdir(), 'bench-ring-'));
    const children: ChildProcess[] = [];
    const trackers: number[] = [];
    const outputs: (() => string)[] = [];
    let first = '';
    for (let i = 0; i < nodes; i++) {
      const [tracker, ring] = [await freePort(), await freePort()];
      trackers.push(tracker);
      const flags = {
        storage: join(folder, String(i)),
        port: 0,
        'tracker-port': tracker,
        'peer-port': 0,
        'ring-port': ring,
        'rpc-port': 0,
        multicast: 'off',
        ...(first ? { join: first } : {}),
      };
      const child = runNode(flags, '--no-lsd');
      children.push(child);
      outputs.push(await started(child, /^Open /m));
      first ||= `127.0.0.1:${ring}`;
    }
    await new Promise((resolve) => setTimeout(resolve, 4_000 * (nodes - 1)));
    return {
      port: trackers[0],
      pid: children[0].pid as number,
      others: children.slice(1).map(({ pid }) => pid as number),
      output: outputs[0],
      async stop() {
        await ended(children);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
});

/** Debian builds it with a list of the swarms that it serves. */
export const openTracker: TrackerKind = {
  name: 'opentracker',
  installed: existsSync(opentracker),
  async start(set) {
    const folder = mkdtempSync(join(tmpdir(), 'bench-opentracker-'));
    chmodSync(folder, 0o755);
    const list = set.hashes.map((hash) => `${hash.toString('hex')}\n`).join('');
    writeFileSync(join(folder, 'whitelist.txt'), list);
    const port = await freePort();
    const child = run(
      opentracker,
      [
        '-i',
        '127.0.0.1',
        '-p',
        `${port}`,
        '-P',
        `${port}`,
        '-d',
        folder,
        '-u',
        'nobody',
        '-w',
        'whitelist.txt',
      ],
      folder,
    );
    const output = await started(child);
    return {
      port,
      pid: child.pid as number,
      others: [],
      output,
      async stop() {
        await ended([child]);
        rmSync(folder, { recursive: true, force: true });
      },
    };
  },
};

/** npm's bittorrent-tracker, installed in a folder outside of this workspace. */
export const bittorrentTracker = (folder: string | undefined): TrackerKind => {
  const command = join(
    folder ?? '',
    'node_modules/bittorrent-tracker/bin/cmd.js',
  );
  return {
    name: 'bittorrent-tracker',
    installed: folder !== undefined && existsSync(command),
    async start() {
      const port = await freePort();
      const child = run(process.execPath, [
        ...(process.env['BENCH_BITTORRENT_TRACKER_OPTIONS']?.split(' ') ?? []),
        command,
        '--port',
        `${port}`,
        '--http-hostname',
        '127.0.0.1',
        '--udp-hostname',
        '127.0.0.1',
        '--http',
        '--udp',
        '--quiet',
      ]);
      const output = await started(child);
      return {
        port,
        pid: child.pid as number,
        others: [],
        output,
        stop: () => ended([child]),
      };
    },
  };
};
