/**
 * Four clients that others wrote share one swarm, each told of one tracker only, which are the three nodes
 * of a ring; our own nodes are not in it. Then the node that keeps the swarm is killed hard, and clients
 * that come later find the others at the nodes that are left. Over HTTP and over UDP.
 */
import { parseTorrent, withAnnounce } from '@dnd/metainfo';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { aria2Download, aria2Share } from './harness/aria2';
import { sha256OfFile, writeContent } from './harness/content';
import { eventually } from './harness/eventually';
import { describeWith } from './harness/installed';
import {
  hasLibtorrent,
  libtorrentDownload,
  libtorrentShare,
} from './harness/libtorrent';
import type { Node } from './harness/node';
import { QBittorrent } from './harness/qbittorrent';
import { Scene } from './harness/scene';
import { peersAt } from './harness/tracker-client';
import { createTorrent, Transmission } from './harness/transmission';

const size = 6 * 1024 * 1024 + 1234;
/** An address of its own for each client, as on a network. */
const host = {
  qbittorrent: '127.0.9.1',
  transmission: '127.0.9.2',
  aria2: '127.0.9.3',
  libtorrent: '127.0.9.4',
  late: '127.0.9.5',
};
type Protocol = 'http' | 'udp';

// Other programs keep their own time: a slow start of one is not a failure of ours.
jest.retryTimes(2, { logErrorsBeforeRetry: true });

let scene: Scene;
let nodes: Node[];
let round = 0;

/** Content that a new swarm is about. */
class Shared {
  private constructor(
    readonly file: string,
    readonly folder: string,
    readonly hash: string,
    private readonly torrent: Uint8Array,
    private readonly protocol: Protocol,
  ) {}

  static async make(protocol: Protocol): Promise<Shared> {
    const folder = await scene.directory('original');
    const file = `${protocol} ${++round}.bin`;
    const hash = await writeContent(join(folder, file), file, size);
    const torrent = scene.path('bare.torrent');
    await createTorrent(
      join(folder, file),
      torrent,
      'http://127.0.0.1:1/announce',
    );
    return new Shared(file, folder, hash, await readFile(torrent), protocol);
  }

  get id(): string {
    return parseTorrent(this.torrent).id;
  }

  /** The .torrent of whoever knows this node's tracker and no other. */
  at(node: Node): Uint8Array {
    const url = `${this.protocol}://127.0.0.1:${node.ports.tracker}/announce`;
    return withAnnounce(this.torrent, [[url]], []);
  }

  async fileAt(node: Node): Promise<string> {
    const path = scene.path('told.torrent');
    await writeFile(path, this.at(node));
    return path;
  }

  async isWhole(folder: string): Promise<void> {
    expect(await sha256OfFile(join(folder, this.file))).toBe(this.hash);
  }
}

/** Waits until this node's tracker names exactly these hosts. */
async function names(
  node: Node,
  id: string,
  hosts: readonly string[],
): Promise<void> {
  await eventually(`the tracker of ${node.name} names all peers`, async () => {
    const peers = await peersAt(node.announceUrl, id);
    const named = peers.map((peer) => peer.split(':')[0]).sort();
    if (named.join() === [...hosts].sort().join()) return true;
    throw new Error(named.join());
  });
}

/** The node at whose place on the ring the swarm lies. */
async function ownerOf(id: string): Promise<Node> {
  const { ranges } = await nodes[0].api.ring();
  const range = ranges.find(({ from, to }) =>
    from < to ? from < id && id <= to : from < id || id <= to,
  );
  for (const node of nodes)
    if ((await node.api.ring()).self.id === range?.owner) return node;
  throw new Error(`nobody keeps ${id}`);
}

(hasLibtorrent() ? describeWith : () => describe.skip)(
  'qbittorrent-nox',
  'transmission-daemon',
  'transmission-create',
  'aria2c',
)('a swarm of qBittorrent, Transmission, aria2 and libtorrent', () => {
  let qbittorrent: QBittorrent;
  let transmission: Transmission;
  beforeAll(async () => {
    scene = await Scene.open('any-client');
    [nodes, qbittorrent, transmission] = await Promise.all([
      scene.startRing(['a', 'b', 'c']),
      QBittorrent.start(scene, 'qbittorrent', host.qbittorrent),
      Transmission.start(scene, 'transmission', {
        address: host.transmission,
      }),
    ]);
  }, 180_000);
  afterAll(() => scene.close());

  it.each(['http', 'udp'] as const)(
    'is complete, each told of one node only, and found after the death of its keeper (%s)',
    async (protocol) => {
      const shared = await Shared.make(protocol);
      const { id } = shared;
      const [a, b, c] = nodes;
      // Transmission calls nobody on loopback: it is there first, and called.
      await transmission.add(shared.at(b));
      await names(a, id, [host.transmission]);
      await qbittorrent.add(shared.at(a), shared.folder);
      await names(c, id, [host.transmission, host.qbittorrent]);
      const [aria2Folder, libtorrentFolder] = await Promise.all([
        scene.directory('aria2'),
        scene.directory('libtorrent'),
      ]);
      await aria2Share(
        scene,
        `aria2-${protocol}`,
        await shared.fileAt(c),
        aria2Folder,
        host.aria2,
      );
      const libtorrent = await libtorrentShare(
        scene,
        `libtorrent-${protocol}`,
        await shared.fileAt(b),
        libtorrentFolder,
        host.libtorrent,
      );
      await Promise.all([
        qbittorrent.seeds(id),
        transmission.seeds(id),
        libtorrent.line(/^complete$/, 60_000),
        eventually(
          'aria2 has it all',
          async () => {
            await shared.isWhole(aria2Folder);
            return true;
          },
          60_000,
        ),
      ]);
      for (const folder of [
        aria2Folder,
        libtorrentFolder,
        transmission.downloads,
      ])
        await shared.isWhole(folder);
      const { late, ...everybody } = host;
      for (const node of nodes) await names(node, id, Object.values(everybody));

      const owner = await ownerOf(id);
      await owner.kill();
      const [one, two] = nodes.filter((node) => node !== owner);
      const [lateFolder, last] = await Promise.all([
        scene.directory('late'),
        scene.directory('last'),
      ]);
      await Promise.all([
        libtorrentDownload(
          scene,
          'libtorrent-late',
          await shared.fileAt(one),
          lateFolder,
          late,
        ),
        aria2Download(
          scene,
          'aria2-last',
          await shared.fileAt(two),
          last,
          late,
        ),
      ]);
      for (const folder of [lateFolder, last]) await shared.isWhole(folder);
      await owner.start();
      await Promise.all(nodes.map((node) => node.seesRingOf(3)));
    },
    150_000,
  );
});
