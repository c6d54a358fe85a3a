/** A ring of three: whichever node is killed hard, everything published is still found, handed out and announced. */
import { parseTorrent } from '@dnd/metainfo';
import { rm } from 'node:fs/promises';
import { bytesOf } from './harness/content';
import { eventually } from './harness/eventually';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';
import { peersAt } from './harness/tracker-client';

/** What a death may cost, milliseconds. */
const allowed = 10_000;

let scene: Scene;
let nodes: Node[];
const published: string[] = [];

beforeAll(async () => {
  scene = await Scene.open('ring');
  // At the same instant: nobody is there to be joined.
  nodes = await scene.startRing(['a', 'b', 'c']);
  for (const node of nodes) {
    for (let i = 0; i < 4; i++) {
      const name = `${node.name}-${i}.bin`;
      const content = bytesOf(name, 20_000);
      const { infoHash, replicas } = await node.api.publish({
        files: { [name]: content },
      });
      expect(replicas.stored).toBeGreaterThanOrEqual(2);
      published.push(infoHash);
    }
  }
  // Every file has a seed whichever node dies.
  await Promise.all(
    nodes.map(async (node) => {
      const own = (await node.api.catalogue()).items;
      for (const infoHash of published) {
        const { status } = await node.api.ask(
          'GET',
          `/api/downloads/${infoHash}`,
        );
        if (status === 404) await node.fetch(infoHash);
      }
      expect(own.length).toBeGreaterThan(0);
    }),
  );
}, 180_000);
afterAll(() => scene.close());

/** Catalogue, .torrent and announce of everything published, with one deadline for all of it. */
async function servesAll(node: Node, seeds: readonly Node[]): Promise<void> {
  const end = Date.now() + allowed;
  const left = (): number => Math.max(1, end - Date.now());
  await eventually(
    `${node.name} lists everything`,
    async () => {
      const { items } = await node.api.catalogue('?limit=500');
      const listed = new Set(items.map(({ infoHash }) => infoHash));
      return published.every((infoHash) => listed.has(infoHash));
    },
    left(),
  );
  for (const infoHash of published) {
    await eventually(
      `${node.name} hands out ${infoHash}`,
      async () =>
        parseTorrent(await node.api.torrent(infoHash)).id === infoHash,
      left(),
    );
    await eventually(
      `the tracker of ${node.name} knows a living peer of ${infoHash}`,
      async () => {
        const peers = await peersAt(node.announceUrl, infoHash, 2_000);
        return seeds.some(({ peerAddress }) => peers.includes(peerAddress));
      },
      left(),
    );
  }
}

const others = (node: Node): Node[] => nodes.filter((each) => each !== node);

it('three nodes that start together are one ring with everything on all three', async () => {
  for (const node of nodes) {
    await servesAll(node, nodes);
    const { replication } = await node.api.ring();
    expect(replication.wanted).toBe(3);
  }
});

describe.each([0, 1, 2])('when node %i is killed', (index) => {
  it('the others go on within ten seconds, and it comes back with its disk', async () => {
    const victim = nodes[index];
    await victim.kill();
    const rest = others(victim);
    await Promise.all(rest.map((node) => servesAll(node, rest)));
    const late = await rest[0].api.publish({
      files: { [`late-${index}.bin`]: bytesOf(`late-${index}`, 10_000) },
    });
    await rest[1].fetch(late.infoHash);
    published.push(late.infoHash);

    await victim.start();
    await Promise.all(nodes.map((node) => node.seesRingOf(3)));
    await servesAll(victim, rest);
    await Promise.all(
      published.slice(0, 12).map((id) => victim.reaches(id, 'seeding')),
    );
    await victim.fetch(late.infoHash);
  }, 120_000);
});

it('a node that lost its disk comes back and is given its copies again', async () => {
  const victim = nodes[2];
  await victim.kill();
  await rm(victim.storage, { recursive: true });
  await victim.start();
  const rest = others(victim);
  await Promise.all(rest.map((node) => node.seesRingOf(3, 60_000)));
  await Promise.all(nodes.map((node) => servesAll(node, rest)));
  await eventually(
    'every record has three copies again',
    async () => {
      for (const node of nodes) {
        const { replication } = await node.api.ring();
        if (replication.underReplicated > 0 || replication.repairing)
          throw new Error(`${node.name}: ${JSON.stringify(replication)}`);
      }
      return true;
    },
    60_000,
  );
  // So the two others may both go.
  await Promise.all(rest.map((node) => node.kill()));
  await eventually(
    'it lists and hands out everything alone',
    async () => {
      const { items } = await victim.api.catalogue('?limit=500');
      if (items.length < published.length) return false;
      for (const infoHash of published) await victim.api.torrent(infoHash);
      return true;
    },
    20_000,
  );
}, 180_000);
