/**
 * What a node that downloads says to peers of every kind, over real sockets. The ids are those of the
 * table of peer behaviours; `seed-behaviours` has the other half.
 */
import { decodePrefix, type BencodeValue } from '@dnd/bencode';
import { bytesOf, sha256 } from './harness/content';
import { eventually } from './harness/eventually';
import {
  extended,
  frame,
  HandListener,
  HandPeer,
  HandTorrent,
  hello,
  Id,
  ourExtensions,
  ourMetadataId,
  type Frame,
  type Hello,
} from './harness/hand-peer';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

const pieceLength = 32_768;
const block = 16_384;

let scene: Scene;
let node: Node;
beforeAll(async () => {
  scene = await Scene.open('leech-behaviours');
  node = await scene.start('leech', { multicast: 'off' });
}, 120_000);
afterAll(() => scene.close());

const listeners: HandListener[] = [];
const dialled: HandPeer[] = [];
afterEach(async () => {
  for (const listener of listeners.splice(0)) listener.close();
  for (const peer of dialled.splice(0)) peer.end();
  expect(node.process.ended).toBeUndefined();
  const { items } = await node.api.call<{ items: { id: string }[] }>(
    'GET',
    '/api/downloads',
  );
  for (const { id } of items)
    await node.api.ask('DELETE', `/api/downloads/${id}?data=true`);
});

let made = 0;
const newTorrent = (
  pieces = 4,
  more: Record<string, number> = {},
): HandTorrent => {
  const name = `leeched ${made++}.bin`;
  return new HandTorrent(
    name,
    bytesOf(name, pieces * pieceLength - 100),
    pieceLength,
    more,
  );
};

async function add(torrent: HandTorrent): Promise<void> {
  expect((await node.api.askWithTorrent(torrent.torrent)).status).toBe(201);
  await node.reaches(torrent.infoHash, 'downloading');
}

interface Seed {
  /** Where the node dials it. */
  readonly address: string;
  readonly peer: HandPeer;
  /** The requests that are asked and neither answered nor cancelled. */
  requests(): string[];
}

/** One that the node dials; its handshake is answered, and what it says it has. */
async function seedOf(
  torrent: HandTorrent,
  options: Partial<Hello> = {},
  has: Buffer = frame(Id.haveAll),
  more = ourExtensions,
): Promise<Seed> {
  const listener = await HandListener.listen();
  listeners.push(listener);
  await node.api.call('PATCH', `/api/downloads/${torrent.infoHash}`, {
    json: { peers: [listener.address] },
  });
  const peer = await listener.accepted();
  peer.say(
    hello({
      infoHash: torrent.infoHash,
      fast: true,
      extensions: true,
      ...options,
    }),
    has,
    ...(options.extensions === false ? [] : [more]),
  );
  return {
    address: listener.address,
    peer,
    requests: () =>
      peer.frames.filter(({ id }) => id === Id.request).map(placeOf),
  };
}

const placeOf = ({ payload }: Frame): string =>
  [0, 4, 8].map((at) => payload.readUInt32BE(at)).join(' ');
const bitfield = (torrent: HandTorrent): Buffer => {
  const field = Buffer.alloc(Math.ceil(torrent.pieceCount / 8));
  for (let piece = 0; piece < torrent.pieceCount; piece++)
    field[piece >> 3] |= 0x80 >> (piece & 7);
  return frame(Id.bitfield, field);
};

/** Answers everything, `spoil`ed where that says so. */
function serve(
  { peer }: Seed,
  torrent: HandTorrent,
  spoil: (answer: Buffer, request: Frame) => Buffer | undefined = (answer) =>
    answer,
): void {
  let at = 0;
  const answer = (): void => {
    for (; at < peer.frames.length; at++) {
      const each = peer.frames[at];
      if (each.id !== Id.request) continue;
      const bytes = spoil(torrent.piece(each), each);
      if (bytes) peer.say(bytes);
    }
  };
  peer.socket.on('data', answer);
  answer();
}

async function expectWhole({ infoHash, content }: HandTorrent): Promise<void> {
  await node.reaches(infoHash, 'seeding', 60_000);
  const { items } = await node.api.files(infoHash);
  const { bytes } = await node.api.ask('GET', items[0].url);
  expect(sha256(bytes)).toBe(sha256(content));
}

