/**
 * Transfers over a long line, by our node and by libtorrent (where python3-libtorrent is installed) in
 * turn: seconds from adding to complete, and MB/s.
 *
 *     npx nx bench-line node -- [--over tcp|utp|web] [--rtt 100] [--rate 0] [--loss 0] [--size 64]
 *                               [--piece 256] [--format v1|v2|hybrid] [--magnet] [--runs 1] [--only PATTERN]
 *
 * `rtt` is in milliseconds there and back, `rate` in MB/s (0: no bound), `loss` in percent of datagrams
 * (uTP), `size` in MiB, `piece` in KiB. Over `web` the seed is a web seed: the file route of one of our nodes.
 */
import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  hasLibtorrent,
  libtorrent,
  ours,
  OurNode,
  type Client,
  type Job,
  type Torrent,
} from './clients.mts';
import { relayTcp, relayUdp, type Line } from './relays.mts';

const { values } = parseArgs({
  options: {
    over: { type: 'string', default: 'tcp' },
    rtt: { type: 'string', default: '100' },
    rate: { type: 'string', default: '0' },
    loss: { type: 'string', default: '0' },
    size: { type: 'string', default: '64' },
    piece: { type: 'string', default: '256' },
    format: { type: 'string', default: 'v1' },
    magnet: { type: 'boolean', default: false },
    runs: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
  },
});
const { over, format, magnet: byMagnet } = values;
const megabytes = Number(values.size);
const line: Line = {
  roundTrip: Number(values.rtt),
  rate: Number(values.rate) * 1e6 || Infinity,
  loss: Number(values.loss) / 100,
};
const utp = over === 'utp';
const name = 'content.bin';
const home = mkdtempSync(join(tmpdir(), 'bench-line-'));
const content = join(home, name);

function fill(file: string): void {
  const block = Buffer.alloc(1024 * 1024);
  const handle = openSync(file, 'w');
  for (let i = 0; i < megabytes; i++) writeSync(handle, randomFillSync(block));
  closeSync(handle);
}

/** Published by a node that is gone afterwards, so that its tracker leads past no line. */
async function publish(): Promise<Torrent> {
  const maker = await OurNode.start(join(home, 'maker'));
  try {
    const form = new FormData();
    form.set('format', format);
    form.set('pieceLength', String(Number(values.piece) * 1024));
    form.set('files', new Blob([readFileSync(content)]), name);
    const { infoHash, magnet } = await maker.ask<{
      infoHash: string;
      magnet: string;
    }>('POST', '/publications', form);
    const answer = await fetch(`${maker.api}/catalogue/${infoHash}/torrent`);
    const file = join(home, 'content.torrent');
    writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
    return { file, infoHash, magnet };
  } finally {
    await maker.stop();
  }
}

/** The same with a web seed: the last key of a .torrent, so it stands at its end. */
function withWebSeed(torrent: Torrent, url: string): Torrent {
  const dictionary = readFileSync(torrent.file).subarray(0, -1);
  const seed = `8:url-list${url.length}:${url}e`;
  const file = join(home, 'web-seed.torrent');
  writeFileSync(file, Buffer.concat([dictionary, Buffer.from(seed)]));
  return { ...torrent, file };
}

let folders = 0;
function newFolder(): string {
  const folder = join(home, `${++folders}`);
  mkdirSync(folder);
  return folder;
}

const jobOf = (torrent: Torrent): Job => ({
  torrent,
  byMagnet,
  utp,
  folder: newFolder(),
});

async function overPeer(
  seeder: Client,
  downloader: Client,
  torrent: Torrent,
): Promise<number> {
  const job = jobOf(torrent);
  copyFileSync(content, join(job.folder, name));
  const seed = await seeder.seed(job);
  const relay = await (utp ? relayUdp : relayTcp)(seed.port, line);
  try {
    return await downloader.download(jobOf(torrent), relay.port);
  } finally {
    relay.close();
    await seed.stop();
  }
}

async function overWeb(downloader: Client, torrent: Torrent): Promise<number> {
  const job = jobOf(torrent);
  copyFileSync(content, join(job.folder, name));
  const seed = await ours.seed(job);
  const relay = await relayTcp(seed.webPort, line);
  const url = `http://127.0.0.1:${relay.port}/api/library/${torrent.infoHash}/files/${name}`;
  try {
    const seeded = jobOf(withWebSeed(torrent, url));
    return await downloader.download(seeded, undefined);
  } finally {
    relay.close();
    await seed.stop();
  }
}

function tell(way: string, seconds: number): void {
  const rate = (megabytes * 1.048576) / seconds;
  console.log(
    `${way.padEnd(28)} ${seconds.toFixed(2).padStart(7)} s ${rate.toFixed(2).padStart(8)} MB/s`,
  );
}

const clients = [ours, ...(hasLibtorrent() ? [libtorrent] : [])];
const seeders = over === 'web' ? ['web' as const] : clients;
try {
  fill(content);
  const torrent = await publish();
  for (let round = 0; round < Number(values.runs); round++)
    for (const downloader of clients)
      for (const seeder of seeders) {
        const web = seeder === 'web';
        const way = `${web ? 'web seed' : seeder.name} to ${downloader.name}`;
        if (!way.includes(values.only)) continue;
        const seconds = await (web
          ? overWeb(downloader, torrent)
          : overPeer(seeder, downloader, torrent));
        tell(way, seconds);
      }
} finally {
  rmSync(home, { recursive: true, force: true });
}
