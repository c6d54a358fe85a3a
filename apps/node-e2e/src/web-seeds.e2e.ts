/** Web seeds that others run (BEP 19): one that is all a node needs, and those that are of no use. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { bytesOf, sha256, sha256OfFile } from './harness/content';
import { eventually } from './harness/eventually';
import { FileServer, type FileServerOptions } from './harness/file-server';
import { HandTorrent } from './harness/hand-peer';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

const pieceLength = 65_536;

let scene: Scene;
let node: Node;
beforeAll(async () => {
  scene = await Scene.open('web-seeds');
  node = await scene.start('node', { multicast: 'off' });
}, 120_000);
afterAll(() => scene.close());

async function add({ torrent }: HandTorrent): Promise<void> {
  expect((await node.api.askWithTorrent(torrent)).status).toBe(201);
}

interface Source {
  readonly kind: string;
  readonly url: string;
  readonly state: string;
  readonly message?: string;
}

const sourcesOf = async ({ infoHash }: HandTorrent): Promise<Source[]> => {
  const path = `/api/downloads/${infoHash}/trackers`;
  const { items } = await node.api.call<{ items: Source[] }>('GET', path);
  return items.filter(({ kind }) => kind === 'web-seed');
};

it('a folder with odd names comes from a server of static files', async () => {
  const name = 'Música & más #1';
  const files = [
    { path: ['a b', '100% ñ.bin'], content: bytesOf('1', 150_000) },
    { path: ['a b', 'small'], content: bytesOf('2', 7) },
    { path: ['empty'], content: Buffer.alloc(0) },
    { path: ['plus+and?.bin'], content: bytesOf('3', 300_001) },
  ];
  const server = await FileServer.listen(
    scene,
    Object.fromEntries(
      files.map(({ path, content }) => [
        ['pub', name, ...path].join('/'),
        content,
      ]),
    ),
  );
  const outer = { 'url-list': [`${server.origin}/pub/`] };
  const torrent = new HandTorrent(name, files, pieceLength, {}, outer);
  await add(torrent);
  await node.reaches(torrent.infoHash, 'seeding');
  for (const { path, content } of files)
    expect(await sha256OfFile(join(node.storage, name, ...path))).toBe(
      sha256(content),
    );
  // Each byte once: no file was asked for as a whole to throw the most of it away.
  const ranges = server.asked.map((line) => / bytes=(\d+)-(\d+)$/.exec(line));
  const asked = ranges.map(
    (range) => Number(range?.[2]) - Number(range?.[1]) + 1,
  );
  expect(asked.reduce((sum, count) => sum + count, 0)).toBe(
    torrent.content.length,
  );
});

const stateOf = async (torrent: HandTorrent, url: string): Promise<Source> => {
  const sources = await sourcesOf(torrent);
  return sources.find((each) => each.url === url) as Source;
};

describe('one that is of no use is let alone, and says why', () => {
  it.each<[string, FileServerOptions | undefined, RegExp]>([
    ['without the file', undefined, /404/],
    ['that knows no ranges', { noRanges: true }, /range/],
    [
      'whose bytes are others',
      { spoil: (bytes) => Buffer.alloc(bytes.length) },
      /not the torrent/,
    ],
    [
      'whose file is shorter',
      { spoil: (bytes) => bytes.subarray(1) },
      /another file/,
    ],
  ])('%s', async (what, options, words) => {
    const name = `${what}.bin`;
    const content = bytesOf(what, 500_000);
    const files = options ? { [name]: content } : {};
    const useless = await FileServer.listen(scene, files, options);
    const url = `${useless.origin}/${encodeURIComponent(name)}`;
    const outer = { 'url-list': [url] };
    const torrent = new HandTorrent(name, content, pieceLength, {}, outer);
    await add(torrent);
    const { message } = await eventually('it is given up', async () => {
      const source = await stateOf(torrent, url);
      return source.state === 'off' && source;
    });
    expect(message).toMatch(words);
    expect((await node.api.download(torrent.infoHash)).completedBytes).toBe(0);
  });

  it('for as long as it asks for, where it is busy', async () => {
    const name = 'busy.bin';
    const content = bytesOf(name, 500_000);
    const busy = await FileServer.listen(scene, {}, { busy: Infinity });
    const moved = await FileServer.listen(
      scene,
      { [name]: content },
      { redirects: true },
    );
    const urls = [`${busy.origin}/${name}`, `${moved.origin}/moved/${name}`];
    const outer = { 'url-list': urls };
    const torrent = new HandTorrent(name, content, pieceLength, {}, outer);
    await add(torrent);
    await node.reaches(torrent.infoHash, 'seeding');
    expect(await sha256OfFile(join(node.storage, name))).toBe(sha256(content));
    expect(await stateOf(torrent, urls[0])).toMatchObject({
      state: 'error',
      message: expect.stringContaining('503'),
    });
    expect(busy.asked).toHaveLength(1);
    expect((await stateOf(torrent, urls[1])).state).toBe('waiting');
  });
});

it('alone it repairs what was deleted, and brings what is chosen later', async () => {
  const files = ['one', 'two'].map((path) => ({
    path: [path],
    content: bytesOf(path, 4 * pieceLength),
  }));
  const name = 'repaired';
  const server = await FileServer.listen(
    scene,
    Object.fromEntries(
      files.map(({ path, content }) => [[name, ...path].join('/'), content]),
    ),
  );
  const outer = { 'url-list': `${server.origin}/` };
  const torrent = new HandTorrent(name, files, pieceLength, {}, outer);
  const { infoHash } = torrent;
  const { status } = await node.api.askWithTorrent(torrent.torrent, {
    files: '0',
  });
  expect(status).toBe(201);
  await node.reaches(infoHash, 'seeding');
  expect(server.asked.every((line) => line.includes('/one'))).toBe(true);
  await node.api.call('PATCH', `/api/downloads/${infoHash}`, {
    json: { files: [{ index: 1, priority: 4 }] },
  });
  const isWhole = (index: number): Promise<unknown> =>
    eventually(`file ${index} is whole`, async () => {
      const path = join(node.storage, name, ...files[index].path);
      const hash = await sha256OfFile(path).catch(() => '');
      return hash === sha256(files[index].content);
    });
  await isWhole(1);
  await rm(join(node.storage, name, 'one'));
  await isWhole(0);
  await node.reaches(infoHash, 'seeding');
});
