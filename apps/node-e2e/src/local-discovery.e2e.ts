/** Two nodes that nothing but local discovery brings together (BEP 14), and a third party that hears what they shout. */
import { createSocket } from 'node:dgram';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf, sha256 } from './harness/content';
import { HandTorrent } from './harness/hand-peer';
import { Namespaces, type Machine } from './harness/namespaces';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

const lsdPort = 6771;
const lsdHost = '239.192.152.143';

const describeWhere = Namespaces.possible ? describe : describe.skip;

describeWhere('on one network', () => {
  let scene: Scene;
  let seeder: Node;
  let asker: Node;
  const heard: string[] = [];
  beforeAll(async () => {
    scene = await Scene.open('local-discovery');
    const machines = new Namespaces();
    scene.atEnd(() => machines.remove());
    const ears = createSocket({ type: 'udp4', reuseAddr: true });
    ears.on('message', (datagram) => heard.push(datagram.toString('latin1')));
    await new Promise<void>((resolve) =>
      ears.bind(lsdPort, lsdHost, () => {
        ears.addMembership(lsdHost, machines.host);
        resolve();
      }),
    );
    scene.atEnd(() => void ears.close());
    const start = async (name: string, machine: Machine): Promise<Node> => {
      const flags = {
        ring: `alone-${name}`,
        multicast: 'off',
        'mainline-dht': 'off',
        'no-lsd': false,
      };
      return (await scene.node(name, flags, undefined, machine)).start();
    };
    [seeder, asker] = await Promise.all(
      ['seeder', 'asker'].map((name) => start(name, machines.add())),
    );
  }, 120_000);
  afterAll(() => scene.close());

  const torrentOf = (name: string, more = {}): HandTorrent =>
    new HandTorrent(name, bytesOf(name, 300_000), 32_768, more);

  async function seed(name: string, more = {}): Promise<HandTorrent> {
    const torrent = torrentOf(name, more);
    await writeFile(join(seeder.storage, name), torrent.content);
    const { status } = await seeder.api.askWithTorrent(torrent.torrent);
    expect(status).toBe(201);
    await seeder.reaches(torrent.infoHash, 'seeding');
    return torrent;
  }

  it('a magnet link is enough, and of a private torrent nobody hears', async () => {
    const secret = await seed('private.bin', { private: 1 });
    const open = await seed('open.bin');
    // The private one is there before the other on both sides, so that it would have been shouted with it.
    expect((await asker.api.askWithTorrent(secret.torrent)).status).toBe(201);
    await asker.reaches(secret.infoHash, 'downloading');
    await asker.api.add({ magnet: `magnet:?xt=urn:btih:${open.infoHash}` });
    await asker.reaches(open.infoHash, 'seeding', 100_000);
    const { items } = await asker.api.files(open.infoHash);
    const { bytes } = await asker.api.ask('GET', items[0].url);
    expect(sha256(bytes)).toBe(sha256(open.content));
    const all = heard.join('').toLowerCase();
    expect(all).toContain(open.infoHash);
    expect(all).not.toContain(secret.infoHash);
    expect((await asker.api.download(secret.infoHash)).peers).toBe(0);
  });
});
