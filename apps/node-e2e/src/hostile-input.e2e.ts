/** What bad input gets: an error in words with the right status, a node that lives, and nothing touched that is not its own. */
import { encode, type Encodable } from '@dnd/bencode';
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Answer } from './harness/api';
import { bytesOf, sha256, sha256OfFile } from './harness/content';
import { eventually } from './harness/eventually';
import {
  CorruptSeed,
  handshake,
  junk,
  message,
  sayUntilClosed,
} from './harness/hostile-peer';
import { multipart } from './harness/multipart';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

const MiB = 1 << 20;
const unknown = '0123456789abcdef0123456789abcdef01234567';

let scene: Scene;
let a: Node;
let b: Node;
beforeAll(async () => {
  scene = await Scene.open('hostile-input');
  [a, b] = await scene.startRing(['a', 'b']);
}, 180_000);
afterAll(() => scene.close());

afterEach(async () => {
  for (const node of [a, b]) {
    expect(node.process.ended).toBeUndefined();
    expect((await node.api.ask('GET', '/health')).status).toBe(200);
  }
});

function expectProblem({ status, json }: Answer, wanted: number): void {
  expect(json).toMatchObject({
    status: wanted,
    title: expect.any(String),
    detail: expect.stringMatching(/\w/),
  });
  expect(status).toBe(wanted);
}

const bencoded = (value: Encodable): Buffer => Buffer.from(encode(value));

const info = {
  length: 20_000,
  name: 'damaged.bin',
  'piece length': 16_384,
  pieces: Buffer.alloc(40, 1),
};

describe('a damaged .torrent', () => {
  const whole = bencoded({ info });
  it.each<[string, Buffer]>([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('<html>404 not found</html>')],
    ['half of one', whole.subarray(0, whole.length / 2)],
    ['one without its last byte', whole.subarray(0, whole.length - 1)],
    ['one nested 20,000 deep', Buffer.from(`d4:info${'l'.repeat(20_000)}`)],
    [
      'one nested 20,000 deep and closed',
      Buffer.from(`d4:info${'l'.repeat(20_000)}${'e'.repeat(20_001)}`),
    ],
    ['a string longer than the file', Buffer.from('d4:info999999999999:a')],
    ['no info', bencoded({ announce: 'http://127.0.0.1/' })],
    ['an info that is a list', bencoded({ info: [] })],
    ['no pieces', bencoded({ info: { ...info, pieces: '' } })],
    ['pieces cut', bencoded({ info: { ...info, pieces: Buffer.alloc(39) } })],
    ['negative length', bencoded({ info: { ...info, length: -1 } })],
    ['piece length 0', bencoded({ info: { ...info, 'piece length': 0 } })],
    ['no name', bencoded({ info: { ...info, name: '' } })],
    ['junk', junk('torrent', 5_000)],
  ])('%s is a bad request', async (_what, torrent) => {
    expectProblem(await b.api.askWithTorrent(torrent), 400);
    expect((await b.api.ask('GET', '/api/downloads')).json).toMatchObject({
      total: 0,
    });
  });
});

