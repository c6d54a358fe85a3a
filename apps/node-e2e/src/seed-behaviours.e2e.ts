/**
 * What peers of every kind get of a node that seeds, over real sockets. The ids are those of the table
 * of peer behaviours; `leech-behaviours` has the other half, the specs of libs/wire and libs/swarm what
 * needs minutes of time or a cipher at both ends.
 */
import { decodePrefix, type BencodeValue } from '@dnd/bencode';
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { bytesOf } from './harness/content';
import { eventually } from './harness/eventually';
import {
  extended,
  frame,
  HandPeer,
  HandTorrent,
  hello,
  Id,
  newPeerId,
  ourExtensions,
  ourMetadataId,
  type Frame,
  type Hello,
} from './harness/hand-peer';
import { junk } from './harness/hostile-peer';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

const pieceLength = 32_768;
const block = 16_384;
const mebibyte = 1 << 20;
const torrent = new HandTorrent(
  'seeded.bin',
  bytesOf('seeded', 10 * pieceLength + 100),
  pieceLength,
);
const { infoHash, pieceCount } = torrent;
const last = pieceCount - 1;

let scene: Scene;
let node: Node;
let hybrid: string;
beforeAll(async () => {
  scene = await Scene.open('seed-behaviours');
  node = await scene.start('seed', { multicast: 'off' });
  const made = await node.api.publish({
    fields: { pieceLength: String(pieceLength), format: 'v1' },
    files: { 'seeded.bin': torrent.content },
  });
  expect(made.infoHash).toBe(infoHash);
  ({ infoHash: hybrid } = await node.api.publish({
    fields: { pieceLength: String(pieceLength), format: 'hybrid' },
    files: { 'hybrid.bin': torrent.content },
  }));
}, 120_000);
afterAll(() => scene.close());

const peers: HandPeer[] = [];
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.end();
  expect(node.process.ended).toBeUndefined();
  (await meet()).end();
});

const dial = (): HandPeer => {
  const peer = HandPeer.dial(node.ports.peer);
  peers.push(peer);
  return peer;
};

async function meet(options: Partial<Hello> = {}): Promise<HandPeer> {
  const peer = await HandPeer.meet(node.ports.peer, {
    infoHash,
    fast: true,
    extensions: true,
    ...options,
  });
  peers.push(peer);
  if (options.extensions !== false) peer.say(ourExtensions);
  return peer;
}

/** One that may ask. */
async function unchoked(options: Partial<Hello> = {}): Promise<HandPeer> {
  const peer = await meet(options);
  peer.say(frame(Id.interested));
  await peer.next(Id.unchoke);
  return peer;
}

const isAnswer = ({ id }: Frame): boolean =>
  id === Id.piece || id === Id.reject;
const request = (index: number, begin: number, length: number): Buffer =>
  frame(Id.request, index, begin, length);

async function expectBlock(
  peer: HandPeer,
  index: number,
  begin: number,
  length: number,
): Promise<void> {
  const { payload } = await peer
    .say(request(index, begin, length))
    .next(Id.piece);
  expect([payload.readUInt32BE(0), payload.readUInt32BE(4)]).toEqual([
    index,
    begin,
  ]);
  expect(payload.subarray(8).equals(torrent.block(index, begin, length))).toBe(
    true,
  );
}

/** BEP 6 in its own words, for 127.0.0.1. */
function canonicalFastSet(): number[] {
  const set = new Set<number>();
  let x = Buffer.concat([
    Buffer.from([127, 0, 0, 0]),
    Buffer.from(infoHash, 'hex'),
  ]);
  while (set.size < Math.min(10, pieceCount)) {
    x = createHash('sha1').update(x).digest();
    for (let at = 0; at < 20; at += 4) set.add(x.readUInt32BE(at) % pieceCount);
  }
  return [...set];
}

/** Bytes of the node that lie in memory. */
const memory = (): number => {
  const status = readFileSync(`/proc/${node.process.pid}/status`, 'utf8');
  return 1_024 * Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]);
};

/** Descriptors of the node: files, sockets, timers of the system. */
const openFiles = (): number =>
  readdirSync(`/proc/${node.process.pid}/fd`).length;

const metadataMessages = (peer: HandPeer): Map<string, BencodeValue>[] =>
  peer.frames
    .filter(
      ({ id, payload }) => id === Id.extended && payload[0] === ourMetadataId,
    )
    .map(
      ({ payload }) =>
        decodePrefix(payload.subarray(1)).value as Map<string, BencodeValue>,
    );