/** Every piece comes right from the node to somebody else. */
async function expectServed(torrent: HandTorrent): Promise<void> {
  const { content, pieceCount, infoHash } = torrent;
  const peer = await other(torrent);
  for (let index = 0; index < pieceCount; index++) {
    const size = Math.min(pieceLength, content.length - index * pieceLength);
    const parts: Buffer[] = [];
    for (let begin = 0; begin < size; begin += block) {
      const length = Math.min(block, size - begin);
      peer.say(frame(Id.request, index, begin, length));
      const { payload } = await peer.next(Id.piece);
      expect(payload.readUInt32BE(4)).toBe(begin);
      parts.push(payload.subarray(8));
    }
    expect([infoHash, index, sha256(Buffer.concat(parts))]).toEqual([
      infoHash,
      index,
      sha256(torrent.block(index, 0, size)),
    ]);
  }
}

/** Somebody else who asks the node for what it has. */
async function other(torrent: HandTorrent): Promise<HandPeer> {
  const peer = await HandPeer.meet(node.ports.peer, {
    infoHash: torrent.infoHash,
    fast: true,
    extensions: true,
  });
  dialled.push(peer);
  peer.say(frame(Id.haveNone), ourExtensions, frame(Id.interested));
  await peer.next(Id.unchoke);
  return peer;
}

