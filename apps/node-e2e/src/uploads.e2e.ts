/** Uploads that take several requests: over cut connections, a killed node, other offsets than the right one. */
import { randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Answer } from './harness/api';
import type { Publication } from './harness/answers';
import { bytesOf, sha256 } from './harness/content';
import { eventually } from './harness/eventually';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

const MiB = 1 << 20;

let scene: Scene;
let node: Node;
beforeAll(async () => {
  scene = await Scene.open('uploads');
  node = await scene.start('a');
}, 120_000);
afterAll(() => scene.close());

interface Upload {
  readonly id: string;
  readonly offset: number;
  readonly state: string;
}
type Files = Readonly<Record<string, Buffer>>;

const begin = (files: Files, options: object = {}): Promise<Upload> =>
  node.api.call('POST', '/api/uploads', {
    json: {
      ...options,
      files: Object.entries(files).map(([path, { length: size }]) => ({
        path,
        size,
      })),
    },
  });

const headers = (offset: number) => ({
  'content-type': 'application/offset+octet-stream',
  'upload-offset': String(offset),
});

const send = (id: string, offset: number, body: Uint8Array): Promise<Answer> =>
  node.api.ask('PATCH', `/api/uploads/${id}`, {
    headers: headers(offset),
    body,
  });

const look = (id: string): Promise<Upload> =>
  node.api.call('GET', `/api/uploads/${id}`);

/** Sends `part` of a request that promises `length` bytes, and leaves the connection open. */
async function sendPart(
  id: string,
  offset: number,
  part: Uint8Array,
  length: number,
): Promise<() => void> {
  const socket = connect(node.ports.http, '127.0.0.1');
  socket.on('error', () => undefined);
  const lines = Object.entries({
    host: `127.0.0.1:${node.ports.http}`,
    ...headers(offset),
    'content-length': length,
  }).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`PATCH /api/uploads/${id} HTTP/1.1\r\n${lines.join('')}\r\n`);
  socket.write(part);
  const { offset: reached } = await eventually('it is here', async () => {
    const upload = await look(id);
    return upload.offset === offset + part.length && upload;
  });
  expect(reached).toBe(offset + part.length);
  return () => socket.destroy();
}

const unfinished = (): Promise<string[]> =>
  readdir(join(node.storage, '.node/uploads'));

async function published(id: string): Promise<Publication> {
  return eventually('it is published', async () => {
    const { items } = await node.api.call<{ items: Publication[] }>(
      'GET',
      '/api/publications',
    );
    const found = items.find((item) => item.id === id);
    if (found?.state === 'published') return found;
    throw new Error(JSON.stringify(found));
  });
}

async function expectContent(id: string, files: Files): Promise<void> {
  const { infoHash, name } = await published(id);
  const { items } = await node.api.files(infoHash);
  expect(items).toHaveLength(Object.keys(files).length);
  for (const [path, bytes] of Object.entries(files)) {
    const inside = path.includes('/') ? path : name;
    const file = items.find((item) => item.path === inside);
    const answer = await node.api.ask('GET', file?.url ?? '/');
    expect(sha256(answer.bytes)).toBe(sha256(bytes));
  }
  await eventually('nothing is left of the upload', async () => {
    return (await unfinished()).length === 0;
  });
}

it('goes on after a cut connection, and is published when the last byte is here', async () => {
  const film = bytesOf('film', 3 * MiB);
  const { id } = await begin({ 'film.bin': film }, { comment: 'a film' });
  const cut = await sendPart(id, 0, film.subarray(0, MiB), film.length);
  expect(await look(id)).toMatchObject({ state: 'receiving', offset: MiB });
  cut();
  await eventually('it is paused', async () => {
    return (await look(id)).state === 'paused';
  });
  const head = await node.api.ask('HEAD', `/api/uploads/${id}`, {
    documented: false,
  });
  expect(head.headers).toMatchObject({
    'upload-offset': String(MiB),
    'upload-length': String(film.length),
  });
  const answer = await send(id, MiB, film.subarray(MiB));
  expect(answer.status).toBe(204);
  expect(answer.headers['upload-offset']).toBe(String(film.length));
  await expectContent(id, { 'film.bin': film });
});

it('goes on after the node was killed, with a folder', async () => {
  const files = {
    'album/1.bin': bytesOf('1', 500_000),
    'album/empty.txt': Buffer.alloc(0),
    'album/disc two/2.bin': bytesOf('2', 700_000),
    'album/disc two/ñ.bin': bytesOf('3', 1),
  };
  const all = Buffer.concat(Object.values(files));
  const { id } = await begin(files);
  const cut = await sendPart(id, 0, all.subarray(0, 600_000), all.length);
  await node.stop('SIGKILL');
  cut();
  await node.start();
  expect(await look(id)).toMatchObject({ state: 'paused', offset: 600_000 });
  expect((await send(id, 600_000, all.subarray(600_000))).status).toBe(204);
  await expectContent(id, files);
});

