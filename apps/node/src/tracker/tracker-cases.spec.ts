/** Rows of collected cases over real sockets: at our tracker's end, and at our client's end of trackers that others wrote. */
import {
  parseAnnounceAnswer,
  TrackerAnswerError,
  TrackerFailure,
  type AnnounceFacts,
} from '@dnd/tracker';
import { workspaceRoot } from '@nx/devkit';
import { Logger } from '@nestjs/common';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { httpAnnounce } from '../peer/sources/http-announce';
import { UdpAnnouncer } from '../peer/sources/udp-announcer';
import { get, RawHttp, RawUdp, readAnnounced } from './raw-clients.contract';
import { TrackerScene, type SceneTracker } from './tracker-scene.contract';

Logger.overrideLogger(false);
const folder = join(workspaceRoot, '../shared/cases');
const read = (name: string): Record<string, never> =>
  JSON.parse(readFileSync(join(folder, name), 'utf8')) as never;
const present = existsSync(folder);
const tracker = present ? read('tracker.json') : {};
const http = present ? read('http_lsd.json') : {};
const rows = <T>(list: unknown): T[] => (present ? (list as T[]) : [{} as T]);
const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

const facts: AnnounceFacts = {
  infoHash: new Uint8Array(20).fill(0x61),
  peerId: new Uint8Array(20).fill(0x62),
  port: 6881,
  uploaded: 0,
  downloaded: 0,
  left: 1,
  event: 'started',
  key: 1,
};

(present ? describe : describe.skip)('our tracker', () => {
  const scene = new TrackerScene();
  let node: SceneTracker;
  beforeAll(async () => {
    node = await scene.start();
  });
  afterAll(() => scene.stop());

  it.each(
    rows<{ id: string; datagram_hex: string; reply: string }>(
      tracker['udp_to_server'],
    ),
  )('datagram $id: $reply', async ({ datagram_hex, reply }) => {
    const udp = await RawUdp.open(node.port);
    const datagram = bytes(datagram_hex);
    const answers = await udp.answersTo(datagram);
    if (reply === 'none') expect(answers).toEqual([]);
    for (const answer of answers) {
      expect(answer.readUInt32BE(0)).toBe(3);
      expect(answer.subarray(4, 8)).toEqual(datagram.subarray(12, 16));
    }
    expect(node.swarms.table.stats.peers).toBe(0);
    udp.close();
  });

  it.each(rows<{ id: string; options_hex: string }>(tracker['bep41_options']))(
    'an announce with the options $id',
    async ({ options_hex }) => {
      const udp = await RawUdp.open(node.port);
      const hash = Buffer.alloc(20, options_hex.length);
      udp.send(Buffer.concat([udp.announce(hash, 9), bytes(options_hex)]));
      expect((await udp.answer()).readUInt32BE(0)).toBe(1);
      udp.close();
    },
  );

  it.each(rows<{ id: string; request?: string }>(tracker['request_encoding']))(
    'request $id',
    async ({ request, ...row }) => {
      const { encoded, info_hash } = row as unknown as Record<string, string>;
      const path =
        request?.slice(4) ??
        `/announce?info_hash=${encoded}&peer_id=aaaaaaaaaaaaaaaaaaaa&port=1`;
      const client = await RawHttp.open(node.port);
      client.send(get(path));
      const answer = await client.answer();
      expect(answer?.status).toBe(200);
      if (answer) expect(readAnnounced(answer).failure).toBe(undefined);
      if (info_hash) {
        client.send(get(`/scrape?info_hash=${encoded}`));
        const text = (await client.answer())?.body.toString('latin1');
        expect(text).toContain(bytes(info_hash).toString('latin1'));
        expect(text).toContain('10:incompletei1e');
      }
      client.close();
    },
  );
});

