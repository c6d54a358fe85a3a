/**
 * Who breaks the ring's rules, with its secret or without: forged .torrent files, stamps of the future,
 * messages and beacons said again, too much of everything, frames beyond the bound. All of it is refused,
 * memory stays bounded, and the ring goes on.
 */
import { readFile } from 'node:fs/promises';
import { createHash, randomBytes } from 'node:crypto';
import { BeaconRecorder } from './harness/beacon-recorder';
import { bytesOf } from './harness/content';
import { eventually } from './harness/eventually';
import type { Node } from './harness/node';
import {
  frameOf,
  lengthOf,
  RingIntruder,
  type Entrance,
} from './harness/ring-intruder';
import { Scene } from './harness/scene';

const secret = 'a secret of enough characters';
const MiB = 1 << 20;
const maxFrame = 2 * MiB;
/** What the attacks together may add to a node's memory at its peak, MiB. */
const memoryAllowed = 300;

let scene: Scene;
let nodes: Node[];
let a: Node;
let peakBefore: number;
const inside: RingIntruder[] = [];

beforeAll(async () => {
  scene = await Scene.open('ring-intruders');
  nodes = await scene.startRing(['a', 'b', 'c'], { secret });
  [a] = nodes;
  await ringGoesOn();
  peakBefore = await peakOf(a);
}, 180_000);
afterAll(async () => {
  for (const intruder of inside) intruder.close();
  await scene.close();
});

afterEach(ringGoesOn);

/** MiB that a process has had in memory at most. */
async function peakOf(node: Node): Promise<number> {
  const status = await readFile(`/proc/${node.process.pid}/status`, 'utf8');
  return Number(/VmHWM:\s*(\d+)/.exec(status)?.[1]) / 1024;
}

let count = 0;
async function ringGoesOn(): Promise<void> {
  const alive = nodes.filter((node) => node.alive);
  for (const node of alive) await node.seesRingOf(alive.length);
  const { infoHash, replicas } = await a.api.publish({
    files: { [`${++count}.bin`]: bytesOf(`still here ${count}`, 10_000) },
  });
  expect(replicas.stored).toBeGreaterThanOrEqual(2);
  await alive.at(-1)?.fetch(infoHash);
}

const entrance = (): Entrance => ({
  port: a.ports.ring,
  secret,
  ring: scene.ring,
});

async function enter(): Promise<RingIntruder> {
  const intruder = await RingIntruder.enter(entrance());
  inside.push(intruder);
  return intruder;
}

const self = {
  id: randomBytes(20).toString('hex'),
  host: '127.0.0.1',
  port: 1,
  incarnation: 1,
};

/** As a member of the ring says it. */
const told = (body: object): unknown => ({
  ring: scene.ring,
  from: self,
  message: { ...body, clock: Date.now(), agreed: true, sent: 1 },
});

const stampOf = (time: number): string =>
  `${time.toString(16).padStart(12, '0')}0000${self.id}`;

const sha1 = (value: Uint8Array): string =>
  createHash('sha1').update(value).digest('hex');

function recordOf(
  kind: string,
  item: string,
  time: number,
  value?: Uint8Array,
): Record<string, unknown> {
  const digest = value ? sha1(value) : '';
  const size = value?.length ?? 0;
  const stamp = stampOf(time);
  return { kind, place: item, item, stamp, digest, size, value };
}