describe('the handshake', () => {
  const greeting = hello({ infoHash, fast: true, extensions: true });

  it.each<[string, Buffer[]]>([
    ['byte by byte', [...greeting].map((byte) => Buffer.from([byte]))],
    ['in halves', [greeting.subarray(0, 30), greeting.subarray(30)]],
    [
      'with what follows',
      [
        Buffer.concat([
          greeting,
          ourExtensions,
          frame(Id.interested),
          request(0, 0, block),
        ]),
      ],
    ],
  ])('H1: %s', async (_how, parts) => {
    const peer = dial();
    for (const part of parts) {
      peer.say(part);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const answer = await peer.greeted();
    expect(answer.subarray(28, 48).toString('hex')).toBe(infoHash);
    await peer.say(frame(Id.interested)).next(Id.unchoke);
    if (parts.length > 1) await expectBlock(peer, 0, 0, block);
    else await peer.next(isAnswer);
  });

  it('H2: an unknown torrent is closed and told nothing', async () => {
    const peer = dial().say(hello({ infoHash: 'ab'.repeat(20) }));
    await peer.closed;
    expect(peer.greeting).toHaveLength(0);
  });

  it('H3, H4, H5: other protocols, silence, half a handshake and one that dribbles are closed; H12: 150 silent ones keep nobody out', async () => {
    const silent = Array.from({ length: 150 }, () => dial());
    const name = greeting
      .toString('latin1')
      .replace('BitTorrent', 'BitTormentt');
    // What is no handshake may be an encrypted one: then a key comes back, and nothing of torrents.
    const others = [
      Buffer.from(name, 'latin1'),
      Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.padEnd(200)),
      junk('behaviours', 2_000),
    ].map((bytes) => dial().say(bytes));
    const half = dial().say(greeting.subarray(0, 40));
    const dribbling = dial();
    let at = 0;
    const drip = setInterval(
      () => dribbling.say(greeting.subarray(at, ++at)),
      3_000,
    );
    await expectBlock(await unchoked(), 1, 0, block);
    await Promise.all(
      [silent[0], half, dribbling, ...others].map(({ closed }) => closed),
    );
    clearInterval(drip);
    expect(at).toBeLessThan(greeting.length);
    for (const { greeting: got } of others)
      expect(got.includes('BitTorrent')).toBe(false);
  });

  it('H6: 300 dropped at once, and resets and ends inside it, leave nothing behind', async () => {
    const before = openFiles();
    for (let i = 0; i < 300; i++) {
      const peer = dial();
      await once(peer.socket, 'connect');
      peer.end();
    }
    for (let i = 0; i < 50; i++) {
      const peer = dial();
      peer.socket.on('connect', () => {
        peer.say(greeting.subarray(0, i));
        if (i % 2 === 0) peer.reset();
        else peer.socket.end();
      });
      await peer.closed;
    }
    await eventually(
      'no more files and sockets are open than before',
      () => openFiles() <= before,
    );
  });

  it('X: 40 that begin with random bytes leave it alive', async () => {
    const strangers = Array.from({ length: 40 }, (_, i) =>
      dial().say(junk(`mse ${i}`, 96 + 40 * i)),
    );
    await expectBlock(await unchoked(), 2, 0, block);
    for (const { greeting: got } of strangers)
      expect(got.includes('BitTorrent')).toBe(false);
  });

  it('H7: reserved bits that mean nothing are ignored', async () => {
    for (const bits of ['ffffffffffefff00', 'ffffffffffffffff']) {
      const reserved = Buffer.from(bits, 'hex');
      await expectBlock(await unchoked({ reserved }), 0, 0, block);
    }
  });

  it('H7: and the one of v2, on a torrent that is none', async () => {
    const peer = await unchoked({ v2: true });
    expect(peer.greeting.subarray(28, 48).toString('hex')).toBe(infoHash);
    await expectBlock(peer, 0, 0, block);
  });

  it('H8: its own peer id is closed', async () => {
    const { peerId } = await meet();
    const peer = dial().say(hello({ infoHash, peerId }));
    await peer.closed;
  });

  it('H9: of two connections with one peer id one stays', async () => {
    const peerId = newPeerId();
    const [one, two] = [
      await meet({ peerId }),
      dial().say(hello({ infoHash, peerId })),
    ];
    await Promise.race([one.closed, two.closed]);
    expect(
      [one.isClosed, two.isClosed].filter((closed) => closed),
    ).toHaveLength(1);
  });

  it('V1: the v2 hash cut to 20 bytes and the upgrade of a hybrid are answered', async () => {
    const { all } = await (await meet({ infoHash: hybrid })).theirs();
    expect(all.get('metadata_size')).toEqual(expect.any(Number));
    const link = await node.api.call<{ magnet: string }>(
      'GET',
      `/api/catalogue/${hybrid}/magnet`,
    );
    const v2 = /btmh:1220([0-9a-f]{40})/.exec(link.magnet)?.[1] as string;
    const direct = await meet({ infoHash: v2, v2: true });
    expect(direct.greeting.subarray(28, 48).toString('hex')).toBe(v2);
    const upgraded = await meet({ infoHash: hybrid, v2: true });
    expect([hybrid, v2]).toContain(
      upgraded.greeting.subarray(28, 48).toString('hex'),
    );
  });
});