describe('a hostile .torrent', () => {
  /** Files without a byte are complete, and so written, at once. */
  const named = (name: string | Buffer, ...path: (string | Buffer)[]) => ({
    info: {
      name,
      'piece length': 16_384,
      pieces: '',
      ...(path.length > 0 ? { files: [{ length: 0, path }] } : { length: 0 }),
    },
  });

  /** Every file below the scene's folder, but for what b's Storage properly holds. */
  async function outside(): Promise<string[]> {
    const all = await readdir(scene.folder, { recursive: true });
    const own = b.storage.slice(scene.folder.length + 1);
    return all.filter((path) => path !== own && !path.startsWith(`${own}/`));
  }

  it.each<[string, Encodable]>([
    ['a name of ..', named('..')],
    ['a name that climbs', named('../../escaped.bin')],
    ['an absolute name', named('/tmp/dnd-e2e-escaped.bin')],
    ['a path that climbs', named('x', '..', '..', 'escaped.bin')],
    ['a path element that climbs', named('x', '../../escaped.bin')],
    ['an absolute path element', named('x', '/tmp/dnd-e2e-escaped.bin')],
    ['NUL in a name', named('x\0y')],
    ['NUL in a path', named('x', 'a\0b')],
    ['backslashes', named('x', '..\\..\\escaped.bin')],
    ['no UTF-8', named(Buffer.from([0xff, 0xfe, 0x2f]))],
    ['a device name', named('CON')],
    ['a device name with an extension', named('x', 'nul.txt')],
    ['a stream name', named('x', 'a:b')],
    ["the node's own folder", named('.node')],
    ["a file in the node's own folder", named('.node', 'identity.json')],
    ["the node's own folder by another way", named('./.node', 'peer.db')],
    ['an empty path', named('x', '')],
    ['a name of 5,000 bytes', named('n'.repeat(5_000))],
    ['a path of 3,000 parts', named('x', ...Array<string>(3_000).fill('d'))],
    [
      'a symbolic link',
      {
        info: {
          name: 'links',
          'piece length': 16_384,
          pieces: '',
          files: [
            {
              attr: 'l',
              length: 0,
              path: ['out'],
              'symlink path': ['..', '..', '..'],
            },
            { length: 0, path: ['out', 'escaped.bin'] },
          ],
        },
      },
    ],
    [
      'a file that is a folder too',
      {
        info: {
          name: 'both',
          'piece length': 16_384,
          pieces: '',
          files: [
            { length: 0, path: ['a'] },
            { length: 0, path: ['a', 'b'] },
          ],
        },
      },
    ],
  ])('%s stays in Storage or is refused', async (_what, torrent) => {
    const before = await outside();
    const identity = await readFile(join(b.storage, '.node/identity.json'));
    const answer = await b.api.askWithTorrent(bencoded(torrent));
    if (answer.status === 201) {
      const { id } = answer.json as { id: string };
      await eventually('it has come to an end', async () =>
        /seeding|failed/.test((await b.api.download(id)).state),
      );
      await b.api.ask('DELETE', `/api/downloads/${id}?data=true`);
    } else expectProblem(answer, 400);
    expect(await outside()).toEqual(before);
    expect(await readFile(join(b.storage, '.node/identity.json'))).toEqual(
      identity,
    );
    expect(await readdir('/tmp')).not.toContain('dnd-e2e-escaped.bin');
  });
});

it('a torrent with the name of a finished file takes another name', async () => {
  const mine = bytesOf('mine', 100_000);
  const theirs = bytesOf('theirs', 200_000);
  const own = await b.api.publish({ files: { 'same name.bin': mine } });
  const other = await a.api.publish({ files: { 'same name.bin': theirs } });
  await eventually('it is known to b', async () => {
    const path = `/api/catalogue/${other.infoHash}`;
    return (await b.api.ask('GET', path)).status === 200;
  });
  await b.fetch(other.infoHash);
  for (const [{ infoHash }, content] of [
    [own, mine],
    [other, theirs],
  ] as const) {
    const { items } = await b.api.files(infoHash);
    const { bytes } = await b.api.ask('GET', items[0].url);
    expect(sha256(bytes)).toBe(sha256(content));
  }
  expect(await sha256OfFile(join(b.storage, 'same name.bin'))).toBe(
    sha256(mine),
  );
});

describe('what is not there', () => {
  it.each([
    ['GET', `/api/catalogue/${unknown}`],
    ['GET', `/api/catalogue/${unknown}/torrent`],
    ['GET', `/api/catalogue/${unknown}/magnet`],
    ['DELETE', `/api/catalogue/${unknown}`],
    ['GET', `/api/downloads/${unknown}`],
    ['POST', `/api/downloads/${unknown}/pause`],
    ['GET', `/api/downloads/${unknown}/progress`],
    ['GET', `/api/library/${unknown}/files/a.bin`],
  ])('%s %s is not found', async (method, path) => {
    expectProblem(await b.api.ask(method, path), 404);
  });

  it('an unknown info-hash cannot be downloaded', async () => {
    const json = { infoHash: unknown };
    expectProblem(await b.api.ask('POST', '/api/downloads', { json }), 404);
  });

  it('a route that does not exist is not found', async () => {
    const answer = await b.api.ask('GET', '/api/nothing', {
      documented: false,
    });
    expectProblem(answer, 404);
  });
});

