import { Logger } from '@nestjs/common';
import {
  announceHttp,
  announcePath,
  escaped,
  get,
  hashOf,
  idOf,
  RawHttp,
  readAnnounced,
} from './raw-clients.contract';
import { TrackerScene } from './tracker-scene.contract';

Logger.overrideLogger(false);
const scene = new TrackerScene();
let port: number;
let swarm = 0;
const fresh = (): Buffer => hashOf(++swarm);

beforeAll(async () => {
  ({ port } = await scene.start());
});
afterAll(() => scene.stop());

const announce = (path: string, ...headers: string[]) =>
  announceHttp(port, path, ...headers);

async function alive(): Promise<void> {
  const hash = fresh();
  await announce(announcePath(hash, 1));
  expect((await announce(announcePath(hash, 2))).ports).toEqual([1]);
}

it('answers with a dictionary of sorted keys and nothing after it', async () => {
  const http = await RawHttp.open(port);
  http.send(get(announcePath(fresh(), 1)));
  const answer = await http.answer();
  expect(answer?.status).toBe(200);
  const keys = [
    ...(answer?.body.toString('latin1') ?? '').matchAll(
      /\d+:(complete|incomplete|interval|min interval|peers|external ip|downloaded)/g,
    ),
  ].map(([, key]) => key);
  expect(keys.length).toBeGreaterThanOrEqual(5);
  expect(keys).toEqual([...keys].sort());
  expect(answer?.body.at(-1)).toBe(0x65);
  http.close();
});

it('tells peers of each other, compact or not, never of themselves', async () => {
  const hash = fresh();
  expect((await announce(announcePath(hash, 1))).ports).toEqual([]);
  expect((await announce(announcePath(hash, 2))).ports).toEqual([1]);
  expect((await announce(announcePath(hash, 1))).ports).toEqual([2]);
  expect(
    (await announce(announcePath(hash, 3, { compact: undefined }))).ports
      .length,
  ).toBeLessThanOrEqual(2);
  const http = await RawHttp.open(port);
  http.send(get(announcePath(hash, 4, { compact: 0 })));
  const { body } = (await http.answer()) ?? { body: Buffer.alloc(0) };
  expect(body.toString('latin1')).toContain('9:127.0.0.1');
  expect(body.toString('latin1')).toContain(idOf(1).toString('latin1'));
  expect(body.toString('latin1')).not.toContain(idOf(4).toString('latin1'));
  http.close();
});

it('counts seeds, completed downloads and departures once', async () => {
  const hash = fresh();
  const act = (p: number, query = {}) => announce(announcePath(hash, p, query));
  for (let i = 0; i < 10; i++) await act(1);
  expect(await act(2, { left: 0 })).toMatchObject({
    complete: 1,
    incomplete: 1,
  });
  for (let i = 0; i < 3; i++) await act(1, { left: 0, event: 'completed' });
  expect(await act(3)).toMatchObject({
    complete: 2,
    incomplete: 1,
    downloaded: 1,
  });
  expect((await act(2, { left: 0 })).ports).toEqual([3]);
  await act(9, { event: 'stopped' });
  await act(3, { event: 'stopped' });
  await act(3, { event: 'stopped' });
  expect(await act(4, { event: 'paused' })).toMatchObject({
    complete: 2,
    incomplete: 1,
  });
});

it('hands out all of 120 peers in turn, as many as wanted', async () => {
  const hash = fresh();
  for (let p = 1; p <= 120; p++)
    await announce(announcePath(hash, p, { numwant: 0 }));
  const seen = new Set<number>();
  const most = Array.from({ length: 30 }, () =>
    announce(announcePath(hash, 500, { numwant: 30 })),
  );
  for (const { ports } of await Promise.all(most)) {
    expect(ports.length).toBe(30);
    for (const p of ports) seen.add(p);
  }
  expect(seen.size).toBeGreaterThan(90);
  const wants = async (numwant: number | string): Promise<number> =>
    (await announce(announcePath(hash, 500, { numwant }))).ports.length;
  expect(await wants(0)).toBe(0);
  expect(await wants(100_000)).toBe(120);
  expect(await wants(-1)).toBe(50);
});

it.each([
  { info_hash: escaped(Buffer.alloc(19, 1)) },
  { info_hash: escaped(Buffer.alloc(21, 1)) },
  { info_hash: '' },
  { info_hash: undefined },
  { port: undefined },
  { port: 0 },
  { port: 65_536 },
  { port: -1 },
  { port: 'http' },
  { peer_id: escaped(Buffer.alloc(19, 1)) },
])('says why it refuses %j', async (query) => {
  const { failure } = await announce(announcePath(hashOf(250), 5, query));
  expect(failure?.length).toBeGreaterThan(5);
});

it.each([
  { left: -1 },
  { left: 'much' },
  { left: 2 ** 70 },
  { event: 'dance' },
])('answers %j all the same', async (query) => {
  expect((await announce(announcePath(fresh(), 5, query))).failure).toBe(
    undefined,
  );
});

