/**
 * The matrix of transfers with other clients: a selection in every run, all of it (DND_MATRIX=all,
 * `nx interoperability node-e2e`) with its table in docs/interoperability.md. Any other value of
 * DND_MATRIX is part of the names of the cells to run.
 */
import { formatMagnet, parseTorrent } from '@dnd/metainfo';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf, sha256, sha256OfFile } from './harness/content';
import { eventually } from './harness/eventually';
import { isInstalled } from './harness/installed';
import { hasLibtorrent } from './harness/libtorrent';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';
import { peersAt } from './harness/tracker-client';
import { relayUdp, type Faults } from './harness/udp-relay';
import {
  cells,
  clients,
  nameOf,
  selection,
  type Cell,
  type Client,
} from './interoperability/cell';
import { makeTorrent, pieceLength } from './interoperability/made-torrent';
import { partners, type Job } from './interoperability/partner';
import { writeReport, type Outcome } from './interoperability/report';
import {
  forgetWebtorrent,
  installWebtorrent,
} from './interoperability/webtorrent-partner';

const asked = process.env['DND_MATRIX'];
const whole = asked === 'all';
const wanted = whole
  ? cells
  : asked
    ? cells.filter((cell) => nameOf(cell).includes(asked))
    : selection;
const size = 2 * 1024 * 1024 + 4321;
const badLine: Faults = { loss: 0.05, reordered: 0.05 };
const badLineSize = 512 * 1024;

// Other programs keep their own time: a slow start of one is not a failure of ours.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

const has: Readonly<Record<Client, () => boolean>> = {
  libtorrent: hasLibtorrent,
  transmission: () => isInstalled('transmission-daemon'),
  aria2: () => isInstalled('aria2c'),
  webtorrent: installWebtorrent,
};

const outcomes = new Map<string, Outcome>();
let scene: Scene;
let ours: Node;
beforeAll(async () => {
  scene = await Scene.open('interoperability');
  ours = await scene.start('ours');
}, 120_000);
afterAll(async () => {
  await scene.close();
  forgetWebtorrent();
  if (whole) writeReport(outcomes);
});

/** Our node is told, and calls. */
const call = (infoHash: string, port: number): Promise<unknown> =>
  ours.api.call('PATCH', `/api/downloads/${infoHash}`, {
    json: { peers: [`127.0.0.1:${port}`] },
  });

async function seed(
  cell: Cell,
  name: string,
  content: Buffer,
  line?: Faults,
): Promise<void> {
  const { infoHash } = await ours.api.publish({
    fields: { format: cell.format, pieceLength: String(pieceLength) },
    files: { [name]: content },
  });
  const torrent = await ours.api.torrent(infoHash);
  const metainfo = parseTorrent(torrent);
  const magnet = formatMagnet({ ...metainfo, announce: [[ours.announceUrl]] });
  const folder = await scene.directory(cell.client);
  const job = { scene, cell, folder, torrent, magnet, infoHash };
  const partner = await partners[cell.client]({
    ...job,
    peerPort: line
      ? await relayUdp(scene, ours.ports.peer, line)
      : ours.ports.peer,
  });
  if (partner.asksTracker)
    await eventually('the tracker knows the seed', async () =>
      (await peersAt(ours.announceUrl, infoHash)).includes(ours.peerAddress),
    );
  await partner.start();
  if (!partner.dials) await call(infoHash, partner.port);
  await partner.finished();
  expect(await sha256OfFile(join(folder, name))).toBe(sha256(content));
}

async function download(
  cell: Cell,
  name: string,
  content: Buffer,
  line?: Faults,
): Promise<void> {
  const torrent = makeTorrent(name, content, cell.format);
  const metainfo = parseTorrent(torrent);
  const infoHash = metainfo.id;
  const magnet = formatMagnet(metainfo);
  const folder = await scene.directory(cell.client);
  await writeFile(join(folder, name), content);
  const job: Job = {
    scene,
    cell,
    folder,
    torrent,
    magnet,
    infoHash,
    peerPort: ours.ports.peer,
  };
  const partner = await partners[cell.client](job);
  await partner.start();
  if (cell.source === 'magnet') await ours.api.add({ magnet });
  else expect((await ours.api.askWithTorrent(torrent)).status).toBe(201);
  const port = line ? await relayUdp(scene, partner.port, line) : partner.port;
  await call(infoHash, port);
  await ours.reaches(infoHash, 'seeding', 60_000);
  expect(await sha256OfFile(join(ours.storage, name))).toBe(sha256(content));
}

let count = 0;
async function transfer(cell: Cell, line?: Faults): Promise<void> {
  if (!line) outcomes.set(nameOf(cell), 'failed');
  const name = `cell ${++count}.bin`;
  const content = bytesOf(
    `${nameOf(cell)} ${count}`,
    line ? badLineSize : size,
  );
  await ours.api.settings({
    encryption: cell.encryption === 'plain' ? 'off' : 'required',
    utp: cell.transport === 'utp',
  });
  try {
    await (cell.ours === 'seeds' ? seed : download)(cell, name, content, line);
  } finally {
    await scene.clearChildren();
  }
  if (!line) outcomes.set(nameOf(cell), 'passed');
}

for (const client of clients) {
  const those = wanted.filter((cell) => cell.client === client);
  if (those.length === 0) continue;
  // In CI the installed ones must be there; webtorrent comes from the registry and may be missed.
  const must = process.env['CI'] !== undefined && client !== 'webtorrent';
  (must || has[client]() ? describe : describe.skip)(client, () => {
    it.each(those.map((cell) => [nameOf(cell), cell] as const))(
      '%s',
      (_, cell) => transfer(cell),
      150_000,
    );
  });
}

(hasLibtorrent() ? describe : describe.skip)(
  'libtorrent over uTP, where a datagram in twenty is lost and another comes late',
  () => {
    it.each([
      'libtorrent: ours seeds, utp, plain, v1, by torrent',
      'libtorrent: ours downloads, utp, plain, v1, by torrent',
    ])(
      '%s',
      async (name) => {
        const cell = cells.find((each) => nameOf(each) === name) as Cell;
        await transfer(cell, badLine);
      },
      150_000,
    );
  },
);
