/** What a user of other clients would miss: data that is there already, repair, web seeds, seeding goals, the queue. */
import { decode, encode, type BencodeDictionary } from '@dnd/bencode';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { bytesOf, sha256, sha256OfFile } from './harness/content';
import { eventually } from './harness/eventually';
import { FileServer } from './harness/file-server';
import { frame, HandPeer, HandTorrent, Id } from './harness/hand-peer';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

const pieceLength = 65_536;

let scene: Scene;
/** Of rings of their own: only what a test tells makes them known to each other. */
let a: Node;
let b: Node;
let shared: string;
beforeAll(async () => {
  scene = await Scene.open('engine');
  shared = await scene.directory('shared');
  const alone = { multicast: 'off', share: shared };
  [a, b] = await Promise.all(
    ['a', 'b'].map((name) =>
      scene.start(name, { ring: `alone-${name}`, ...alone }),
    ),
  );
}, 120_000);
afterAll(() => scene.close());

const torrentOf = (name: string, size = 1_000_000): HandTorrent =>
  new HandTorrent(name, bytesOf(name, size), pieceLength);

async function add(
  node: Node,
  torrent: Uint8Array,
  fields: Record<string, string> = {},
): Promise<void> {
  const { status, json } = await node.api.askWithTorrent(torrent, fields);
  expect([status, status === 201 ? undefined : json]).toEqual([201, undefined]);
}

/** The torrent with this web seed. */
function seededBy(torrent: Uint8Array, url: string): Buffer {
  const whole = decode(torrent) as BencodeDictionary;
  for (const key of ['announce', 'announce-list']) whole.delete(key);
  return Buffer.from(
    encode(new Map([...whole, ['url-list', Buffer.from(url)]])),
  );
}

describe('content that is there already', () => {
  it('in Storage is checked and seeded', async () => {
    const torrent = torrentOf('in storage.bin');
    await writeFile(join(b.storage, 'in storage.bin'), torrent.content);
    await add(b, torrent.torrent);
    await b.reaches(torrent.infoHash, 'seeding');
    expect((await b.api.download(torrent.infoHash)).completedBytes).toBe(
      torrent.content.length,
    );
  });

  it('in a folder that is given is checked, seeded from there and never deleted', async () => {
    const torrent = torrentOf('elsewhere.bin');
    const folder = join(shared, 'deep');
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'elsewhere.bin'), torrent.content);
    await add(b, torrent.torrent, { folder });
    await b.reaches(torrent.infoHash, 'seeding');
    const { items } = await b.api.files(torrent.infoHash);
    const { bytes } = await b.api.ask('GET', items[0].url);
    expect(sha256(bytes)).toBe(sha256(torrent.content));
    await b.api.ask('DELETE', `/api/downloads/${torrent.infoHash}?data=true`);
    expect(await sha256OfFile(join(folder, 'elsewhere.bin'))).toBe(
      sha256(torrent.content),
    );
  });

  it('in a folder that is not shared is not looked at', async () => {
    const torrent = torrentOf('secret.bin');
    const { status } = await b.api.askWithTorrent(torrent.torrent, {
      folder: dirname(shared),
    });
    expect(status).toBe(403);
  });
});

describe('web seeds', () => {
  it('are this program’s nodes too, of one file', async () => {
    const content = bytesOf('one', 2_000_000);
    const made = await a.api.publish({ files: { 'one.bin': content } });
    const { bytes: torrent } = await a.api.ask(
      'GET',
      `/api/catalogue/${made.infoHash}/torrent`,
    );
    await add(
      b,
      seededBy(
        torrent,
        `${a.api.origin}/api/library/${made.infoHash}/files/one.bin`,
      ),
    );
    await b.reaches(made.infoHash, 'seeding');
    expect(await sha256OfFile(join(b.storage, 'one.bin'))).toBe(
      sha256(content),
    );
  });

  it.each(['v1', 'v2', 'hybrid'])('and of a folder (%s)', async (format) => {
    const files = {
      'x/one.bin': bytesOf(`1 ${format}`, 700_000),
      'x/y/two and three.bin': bytesOf(`2 ${format}`, 90_001),
      'x/empty': Buffer.alloc(0),
    };
    const made = await a.api.publish({
      fields: { format, name: `folder ${format}` },
      files,
    });
    const { bytes: torrent } = await a.api.ask(
      'GET',
      `/api/catalogue/${made.infoHash}/torrent`,
    );
    await add(
      b,
      seededBy(torrent, `${a.api.origin}/api/library/${made.infoHash}/files/`),
    );
    await b.reaches(made.infoHash, 'seeding');
    const { items } = await b.api.files(made.infoHash);
    for (const { url, path } of items) {
      const { bytes } = await b.api.ask('GET', url);
      const [, content] = Object.entries(files).find(([name]) =>
        name.endsWith(basename(path)),
      ) as [string, Buffer];
      expect(sha256(bytes)).toBe(sha256(content));
    }
  });
});

