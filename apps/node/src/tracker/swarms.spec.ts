import { packAnswers, packPuts, unpackAnswers, unpackPuts } from '@dnd/records';
import { Logger } from '@nestjs/common';
import type { Glanced } from '../dht/dht';
import { keptPeer } from './memory-ring.contract';
import {
  announceHttp,
  announcePath,
  hashOf,
  RawUdp,
  readUdpAnnounce,
} from './raw-clients.contract';
import {
  TrackerScene,
  until,
  type SceneTracker,
} from './tracker-scene.contract';

Logger.overrideLogger(false);
const scene = new TrackerScene();
let a: SceneTracker;
let b: SceneTracker;
let swarm = 0;
const fresh = (): Buffer => hashOf(++swarm);

beforeAll(async () => {
  a = await scene.start();
  b = await scene.start();
});
afterAll(() => scene.stop());

const announce = (
  { port }: SceneTracker,
  hash: Buffer,
  p: number,
  query = {},
) => announceHttp(port, announcePath(hash, p, query));

/** Somebody who is nobody's peer, and sees numbers only. */
const look = (tracker: SceneTracker, hash: Buffer) =>
  announce(tracker, hash, 999, { event: 'stopped' });

it('knows of peers elsewhere at the first question about a swarm', async () => {
  const hash = fresh();
  const told = {
    swarm: hash.toString('hex'),
    want: 0,
    seeds: true,
    completed: 5,
    peers: keptPeer('10.1.2.3', 77, true),
  };
  await scene.ring.node().swarms(packPuts([told]));
  const udp = await RawUdp.open(a.port);
  udp.send(udp.announce(hash, 1));
  expect(readUdpAnnounce(await udp.answer())).toMatchObject({
    seeders: 1,
    ports: [77],
  });
  udp.close();
  expect(await announce(b, hash, 2)).toMatchObject({
    ports: expect.arrayContaining([77]) as number[],
    complete: 1,
    downloaded: 5,
  });
});

it('hears of peers elsewhere although the time of day is set back', async () => {
  const hash = fresh();
  await announce(a, hash, 1);
  const hourAgo = Date.now() - 3_600_000;
  const day = jest.spyOn(Date, 'now').mockReturnValue(hourAgo);
  try {
    await announce(b, hash, 2);
    await until(
      () => announce(a, hash, 1),
      ({ ports }) => ports.includes(2),
    );
  } finally {
    day.mockRestore();
  }
});

it('shows an announce at any other tracker, known there or not', async () => {
  const hash = fresh();
  await announce(b, hash, 1);
  await announce(a, hash, 2);
  await until(
    () => announce(b, hash, 1),
    ({ ports }) => ports.includes(2),
  );
  await announce(a, hash, 3, { left: 0 });
  await until(
    () => announce(b, hash, 1),
    ({ ports, complete }) => ports.includes(3) && complete === 1,
  );
});

it('answers of a known swarm from memory while the ring is silent, and of others after a moment', async () => {
  const hash = fresh();
  await announce(a, hash, 1);
  let open: () => void = () => undefined;
  a.dht.gate = new Promise((resolve) => (open = resolve));
  expect((await announce(a, hash, 2)).ports).toEqual([1]);
  const other = fresh();
  const began = performance.now();
  expect((await announce(a, other, 1)).failure).toBe(undefined);
  const waited = performance.now() - began;
  expect(waited).toBeGreaterThan(1_000);
  expect((await announce(a, other, 2)).ports).toEqual([1]);
  open();
  a.dht.gate = undefined;
});

it('tells later what the ring did not take', async () => {
  const hash = fresh();
  await announce(a, hash, 1);
  a.dht.reachable = false;
  await announce(a, hash, 2);
  await announce(a, hash, 2, { left: 0, event: 'completed' });
  await until(
    () => Promise.resolve(a.dht.refused),
    (refused) => refused > 0,
  );
  a.dht.reachable = true;
  await until(
    () => look(b, hash),
    ({ complete, downloaded }) => complete === 1 && downloaded === 1,
  );
});

it('counts a completed download once at every tracker', async () => {
  const hash = fresh();
  await announce(a, hash, 1);
  await announce(a, hash, 1, { left: 0, event: 'completed' });
  await announce(b, hash, 2);
  await announce(b, hash, 2, { left: 0, event: 'completed' });
  for (const tracker of [a, b])
    await until(
      () => look(tracker, hash),
      ({ downloaded }) => downloaded === 2,
    );
  await announce(a, hash, 1, { left: 0, event: 'completed' });
  const late = await scene.start();
  expect((await look(late, hash)).downloaded).toBe(2);
});

it('asks the ring only for what is new while nothing changes', async () => {
  const hash = fresh();
  const swarm = hash.toString('hex');
  for (let p = 1; p <= 5; p++) await announce(a, hash, p);
  await until(
    () => Promise.resolve(scene.ring.swarms.get(swarm)),
    (kept) => kept?.peers.size === 5,
  );
  const asked = jest.spyOn(a.dht, 'swarms');
  const glances = jest.spyOn(a.dht, 'glance');
  const news = jest.spyOn(a.dht, 'news');
  await until(
    () => Promise.resolve(news.mock.calls.length),
    (count) => count >= 4,
  );
  // The first may still have been under way with what was known before.
  const later = await Promise.all(
    news.mock.results.slice(1, 4).map(({ value }) => value as Promise<Glanced>),
  );
  expect(later.map(({ whole }) => whole)).toEqual([true, true, true]);
  const told = later.flatMap(({ swarms }) => unpackAnswers(swarms));
  expect(told.filter((state) => state.swarm === swarm)).toEqual([]);
  const about = asked.mock.calls.flatMap(([puts]) => unpackPuts(puts));
  expect(about.filter((put) => put.swarm === swarm)).toEqual([]);
  const looked = glances.mock.calls.flatMap(([known]) => unpackAnswers(known));
  expect(looked.filter((state) => state.swarm === swarm).length).toBeLessThan(
    2,
  );
  jest.restoreAllMocks();
});

it('glances at its swarms again when the news of an owner cannot be heard', async () => {
  const hash = fresh();
  const swarm = hash.toString('hex');
  await announce(a, hash, 1);
  const glances = jest.spyOn(a.dht, 'glance');
  const seen = (): boolean =>
    glances.mock.calls.some(([known]) =>
      unpackAnswers(known).some(
        (state) => state.swarm === swarm && state.leechers === 1,
      ),
    );
  await until(() => Promise.resolve(seen()), Boolean);
  glances.mockClear();
  jest.spyOn(a.dht, 'news').mockResolvedValueOnce({
    swarms: packAnswers([]),
    heard: [],
    whole: false,
  });
  await until(() => Promise.resolve(seen()), Boolean);
  await announce(b, hash, 2);
  await until(
    () => look(a, hash),
    ({ incomplete }) => incomplete === 2,
  );
  jest.restoreAllMocks();
});
