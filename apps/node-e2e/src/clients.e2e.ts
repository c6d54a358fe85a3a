/** Swarms with clients that others wrote, which know of each other and of us by our trackers only. */
import { parseTorrent } from '@dnd/metainfo';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aria2Download, aria2Seed } from './harness/aria2';
import { bytesOf, sha256OfFile, writeContent } from './harness/content';
import { eventually } from './harness/eventually';
import { describeWith } from './harness/installed';
import { hasLibtorrent, libtorrentDownload } from './harness/libtorrent';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';
import { peersAt } from './harness/tracker-client';
import { createTorrent, Transmission } from './harness/transmission';

const size = 12 * 1024 * 1024 + 4321;

// Other programs keep their own time: a slow start of one is not a failure of ours.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

let scene: Scene;
let a: Node;
let b: Node;
let c: Node;
beforeAll(async () => {
  scene = await Scene.open('clients');
  [a, b, c] = await scene.startRing(['a', 'b', 'c']);
}, 180_000);
afterAll(() => scene.close());

/** The .torrent as the page of a node hands it out, once every tracker knows who has it. */
async function handedOut(node: Node, infoHash: string): Promise<string> {
  for (const { name, announceUrl } of [a, b, c])
    await eventually(`the tracker of ${name} knows the seed`, async () =>
      (await peersAt(announceUrl, infoHash)).includes(a.peerAddress),
    );
  const file = scene.path('handed-out.torrent');
  await writeFile(file, await node.api.torrent(infoHash));
  return file;
}

describeWith('aria2c')('aria2', () => {
  // Of v1 torrents only: aria2 1.36 computes another info-hash than everybody else for a hybrid one.
  it('downloads what we publish', async () => {
    const path = scene.path('published.bin');
    const hash = await writeContent(path, 'to aria2', size);
    const { infoHash } = await a.api.publish({
      files: { 'to aria2.bin': { path } },
    });
    const folder = await scene.directory('aria2');
    const torrent = await handedOut(b, infoHash);
    await aria2Download(scene, 'aria2', torrent, folder);
    expect(await sha256OfFile(join(folder, 'to aria2.bin'))).toBe(hash);
  }, 90_000);

  it('downloads a folder that we publish', async () => {
    const files = {
      'folder ü/one.bin': bytesOf('aria2 one', 100_000),
      'folder ü/sub folder/two 🎬.bin': bytesOf('aria2 two', 200_000),
      'folder ü/sub folder/three.bin': bytesOf('aria2 three', 1),
    };
    const { infoHash } = await a.api.publish({ files });
    const folder = await scene.directory('aria2');
    const torrent = await handedOut(c, infoHash);
    await aria2Download(scene, 'aria2-folder', torrent, folder);
    for (const [path, content] of Object.entries(files))
      expect((await readFile(join(folder, path))).equals(content)).toBe(true);
  }, 90_000);
});

describeWith('aria2c', 'transmission-create')('aria2 as a seed', () => {
  it('gives us what it has', async () => {
    const folder = await scene.directory('aria2-seed');
    const hash = await writeContent(
      join(folder, 'from aria2.bin'),
      'from aria2',
      size,
    );
    const file = scene.path('from-aria2.torrent');
    await createTorrent(join(folder, 'from aria2.bin'), file, a.announceUrl);
    await aria2Seed(scene, 'aria2-seed', file, folder);
    const torrent = await readFile(file);
    const { id } = parseTorrent(torrent);
    expect((await b.api.askWithTorrent(torrent)).status).toBe(201);
    await b.reaches(id, 'seeding', 60_000);
    expect(await sha256OfFile(join(b.storage, 'from aria2.bin'))).toBe(hash);
  }, 90_000);
});

describeWith('transmission-daemon', 'transmission-create')(
  'Transmission',
  () => {
    let transmission: Transmission;
    beforeAll(async () => {
      transmission = await Transmission.start(scene, 'transmission');
    });

    it('gives us what it made and seeds', async () => {
      const name = 'made by Transmission';
      const folder = await scene.directory('transmission-seed');
      await mkdir(join(folder, name, 'sub'), { recursive: true });
      const one = await writeContent(
        join(folder, name, 'one.bin'),
        'tr1',
        size,
      );
      const two = await writeContent(
        join(folder, name, 'sub/two.bin'),
        'tr2',
        99_999,
      );
      const file = scene.path('from-transmission.torrent');
      await createTorrent(join(folder, name), file, a.announceUrl);
      const torrent = await readFile(file);
      const { id } = parseTorrent(torrent);
      await transmission.add(torrent, folder);
      await transmission.seeds(id);

      // Two of our nodes at once, so that they exchange pieces with each other too.
      await Promise.all(
        [b, c].map(async (node) => {
          expect((await node.api.askWithTorrent(torrent)).status).toBe(201);
          await node.reaches(id, 'seeding', 60_000);
          const at = join(node.storage, name);
          expect(await sha256OfFile(join(at, 'one.bin'))).toBe(one);
          expect(await sha256OfFile(join(at, 'sub/two.bin'))).toBe(two);
        }),
      );
    }, 120_000);

    // Transmission calls nobody at 127.0.0.1, so it is called: by one of our nodes that downloads too.
    it('downloads what we publish, beside aria2 and a node of ours', async () => {
      const path = scene.path('swarm.bin');
      const hash = await writeContent(path, 'to Transmission', size);
      const { infoHash } = await a.api.publish({
        files: { 'swarm.bin': { path } },
      });
      await a.api.settings({ uploadLimit: 4 * 1024 * 1024 });
      await transmission.add(await b.api.torrent(infoHash));
      await eventually(
        'Transmission has announced itself at another node',
        async () =>
          (await peersAt(c.announceUrl, infoHash)).includes(
            `127.0.0.1:${transmission.peerPort}`,
          ),
      );
      const folder = await scene.directory('aria2-swarm');
      const torrent = await handedOut(c, infoHash);
      await Promise.all([
        aria2Download(scene, 'aria2-swarm', torrent, folder),
        b.fetch(infoHash, 60_000),
        transmission.seeds(infoHash),
      ]);
      for (const at of [folder, b.storage, transmission.downloads])
        expect(await sha256OfFile(join(at, 'swarm.bin'))).toBe(hash);
    }, 120_000);
  },
);

(hasLibtorrent() ? describe : describe.skip)('libtorrent', () => {
  // The other two clients take no hybrid torrents, whoever made them.
  it.each(['v1', 'v2', 'hybrid'])(
    'downloads what we publish (%s)',
    async (format) => {
      const name = `to libtorrent ${format}.bin`;
      const path = scene.path('published.bin');
      const hash = await writeContent(path, name, size);
      const { infoHash } = await a.api.publish({
        fields: { format },
        files: { [name]: { path } },
      });
      const folder = await scene.directory('libtorrent');
      const torrent = await handedOut(b, infoHash);
      await libtorrentDownload(scene, `libtorrent-${format}`, torrent, folder);
      expect(await sha256OfFile(join(folder, name))).toBe(hash);
    },
    90_000,
  );
});
