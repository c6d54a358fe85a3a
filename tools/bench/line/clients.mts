/** The two ends of a transfer: our node, or libtorrent by its Python binding. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ended, freePort, run, runNode, started } from '../programs.mts';

export interface Torrent {
  readonly file: string;
  /** How it is named in the API. */
  readonly infoHash: string;
  readonly magnet: string;
}

export interface Job {
  readonly torrent: Torrent;
  /** What the downloader is given instead of the .torrent. */
  readonly byMagnet: boolean;
  readonly folder: string;
  readonly utp: boolean;
}

export interface Seed {
  readonly port: number;
  stop(): Promise<void>;
}

export interface Client {
  readonly name: string;
  /** Resolves once all that is in the folder is checked. */
  seed(job: Job): Promise<Seed>;
  /** Of a peer on this machine, or of the web seeds of the torrent; seconds from adding to complete. */
  download(job: Job, peer: number | undefined): Promise<number>;
}

const looking = 20;
const patience = 300_000;

const inSeconds = (begin: number): number =>
  (performance.now() - begin) / 1_000;

export class OurNode {
  readonly api: string;
  readonly webPort: number;
  readonly port: number;
  readonly stop: () => Promise<void>;

  private constructor(
    webPort: number,
    port: number,
    stop: () => Promise<void>,
  ) {
    this.api = `http://127.0.0.1:${webPort}/api`;
    this.webPort = webPort;
    this.port = port;
    this.stop = stop;
  }

  static async start(storage: string, share = storage): Promise<OurNode> {
    const port = await freePort();
    const http = await freePort();
    const flags = {
      storage,
      share,
      port: http,
      'peer-port': port,
      'tracker-port': 0,
      'ring-port': 0,
      'rpc-port': 0,
      multicast: 'off',
      'mainline-dht': 'off',
    };
    const child = runNode(flags, '--no-lsd');
    await started(child, /^Open .*$/m);
    const stop = (): Promise<void> => ended([child]);
    return new OurNode(http, port, stop);
  }

  async ask<T>(method: string, path: string, body?: object): Promise<T> {
    const form = body instanceof FormData;
    const answer = await fetch(`${this.api}${path}`, {
      method,
      ...(body ? { body: form ? body : JSON.stringify(body) } : {}),
      ...(body && !form
        ? { headers: { 'content-type': 'application/json' } }
        : {}),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${text}`);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  add({ torrent, byMagnet }: Job, fields: { folder?: string } = {}) {
    if (byMagnet)
      return this.ask('POST', '/downloads', {
        magnet: torrent.magnet,
        ...fields,
      });
    const form = new FormData();
    form.set(
      'torrent',
      new Blob([readFileSync(torrent.file)]),
      basename(torrent.file),
    );
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return this.ask('POST', '/downloads', form);
  }

  async seeding({ infoHash }: Torrent): Promise<void> {
    const end = performance.now() + patience;
    for (;;) {
      const { state, reason } = await this.ask<{
        state: string;
        reason?: string;
      }>('GET', `/downloads/${infoHash}`);
      if (state === 'seeding') return;
      if (state === 'failed' || performance.now() > end)
        throw new Error(`${state}: ${reason}`);
      await pause(looking);
    }
  }
}

export const ours = {
  name: 'ours',
  async seed(job: Job): Promise<OurNode> {
    const node = await OurNode.start(`${job.folder}/.node`, job.folder);
    await node.ask('PATCH', '/settings', { utp: job.utp });
    await node.add({ ...job, byMagnet: false }, { folder: job.folder });
    await node.seeding(job.torrent);
    return node;
  },
  async download(job: Job, peer: number | undefined): Promise<number> {
    const node = await OurNode.start(job.folder);
    try {
      await node.ask('PATCH', '/settings', { utp: job.utp });
      const begin = performance.now();
      await node.add(job);
      if (peer !== undefined)
        await node.ask('PATCH', `/downloads/${job.torrent.infoHash}`, {
          peers: [`127.0.0.1:${peer}`],
        });
      await node.seeding(job.torrent);
      return inSeconds(begin);
    } finally {
      await node.stop();
    }
  },
} satisfies Client;

const python = '/usr/bin/python3';
const script = `
import json, libtorrent, sys, time
orders = json.loads(sys.argv[1])
tcp, utp = not orders['utp'], orders['utp']
session = libtorrent.session({
    'listen_interfaces': '127.0.0.1:%d' % orders['port'],
    'enable_dht': False, 'enable_lsd': False, 'enable_upnp': False, 'enable_natpmp': False,
    'enable_incoming_tcp': tcp, 'enable_outgoing_tcp': tcp,
    'enable_incoming_utp': utp, 'enable_outgoing_utp': utp,
    'allow_multiple_connections_per_ip': True, 'alert_mask': 0,
    'ssrf_mitigation': False,
})
if orders['magnet']:
    params = libtorrent.parse_magnet_uri(orders['magnet'])
    params.trackers = []
else:
    params = libtorrent.add_torrent_params()
    params.ti = libtorrent.torrent_info(orders['torrent'])
params.save_path = orders['folder']
begin = time.time()
handle = session.add_torrent(params)
if orders['peer']: handle.connect_peer(('127.0.0.1', orders['peer']))
while not handle.status().is_seeding: time.sleep(${looking / 1_000})
print('complete %f' % (time.time() - begin), flush=True)
while True: time.sleep(1)
`;

async function runLibtorrent(
  { torrent, byMagnet, folder, utp }: Job,
  peer: number | undefined,
) {
  const port = await freePort();
  const orders = {
    torrent: torrent.file,
    magnet: byMagnet ? torrent.magnet : '',
    folder,
    utp,
    port,
    peer: peer ?? 0,
  };
  const child = run(python, ['-c', script, JSON.stringify(orders)]);
  const output = await started(child, /^complete .*$/m, patience);
  const seconds = Number(/complete (\S+)/.exec(output())?.[1]);
  return { port, seconds, stop: () => ended([child]) };
}

export const libtorrent: Client = {
  name: 'libtorrent',
  seed: (job) => runLibtorrent({ ...job, byMagnet: false }, undefined),
  async download(job, peer) {
    const { seconds, stop } = await runLibtorrent(job, peer);
    await stop();
    return seconds;
  },
};

export const hasLibtorrent = (): boolean =>
  spawnSync(python, ['-c', 'import libtorrent']).status === 0;