describe('a wrong body', () => {
  const post = (
    path: string,
    type: string,
    body: Uint8Array | string,
  ): Promise<Answer> =>
    b.api.ask('POST', path, { headers: { 'content-type': type }, body });

  it.each([
    ['no JSON', 'not json'],
    ['cut JSON', '{"infoHash": "'],
    ['JSON of another shape', '[1, 2]'],
    ['an unknown property', `{"infoHash": "${unknown}", "colour": 1}`],
    ['no source', '{}'],
    ['two sources', `{"infoHash": "${unknown}", "magnet": "magnet:?xt=1"}`],
    ['a hash that is none', '{"infoHash": "xyz"}'],
    ['a magnet that is none', '{"magnet": "http://example.org"}'],
    ['a number for a text', '{"infoHash": 7}'],
  ])('%s is a bad request', async (_what, body) => {
    const answer = await post('/api/downloads', 'application/json', body);
    expectProblem(answer, 400);
  });

  it.each<[string, Record<string, string>]>([
    ['files that are no numbers', { files: '0,x' }],
    ['a file before the first', { files: '-1' }],
    ['peers without ports', { peers: '127.0.0.1' }],
  ])('%s beside a .torrent are a bad request', async (_what, fields) => {
    const torrent = bencoded({ info: { ...info, name: 'unasked.bin' } });
    expectProblem(await b.api.askWithTorrent(torrent, fields), 400);
  });

  it('a folder that is not shared is not read', async () => {
    const body = `{"infoHash": "${unknown}", "folder": "/"}`;
    expectProblem(await post('/api/downloads', 'application/json', body), 403);
  });

  it('JSON of more than 1 MB is too large', async () => {
    const body = JSON.stringify({ magnet: 'm'.repeat(1_100_000) });
    const answer = await post('/api/downloads', 'application/json', body);
    expectProblem(answer, 413);
  });

  it('a .torrent of more than 10 MiB is too large', async () => {
    expectProblem(await b.api.askWithTorrent(Buffer.alloc(10 * MiB + 1)), 413);
  });

  it('a path that is not below a share root is forbidden', async () => {
    const json = { path: '/etc/passwd' };
    expectProblem(await b.api.ask('POST', '/api/publications', { json }), 403);
  });

  it.each(['/api/downloads', '/api/publications'])(
    'malformed multipart is a bad request (%s)',
    async (path) => {
      const head =
        '--b\r\nContent-Disposition: form-data; name="files"; filename="x"\r\n\r\n';
      for (const [type, body] of [
        ['multipart/form-data', head],
        ['multipart/form-data; boundary=b', ''],
        ['multipart/form-data; boundary=b', 'no boundary in it'],
        ['multipart/form-data; boundary=b', `${head}cut off`],
        ['multipart/form-data; boundary=b', '--b--\r\n'],
        ['multipart/form-data; boundary=b', `--b\r\n${'x'.repeat(100_000)}`],
      ])
        expectProblem(await post(path, type, body), 400);
      await nothingIncoming(b);
    },
  );

  it.each([
    '../escaped.bin',
    'a/../../escaped.bin',
    '/tmp/dnd-e2e-escaped.bin',
    'a//b',
    'a\0b',
    './a',
    'n'.repeat(256),
  ])('an upload called %j is a bad request', async (filename) => {
    const form = await multipart({}, [
      { field: 'files', filename, content: Buffer.from('x') },
    ]);
    const answer = await b.api.ask('POST', '/api/publications', {
      headers: { 'content-type': form.type },
      body: form.body,
    });
    expectProblem(answer, 400);
    await nothingIncoming(b);
  });
});

