import { Logger } from '@nestjs/common';
import {
  announceHttp,
  announcePath,
  connectPacket,
  hashOf,
  idOf,
  RawUdp,
  readUdpAnnounce,
} from './raw-clients.contract';
import { TrackerScene } from './tracker-scene.contract';

Logger.overrideLogger(false);
const scene = new TrackerScene();
const minute = 60_000;
let port: number;
let udp: RawUdp;
let swarm = 0;
const fresh = (): Buffer => hashOf(++swarm);

beforeAll(async () => {
  ({ port } = await scene.start());
  udp = await RawUdp.open(port);
});
afterAll(async () => {
  udp.close();
  await scene.stop();
});
afterEach(() => jest.restoreAllMocks());

async function announce(
  hash: Uint8Array,
  p: number,
  options = {},
): Promise<ReturnType<typeof readUdpAnnounce>> {
  udp.send(udp.announce(hash, p, options));
  return readUdpAnnounce(await udp.answer());
}

function letPass(milliseconds: number): void {
  const later = performance.now() + milliseconds;
  jest.spyOn(performance, 'now').mockReturnValue(later);
}

it('is one swarm whatever the protocol', async () => {
  const hash = fresh();
  await announceHttp(port, announcePath(hash, 1));
  expect((await announce(hash, 2)).ports).toEqual([1]);
  expect((await announceHttp(port, announcePath(hash, 3))).ports).toEqual([
    1, 2,
  ]);
  expect((await announce(hash, 2)).ports).toEqual([1, 3]);
});

it('takes the same datagram twice as one peer, and one port for two as two', async () => {
  const hash = fresh();
  const packet = udp.announce(hash, 1);
  udp.send(packet);
  await udp.answer();
  await udp.answersTo(packet, packet);
  expect(await announce(hash, 2, { event: 2 })).toMatchObject({
    leechers: 2,
    ports: [1],
  });
});

it('counts who completes and forgets who stops', async () => {
  const hash = fresh();
  await announce(hash, 1);
  await announce(hash, 1, { left: 0, event: 1 });
  await announce(hash, 2);
  expect(await announce(hash, 3, { event: 3 })).toMatchObject({
    seeders: 1,
    leechers: 1,
  });
  const [answer] = await udp.answersTo(udp.scrape([hash]));
  expect([8, 12, 16].map((at) => answer.readUInt32BE(at))).toEqual([1, 1, 1]);
});

it('scrapes 74 swarms in their order', async () => {
  const hashes = Array.from({ length: 74 }, (_, i) => hashOf(100 + i));
  for (const [i, hash] of hashes.entries())
    if (i % 3 === 0) await announce(hash, 1);
  udp.send(udp.scrape(hashes));
  const answer = await udp.answer();
  expect(answer.length).toBe(8 + 12 * 74);
  hashes.forEach((_, i) =>
    expect(answer.readUInt32BE(16 + 12 * i)).toBe(i % 3 === 0 ? 1 : 0),
  );
});

it('answers each of many datagrams that come at once with its own', async () => {
  const hash = fresh();
  await announce(hash, 500);
  const wanted = Array.from({ length: 100 }, (_, i) => i % 5);
  const packets = wanted.map((want, i) => udp.announce(hash, i + 1, { want }));
  const answers = await udp.answersTo(...packets);
  expect(answers.map((answer) => answer.readUInt32BE(4))).toEqual(
    wanted.map((_, i) => i + 2),
  );
  for (const [i, answer] of answers.entries()) {
    const { ports, leechers } = readUdpAnnounce(answer);
    expect(leechers).toBe(i + 2);
    expect(ports).toHaveLength(wanted[i]);
    expect(ports.every((port) => port === 500 || port <= i)).toBe(true);
  }
});

it('gives an id to an address only, good for two minutes and not for six', async () => {
  const hash = fresh();
  await announce(hash, 1);
  const other = await RawUdp.open(port);
  expect(other.id).toEqual(udp.id);
  letPass(100_000);
  expect((await announce(hash, 1)).action).toBe(1);
  letPass(6 * minute);
  const [refused] = await udp.answersTo(udp.announce(hash, 5));
  expect(refused?.readUInt32BE(0) ?? 3).toBe(3);
  expect(refused?.readUInt32BE(4) ?? 6).toBe(6);
  jest.restoreAllMocks();
  expect((await announce(hash, 2)).ports).toEqual([1]);
  other.close();
});

