import { encode } from '@dnd/bencode';
import { parseMagnet, parseTorrent, wrapInfo } from '@dnd/metainfo';
import { Logger } from '@nestjs/common';
import { cataloguePlace, clientPlace } from './places';
import { announceHttp, announcePath } from './raw-clients.contract';
import type { Publication } from './tracker';
import {
  TrackerScene,
  until,
  type SceneTracker,
} from './tracker-scene.contract';
import { decodeClient, encodeClient } from './values';

Logger.overrideLogger(false);
const scene = new TrackerScene();
let a: SceneTracker;
let b: SceneTracker;

beforeAll(async () => {
  a = await scene.start();
  b = await scene.start();
});
afterAll(() => scene.stop());

const tokens = { ana: '1'.repeat(64), ben: '2'.repeat(64) };
const at = { host: '10.0.0.1', port: 6881 };
let content = 0;

function torrentOf(name: string): Uint8Array {
  const info = encode({
    length: 100,
    name,
    'piece length': 16_384,
    pieces: new Uint8Array(20).fill(++content),
  });
  return wrapInfo(info, {});
}

async function publish(
  { tracker }: SceneTracker,
  who: 'ana' | 'ben',
  torrent: Uint8Array,
  publishedAt: number,
) {
  const token = tokens[who];
  const { clientId } = await tracker.checkIn({ token, name: who, ...at });
  const publication: Publication = {
    torrent,
    clientId,
    token,
    publisherName: who,
    publishedAt,
  };
  return { clientId, ...(await tracker.publish(publication)) };
}