/** What an upload that failed has left behind. */
const nothingIncoming = (node: Node): Promise<true> =>
  eventually('nothing is left of it', async () => {
    const folder = join(node.storage, '.node/incoming');
    const left = await readdir(folder).catch(() => []);
    return left.length === 0;
  });

it('an upload that is broken off leaves nothing', async () => {
  const form = await multipart({ id: 'broken' }, [
    { field: 'files', filename: 'broken.bin', content: bytesOf('x', 8 * MiB) },
  ]);
  const sent = request(`${a.api.origin}/api/publications`, {
    method: 'POST',
    agent: false,
    headers: { 'content-type': form.type, 'content-length': form.length },
  });
  sent.on('error', () => undefined);
  let bytes = 0;
  for await (const part of form.body) {
    sent.write(part);
    bytes += (part as Buffer).length;
    if (bytes > MiB) break;
  }
  const incoming = join(a.storage, '.node/incoming');
  await eventually(
    'it has begun to arrive',
    async () => (await readdir(incoming).catch(() => [])).length > 0,
  );
  sent.destroy();
  await nothingIncoming(a);
  const { items } = await a.api.call<{ items: { state: string }[] }>(
    'GET',
    '/api/publications',
  );
  expect(items.filter(({ state }) => state === 'receiving')).toEqual([]);
  expect(await readdir(a.storage)).not.toContain('broken.bin');
});

describe('peers that misbehave', () => {
  const content = bytesOf('wanted', 4 * MiB);
  let infoHash: string;
  beforeAll(async () => {
    ({ infoHash } = await a.api.publish({
      fields: { pieceLength: '65536' },
      files: { 'wanted.bin': content },
    }));
  });

  it.each<[string, () => Buffer[]]>([
    [
      'an HTTP request',
      () => [Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ],
    ['random bytes', () => [junk('peer', 100_000)]],
    ['an unknown torrent', () => [handshake(unknown)]],
    [
      'a huge message',
      () => [handshake(infoHash), Buffer.from('7fffffff', 'hex')],
    ],
    [
      'junk after the handshake',
      () => [handshake(infoHash), junk('after', 50_000)],
    ],
    [
      'a bitfield too long',
      () => [handshake(infoHash), message(5, Buffer.alloc(1000, 255))],
    ],
    [
      'a have of no piece',
      () => [handshake(infoHash), message(4, Buffer.alloc(4, 0x7f))],
    ],
    [
      'a request of a mebibyte',
      () => [
        handshake(infoHash),
        message(6, Buffer.from('000000000000000000100000', 'hex')),
      ],
    ],
  ])('%s is hung up on', async (_what, bytes) => {
    await sayUntilClosed(a.ports.peer, ...bytes());
  });

  it('two hundred that say nothing keep nobody out', async () => {
    const silent = Array.from({ length: 200 }, () =>
      sayUntilClosed(a.ports.peer, handshake(infoHash).subarray(0, 20)),
    );
    const small = await a.api.publish({
      files: { 'small.bin': bytesOf('small', 50_000) },
    });
    await b.fetch(small.infoHash);
    expect(silent).toHaveLength(200);
  });

  it('corrupt pieces are thrown away, their sender too, and the file arrives whole', async () => {
    const corrupt = await CorruptSeed.listen(infoHash, 64);
    scene.atEnd(() => corrupt.close());
    await a.api.settings({ uploadLimit: 512 * 1024 });
    await b.api.add({ infoHash, peers: [corrupt.address] });
    await eventually(
      'corrupt blocks have been sent',
      () => corrupt.blocksSent > 0,
    );
    await eventually(
      'their sender is no longer connected',
      () => corrupt.sockets.size === 0,
    );
    await a.api.settings({ uploadLimit: 0 });
    await b.reaches(infoHash, 'seeding');
    const { items } = await b.api.files(infoHash);
    const { bytes } = await b.api.ask('GET', items[0].url);
    expect(sha256(bytes)).toBe(sha256(content));
    expect(corrupt.sockets.size).toBe(0);
  });
});
