/** The mainline DHT (BEP 5) between nodes of rings of their own, which nothing else makes known to each other. */
import { createSocket } from 'node:dgram';
import { bytesOf, sha256 } from './harness/content';
import { eventually } from './harness/eventually';
import { junk } from './harness/hostile-peer';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

interface Source {
  readonly kind: string;
  readonly state: string;
  readonly peers: number;
}

const content = bytesOf('found in the DHT', 3_000_000);

let scene: Scene;
let meeting: Node;
let seeder: Node;
let infoHash: string;
beforeAll(async () => {
  scene = await Scene.open('mainline-dht');
  meeting = await scene.node('meeting');
  seeder = await scene.node('seeder');
  await start(meeting, seeder);
  await start(seeder, meeting);
  ({ infoHash } = await seeder.api.publish({
    files: { 'found.bin': content },
  }));
}, 180_000);
afterAll(() => scene.close());

const start = (node: Node, ...known: Node[]): Promise<Node> =>
  node.start({
    ring: `alone-${node.name}`,
    multicast: 'off',
    'mainline-dht': 'on',
    'dht-bootstrap':
      known.map(({ peerAddress }) => peerAddress).join(',') || '127.0.0.1:9',
  });

async function dht(node: Node, id: string): Promise<Source> {
  const path = `/api/downloads/${id}/trackers`;
  const { items } = await node.api.call<{ items: Source[] }>('GET', path);
  return items.find(({ kind }) => kind === 'dht') as Source;
}

const isAnnounced = (id: string): Promise<unknown> =>
  eventually('it is announced', async () => {
    const { state } = await dht(seeder, id);
    if (state === 'ok') return true;
    throw new Error(state);
  });

it('a magnet link alone is enough', async () => {
  await isAnnounced(infoHash);
  const other = await start(await scene.node('other'), meeting);
  await other.api.add({ magnet: `magnet:?xt=urn:btih:${infoHash}` });
  await other.reaches(infoHash, 'seeding');
  const { items } = await other.api.files(infoHash);
  const { bytes } = await other.api.ask('GET', items[0].url);
  expect(sha256(bytes)).toBe(sha256(content));
  expect(await dht(other, infoHash)).toMatchObject({ state: 'ok' });
  // Its nodes are known again without the meeting point.
  await other.stop();
  await start(other);
  const again = await seeder.api.publish({
    files: { 'again.bin': bytesOf('again', 200_000) },
  });
  await isAnnounced(again.infoHash);
  await other.api.add({ magnet: `magnet:?xt=urn:btih:${again.infoHash}` });
  await other.reaches(again.infoHash, 'seeding');
});

it('a private torrent is not looked up there', async () => {
  const secret = await seeder.api.publish({
    fields: { private: 'true' },
    files: { 'private.bin': bytesOf('private', 100_000) },
  });
  await seeder.reaches(secret.infoHash, 'seeding');
  expect(await dht(seeder, secret.infoHash)).toMatchObject({ state: 'off' });
});

it('is off on loopback unless asked for', async () => {
  const plain = await scene.start('plain', { multicast: 'off' });
  const made = await plain.api.publish({
    files: { 'plain.bin': bytesOf('plain', 1_000) },
  });
  expect(await dht(plain, made.infoHash)).toMatchObject({ state: 'off' });
});

it('no datagram breaks the node', async () => {
  const socket = createSocket('udp4');
  const id = 'd1:ad2:id20:aaaaaaaaaaaaaaaaaaaa';
  for (const text of [
    `${id}6:targeti5ee1:q9:find_node1:t2:aa1:y1:qe`,
    `${id}9:info_hashi5e4:porti1e5:tokeni1ee1:q13:announce_peer1:t2:aa1:y1:qe`,
    'd1:rd2:idi5ee1:t2:aa1:y1:re',
    `d1:a${'l'.repeat(1_000)}`,
    'd',
  ])
    socket.send(Buffer.from(text), seeder.ports.peer, '127.0.0.1');
  for (let i = 0; i < 500; i++)
    socket.send(junk(`udp ${i}`, 1 + (i % 200)), seeder.ports.peer);
  const answered = new Promise<Buffer>((resolve) =>
    socket.on('message', resolve),
  );
  const ping = `${id}e1:q4:ping1:t2:zz1:y1:qe`;
  const asking = setInterval(
    () => socket.send(ping, seeder.ports.peer, '127.0.0.1'),
    1_000,
  );
  expect((await answered).toString('latin1')).toMatch(/1:t2:zz1:y1:r/);
  clearInterval(asking);
  socket.close();
  expect(seeder.process.ended).toBeUndefined();
});