(present ? describe : describe.skip)('a tracker over HTTP', () => {
  let server: Server;
  let url: string;
  let reply: Buffer;
  beforeAll(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () => socket.end(reply));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    url = `http://127.0.0.1:${port}/announce`;
  });
  afterAll(() => server.close());

  const ask = async () => parseAnnounceAnswer(await httpAnnounce(url, facts));

  it.each(
    rows<{
      id: string;
      body_hex: string;
      expect: { peers?: unknown; peers6?: unknown } & Record<string, unknown>;
    }>(tracker['http_announce_answers']).filter(({ id }) => id !== 'gzip'),
  )('answers $id', async ({ body_hex, expect: wanted }) => {
    const body = bytes(body_hex);
    reply = Buffer.concat([
      Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`),
      body,
    ]);
    if (wanted['error'] || wanted['failure_reason']) {
      const failure = await ask().catch((error: unknown) => error);
      expect(
        failure instanceof TrackerAnswerError ||
          failure instanceof TrackerFailure,
      ).toBe(true);
      return;
    }
    const { peers } = await ask();
    expect(peers.map(({ host, port }) => [host, port])).toEqual([
      ...((wanted.peers ?? []) as unknown[]),
      ...((wanted.peers6 ?? []) as unknown[]),
    ]);
  });

  it.each(
    rows<{
      id: string;
      hex: string;
      expect: { status?: number; body?: string; error?: unknown };
    }>(http['http_answers']),
  )(
    'sends $id: an answer or an error in words, and an end',
    async (row) => {
      reply = bytes(row.hex);
      const got = await httpAnnounce(url, facts).then(
        (body) => Buffer.from(body).toString('latin1'),
        (error: Error) => error,
      );
      // A stricter reader than the row's may refuse it.
      if (typeof got !== 'string') expect(got.message).not.toBe('');
      else if (row.expect.error === undefined && row.expect.body !== undefined)
        expect(got).toBe(row.expect.body);
    },
    30_000,
  );
});

(present ? describe : describe.skip)('a tracker over UDP', () => {
  const connection = bytes('1122334455667788');
  const good = bytes(
    '000000010000000000000708000000030000000501020304 1ae1'.replace(' ', ''),
  );
  let server: Socket;
  let client: UdpAnnouncer;
  let url: string;
  /** What is sent for an announce or a connect before the true answer. */
  let answers: { connect?: Buffer; announce?: Buffer };
  let truthful: boolean;

  beforeEach(async () => {
    answers = {};
    truthful = true;
    server = createSocket('udp4');
    server.on('message', (data, { port, address }) => {
      const connects = data.readUInt32BE(8) === 0;
      const first = connects ? answers.connect : answers.announce;
      const send = (answer: Buffer): void =>
        server.send(answer, port, address, () => undefined);
      const named = (answer: Buffer): Buffer => {
        const copy = Buffer.from(answer);
        data.copy(copy, 4, 12, 16);
        return copy;
      };
      if (first) send(wrongOnes.has(first) ? first : named(first));
      if (!truthful) return;
      send(
        named(connects ? Buffer.concat([Buffer.alloc(8), connection]) : good),
      );
    });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    client = new UdpAnnouncer(() => performance.now());
    url = `udp://127.0.0.1:${server.address().port}/announce`;
  });
  afterEach(() => {
    client.close();
    server.close();
  });
  /** Those whose transaction id is not to be put right. */
  const wrongOnes = new Set<Buffer>();

  it.each(
    rows<{
      id: string;
      response_hex: string;
      expect: Record<string, unknown>;
    }>(tracker['udp']).filter(
      ({ id }) => id?.startsWith('connect') || id?.startsWith('announce'),
    ),
  )('$id', async ({ id, response_hex, expect: wanted }) => {
    const answer = bytes(response_hex);
    if (id.endsWith('wrong-tid')) wrongOnes.add(answer);
    const kind = id.startsWith('connect') ? 'connect' : 'announce';
    // The client is asked in IPv4 only: the row about IPv6 is the codec's.
    if (id === 'announce-v6') return;
    answers = { [kind]: answer };
    const got = await client
      .announce(url, facts)
      .catch((error: unknown) => error as Error);
    if (typeof wanted['error'] === 'string')
      expect((got as Error).message).toContain(wanted['error']);
    else if (wanted['ignored'] || kind === 'connect')
      expect(got).toMatchObject({ peers: [{ host: '1.2.3.4', port: 6881 }] });
    else if (wanted['peers'])
      expect(
        (got as { peers: { host: string; port: number }[] }).peers.map(
          ({ host, port }) => [host, port],
        ),
      ).toEqual(wanted['peers']);
    else expect(got).toMatchObject({ interval: 1652 });
  });
});
