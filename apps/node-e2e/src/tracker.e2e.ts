/**
 * One tracker on three nodes: what is announced at one shows at the others (on an idle machine within two seconds), and no
 * peer and no completed download is lost when any of them is killed hard. Two nodes that start at once
 * and do not know of each other have different client ids.
 */
import { withAnnounce } from '@dnd/metainfo';
import { randomBytes } from 'node:crypto';
import { bytesOf } from './harness/content';
import { eventually } from './harness/eventually';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';
import { announce, peersAt, scrape } from './harness/tracker-client';

/** Milliseconds in which an announce shows elsewhere on a machine that has much else to do. */
const patience = 10_000;

let scene: Scene;
let nodes: Node[];
beforeAll(async () => {
  scene = await Scene.open('tracker');
  nodes = await scene.startRing(['a', 'b', 'c']);
}, 180_000);
afterAll(() => scene.close());

const others = (node: Node): Node[] => nodes.filter((each) => each !== node);

it('shows an announce at any node at all others', async () => {
  const infoHash = randomBytes(20).toString('hex');
  for (const [i, node] of nodes.entries()) {
    const port = 1_000 + i;
    await announce(node.announceUrl, { infoHash, port, event: 'started' });
    await Promise.all(
      others(node).map(({ name, announceUrl }) =>
        eventually(
          `${name} tells of port ${port}`,
          async () =>
            (await peersAt(announceUrl, infoHash)).includes(
              `127.0.0.1:${port}`,
            ),
          patience,
        ),
      ),
    );
  }
});

it('keeps peers and completed downloads whichever node is killed', async () => {
  const infoHash = randomBytes(20).toString('hex');
  const peers = nodes.map((node, i) => ({
    node,
    port: 2_000 + i,
    peerId: randomBytes(20),
  }));
  for (const { node, port, peerId } of peers) {
    const who = { infoHash, port, peerId };
    await announce(node.announceUrl, { ...who, event: 'started' });
    await announce(node.announceUrl, { ...who, left: 0, event: 'completed' });
  }
  const ports = peers.map(({ port }) => `127.0.0.1:${port}`);
  const hasAll = async (node: Node): Promise<void> => {
    await eventually(`${node.name} knows who has it all`, async () => {
      const { complete, downloaded } = await scrape(node.announceUrl, infoHash);
      if (complete === 3 && downloaded === 3) return true;
      throw new Error(JSON.stringify({ complete, downloaded }));
    });
    // The next reply has them: nothing to wait for.
    const told = await peersAt(node.announceUrl, infoHash);
    expect(told).toEqual(expect.arrayContaining(ports));
  };
  await Promise.all(nodes.map(hasAll));
  for (const victim of nodes) {
    await victim.kill();
    for (const node of others(victim)) await hasAll(node);
    await victim.start();
    await Promise.all(nodes.map((node) => node.seesRingOf(3)));
    // It has lost its memory, and is told again.
    await hasAll(victim);
  }
}, 150_000);

it('names its fellows to a node of another ring, which turns to them when it dies', async () => {
  const [a, b, c] = nodes;
  const content = bytesOf('fellows', 300_000);
  const { infoHash } = await c.api.publish({
    files: { 'fellows.bin': content },
  });
  const stranger = await scene.start('stranger', { ring: 'elsewhere' });
  const announceUrls = nodes.map(({ announceUrl }) => announceUrl);
  // Nodes tell each other of their trackers now and then: the one that names its fellows must know them.
  await eventually('the first knows its fellows', async () => {
    const named = (await a.api.torrent(infoHash)).toString('latin1');
    return announceUrls.every((url) => named.includes(url));
  });
  // It knows of one tracker only.
  const whole = await c.api.torrent(infoHash);
  const added = await stranger.api.askWithTorrent(
    withAnnounce(whole, [[a.announceUrl]], []),
  );
  expect(added.status).toBe(201);
  await stranger.reaches(infoHash, 'seeding');
  const trackers = async (): Promise<{ url: string; state: string }[]> => {
    const path = `/api/downloads/${infoHash}/trackers`;
    const { items } = await stranger.api.call<{
      items: { url: string; state: string }[];
    }>('GET', path);
    return items;
  };
  const urls = (await trackers()).map(({ url }) => url);
  expect(urls).toEqual(expect.arrayContaining(announceUrls));
  await a.kill();
  await stranger.api.act(infoHash, 'pause');
  await stranger.api.act(infoHash, 'resume');
  await eventually('another tracker serves it', async () =>
    (await trackers()).some(
      ({ url, state }) =>
        state === 'ok' && [b, c].some((n) => n.announceUrl === url),
    ),
  );
  await eventually(
    'it is told of there',
    async () => (await scrape(b.announceUrl, infoHash)).complete === 2,
  );
  await a.start();
  await Promise.all(nodes.map((node) => node.seesRingOf(3)));
}, 120_000);

it('adds up what the nodes of the ring keep', async () => {
  const infoHash = randomBytes(20).toString('hex');
  const [a, b] = nodes;
  await announce(a.announceUrl, { infoHash, port: 3_000, left: 0 });
  await eventually(
    'the totals of another node count it',
    async () => {
      const { json } = await b.api.ask('GET', '/api/tracker');
      const { ring, total } = json as {
        ring: { seeds: number }[];
        total: { seeds: number; peers: number };
      };
      const sum = ring.reduce((all, { seeds }) => all + seeds, 0);
      return ring.length === 3 && total.seeds === sum && total.seeds > 0;
    },
    40_000,
  );
  const metrics = await b.api.ask('GET', '/metrics');
  const text = metrics.bytes.toString();
  for (const name of [
    'dnd_tracker_announces_total',
    'dnd_tracker_announces_per_second',
    'dnd_tracker_swarms',
    'dnd_tracker_peers',
    'dnd_tracker_seeds',
    'dnd_tracker_answer_milliseconds{quantile="0.99"}',
    'dnd_tracker_errors_total{kind="malformed"}',
    'dnd_ring_announces_per_second',
    'dnd_ring_swarms',
    'dnd_ring_peers',
    'dnd_ring_seeds',
    'dnd_ring_answer_milliseconds{quantile="0.5"}',
    'dnd_ring_errors_per_minute{kind="junk"}',
  ])
    expect(text).toContain(`\n${name} `);
}, 60_000);

it('gives clients that start at once on rings apart ids of their own', async () => {
  const apart = await Promise.all(
    ['x', 'y'].map((name) => scene.start(name, { ring: `apart-${name}` })),
  );
  const ids = await Promise.all(
    apart.map(async ({ name, api }) => {
      const { infoHash } = await api.publish({
        files: { [`${name}.bin`]: bytesOf(name, 100) },
      });
      const { json } = await api.ask('GET', `/api/catalogue/${infoHash}`);
      return (json as { publisher: { id: number } }).publisher.id;
    }),
  );
  expect(ids.every((id) => Number.isSafeInteger(id) && id > 0)).toBe(true);
  expect(new Set(ids).size).toBe(2);
}, 60_000);