describe('the first messages', () => {
  it('F1: a bitfield with its spare bits clear, and nothing of fast or extensions to one who knows neither', async () => {
    const peer = await meet({ fast: false, extensions: false });
    const { payload } = await peer.next(() => true);
    expect(peer.frames[0].id).toBe(Id.bitfield);
    expect(payload.toString('hex')).toBe('ffe0');
    await peer.say(frame(Id.interested)).next(Id.unchoke);
    expect(peer.frames.filter(({ id }) => id > Id.port)).toEqual([]);
  });

  it('F2, M32: have-all first, then allowed-fast pieces in range and each once', async () => {
    const peer = await meet({ extensions: false });
    await peer.say(frame(Id.interested)).next(Id.unchoke);
    expect(peer.frames[0].id).toBe(Id.haveAll);
    const counted = peer.frames.filter(
      ({ id }) => id === Id.bitfield || id === Id.haveNone || id === Id.haveAll,
    );
    expect(counted).toHaveLength(1);
    const granted = peer.frames
      .filter(({ id }) => id === Id.allowedFast)
      .map(({ payload }) => payload.readUInt32BE(0));
    expect(granted).toEqual(canonicalFastSet().slice(0, granted.length));
    expect(new Set(granted).size).toBe(granted.length);
    expect(granted.every((piece) => piece < pieceCount)).toBe(true);
    expect(granted.length).toBeGreaterThan(0);
    // And these are served to one who is choked.
    const choked = await meet({ extensions: false });
    choked.say(request(granted[0], 0, block));
    await choked.next(Id.allowedFast);
    const answer = await choked.next(isAnswer);
    expect(answer.id).toBe(Id.piece);
    expect(choked.frames.some(({ id }) => id === Id.unchoke)).toBe(false);
  });

  it('F3, F4: the extension handshake without waiting for ours', async () => {
    const peer = await HandPeer.meet(node.ports.peer, {
      infoHash,
      extensions: true,
    });
    peers.push(peer);
    const { all, m } = await peer.theirs();
    const ids = [...m.values()];
    expect(new Set(ids).size).toBe(ids.length);
    expect(all.get('metadata_size')).toBe(torrent.info.length);
    expect(Buffer.from(all.get('yourip') as Uint8Array)).toEqual(
      Buffer.from([127, 0, 0, 1]),
    );
    expect(all.get('reqq')).toEqual(expect.any(Number));
    expect(Buffer.from(all.get('v') as Uint8Array).toString()).toMatch(/D&D/);
  });
});