it('a sender who comes back ends the connection that he lost', async () => {
  const song = bytesOf('song', MiB);
  const { id } = await begin({ 'song.bin': song });
  const close = await sendPart(id, 0, song.subarray(0, 1000), song.length);
  expect((await send(id, 1000, song.subarray(1000))).status).toBe(204);
  close();
  await expectContent(id, { 'song.bin': song });
});

it('refuses other offsets, other types, too many bytes', async () => {
  const text = bytesOf('text', 1000);
  const { id } = await begin({ 'text.bin': text });
  const early = await send(id, 10, text.subarray(10));
  expect(early.status).toBe(409);
  expect(early.headers['upload-offset']).toBe('0');
  const plain = await node.api.ask('PATCH', `/api/uploads/${id}`, {
    headers: { 'content-type': 'text/plain', 'upload-offset': '0' },
    body: text,
    documented: false,
  });
  expect(plain.status).toBe(415);
  const more = await send(id, 0, Buffer.concat([text, Buffer.from('!')]));
  expect(more.status).toBe(413);
  await expectContent(id, { 'text.bin': text });
});

it.each([
  ['a name outside', { files: [{ path: '../x', size: 1 }] }, 400],
  [
    'a name twice',
    {
      files: [
        { path: 'x', size: 1 },
        { path: 'x', size: 1 },
      ],
    },
    400,
  ],
  ['no file', { files: [] }, 400],
  ['half a byte', { files: [{ path: 'x', size: 0.5 }] }, 400],
  [
    'odd pieces',
    { files: [{ path: 'x', size: 1 }], pieceLength: 20_000, format: 'v2' },
    400,
  ],
  ['more than the disk has', { files: [{ path: 'x', size: 2 ** 44 }] }, 507],
])('refuses %s before a byte is sent', async (_what, json, status) => {
  const answer = await node.api.ask('POST', '/api/uploads', { json });
  expect(answer.status).toBe(status);
  expect(await unfinished()).toEqual([]);
});

it('a request that is repeated with its id begins nothing twice', async () => {
  const wanted = { id: randomUUID(), files: [{ path: 'a.bin', size: 100 }] };
  const ask = (json: object) => node.api.ask('POST', '/api/uploads', { json });
  const answers = await Promise.all([wanted, wanted, wanted].map(ask));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(await unfinished()).toEqual([wanted.id]);
  const bytes = bytesOf('a', 100);
  await send(wanted.id, 0, bytes.subarray(0, 60));
  const again: Upload = await node.api.call('POST', '/api/uploads', {
    json: wanted,
  });
  expect(again).toMatchObject({ id: wanted.id, offset: 60 });
  const files = [{ path: 'b.bin', size: 100 }];
  expect((await ask({ ...wanted, files })).status).toBe(409);
  expect((await ask({ ...wanted, id: '../x' })).status).toBe(400);
  await send(wanted.id, 60, bytes.subarray(60));
  await expectContent(wanted.id, { 'a.bin': bytes });
  expect((await ask(wanted)).status).toBe(409);
});

it('can be given up', async () => {
  const { id } = await begin({ 'x.bin': Buffer.alloc(100) });
  await send(id, 0, Buffer.alloc(50));
  const uploads = `/api/uploads/${id}`;
  expect((await node.api.ask('DELETE', uploads)).status).toBe(204);
  expect((await node.api.ask('GET', uploads)).status).toBe(404);
  expect(await unfinished()).toEqual([]);
});

it('is bounded in number', async () => {
  const ids: string[] = [];
  for (let i = 0; i < 64; i++)
    ids.push((await begin({ [`${i}.bin`]: Buffer.alloc(1) })).id);
  const answer = await node.api.ask('POST', '/api/uploads', {
    json: { files: [{ path: 'one more.bin', size: 1 }] },
  });
  expect(answer.status).toBe(503);
  for (const id of ids) await node.api.ask('DELETE', `/api/uploads/${id}`);
});

it('a file without a byte is published at once', async () => {
  const empty = { 'empty.txt': Buffer.alloc(0) };
  const { id } = await begin(empty, { name: 'nothing.txt' });
  const { name } = await published(id);
  expect(name).toBe('nothing.txt');
  const content = await readFile(join(node.storage, 'nothing.txt'));
  expect(content.length).toBe(0);
});