describe('what was there and is not any more', () => {
  let torrent: HandTorrent;
  let file: string;
  beforeAll(async () => {
    torrent = torrentOf('damaged.bin', 2_000_000);
    file = join(b.storage, 'damaged.bin');
    await writeFile(join(a.storage, 'damaged.bin'), torrent.content);
    await writeFile(file, torrent.content);
    await Promise.all([a, b].map((node) => add(node, torrent.torrent)));
    await Promise.all(
      [a, b].map((node) => node.reaches(torrent.infoHash, 'seeding')),
    );
    await b.api.call('PATCH', `/api/downloads/${torrent.infoHash}`, {
      json: { peers: [a.peerAddress] },
    });
  });

  const isWhole = (): Promise<unknown> =>
    eventually(
      'the file is whole again',
      async () => {
        const { state } = await b.api.download(torrent.infoHash);
        return (
          state === 'seeding' &&
          (await sha256OfFile(file).catch(() => '')) === sha256(torrent.content)
        );
      },
      40_000,
    );

  it('is noticed while it is served, and loaded again', async () => {
    const handle = await open(file, 'r+');
    await handle.write(Buffer.alloc(100_000, 7), 0, 100_000, 300_000);
    await handle.close();
    // Where it is noticed before anybody asks, nobody is let in until it has been checked.
    const peer = await eventually('somebody may ask', async () => {
      const asker = await HandPeer.meet(b.ports.peer, {
        infoHash: torrent.infoHash,
        fast: true,
      });
      asker.say(frame(Id.haveNone), frame(Id.interested));
      await asker.next(Id.unchoke);
      return asker;
    });
    for (let piece = 0; piece < torrent.pieceCount; piece++)
      peer.say(frame(Id.request, piece, 0, 16_384));
    await isWhole();
    const served = peer.frames.filter(({ id }) => id === Id.piece);
    for (const { payload } of served) {
      const [index, begin] = [0, 4].map((at) => payload.readUInt32BE(at));
      expect(
        payload
          .subarray(8)
          .equals(torrent.block(index, begin, payload.length - 8)),
      ).toBe(true);
    }
    peer.end();
  });

  it('is noticed though nobody asks for it, and loaded again', async () => {
    await rm(file);
    await isWhole();
  });

  it('is noticed at the start, and loaded again', async () => {
    await b.stop();
    await rm(file);
    await b.start();
    await isWhole();
  });
});

it('a seeding goal ends the seeding', async () => {
  const torrent = torrentOf('goal.bin', 300_000);
  await writeFile(join(b.storage, 'goal.bin'), torrent.content);
  await add(b, torrent.torrent);
  await b.reaches(torrent.infoHash, 'seeding');
  await b.api.settings({ seedRatio: 0.5 });
  const peer = await HandPeer.meet(b.ports.peer, {
    infoHash: torrent.infoHash,
    fast: true,
  });
  peer.say(frame(Id.haveNone), frame(Id.interested));
  await peer.next(Id.unchoke);
  for (let block = 0; block < 20; block++)
    peer.say(
      frame(Id.request, Math.floor(block / 4), (block % 4) * 16_384, 16_384),
    );
  await b.reaches(torrent.infoHash, 'completed');
  await b.api.settings({ seedRatio: 0 });
});

it('downloads beyond the limit wait their turn', async () => {
  await b.api.settings({ maxActiveDownloads: 1 });
  const [first, second] = ['queue 1.bin', 'queue 2.bin'].map((name) =>
    torrentOf(name),
  );
  await add(b, first.torrent);
  await add(b, second.torrent);
  await b.reaches(first.infoHash, 'downloading');
  await b.reaches(second.infoHash, 'queued');
  await b.api.ask('POST', `/api/downloads/${first.infoHash}/pause`);
  await b.reaches(second.infoHash, 'downloading');
});

