/**
 * Rate limits over real sockets. However slow the machine is, a limit lets no more bytes through than it
 * allows in the time that passed, which is what is compared; and whoever is exempt gets in this test what
 * the limit would take days for.
 */
import { bytesOf } from './harness/content';
import { eventually } from './harness/eventually';
import {
  frame,
  HandListener,
  HandPeer,
  HandTorrent,
  hello,
  Id,
} from './harness/hand-peer';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

const pieceLength = 65_536;
const block = 16_384;
/** Bytes per second. */
const rate = 800_000;
const size = 12 * pieceLength;

let scene: Scene;
let node: Node;
beforeAll(async () => {
  scene = await Scene.open('limits');
  node = await scene.start('node', { multicast: 'off' });
}, 120_000);
afterAll(() => scene.close());

const peers: HandPeer[] = [];
const listeners: HandListener[] = [];
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.end();
  for (const listener of listeners.splice(0)) listener.close();
  await node.api.settings({
    downloadLimit: 0,
    uploadLimit: 0,
    limitLocal: true,
  });
});

/** The most that a limit lets through in this time: a tenth of a second's worth is there at once, and the last block may overdraw it. */
const allowed = (bytesPerSecond: number, milliseconds: number): number =>
  bytesPerSecond * (milliseconds / 1_000 + 0.1) + block;

let made = 0;
const newTorrent = (): HandTorrent => {
  const name = `limited ${made++}.bin`;
  return new HandTorrent(name, bytesOf(name, size), pieceLength);
};

const limit = (torrent: HandTorrent, json: object): Promise<unknown> =>
  node.api.call('PATCH', `/api/downloads/${torrent.infoHash}`, { json });

/** A torrent that the node has. */
async function seeded(): Promise<HandTorrent> {
  const torrent = newTorrent();
  const { infoHash } = await node.api.publish({
    fields: { format: 'v1', pieceLength: String(pieceLength) },
    files: { [`limited ${made - 1}.bin`]: torrent.content },
  });
  expect(infoHash).toBe(torrent.infoHash);
  return torrent;
}

interface Flow {
  /** Bytes so far. */
  bytes(): number;
  readonly began: number;
  /** Everything has come. */
  readonly whole: Promise<unknown>;
}

/** Somebody who asks the node for all of a torrent. */
async function asker({ infoHash }: HandTorrent): Promise<Flow> {
  const peer = await HandPeer.meet(node.ports.peer, { infoHash, fast: true });
  peers.push(peer);
  peer.say(frame(Id.haveNone), frame(Id.interested));
  await peer.next(Id.unchoke);
  const began = performance.now();
  for (let at = 0; at < size; at += block) {
    const [index, begin] = [Math.floor(at / pieceLength), at % pieceLength];
    peer.say(frame(Id.request, index, begin, block));
  }
  const bytes = (): number =>
    peer.frames.reduce(
      (sum, { id, payload }) =>
        sum + (id === Id.piece ? payload.length - 8 : 0),
      0,
    );
  return { bytes, began, whole: peer.until(() => bytes() === size) };
}

/** Somebody of whom the node downloads, and who answers at once. */
async function giver(torrent: HandTorrent, limits: object = {}): Promise<Flow> {
  const { infoHash } = torrent;
  expect((await node.api.askWithTorrent(torrent.torrent)).status).toBe(201);
  await limit(torrent, limits);
  const listener = await HandListener.listen();
  listeners.push(listener);
  const began = performance.now();
  await limit(torrent, { peers: [listener.address] });
  const peer = await listener.accepted();
  peer.say(hello({ infoHash, fast: true }), frame(Id.haveAll));
  let at = 0;
  let asked = 0;
  peer.socket.on('data', () => {
    for (; at < peer.frames.length; at++) {
      const each = peer.frames[at];
      if (each.id !== Id.request) continue;
      asked += each.payload.readUInt32BE(8);
      peer.say(torrent.piece(each));
    }
  });
  peer.say(frame(Id.unchoke));
  return {
    bytes: () => asked,
    began,
    whole: node.reaches(infoHash, 'seeding', 60_000),
  };
}

/** Once the first is through, all of these together have had no more than the limit allows. */
async function expectHeld(flows: readonly Flow[]): Promise<void> {
  const began = Math.min(...flows.map((flow) => flow.began));
  await Promise.race(flows.map(({ whole }) => whole));
  const bytes = flows.reduce((sum, flow) => sum + flow.bytes(), 0);
  expect(bytes).toBeLessThanOrEqual(allowed(rate, performance.now() - began));
}

it('of all torrents together, what is sent', async () => {
  const torrents = [await seeded(), await seeded()];
  await node.api.settings({ uploadLimit: rate });
  await expectHeld(await Promise.all(torrents.map(asker)));
});

it('of all torrents together, what is received', async () => {
  await node.api.settings({ downloadLimit: rate });
  await expectHeld(
    await Promise.all([giver(newTorrent()), giver(newTorrent())]),
  );
});

it('of one torrent, what is sent; others are not held', async () => {
  const [held, free] = [await seeded(), await seeded()];
  await limit(held, { uploadLimit: rate });
  const slow = await asker(held);
  const fast = await asker(free);
  await fast.whole;
  const passed = performance.now() - slow.began;
  expect(slow.bytes()).toBeLessThanOrEqual(allowed(rate, passed));
  await expectHeld([slow]);
  await limit(held, { uploadLimit: 0 });
  await (
    await asker(held)
  ).whole;
});

it('of one torrent, what is received; others are not held', async () => {
  const slow = await giver(newTorrent(), { downloadLimit: rate });
  const fast = await giver(newTorrent());
  await fast.whole;
  const passed = performance.now() - slow.began;
  expect(slow.bytes()).toBeLessThanOrEqual(allowed(rate, passed));
  await expectHeld([slow]);
});

describe('not of peers nearby, if so set', () => {
  /** Bytes per second: days for one of these torrents. */
  const crawl = 1;

  it('from the beginning', async () => {
    await node.api.settings({
      downloadLimit: crawl,
      uploadLimit: crawl,
      limitLocal: false,
    });
    const torrent = await seeded();
    await limit(torrent, { uploadLimit: crawl });
    await (
      await asker(torrent)
    ).whole;
    await (
      await giver(newTorrent(), { downloadLimit: crawl })
    ).whole;
  });

  it('from the moment on that it is set, also those that are connected', async () => {
    await node.api.settings({ downloadLimit: crawl, uploadLimit: crawl });
    const torrent = await seeded();
    const flows = [await asker(torrent), await giver(newTorrent())];
    for (const flow of flows) {
      await eventually('a block is let through', () => flow.bytes() > 0);
      expect(flow.bytes()).toBeLessThanOrEqual(
        allowed(crawl, performance.now() - flow.began),
      );
    }
    await node.api.settings({ limitLocal: false });
    await Promise.all(flows.map(({ whole }) => whole));
  });
});
