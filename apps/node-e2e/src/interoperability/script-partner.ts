/** A partner that is a script of ours around a library: says `ready`, then `complete`, on its output. */
import { writeFile } from 'node:fs/promises';
import type { Child } from '../harness/child';
import { freePort } from '../harness/ports';
import type { Job, Partner } from './partner';

/** Milliseconds for one transfer. */
export const patience = 60_000;

export interface Script {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
}

/** What the scripts read from their last argument. */
export interface Orders {
  /** A path, or a magnet link. */
  readonly source: string;
  readonly folder: string;
  readonly port: number;
  readonly utp: boolean;
  readonly encrypted: boolean;
  /** Port on 127.0.0.1 to connect to. */
  readonly peer?: number;
}

export class ScriptPartner implements Partner {
  readonly asksTracker = false;
  private child: Child | undefined;

  private constructor(
    private readonly job: Job,
    private readonly script: Script,
    private readonly orders: Orders,
  ) {}

  static async of(
    job: Job,
    script: Script,
    dials: boolean,
  ): Promise<ScriptPartner> {
    const { cell, folder, scene, peerPort } = job;
    const seeds = cell.ours === 'downloads';
    let source = job.magnet;
    if (seeds || cell.source === 'torrent') {
      source = scene.path('given.torrent');
      await writeFile(source, job.torrent);
    }
    return new ScriptPartner(job, script, {
      source,
      folder,
      port: await freePort(),
      utp: cell.transport === 'utp',
      encrypted: cell.encryption === 'encrypted',
      ...(dials && !seeds ? { peer: peerPort } : {}),
    });
  }

  get port(): number {
    return this.orders.port;
  }

  get dials(): boolean {
    return this.orders.peer !== undefined;
  }

  async start(): Promise<void> {
    const { scene, cell } = this.job;
    this.child = scene.child(cell.client, {
      ...this.script,
      args: [...this.script.args, JSON.stringify(this.orders)],
    });
    await this.child.line(/^ready$/, patience);
  }

  async finished(): Promise<void> {
    await this.child?.line(/^complete$/, patience);
  }
}