describe('a magnet link', () => {
  const addTo = (node: Node, magnet: string): Promise<unknown> =>
    node.api.add({ magnet });
  const files = ['a', 'b', 'c'].map((name) => ({
    path: [`${name}.bin`],
    content: bytesOf(`magnet ${name}`, 3 * pieceLength),
  }));

  beforeAll(() => b.api.settings({ maxActiveDownloads: 8 }));

  it('names a peer (x.pe) and the files that are wanted (so)', async () => {
    const torrent = new HandTorrent('chosen', files, pieceLength);
    await mkdir(join(a.storage, 'chosen'));
    for (const { path, content } of files)
      await writeFile(join(a.storage, 'chosen', ...path), content);
    await add(a, torrent.torrent);
    await a.reaches(torrent.infoHash, 'seeding');
    const link = `magnet:?xt=urn:btih:${torrent.infoHash}&so=0,2`;
    await addTo(b, `${link}&x.pe=${a.peerAddress}`);
    await b.reaches(torrent.infoHash, 'seeding');
    const { items } = await b.api.files(torrent.infoHash);
    expect(
      items.map(({ path, completedBytes, priority }) => ({
        path,
        completedBytes,
        isWanted: priority > 0,
      })),
    ).toEqual(
      files.map(({ path }, index) => ({
        path: ['chosen', ...path].join('/'),
        completedBytes: index === 1 ? 0 : 3 * pieceLength,
        isWanted: index !== 1,
      })),
    );
    // It wants no more, and says so (BEP 21).
    const peer = await HandPeer.meet(b.ports.peer, {
      infoHash: torrent.infoHash,
      extensions: true,
    });
    expect((await peer.theirs()).all.get('upload_only')).toBe(1);
    peer.end();
  });

  it('leads to metadata of many pieces, which come in many reads', async () => {
    const filler = Buffer.from(bytesOf('much of nothing', 600_000));
    const content = bytesOf('a little', 100_000);
    const torrent = new HandTorrent('much.bin', content, pieceLength, {
      'x filler': filler,
    });
    await writeFile(join(a.storage, 'much.bin'), content);
    await add(a, torrent.torrent);
    await a.reaches(torrent.infoHash, 'seeding');
    const link = `magnet:?xt=urn:btih:${torrent.infoHash}`;
    await addTo(b, `${link}&x.pe=${a.peerAddress}`);
    await b.reaches(torrent.infoHash, 'seeding');
  });

  it('of a v2 torrent has its hash alone', async () => {
    const content = bytesOf('v2 by magnet', 500_000);
    const made = await a.api.publish({
      fields: { format: 'v2' },
      files: { 'v2.bin': content },
    });
    const [hash] = /urn:btmh:1220[0-9a-f]{64}/.exec(made.magnet) ?? [];
    expect(made.magnet).not.toContain('btih');
    await addTo(b, `magnet:?xt=${hash}&x.pe=${a.peerAddress}`);
    await b.reaches(made.infoHash, 'seeding');
    expect(await sha256OfFile(join(b.storage, 'v2.bin'))).toBe(sha256(content));
  });

  it('names a web seed (ws), which gives the content once somebody has told the metadata', async () => {
    const torrent = torrentOf('from the web.bin');
    // It knows the torrent and has nothing of it.
    await add(a, torrent.torrent);
    await a.reaches(torrent.infoHash, 'downloading');
    const server = await FileServer.listen(scene, {
      'from the web.bin': torrent.content,
    });
    const url = encodeURIComponent(`${server.origin}/from%20the%20web.bin`);
    const link = `magnet:?xt=urn:btih:${torrent.infoHash}&ws=${url}`;
    await addTo(b, `${link}&x.pe=${a.peerAddress}`);
    await b.reaches(torrent.infoHash, 'seeding');
    expect(await sha256OfFile(join(b.storage, 'from the web.bin'))).toBe(
      sha256(torrent.content),
    );
  });
});

it('a super-seed shows one piece at a time, and whoever passes pieces on gets all', async () => {
  const torrent = torrentOf('super.bin');
  const { infoHash, pieceCount } = torrent;
  await writeFile(join(a.storage, 'super.bin'), torrent.content);
  await add(a, torrent.torrent);
  await a.reaches(infoHash, 'seeding');
  const meet = async (): Promise<HandPeer> => {
    const peer = await HandPeer.meet(a.ports.peer, { infoHash, fast: true });
    peer.say(frame(Id.haveNone), frame(Id.interested));
    return peer;
  };
  const before = await meet();
  await before.next(Id.haveAll);
  await a.api.call('PATCH', `/api/downloads/${infoHash}`, {
    json: { superSeeding: true },
  });
  // It has been told of everything, so it has to come again.
  await before.closed;
  const [one, two] = [await meet(), await meet()];
  const shown = async (peer: HandPeer): Promise<number> =>
    (await peer.next(Id.have)).payload.readUInt32BE(0);
  await one.next(Id.haveNone);
  const first = await shown(one);
  const second = await shown(two);
  expect(second).not.toBe(first);
  const hidden = Array.from({ length: pieceCount }, (_, i) => i).find(
    (piece) => piece !== first && piece !== second,
  ) as number;
  one.say(frame(Id.request, hidden, 0, 100), frame(Id.request, first, 0, 100));
  const { payload } = await one.next(Id.piece);
  expect(payload.readUInt32BE(0)).toBe(first);
  expect(payload.subarray(8).equals(torrent.block(first, 0, 100))).toBe(true);
  // One's piece is seen at the other: one is shown another.
  two.say(frame(Id.have, first));
  expect([first, second]).not.toContain(await shown(one));
  one.end();
  two.end();
  await add(b, torrent.torrent);
  await b.api.call('PATCH', `/api/downloads/${infoHash}`, {
    json: { peers: [a.peerAddress] },
  });
  await b.reaches(infoHash, 'seeding');
});