describe('a node that downloads', () => {
  it('H11: closes on an answer for another torrent', async () => {
    const torrent = newTorrent();
    await add(torrent);
    const { peer } = await seedOf(torrent, { infoHash: 'ab'.repeat(20) });
    await peer.closed;
  });

  it('H13: dials few at a time', async () => {
    const torrent = newTorrent();
    await add(torrent);
    const listener = await HandListener.listen('0.0.0.0');
    listeners.push(listener);
    const peers = Array.from(
      { length: 90 },
      (_, i) => `127.0.0.${i + 2}:${listener.port}`,
    );
    await node.api.call('PATCH', `/api/downloads/${torrent.infoHash}`, {
      json: { peers },
    });
    for (let i = 0; i < 40; i++) await listener.accepted();
    expect(listener.peers.filter(({ isClosed }) => !isClosed)).toHaveLength(40);
    // A place that is free again is given to another.
    listener.peers[0].end();
    await listener.accepted();
    const open = listener.peers.filter(({ isClosed }) => !isClosed);
    expect(open.length).toBeLessThanOrEqual(40);
  });

  it('H8: and on itself at the other end', async () => {
    const torrent = newTorrent();
    await add(torrent);
    const probe = await HandPeer.meet(node.ports.peer, {
      infoHash: torrent.infoHash,
    });
    const { peer } = await seedOf(torrent, { peerId: probe.peerId });
    await peer.closed;
    probe.end();
  });

  it('D1, D2, D3: is interested by a later have, asks nothing while choked, then aligned blocks, several at once, each once', async () => {
    const torrent = newTorrent();
    await add(torrent);
    const seed = await seedOf(torrent, {}, frame(Id.haveNone));
    await seed.peer.settled();
    expect(
      seed.peer.frames.filter(
        ({ id }) => id === Id.interested || id === Id.request,
      ),
    ).toEqual([]);
    seed.peer.say(frame(Id.have, 2));
    await seed.peer.next(Id.interested);
    await seed.peer.settled();
    expect(seed.requests()).toEqual([]);
    seed.peer.say(frame(Id.unchoke));
    await seed.peer.until(() => seed.requests().length === 2);
    expect(seed.requests().sort()).toEqual([
      `2 0 ${block}`,
      `2 ${block} ${block}`,
    ]);
    seed.peer.say(frame(Id.haveAll));
    serve(seed, torrent);
    await expectWhole(torrent);
    const last = torrent.pieceCount - 1;
    expect(new Set(seed.requests()).size).toBe(seed.requests().length);
    expect(seed.requests()).toContain(`${last} ${block} ${block - 100}`);
  });

  it('D2: asks allowed-fast pieces though it is choked', async () => {
    const torrent = newTorrent();
    await add(torrent);
    const seed = await seedOf(torrent);
    seed.peer.say(frame(Id.allowedFast, 1));
    await seed.peer.until(() => seed.requests().length >= 2);
    expect(seed.requests().every((place) => place.startsWith('1 '))).toBe(true);
  });

  it('D4: never more at once than the reqq of the other', async () => {
    const torrent = newTorrent(8);
    await add(torrent);
    const more = extended(0, { m: { ut_metadata: ourMetadataId }, reqq: 3 });
    const seed = await seedOf(torrent, {}, frame(Id.haveAll), more);
    await seed.peer.settled();
    let most = 0;
    let answered = 0;
    serve(seed, torrent, (answer) => {
      most = Math.max(most, seed.requests().length - answered);
      answered++;
      return answer;
    });
    seed.peer.say(frame(Id.unchoke));
    await expectWhole(torrent);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('D5: asks anew after choke and unchoke without the fast extension', async () => {
    const torrent = newTorrent();
    await add(torrent);
    const seed = await seedOf(torrent, { fast: false }, bitfield(torrent));
    seed.peer.say(frame(Id.unchoke));
    await seed.peer.until(() => seed.requests().length > 0);
    const before = seed.requests().length;
    seed.peer.say(frame(Id.choke), frame(Id.unchoke));
    await seed.peer.until(() => seed.requests().length > before);
    serve(seed, torrent);
    await expectWhole(torrent);
  });

  it('D6: makes no storm of one who rejects everything', async () => {
    const torrent = newTorrent();
    await add(torrent);
    const seed = await seedOf(torrent);
    serve(seed, torrent, (_answer, { payload }) => frame(Id.reject, payload));
    seed.peer.say(frame(Id.unchoke));
    await seed.peer.until(() => seed.requests().length > 0);
    const good = await seedOf(torrent);
    serve(good, torrent);
    good.peer.say(frame(Id.unchoke));
    await expectWhole(torrent);
    expect(seed.requests().length).toBeLessThan(100);
  });

  it('D7: a piece that fails its hash is not announced, its only source is let go, another is asked', async () => {
    const torrent = newTorrent(1);
    await add(torrent);
    const seed = await seedOf(torrent);
    serve(seed, torrent, (answer) => answer.fill(0xee, 20, 30));
    const watcher = await other(torrent);
    seed.peer.say(frame(Id.unchoke));
    await seed.peer.closed;
    expect(watcher.frames.filter(({ id }) => id === Id.have)).toEqual([]);
    const good = await seedOf(torrent);
    serve(good, torrent);
    good.peer.say(frame(Id.unchoke));
    await expectWhole(torrent);
    await watcher.next(Id.have);
  });

  it('D8: of two sources of a bad piece only the liar is let go', async () => {
    const torrent = newTorrent(1);
    await add(torrent);
    const [liar, honest] = [await seedOf(torrent), await seedOf(torrent)];
    let held = 0;
    // Each is asked for a part: the liar answers its first request only.
    serve(liar, torrent, (answer) =>
      held++ === 0 ? answer.fill(0xee, 20, 30) : undefined,
    );
    serve(honest, torrent);
    liar.peer.say(frame(Id.unchoke));
    await liar.peer.until(() => liar.requests().length > 0);
    honest.peer.say(frame(Id.unchoke));
    await expectWhole(torrent);
    expect(liar.peer.isClosed).toBe(true);
    const { items } = await node.api.call<{
      items: { kind: string; detail: string }[];
    }>('GET', `/api/downloads/${torrent.infoHash}/log`);
    const banned = items.filter(({ kind }) => kind === 'banned');
    expect(banned.map(({ detail }) => detail)).toEqual([liar.address]);
  }, 90_000);

  it('D9: blocks of another length, twice and unasked never count', async () => {
    const torrent = newTorrent();
    await add(torrent);
    const seed = await seedOf(torrent);
    let turn = 0;
    serve(seed, torrent, (answer, { payload }) => {
      const [index, begin] = [payload.readUInt32BE(0), payload.readUInt32BE(4)];
      switch (turn++) {
        case 0:
          return Buffer.concat([
            frame(Id.piece, index, begin, Buffer.alloc(100, 1)),
            answer,
            answer,
          ]);
        case 1:
          return Buffer.concat([
            frame(Id.piece, 3, 5, Buffer.alloc(50, 1)),
            frame(Id.piece, index, begin),
            answer,
          ]);
        default:
          return answer;
      }
    });
    seed.peer.say(frame(Id.unchoke));
    await Promise.race([seed.peer.closed, expectWhole(torrent)]);
    if (seed.peer.isClosed) {
      const good = await seedOf(torrent);
      serve(good, torrent);
      good.peer.say(frame(Id.unchoke));
    }
    await expectWhole(torrent);
  });

  it('D10, D11, D12: what one stalls or dribbles is asked of another, and it completes', async () => {
    const torrent = newTorrent();
    await add(torrent);
    const [stalling, dribbling] = [
      await seedOf(torrent),
      await seedOf(torrent),
    ];
    for (const { peer } of [stalling, dribbling]) peer.say(frame(Id.unchoke));
    await Promise.all(
      [stalling, dribbling].map((each) =>
        each.peer.until(() => each.requests().length > 0),
      ),
    );
    const first = dribbling.peer.frames.find(
      ({ id }) => id === Id.request,
    ) as Frame;
    const answer = torrent.piece(first);
    let at = 0;
    const drip = setInterval(
      () => dribbling.peer.say(answer.subarray(at, ++at)),
      1_000,
    );
    const good = await seedOf(torrent);
    serve(good, torrent);
    good.peer.say(frame(Id.unchoke));
    await expectWhole(torrent);
    clearInterval(drip);
    await expectServed(torrent);
  }, 90_000);

  it('D13: a good piece is told to others and served while the rest is still coming; missing ones are refused', async () => {
    const torrent = newTorrent();
    await add(torrent);
    const seed = await seedOf(
      torrent,
      {},
      frame(Id.bitfield, Buffer.from([0x80])),
    );
    serve(seed, torrent);
    const watcher = await other(torrent);
    seed.peer.say(frame(Id.unchoke));
    const { payload } = await watcher.next(Id.have);
    expect(payload.readUInt32BE(0)).toBe(0);
    watcher.say(frame(Id.request, 0, 7, 1_000), frame(Id.request, 1, 0, block));
    const answers = [Id.piece, Id.reject].map(
      (id) => (): Frame | undefined =>
        watcher.frames.find((each) => each.id === id),
    );
    await watcher.until(() => answers.every((answer) => answer()));
    const served = answers[0]()?.payload.subarray(8);
    expect(served?.equals(torrent.block(0, 7, 1_000))).toBe(true);
  });

  it('E17: what a peer has lost is not asked of it any more', async () => {
    const torrent = newTorrent();
    await add(torrent);
    const seed = await seedOf(torrent);
    const id = (await seed.peer.theirs()).m.get('lt_donthave') as number;
    seed.peer.say(extended(id, Buffer.from([0, 0, 0, 1])), frame(Id.unchoke));
    serve(seed, torrent);
    await eventually(
      'the rest is there',
      async () =>
        (await node.api.download(torrent.infoHash)).completedBytes ===
        torrent.content.length - pieceLength,
    );
    expect(seed.requests().filter((place) => place.startsWith('1 '))).toEqual(
      [],
    );
  });

  it('D15: a private torrent tells and hears nothing by peer exchange', async () => {
    const torrent = newTorrent(4, { private: 1 });
    await add(torrent);
    const { peer } = await seedOf(torrent);
    expect((await peer.theirs()).m.has('ut_pex')).toBe(false);
    const path = `/api/downloads/${torrent.infoHash}/trackers`;
    const { items } = await node.api.call<{
      items: { kind: string; state: string }[];
    }>('GET', path);
    for (const kind of ['lsd', 'pex', 'dht', 'ring'])
      expect(items.find((each) => each.kind === kind)).toMatchObject({
        state: 'off',
      });
  });
});

describe('a node that has only a magnet link', () => {
  const metadataOf = ({ payload }: Frame): Map<string, BencodeValue> =>
    decodePrefix(payload.subarray(1)).value as Map<string, BencodeValue>;
  const asksMetadata = ({ id, payload }: Frame): boolean =>
    id === Id.extended &&
    payload[0] === ourMetadataId &&
    metadataOf({ id, payload }).get('msg_type') === 0;

  const addMagnet = (torrent: HandTorrent): Promise<unknown> =>
    node.api.add({ magnet: `magnet:?xt=urn:btih:${torrent.infoHash}` });
  const offer = (size: number | bigint | string): Buffer =>
    extended(0, { m: { ut_metadata: ourMetadataId }, metadata_size: size });
  const metadata = async ({ peer }: Seed, info: Buffer): Promise<Buffer> =>
    extended(
      (await peer.theirs()).m.get('ut_metadata') as number,
      { msg_type: 1, piece: 0, total_size: info.length },
      info,
    );

  it('E9: rejects requests for it and tells no size', async () => {
    const torrent = newTorrent();
    await addMagnet(torrent);
    const peer = await HandPeer.meet(node.ports.peer, {
      infoHash: torrent.infoHash,
      extensions: true,
    });
    dialled.push(peer);
    peer.say(ourExtensions);
    expect((await peer.theirs()).all.has('metadata_size')).toBe(false);
    peer.say(
      extended((await peer.theirs()).m.get('ut_metadata') as number, {
        msg_type: 0,
        piece: 0,
      }),
    );
    const answer = await peer.next(
      ({ id, payload }) => id === Id.extended && payload[0] === ourMetadataId,
    );
    expect(Object.fromEntries(metadataOf(answer))).toEqual({
      msg_type: 2,
      piece: 0,
    });
  });

  it('D15: lets go of peers that the link of a private torrent names, and keeps who was given by hand', async () => {
    const torrent = newTorrent(4, { private: 1 });
    const named = await HandListener.listen();
    listeners.push(named);
    const link = `magnet:?xt=urn:btih:${torrent.infoHash}`;
    await node.api.add({ magnet: `${link}&x.pe=${named.address}` });
    const given = await seedOf(torrent);
    await given.peer.settled();
    const peer = await named.accepted();
    peer.say(
      hello({ infoHash: torrent.infoHash, fast: true, extensions: true }),
      frame(Id.haveAll),
      offer(torrent.info.length),
    );
    await peer.next(asksMetadata);
    const id = (await peer.theirs()).m.get('ut_metadata') as number;
    const { length } = torrent.info;
    const data = { msg_type: 1, piece: 0, total_size: length };
    peer.say(extended(id, data, torrent.info));
    await peer.closed;
    const { items } = await node.api.call<{
      items: { kind: string; peers: number }[];
    }>('GET', `/api/downloads/${torrent.infoHash}/trackers`);
    expect(items.find(({ kind }) => kind === 'manual')?.peers).toBe(1);
    serve(given, torrent);
    given.peer.say(frame(Id.unchoke));
    await expectWhole(torrent);
    expect(listeners.map(({ peers }) => peers.length)).toEqual([1, 1]);
  });

  it('E10, E11, E12, E13: absurd sizes, rejects and false metadata keep the right one out from nobody', async () => {
    const torrent = newTorrent();
    await addMagnet(torrent);
    for (const size of [0, -1, 2 ** 31, 2 ** 40, 1e9, 'big'])
      await seedOf(torrent, {}, frame(Id.haveAll), offer(size));
    const rejecting = await seedOf(
      torrent,
      {},
      frame(Id.haveAll),
      offer(torrent.info.length),
    );
    const first = await rejecting.peer.next(asksMetadata);
    const id = (await rejecting.peer.theirs()).m.get('ut_metadata') as number;
    rejecting.peer.say(
      extended(id, {
        msg_type: 2,
        piece: metadataOf(first).get('piece') as number,
      }),
    );
    const lying = await seedOf(
      torrent,
      {},
      frame(Id.haveAll),
      offer(torrent.info.length),
    );
    await lying.peer.next(asksMetadata);
    const false_ = Buffer.from(torrent.info);
    false_[false_.length - 3] ^= 1;
    lying.peer.say(await metadata(lying, false_));
    await lying.peer.closed;
    const good = await seedOf(
      torrent,
      {},
      frame(Id.haveAll),
      offer(torrent.info.length),
    );
    serve(good, torrent);
    await good.peer.next(asksMetadata);
    good.peer.say(await metadata(good, torrent.info), frame(Id.unchoke));
    await expectWhole(torrent);
    expect(rejecting.peer.frames.filter(asksMetadata).length).toBeLessThan(20);
  }, 60_000);
});