it('reads every byte of an info-hash, however it is escaped', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  for (let at = 0; at + 20 <= 256; at += 20) {
    const hash = bytes.subarray(at, at + 20);
    const lower = announcePath(hash, 1);
    const upper = announcePath(hash, 2, {
      info_hash: escaped(hash).toUpperCase(),
    });
    const sparing = announcePath(hash, 3, {
      info_hash: [...hash]
        .map((b) =>
          /[\w.~-]/.test(String.fromCharCode(b))
            ? String.fromCharCode(b)
            : `%${b.toString(16).padStart(2, '0')}`,
        )
        .join(''),
    });
    for (const path of [lower, upper]) await announce(path);
    expect((await announce(sparing)).ports).toEqual([1, 2]);
  }
});

it('believes no address but the socket', async () => {
  const hash = fresh();
  await announce(announcePath(hash, 1, { ip: '9.9.9.9', ipv4: '9.9.9.9' }));
  await announce(announcePath(hash, 2), 'X-Forwarded-For: 8.8.8.8');
  const { hosts } = await announce(announcePath(hash, 3));
  expect(hosts).toEqual(['127.0.0.1', '127.0.0.1']);
});

it('scrapes 60 swarms at once without leaving a trace', async () => {
  const hash = fresh();
  await announce(announcePath(hash, 1));
  const hashes = [
    hash,
    ...Array.from({ length: 59 }, (_, i) => hashOf(100 + i)),
  ];
  const http = await RawHttp.open(port);
  const query = hashes.map((h) => `info_hash=${escaped(h)}`).join('&');
  for (let i = 0; i < 2; i++) {
    http.send(get(`/scrape?${query}`));
    const text = (await http.answer())?.body.toString('latin1') ?? '';
    expect(text).toMatch(/^d5:filesd/);
    const counts = text.slice(text.indexOf(hash.toString('latin1')) + 20);
    expect(counts).toMatch(
      /^d8:completei0e10:downloadedi0e.*?10:incompletei1e/,
    );
  }
  http.close();
  expect(await announce(announcePath(hash, 2))).toMatchObject({
    ports: [1],
    incomplete: 2,
  });
});

it('takes a request byte by byte, and several at once', async () => {
  const hash = fresh();
  const slow = await RawHttp.open(port);
  slow.socket.setNoDelay(true);
  for (const byte of Buffer.from(get(announcePath(hash, 1)))) {
    slow.send(Uint8Array.of(byte));
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect((await slow.answer())?.status).toBe(200);
  slow.send(
    [2, 3, 4].map((p) => get(announcePath(hash, p))).join('') +
      get(announcePath(fresh(), 5)) +
      get(announcePath(hash, 6)),
  );
  const counts: number[] = [];
  for (let i = 0; i < 5; i++) {
    const answer = await slow.answer();
    counts.push(answer ? readAnnounced(answer).ports.length : -1);
  }
  expect(counts).toEqual([1, 2, 3, 0, 4]);
  slow.close();
});

it.each([
  [
    'a URL of 70,000 bytes',
    `GET /announce?${'a'.repeat(70_000)} HTTP/1.1\r\n\r\n`,
  ],
  [
    'a megabyte of headers',
    `GET / HTTP/1.1\r\n${'X: '.padEnd(1000, 'y')}\r\n`.repeat(1000),
  ],
  ['junk', Buffer.concat([Buffer.alloc(5_000, 0xee), Buffer.from('\r\n\r\n')])],
  ['broken escapes', get('/announce?info_hash=%zz%&peer_id=%')],
  ['no version', 'GET /announce\r\n\r\n'],
  ['POST', 'POST /announce HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello'],
  ['another path', get('/etc/passwd')],
])('answers or closes on %s, and goes on', async (_, bytes) => {
  const http = await RawHttp.open(port);
  http.send(bytes);
  const answer = await http.answer();
  if (answer?.status === 200)
    expect(readAnnounced(answer).failure).toBeDefined();
  else expect(answer?.status ?? 400).toBeGreaterThanOrEqual(400);
  http.close();
  await alive();
});

it('serves HTTP/1.0 without Host, and closes then', async () => {
  const http = await RawHttp.open(port);
  http.send(`GET ${announcePath(fresh(), 1)} HTTP/1.0\r\n\r\n`);
  expect((await http.answer())?.status).toBe(200);
  await http.answer();
  expect(http.ended).toBe(true);
  http.close();
});

it('is not kept from its work by 200 idle connections', async () => {
  const idle = await Promise.all(
    Array.from({ length: 200 }, () => RawHttp.open(port)),
  );
  for (const http of idle.slice(100)) http.send('GET /ann');
  await alive();
  for (const http of idle) http.close();
});

it('answers 300 announces, 50 at once', async () => {
  const hash = fresh();
  let next = 1;
  const turns = Array.from({ length: 50 }, async () => {
    while (next <= 300)
      expect((await announce(announcePath(hash, next++))).failure).toBe(
        undefined,
      );
  });
  await Promise.all(turns);
  expect(await announce(announcePath(hash, 999))).toMatchObject({
    incomplete: 301,
  });
});

it('does not keep what a reader leaves lying', async () => {
  const hash = fresh();
  for (let p = 1; p <= 60; p++) await announce(announcePath(hash, p));
  const http = await RawHttp.open(port);
  http.socket.pause();
  const many = get(announcePath(hash, 500, { numwant: 200 })).repeat(400);
  for (let i = 0; i < 50; i++) http.send(many);
  await alive();
  http.socket.resume();
  for (let i = 0; i < 1_000; i++)
    expect((await http.answer())?.status).toBe(200);
  http.close();
});
