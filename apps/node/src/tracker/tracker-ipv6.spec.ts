import { asBytes, decodeDictionary } from '@dnd/bencode';
import { Logger } from '@nestjs/common';
import {
  announceHttp,
  announcePath,
  escaped,
  get,
  hashOf,
  RawHttp,
  RawUdp,
} from './raw-clients.contract';
import { TrackerScene } from './tracker-scene.contract';

Logger.overrideLogger(false);
const scene = new TrackerScene();
const loopback = `${'0'.repeat(30)}01`;
let port: number;
let swarm = 0;
const fresh = (): Buffer => hashOf(++swarm);

beforeAll(async () => {
  // Both families on one port, as `--host ::` has them.
  ({ port } = await scene.start({ host: '::' }));
});
afterAll(() => scene.stop());

/** The compact peers of both families, in hex. */
async function announce6(hash: Buffer, p: number, query = {}) {
  const http = await RawHttp.open(port, '::1');
  http.send(get(announcePath(hash, p, query), 'Connection: close'));
  const answer = await http.answer();
  http.close();
  const { dictionary } = decodeDictionary(answer?.body ?? Buffer.alloc(0));
  const hexOf = (key: string): string =>
    Buffer.from(asBytes(dictionary.get(key)) ?? []).toString('hex');
  return { peers: hexOf('peers'), peers6: hexOf('peers6') };
}

it('tells IPv6 peers by 18 bytes each in peers6, IPv4 ones by 6 in peers', async () => {
  const hash = fresh();
  await announce6(hash, 1);
  await announceHttp(port, announcePath(hash, 2));
  expect(await announce6(hash, 3)).toEqual({
    peers: '7f0000010002',
    peers6: `${loopback}0001`,
  });
  // An IPv4 client at the socket of both families is an IPv4 peer, not ::ffff:127.0.0.1.
  expect((await announceHttp(port, announcePath(hash, 4))).hosts).toEqual([
    '127.0.0.1',
  ]);
});

it('answers each family over UDP with peers of its own, and no broken ones', async () => {
  const hash = fresh();
  const [six, four] = [
    await RawUdp.open(port, { host: '::1' }),
    await RawUdp.open(port),
  ];
  for (const [udp, p] of [
    [six, 1],
    [four, 2],
  ] as const) {
    udp.send(udp.announce(hash, p));
    await udp.answer();
  }
  six.send(six.announce(hash, 3));
  expect((await six.answer()).subarray(20).toString('hex')).toBe(
    `${loopback}0001`,
  );
  four.send(four.announce(hash, 4));
  const answer = await four.answer();
  expect(answer.subarray(20).toString('hex')).toBe('7f0000010002');
  // All four are one swarm.
  expect(answer.readUInt32BE(12)).toBe(4);
  for (const udp of [six, four]) udp.close();
});

it('keeps answers to IPv6 below what every path carries', async () => {
  const hash = fresh();
  for (let p = 1; p <= 90; p++) await announce6(hash, p, { numwant: 0 });
  const udp = await RawUdp.open(port, { host: '::1' });
  udp.send(udp.announce(hash, 500, { want: 200 }));
  const answer = await udp.answer();
  expect(answer.length).toBeLessThanOrEqual(1_232);
  expect((answer.length - 20) % 18).toBe(0);
  expect(answer.length).toBeGreaterThan(20 + 60 * 18);
  udp.close();
});

it('scrapes over IPv6', async () => {
  const hash = fresh();
  await announce6(hash, 1, { left: 0 });
  const http = await RawHttp.open(port, '::1');
  http.send(get(`/scrape?info_hash=${escaped(hash)}`));
  const text = (await http.answer())?.body.toString('latin1');
  expect(text).toMatch(/d8:completei1e/);
  http.close();
});