describe('client ids', () => {
  it('are the same for the same token, at any tracker, also after their record was lost', async () => {
    const client = { token: tokens.ana, name: 'ana', ...at };
    const { clientId } = await a.tracker.checkIn(client);
    expect(await b.tracker.checkIn(client)).toEqual({ clientId });
    scene.ring.place('client', clientPlace(clientId)).clear();
    expect(await b.tracker.checkIn(client)).toEqual({ clientId });
    expect(Number.isSafeInteger(clientId)).toBe(true);
  });

  it('differ for clients that start at once on rings apart', async () => {
    const ids = await Promise.all(
      Array.from({ length: 50 }, async (_, i) => {
        const tracker = i % 2 ? a : b;
        const token = String(i).repeat(32);
        return (await tracker.tracker.checkIn({ token, name: 'x', ...at }))
          .clientId;
      }),
    );
    expect(new Set(ids).size).toBe(50);
  });

  it('differ on rings that cannot reach each other, and a clash costs the later one its id', async () => {
    const other = new TrackerScene();
    const apart = await other.start();
    const client = { token: '7'.repeat(64), name: 'x', ...at };
    const [here, there] = await Promise.all([
      a.tracker.checkIn(client),
      apart.tracker.checkIn({ ...client, token: '8'.repeat(64) }),
    ]);
    expect(here.clientId).not.toBe(there.clientId);
    // The rings become one, and the record of another client has won the id.
    const place = clientPlace(here.clientId);
    const value = encodeClient({
      id: here.clientId,
      proof: 'a'.repeat(64),
      name: 'y',
      ...at,
    });
    const item = String(here.clientId);
    await a.dht.put([{ kind: 'client', place, item, value }]);
    await expect(
      b.tracker.checkIn({ ...client, clientId: here.clientId }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    const { clientId } = await b.tracker.checkIn(client);
    expect(clientId).not.toBe(here.clientId);
    expect(await a.tracker.checkIn({ ...client, clientId })).toEqual({
      clientId,
    });
    await other.stop();
  });

  it('keep to whoever has the token, with the address of the last start', async () => {
    const client = { token: tokens.ben, name: 'ben', ...at };
    const { clientId } = await a.tracker.checkIn(client);
    const moved = { ...client, clientId, host: '10.0.0.9', port: 7 };
    expect(await a.tracker.checkIn(moved)).toEqual({ clientId });
    const value = await b.dht.get(
      'client',
      clientPlace(clientId),
      String(clientId),
    );
    expect(decodeClient(value as Uint8Array)).toMatchObject({
      host: '10.0.0.9',
      port: 7,
    });
    await expect(
      b.tracker.checkIn({ ...client, clientId, token: tokens.ana }),
    ).rejects.toMatchObject({ code: 'forbidden' });
  });
});

describe('the catalogue', () => {
  const found = ({ tracker }: SceneTracker, search: string) =>
    tracker.search({ search }).then(({ items }) => items);

  it('shows what was published at another tracker, with who and how many', async () => {
    const torrent = torrentOf('Shown elsewhere.txt');
    const { id } = parseTorrent(torrent);
    const { clientId, stored } = await publish(a, 'ana', torrent, 5_000);
    expect(stored).toBe(3);
    expect(await found(a, 'shown')).toHaveLength(1);
    await until(
      () => found(b, 'shown elsewhere'),
      ([entry]) => entry?.infoHash === id,
    );
    await announceHttp(a.port, announcePath(Buffer.from(id, 'hex'), 1));
    await announceHttp(
      a.port,
      announcePath(Buffer.from(id, 'hex'), 2, { left: 0 }),
    );
    await until(
      () => found(b, 'shown'),
      ([entry]) => entry?.seeders === 1 && entry.leechers === 1,
      12_000,
    );
    expect((await found(b, 'shown'))[0]).toMatchObject({
      publisher: { id: clientId, name: 'ana' },
      publishedAt: new Date(5_000).toISOString(),
    });
  }, 15_000);

  it('keeps the same name by two publishers, and links what has the name', async () => {
    const [first, second, edited] = [1, 2, 3].map(() => torrentOf('Notes.txt'));
    await publish(a, 'ana', first, 1_000);
    await publish(a, 'ben', second, 2_000);
    await publish(a, 'ana', edited, 3_000);
    expect(await found(a, 'notes')).toHaveLength(3);
    const { versions } = await a.tracker.detail(parseTorrent(first).id);
    expect(
      versions.map(({ infoHash, publisher }) => [infoHash, publisher.name]),
    ).toEqual([
      [parseTorrent(edited).id, 'ana'],
      [parseTorrent(second).id, 'ben'],
      [parseTorrent(first).id, 'ana'],
    ]);
  });

  it('leaves to its publisher what somebody else publishes again', async () => {
    const torrent = torrentOf('Twice.txt');
    await publish(a, 'ana', torrent, 1_000);
    const again = await publish(a, 'ben', torrent, 2_000);
    expect(again.reason).toBe('published-before');
    expect(again.advice).toMatch(/ana has published the same/);
    expect((await found(a, 'twice'))[0].publisher.name).toBe('ana');
  });

  it.each([
    ['says nothing of three copies', 3, 3, undefined, undefined],
    ['asks for nodes where too few live', 1, 1, 'too-few-nodes', /start more/],
    ['asks for nodes where two live', 2, 2, 'too-few-nodes', /start more/],
    ['says that a copy is under way', 2, 3, 'copies-under-way', /on its way/],
  ])('%s', async (_what, stored, nodes, reason, words) => {
    const before = scene.ring.stored;
    scene.ring.stored = { stored, nodes, wanted: 3 };
    const reply = await publish(a, 'ana', torrentOf('Copies.txt'), 1_000);
    scene.ring.stored = before;
    expect(reply).toMatchObject({ stored, wanted: 3 });
    expect(reply.reason).toBe(reason);
    expect(reply.advice ?? '').toMatch(words ?? /^$/);
  });

  it('lets the publisher alone withdraw, everywhere and for good', async () => {
    const torrent = torrentOf('Withdrawn.txt');
    const { id } = parseTorrent(torrent);
    const { clientId } = await publish(a, 'ana', torrent, 1_000);
    const ben = await publish(a, 'ben', torrentOf('other'), 1_000);
    await expect(
      a.tracker.withdraw(id, ben.clientId, tokens.ben),
    ).rejects.toMatchObject({ code: 'forbidden' });
    await expect(
      a.tracker.withdraw(id, clientId, tokens.ben),
    ).rejects.toMatchObject({ code: 'forbidden' });
    await until(
      () => found(b, 'withdrawn'),
      (items) => items.length === 1,
    );
    await a.tracker.withdraw(id, clientId, tokens.ana);
    expect(await found(a, 'withdrawn')).toEqual([]);
    await until(
      () => found(b, 'withdrawn'),
      (items) => items.length === 0,
    );
    await expect(b.tracker.detail(id)).rejects.toMatchObject({
      code: 'not-found',
    });
    const late = await scene.start();
    expect(await found(late, 'withdrawn')).toEqual([]);
    expect(
      scene.ring.place('catalogue', cataloguePlace(id)).get(id)?.value,
    ).toBe(null);
  });
});

it('hands out torrents and magnets with the addresses of every live tracker, HTTP and UDP', async () => {
  const torrent = torrentOf('Tiers.txt');
  const { id } = parseTorrent(torrent);
  await publish(a, 'ana', torrent, 1_000);
  // The third comes when both others are known already.
  const c = await scene.start();
  await until(
    async () => parseTorrent(await c.tracker.torrent(id)).announce.flat(),
    (urls) => urls.length >= 6,
  );
  const { announce } = parseTorrent(await c.tracker.torrent(id));
  const ports = [c, a, b].map(({ port }) => port);
  for (const port of ports) {
    expect(announce.flat()).toContain(`http://127.0.0.1:${port}/announce`);
    expect(announce.flat()).toContain(`udp://127.0.0.1:${port}/announce`);
  }
  expect(announce[0][0]).toBe(`http://127.0.0.1:${c.port}/announce`);
  expect(parseTorrent(await c.tracker.torrent(id)).id).toBe(id);
  const { magnet } = await c.tracker.detail(id);
  const { announce: inMagnet } = parseMagnet(magnet);
  for (const port of ports)
    expect(inMagnet.flat().join(' ')).toContain(`:${port}`);
});

it('tells what it does, what the others do and what the ring has in all', async () => {
  const d = await scene.start();
  const hash = Buffer.from('5a'.repeat(20), 'hex');
  for (let p = 1; p <= 3; p++)
    await announceHttp(d.port, announcePath(hash, p, { left: p - 1 }));
  await announceHttp(d.port, '/announce?info_hash=short');
  const status = await d.tracker.status();
  expect(status).toMatchObject({
    address: `127.0.0.1:${d.port}`,
    announces: 3,
    scrapes: 0,
    swarms: 1,
    peers: 3,
    seeds: 1,
    errors: { malformed: 1, refused: 0, junk: 0 },
  });
  const late = await scene.start();
  await until(
    () => late.tracker.status(),
    ({ ring, total }) => ring.length >= 5 && total.peers > 0,
    20_000,
  );
  const { ring, total } = await late.tracker.status();
  expect(ring[0]).toMatchObject({ address: `127.0.0.1:${late.port}` });
  expect(total.swarms).toBe(ring.reduce((sum, each) => sum + each.swarms, 0));
  expect(total.peers).toBe(ring.reduce((sum, each) => sum + each.peers, 0));
}, 30_000);