describe('messages', () => {
  it('M1, M3, M13, M16, M27, M28, M29: what is harmless stays so', async () => {
    const peer = await meet();
    peer.say(
      Buffer.alloc(4),
      frame(Id.cancel, 1, 0, block),
      frame(Id.reject, 1, 0, block),
      frame(Id.suggest, pieceCount),
      frame(Id.allowedFast, 0xffff_ffff),
      frame(Id.port, Buffer.from([0x1a, 0xe1])),
      ...Array.from({ length: 300 }, (_, i) =>
        frame(i % 2 ? Id.interested : Id.notInterested),
      ),
    );
    await peer.next(Id.unchoke);
    await expectBlock(peer, 2, 0, block);
    const unknown = await meet();
    unknown.say(frame(99, Buffer.alloc(20)), frame(Id.interested));
    await Promise.race([
      unknown.closed,
      unknown.next(Id.unchoke).catch(() => undefined),
    ]);
  });

  it('M4, M7: any part of a piece, the short last block too', async () => {
    const peer = await unchoked();
    for (const [index, begin, length] of [
      [0, 0, block],
      [0, 1, 7],
      [3, 12_345, 16_000],
      [4, pieceLength - 1, 1],
      [last, 0, 100],
      [last, 99, 1],
    ])
      await expectBlock(peer, index, begin, length);
  });

  it.each<[string, number, number, number]>([
    ['M8: piece n', pieceCount, 0, block],
    ['M8: piece with the sign bit', 0x8000_0000, 0, block],
    ['M8: from the piece end on', 0, pieceLength, 1],
    ['M8: across the piece end', 0, pieceLength - 1, 2],
    ['M8: past the last byte', last, 90, 11],
    ['M8: begin + length over 32 bits', 0, 0xffff_ffff, 2],
    ['M9: 32 KiB', 0, 0, 32_768],
    ['M9: 131,073 bytes', 0, 0, 131_073],
    ['M9: 4 GiB', 0, 0, 0xffff_ffff],
    ['M10: nothing', 0, 0, 0],
  ])('%s is rejected or closed, never served', async (_what, ...asked) => {
    for (const fast of [true, false]) {
      const peer = await unchoked({ fast });
      peer.say(request(...asked), request(1, 0, 5));
      const answer = await peer.next(isAnswer).catch(() => undefined);
      if (!fast || answer === undefined)
        expect(peer.isClosed || answer?.payload.length === 13).toBe(true);
      else if (answer.id === Id.reject)
        expect([0, 4, 8].map((at) => answer.payload.readUInt32BE(at))).toEqual(
          asked,
        );
      const sent = peer.frames.filter(({ id }) => id === Id.piece);
      expect(sent.every(({ payload }) => payload.length === 13)).toBe(true);
    }
  });

  it('M11: 200 pipelined requests get exactly one answer each; M12: cancelled ones too', async () => {
    const peer = await unchoked();
    const asked = Array.from(
      { length: 200 },
      (_, i) => [i % 10, (i % 2) * block, block - (i % 100)] as const,
    );
    peer.say(...asked.map((each) => request(...each)));
    peer.say(
      ...asked
        .filter((_, i) => i % 3 === 0)
        .map((each) => frame(Id.cancel, ...each)),
    );
    for (let i = 0; i < 200; i++) await peer.next(isAnswer);
    peer.say(ourExtensions);
    await peer.settled();
    const answers = peer.frames
      .filter(isAnswer)
      .map(({ id, payload }) =>
        id === Id.piece
          ? `${payload.readUInt32BE(0)} ${payload.readUInt32BE(4)} ${payload.length - 8}`
          : [0, 4, 8].map((at) => payload.readUInt32BE(at)).join(' '),
      );
    expect(answers.sort()).toEqual(asked.map((each) => each.join(' ')).sort());
  });

  it('M5: requests while choked are rejected; M30: 2,000 of them bounded', async () => {
    const peer = await meet();
    await peer.theirs();
    await peer.settled();
    const granted = new Set(
      peer.frames
        .filter(({ id }) => id === Id.allowedFast)
        .map(({ payload }) => payload.readUInt32BE(0)),
    );
    const refused =
      Array.from({ length: pieceCount }, (_, i) => i).find(
        (piece) => !granted.has(piece),
      ) ?? 0;
    peer.say(request(refused, 0, block));
    const { id } = await peer.next(isAnswer);
    if (!granted.has(refused)) expect(id).toBe(Id.reject);
    const before = memory();
    for (let i = 0; i < 2_000; i++) peer.say(request(refused, 0, block));
    await Promise.race([peer.closed, peer.settled().catch(() => undefined)]);
    expect(peer.frames.filter(isAnswer).length).toBeLessThanOrEqual(2_001);
    expect(peer.frames.some((each) => each.id === Id.piece)).toBe(false);
    expect(memory() - before).toBeLessThan(32 * mebibyte);
  });

  it('M6: without the fast extension they are dropped in silence', async () => {
    const peer = await meet({ fast: false });
    peer.say(request(0, 0, block));
    await peer.settled();
    expect(peer.frames.filter(isAnswer)).toEqual([]);
  });

  it('M14: one who does not read gets everything when it does', async () => {
    const peer = await unchoked();
    peer.socket.pause();
    const asked = Array.from({ length: 2_000 }, (_, i) =>
      request(i % 10, (i % 2) * block, block),
    );
    const before = memory();
    peer.say(...asked);
    await expectBlock(await unchoked(), 5, 0, block);
    // 31 MiB are asked for: what is read ahead of one who does not read is bounded.
    expect(memory() - before).toBeLessThan(24 * mebibyte);
    peer.socket.resume();
    for (let i = 0; i < asked.length; i++) {
      const { id, payload } = await peer.next(isAnswer);
      if (id !== Id.piece) continue;
      const [index, begin] = [0, 4].map((at) => payload.readUInt32BE(at));
      const right = torrent.block(index, begin, block);
      expect(payload.subarray(8).equals(right)).toBe(true);
    }
  });

  it('M15: one-byte segments come to the same', async () => {
    const peer = await meet();
    for (const byte of Buffer.concat([
      frame(Id.interested),
      request(6, 0, block),
    ])) {
      peer.say(Buffer.from([byte]));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const { payload } = await peer.next(Id.piece);
    expect(payload.subarray(8).equals(torrent.block(6, 0, block))).toBe(true);
  });

  it('M17: another seed is asked for nothing', async () => {
    const peer = await meet();
    peer.say(frame(Id.haveAll));
    await Promise.race([peer.closed, peer.settled().catch(() => undefined)]);
    expect(
      peer.frames.filter(({ id }) => id === Id.interested || id === Id.request),
    ).toEqual([]);
  });

  it.each<[string, () => Buffer[], Partial<Hello>?]>([
    ['M18: a have of piece n', () => [frame(Id.have, pieceCount)]],
    ...[
      Id.choke,
      Id.unchoke,
      Id.interested,
      Id.notInterested,
      Id.haveAll,
      Id.haveNone,
    ].map((id): [string, () => Buffer[]] => [
      `M19: message ${id} with a payload`,
      () => [frame(id, Buffer.alloc(1))],
    ]),
    ...[
      Id.have,
      Id.request,
      Id.cancel,
      Id.suggest,
      Id.reject,
      Id.allowedFast,
    ].map((id): [string, () => Buffer[]] => [
      `M19: message ${id} cut`,
      () => [frame(id, Buffer.alloc(3))],
    ]),
    [
      'M20: a bitfield a byte short',
      () => [frame(Id.bitfield, Buffer.alloc(1))],
    ],
    [
      'M20: a bitfield a byte long',
      () => [frame(Id.bitfield, Buffer.alloc(3))],
    ],
    ['M20: an empty bitfield', () => [frame(Id.bitfield)]],
    ...[Id.haveAll, Id.haveNone].map(
      (id): [string, () => Buffer[], Partial<Hello>] => [
        `M23: message ${id} without the fast extension`,
        () => [frame(id)],
        { fast: false },
      ],
    ),
    ...[Id.suggest, Id.allowedFast].map(
      (id): [string, () => Buffer[], Partial<Hello>] => [
        `M23: message ${id} without the fast extension`,
        () => [frame(id, 0)],
        { fast: false },
      ],
    ),
    [
      'M23: a reject without the fast extension',
      () => [frame(Id.reject, 0, 0, block)],
      { fast: false },
    ],
    ['M24: a length of 2³¹ − 1', () => [Buffer.from('7fffffff07', 'hex')]],
    ['M24: a length of 2³² − 1', () => [Buffer.from('ffffffff14', 'hex')]],
    [
      'M25: an unasked block over 16 KiB',
      () => [frame(Id.piece, 0, 0, Buffer.alloc(200_000))],
    ],
    [
      'V3: a hash request of one who never said v2',
      () => [frame(Id.hashRequest, Buffer.alloc(48))],
    ],
  ])('%s is closed', async (...[, said, options]) => {
    const peer = await meet(options);
    peer.say(...said());
    await peer.closed;
  });

  it('M21, M22: spare bits, a late and a second bitfield leave the counts right', async () => {
    const peer = await meet({ extensions: false });
    peer.say(frame(Id.bitfield, Buffer.from([0, 0x1f])), frame(Id.interested));
    await Promise.race([
      peer.closed,
      peer.next(Id.unchoke).catch(() => undefined),
    ]);
    const other = await meet();
    other.say(frame(Id.haveAll), frame(Id.haveNone));
    await Promise.race([other.closed, other.settled().catch(() => undefined)]);
    const { availability } = await node.api.call<{ availability: string }>(
      'GET',
      `/api/downloads/${infoHash}/pieces`,
    );
    expect(
      Buffer.from(availability, 'base64').every((count) => count <= 2),
    ).toBe(true);
  });

  it('M26: blocks that nobody asked for are not taken, many end the connection', async () => {
    const peer = await meet();
    peer.say(frame(Id.haveNone));
    for (let i = 0; i < 2_000 && !peer.isClosed; i++)
      peer.say(frame(Id.piece, 0, 0, Buffer.alloc(block, 9)));
    await peer.closed;
    await expectBlock(await unchoked(), 0, 0, block);
  });

  it('M31: random messages on 200 connections', async () => {
    for (let i = 0; i < 200; i++) {
      const peer = HandPeer.dial(node.ports.peer);
      peer.say(
        hello({ infoHash, fast: i % 2 === 0, extensions: i % 3 > 0 }),
        frame(i % 24, junk(`m${i}`, i)),
        junk(`n${i}`, 300),
      );
      peers.push(peer);
      if (i % 20 === 19)
        await Promise.race(peers.slice(-20).map((each) => each.closed));
    }
  });
});

describe('extensions', () => {
  it.each<[string, Buffer]>([
    ['E1: a list', Buffer.from('le')],
    ['E1: nothing', Buffer.alloc(0)],
    ['E1: junk', junk('ext', 500)],
    ['E1: 100,000 nested lists', Buffer.from('l'.repeat(100_000))],
    ['E1: a string of 2⁶³ − 1 bytes', Buffer.from('d1:m9223372036854775807:a')],
    [
      'E1: absurd values',
      Buffer.from(
        'd1:mi-1e4:reqqi-5e1:pi99999999e13:metadata_sizei-1e1:v0:6:yourip1:ae',
      ),
    ],
    [
      'E1: ids that are none',
      Buffer.from('d1:md6:ut_pexi-1e11:ut_metadata1:aee'),
    ],
  ])(
    '%s as an extension handshake leaves the node alive',
    async (_what, payload) => {
      const peer = await HandPeer.meet(node.ports.peer, {
        infoHash,
        fast: true,
        extensions: true,
      });
      peers.push(peer);
      peer.say(extended(0, payload), frame(Id.interested));
      await Promise.race([
        peer.closed,
        peer.next(Id.unchoke).catch(() => undefined),
      ]);
    },
  );

  it('E2, E3: answers bear the ids of the last handshake, and 0 turns one off', async () => {
    const peer = await meet();
    const { m } = await peer.theirs();
    const metadata = m.get('ut_metadata') as number;
    peer.say(extended(metadata, { msg_type: 0, piece: 0 }));
    await peer.next(
      ({ id, payload }) => id === Id.extended && payload[0] === ourMetadataId,
    );
    peer.say(
      extended(0, { m: { ut_metadata: 77 } }),
      extended(metadata, { msg_type: 0, piece: 0 }),
    );
    await peer.next(
      ({ id, payload }) => id === Id.extended && payload[0] === 77,
    );
    peer.say(
      extended(0, { m: { ut_metadata: 0 } }),
      extended(metadata, { msg_type: 0, piece: 0 }),
    );
    peer.say(extended(0, { m: { ut_metadata: ourMetadataId } }));
    await peer.settled();
    const said = peer.frames.filter(
      ({ id, payload }) => id === Id.extended && payload[0] > 0,
    );
    expect(said.map(({ payload }) => payload[0])).toEqual([
      ourMetadataId,
      77,
      ourMetadataId,
    ]);
  });

  it('E4: an id that was never offered, and a message of length 1', async () => {
    const peer = await meet();
    peer.say(
      extended(200, Buffer.from('de')),
      frame(Id.extended),
      frame(Id.interested),
    );
    await Promise.race([
      peer.closed,
      peer.next(Id.unchoke).catch(() => undefined),
    ]);
  });

  it('E5: the metadata joins to the info-hash', async () => {
    const peer = await meet();
    const { m, all } = await peer.theirs();
    const size = all.get('metadata_size') as number;
    const parts: Buffer[] = [];
    for (let piece = 0; piece * block < size; piece++) {
      peer.say(
        extended(m.get('ut_metadata') as number, { msg_type: 0, piece }),
      );
      const { payload } = await peer.next(
        ({ id, payload }) => id === Id.extended && payload[0] === ourMetadataId,
      );
      const { value, end } = decodePrefix(payload.subarray(1));
      expect(Object.fromEntries(value as Map<string, BencodeValue>)).toEqual({
        msg_type: 1,
        piece,
        total_size: size,
      });
      parts.push(payload.subarray(1 + end));
    }
    expect(createHash('sha1').update(Buffer.concat(parts)).digest('hex')).toBe(
      infoHash,
    );
  });

  it('E6, E7, E8: odd pieces are rejected, odd messages ignored, 3,000 requests bounded', async () => {
    const peer = await meet();
    const id = (await peer.theirs()).m.get('ut_metadata') as number;
    const odd = [1, -1, 2 ** 31, 2n ** 63n - 1n];
    for (const piece of odd) peer.say(extended(id, { msg_type: 0, piece }));
    await peer.settled();
    // The last is the one of `settled`.
    const refused = metadataMessages(peer).slice(0, -1);
    expect(refused.map((message) => Object.fromEntries(message))).toEqual(
      odd.map((piece) => ({ msg_type: 2, piece })),
    );
    peer.say(
      extended(id, { msg_type: 9, piece: 0 }),
      extended(id, { piece: 0 }),
      extended(id, Buffer.from('xx')),
      extended(id, { msg_type: 0, piece: 'a' }),
      extended(
        id,
        { msg_type: 1, piece: 0, total_size: 5 },
        Buffer.from('abcde'),
      ),
    );
    await peer.settled();
    // Nothing came for them but for those whose piece is no number, which may be refused.
    const said = metadataMessages(peer).slice(refused.length + 1, -1);
    for (const message of said) expect(message.get('msg_type')).toBe(2);
    peer.say(extended(id, { msg_type: 0, piece: 0, more: [1, 'x'], x: 9 }));
    await peer.settled();
    expect(metadataMessages(peer).at(-2)?.get('msg_type')).toBe(1);
    for (let i = 0; i < 3_000; i++)
      peer.say(extended(id, { msg_type: 0, piece: 0 }));
    await Promise.race([peer.closed, peer.settled().catch(() => undefined)]);
  });

  it('E14, E15: peer exchange of any kind and number is borne', async () => {
    const peer = await meet();
    const id = (await peer.theirs()).m.get('ut_pex') as number;
    peer.say(
      extended(id, { added: Buffer.alloc(7), 'added.f': Buffer.alloc(3) }),
      extended(id, { added: 5, dropped: [] }),
      extended(id, {
        added: Buffer.concat(
          Array.from({ length: 10_000 }, (_, i) =>
            Buffer.from([127, 9, i >> 8, i & 255, 0, 9]),
          ),
        ),
        'added.f': Buffer.alloc(10_000),
      }),
      extended(id, { added: Buffer.alloc(6), added6: Buffer.alloc(18) }),
    );
    for (let i = 0; i < 100; i++)
      peer.say(extended(id, { added: Buffer.from('7f0000010001', 'hex') }));
    await Promise.race([peer.closed, peer.settled().catch(() => undefined)]);
    const { items } = await node.api.call<{
      items: { kind: string; peers: number }[];
    }>('GET', `/api/downloads/${infoHash}/trackers`);
    const known = items.find(({ kind }) => kind === 'pex')?.peers;
    expect(known).toBeLessThanOrEqual(200);
  });

  it('E16: peers that are connected are told of, and no others', async () => {
    const { infoHash: shared } = await node.api.publish({
      files: { 'told.bin': bytesOf('told', 50_000) },
    });
    // Nobody is there.
    await node.api.call('PATCH', `/api/downloads/${shared}`, {
      json: { peers: ['127.0.0.9:9'] },
    });
    const pex = 5;
    const listening = (p: number): Buffer =>
      extended(0, { m: { ut_metadata: ourMetadataId, ut_pex: pex }, p });
    const told = ({ id, payload }: Frame): boolean =>
      id === Id.extended && payload[0] === pex;
    const join = async (port: number): Promise<HandPeer> => {
      const peer = await HandPeer.meet(node.ports.peer, {
        infoHash: shared,
        fast: true,
        extensions: true,
      });
      peers.push(peer);
      return peer.say(frame(Id.haveNone), listening(port));
    };
    const gone = await join(7_001);
    await gone.settled();
    gone.end();
    await eventually('it is gone', async () =>
      (await node.api.download(shared)).peers === 0 ? true : undefined,
    );
    const [one, two] = [await join(7_002), await join(7_003)];
    for (const [peer, port] of [
      [one, 7_003],
      [two, 7_002],
    ] as const) {
      const { payload } = await peer.next(told);
      const { value } = decodePrefix(payload.subarray(1));
      const added = (value as Map<string, BencodeValue>).get('added');
      const address = Buffer.from([127, 0, 0, 1, port >> 8, port & 255]);
      expect(Buffer.from(added as Uint8Array)).toEqual(address);
    }
    await one.settled();
    expect(one.frames.filter(told)).toHaveLength(1);
  });

  it('E17: what a peer has lost is counted off; out of range is borne or closed', async () => {
    const peer = await meet();
    const id = (await peer.theirs()).m.get('lt_donthave') as number;
    peer.say(frame(Id.have, 3), extended(id, Buffer.from([0, 0, 0, 3])));
    await peer.settled();
    const { availability } = await node.api.call<{ availability: string }>(
      'GET',
      `/api/downloads/${infoHash}/pieces`,
    );
    expect(Buffer.from(availability, 'base64')[3]).toBe(0);
    peer.say(extended(id, Buffer.from([0xff, 0xff, 0xff, 0xff])));
    await Promise.race([peer.closed, peer.settled().catch(() => undefined)]);
  });

  it('E18: one who wants nothing more takes no slot', async () => {
    const peer = await meet();
    peer.say(
      extended(0, { m: { ut_metadata: ourMetadataId }, upload_only: 1 }),
      frame(Id.interested),
    );
    await Promise.race([peer.closed, peer.settled().catch(() => undefined)]);
    expect(peer.frames.filter(({ id }) => id === Id.unchoke)).toEqual([]);
  });

  it('V2: hashes come with proofs of the root; what cannot be told is rejected', async () => {
    const peer = await meet({ infoHash: hybrid, v2: true });
    const { m, all } = await peer.theirs();
    const parts: Buffer[] = [];
    for (
      let piece = 0;
      piece * block < (all.get('metadata_size') as number);
      piece++
    ) {
      peer.say(
        extended(m.get('ut_metadata') as number, { msg_type: 0, piece }),
      );
      const { payload } = await peer.next(
        ({ id, payload }) => id === Id.extended && payload[0] === ourMetadataId,
      );
      parts.push(payload.subarray(1 + decodePrefix(payload.subarray(1)).end));
    }
    const info = Buffer.concat(parts);
    const at = info.indexOf('11:pieces root32:') + 17;
    const root = info.subarray(at, at + 32);
    const ask = (
      base: number,
      index: number,
      length: number,
      proofs: number,
      of = root,
    ): Buffer => frame(Id.hashRequest, of, base, index, length, proofs);
    peer.say(ask(0, 0, 2, 4));
    const { payload } = await peer.next(
      ({ id }) => id === Id.hashes || id === Id.hashReject,
    );
    const hashes = Array.from({ length: (payload.length - 48) / 32 }, (_, i) =>
      payload.subarray(48 + 32 * i, 80 + 32 * i),
    );
    const pair = (a: Buffer, b: Buffer): Buffer =>
      createHash('sha256').update(a).update(b).digest();
    // 21 blocks: a tree of 32 leaves; two of them and four uncles lead to the root.
    expect(hashes[0]).toEqual(
      createHash('sha256')
        .update(torrent.block(0, 0, block))
        .digest(),
    );
    expect(hashes.slice(2).reduce(pair, pair(hashes[0], hashes[1]))).toEqual(
      root,
    );
    for (const odd of [
      ask(0, 0, 2, 4, Buffer.alloc(32, 1)),
      ask(0, 64, 2, 0),
      ask(0, 0, 1, 0),
      ask(0, 0, 3, 0),
      ask(40, 0, 2, 0),
    ]) {
      const { id } = await peer
        .say(odd)
        .next(({ id }) => id === Id.hashes || id === Id.hashReject);
      expect(id).toBe(Id.hashReject);
    }
  });
});

describe('datagrams', () => {
  it('U3, U4: junk, data of no connection and 100 SYNs leave it alive, and never get more back than they brought', async () => {
    const socket = createSocket('udp4');
    let got = 0;
    let sent = 0;
    socket.on('message', (datagram) => (got += datagram.length));
    const send = (datagram: Buffer): Promise<void> =>
      new Promise((resolve) => {
        sent += datagram.length;
        socket.send(datagram, node.ports.peer, '127.0.0.1', () => resolve());
      });
    for (let i = 0; i < 500; i++) await send(junk(`u${i}`, 1 + (i % 100)));
    const header = (type: number, id: number): Buffer => {
      const packet = Buffer.alloc(20);
      packet[0] = (type << 4) | 1;
      packet.writeUInt16BE(id, 2);
      packet.writeUInt32BE(0x10_0000, 12);
      packet.writeUInt16BE(1, 16);
      return packet;
    };
    for (let i = 0; i < 100; i++) await send(header(4, 1_000 + 2 * i));
    await send(Buffer.concat([header(0, 9), Buffer.from('data')]));
    await expectBlock(await unchoked(), 7, 0, block);
    expect(got).toBeLessThanOrEqual(sent);
    socket.close();
  });
});