it('gives each address and each tracker ids of their own', async () => {
  const hash = fresh();
  const neighbour = await RawUdp.open(port, { from: '127.0.0.2' });
  const elsewhere = await RawUdp.open((await scene.start()).port);
  const ids = [udp, neighbour, elsewhere].map(({ id }) => id.toString('hex'));
  expect(new Set(ids).size).toBe(3);
  const stolen = neighbour.announce(hash, 1);
  udp.id.copy(stolen);
  const [refused] = await neighbour.answersTo(stolen);
  expect(refused?.readUInt32BE(0) ?? 3).toBe(3);
  expect(await announce(hash, 2)).toMatchObject({ leechers: 1, ports: [] });
  neighbour.close();
  elsewhere.close();
});

it('answers with as many peers as one datagram holds', async () => {
  const hash = fresh();
  for (let p = 1; p <= 230; p++)
    await announceHttp(port, announcePath(hash, p, { numwant: 0 }));
  udp.send(udp.announce(hash, 500, { want: 1_000 }));
  const answer = await udp.answer();
  expect(readUdpAnnounce(answer).ports).toHaveLength(200);
  expect(answer.length).toBe(20 + 6 * 200);
  udp.send(udp.announce(hash, 500, { want: 0 }));
  expect(await udp.answer()).toHaveLength(20);
});

it('stores nothing of what is cut short, of forged ids and of unknown actions', async () => {
  const hash = fresh();
  const whole = udp.announce(hash, 1);
  const forged = Buffer.from(whole);
  forged.fill(0x11, 0, 8);
  const magic = Buffer.from(whole);
  connectPacket().copy(magic, 0, 0, 8);
  const unknown = Buffer.from(whole);
  unknown.writeUInt32BE(9, 8);
  const answers = await udp.answersTo(
    whole.subarray(0, 16),
    whole.subarray(0, 60),
    whole.subarray(0, 97),
    forged,
    magic,
    unknown,
    udp.scrape([]),
    udp.scrape([hash.subarray(0, 19)]),
    connectPacket().subarray(0, 15),
    Buffer.alloc(16),
  );
  for (const answer of answers) {
    expect(answer.readUInt32BE(0)).toBe(3);
    expect(answer.length).toBeLessThanOrEqual(98);
  }
  expect(await announce(hash, 2)).toMatchObject({ leechers: 1, ports: [] });
});

it('believes neither the address nor the port 0 of an announce', async () => {
  const hash = fresh();
  await announce(hash, 0, { id: idOf(7) });
  await announce(hash, 1, { ip: 0x09090909 });
  udp.send(udp.announce(hash, 2));
  const answer = await udp.answer();
  expect(answer.subarray(20).toString('hex')).toBe('7f0000010001');
});

it('reads past the options of BEP 41', async () => {
  const hash = fresh();
  await announce(hash, 1);
  const url = '/announce?x=1';
  const options = Buffer.from([2, url.length, ...Buffer.from(url), 1, 0, 9, 9]);
  udp.send(Buffer.concat([udp.announce(hash, 2), options]));
  expect(readUdpAnnounce(await udp.answer()).ports).toEqual([1]);
  udp.send(Buffer.concat([udp.announce(hash, 2), Buffer.from([2, 255, 1])]));
  expect(readUdpAnnounce(await udp.answer()).ports).toEqual([1]);
});

it('lives through 2,000 datagrams of junk', async () => {
  let x = 12345;
  const byte = (): number => {
    x = (Math.imul(x, 1103515245) + 12345) >>> 0;
    return x >>> 24;
  };
  for (let i = 0; i < 2_000; i++) {
    const junk = Buffer.from(Array.from({ length: byte() }, byte));
    if (i % 3 === 0 && junk.length >= 16) udp.id.copy(junk);
    if (i % 5 === 0 && junk.length >= 12) junk.writeUInt32BE(i % 4, 8);
    udp.send(junk);
    if (i % 100 === 0) await udp.answersTo();
  }
  // Another one: late answers to the junk may still be under way to the first.
  udp.close();
  udp = await RawUdp.open(port);
  const hash = fresh();
  await announce(hash, 1);
  expect((await announce(hash, 2)).ports).toEqual([1]);
});

it('keeps a peer for its interval and not for ever', async () => {
  const hash = fresh();
  udp.send(udp.announce(hash, 1));
  const interval = (await udp.answer()).readUInt32BE(8);
  letPass(interval * 1000);
  const later = await RawUdp.open(port);
  later.send(later.announce(hash, 2, { event: 3 }));
  expect(readUdpAnnounce(await later.answer()).leechers).toBe(1);
  letPass(interval * 3000);
  const much = await RawUdp.open(port);
  much.send(much.announce(hash, 2));
  expect(readUdpAnnounce(await much.answer()).ports).toEqual([]);
  later.close();
  much.close();
});
