/** aria2c: it finds our node by the tracker, and is called by it when it seeds. */
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { aria2Command } from '../harness/aria2';
import type { Child } from '../harness/child';
import { eventually } from '../harness/eventually';
import { freePort } from '../harness/ports';
import type { Job, Partner } from './partner';

export class Aria2Partner implements Partner {
  readonly dials = true;
  readonly asksTracker = true;
  private child: Child | undefined;

  private constructor(
    private readonly job: Job,
    readonly port: number,
  ) {}

  static async create(job: Job): Promise<Partner> {
    return new Aria2Partner(job, await freePort());
  }

  async start(): Promise<void> {
    const { scene, cell, torrent, magnet, folder } = this.job;
    const seeds = cell.ours === 'downloads';
    let source = magnet;
    if (seeds || cell.source === 'torrent') {
      source = scene.path('given.torrent');
      await writeFile(source, torrent);
    }
    const crypto =
      cell.encryption === 'encrypted'
        ? ['--bt-require-crypto=true', '--bt-min-crypto-level=arc4']
        : ['--bt-require-crypto=false', '--bt-min-crypto-level=plain'];
    const role = seeds
      ? ['--enable-dht=false', '--check-integrity=true', '--seed-ratio=0.0']
      : ['--enable-dht=false', '--seed-time=0', '--bt-stop-timeout=60'];
    this.child = scene.child(
      'aria2',
      aria2Command(this.port, [...crypto, ...role, `--dir=${folder}`, source]),
    );
    if (seeds) await eventually('aria2 listens', () => answers(this.port));
  }

  async finished(): Promise<void> {
    const exit = await this.child?.exit;
    if (exit?.code !== 0)
      throw new Error(`aria2c ended with ${exit?.code}\n${this.child?.tail}`);
  }
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