describe('with the secret', () => {
  it('a .torrent that does not hash to its key is not kept', async () => {
    const { infoHash } = await a.api.publish({
      files: { 'true.bin': bytesOf('true', 10_000) },
    });
    const value = await a.api.torrent(infoHash);
    const forged = randomBytes(20).toString('hex');
    const intruder = await enter();
    const items = [recordOf('torrent', forged, Date.now(), value)];
    expect(
      await intruder.ask('ring.records', told({ type: 'store', items })),
    ).toMatchObject({ type: 'stored', codes: ['invalid'] });
    for (const node of nodes) {
      const path = `/api/catalogue/${forged}/torrent`;
      expect((await node.api.ask('GET', path)).status).toBe(404);
    }
  });

  it('a version that was overtaken changes nothing, and none comes from the future', async () => {
    const item = randomBytes(20).toString('hex');
    const intruder = await enter();
    const store = async (record: object): Promise<unknown> =>
      intruder.ask('ring.records', told({ type: 'store', items: [record] }));
    const now = Date.now();
    const old = recordOf('name', item, now - 1_000, Buffer.from('old'));
    expect(await store(recordOf('name', item, now))).toMatchObject({
      codes: ['ok'],
    });
    expect(await store(old)).toMatchObject({ codes: ['older'] });
    const future = recordOf('name', item, now + 3_600_000);
    expect(await store({ ...future, item: 'other' })).toMatchObject({
      codes: ['clock'],
    });
  });

  it('more than its share is refused', async () => {
    const intruder = await enter();
    // 320 MiB may come from one node at once, by the sizes that it names.
    const items = Array.from({ length: 31 }, () => ({
      ...recordOf('torrent', randomBytes(20).toString('hex'), 1, Buffer.of(1)),
      size: 10 * MiB,
      value: undefined,
    }));
    const store = told({ type: 'store', items });
    const answers = await Promise.all([
      intruder.ask('ring.records', store),
      intruder.ask('ring.records', store),
    ]);
    // It has none of what it offers.
    expect(answers).toMatchObject([
      { type: 'stored', codes: items.map(() => 'failed') },
      { type: 'refused', code: 'busy' },
    ]);
  });

  it.each([
    ['a frame of more than the bound', lengthOf(maxFrame + 1)],
    ['a frame of four gigabytes', lengthOf(0xffff_ffff)],
    ['junk', Buffer.concat([lengthOf(1_000), randomBytes(1_000).fill(0x81)])],
  ])('%s ends its connection', async (_what, bytes) => {
    const intruder = await enter();
    intruder.say(bytes);
    await intruder.ended;
  });

  it('what is no message of the ring has no answer but null, an error at most', async () => {
    const intruder = await enter();
    for (const pattern of ['ring.chord', 'ring.records'])
      for (const data of [
        null,
        7,
        'x',
        [],
        {},
        { ring: scene.ring, from: self },
        told({}),
      ])
        expect((await intruder.ask(pattern, data)) ?? null).toBe(null);
    // The seams do not answer here.
    expect(await intruder.ask('dht.ring', [])).toBeUndefined();
  });

  it('unfinished frames of many connections do not add up', async () => {
    const part = Buffer.concat([
      lengthOf(maxFrame),
      Buffer.alloc(maxFrame - 1),
    ]);
    const many = await Promise.all(Array.from({ length: 48 }, enter));
    for (const intruder of many) intruder.say(part);
    await Promise.race(many.map(({ ended }) => ended));
  });
});

it('without the secret nobody is let in, however often it is tried', async () => {
  const wrong = { ...entrance(), secret: 'another secret altogether' };
  const plain = { port: a.ports.ring, ring: scene.ring };
  for (let i = 0; i < 10; i++) {
    const some = await Promise.all(
      [...Array(20)].map(() => RingIntruder.enter(i % 2 ? wrong : plain)),
    );
    for (const intruder of some)
      intruder.say(frameOf({ pattern: 'ring.chord', data: told({}), id: '1' }));
    await Promise.all(some.map(({ ended }) => ended));
  }
  const complaints = a.process.lines.filter((line) => /refused/.test(line));
  expect(complaints.length).toBeLessThanOrEqual(2);
});

it('the memory of the node is bounded all the while', async () => {
  expect((await peakOf(a)) - peakBefore).toBeLessThan(memoryAllowed);
});

it('beacons of a node that died, said again, do not bring it back', async () => {
  const recorder = await BeaconRecorder.listen(scene.multicast);
  scene.atEnd(() => recorder.close());
  const victim = nodes[2];
  const { id } = (await victim.api.ring()).self;
  await eventually('it has been heard', () => recorder.of(id).length >= 3);
  await victim.kill();
  const rest = nodes.filter((node) => node !== victim);
  for (const node of rest) await node.seesRingOf(2);
  const old = recorder.of(id);
  const returns = (): number =>
    rest
      .flatMap(({ process }) => process.lines)
      .filter((l) => /returned/.test(l)).length;
  const before = returns();
  for (let i = 0; i < 100; i++) {
    await recorder.say(old[i % old.length]);
    const { nodes: seen } = await rest[i % 2].api.ring();
    expect(seen.find((node) => node.id === id)?.state).not.toBe('alive');
  }
  expect(returns()).toBe(before);
  await victim.start();
  await ringGoesOn();
}, 120_000);
