/** Hostile bytes for everything here that reads bytes: connections, extensions, encryption, datagrams. Nothing throws, and nothing grows with what it gets. */
import type { FuzzTarget } from '@dnd/sim';
import { PeerConnection } from './peer-connection';
import { decodePex } from './pex-message';
import { decodeHolepunch, encodeHolepunch } from './holepunch-message';
import {
  EXTENSIONS,
  extended,
  hello,
  message,
  SHAPE,
} from './testing/hand-written-remote';
import {
  countingBytes,
  INFO_HASH,
  RecordedPeer,
  type RecordedOptions,
} from './testing/recorded-peer';
import { UtpType, writeHeader, writeTimes } from './utp/packet';
import { UtpMultiplexer } from './utp/utp-multiplexer';

const MOST_OUTPUT = 1_000_000;

/** Feeds a connection in two parts and looks at what it has become. */
function feed(peer: RecordedPeer, input: Uint8Array, turn: number): boolean {
  const cut = turn % (input.length + 1);
  peer.connection.receive(input.slice(0, cut), 0);
  peer.connection.receive(input.slice(cut), 1);
  if (peer.connection.pendingOutput > MOST_OUTPUT)
    throw new Error('the output grows');
  peer.connection.tick(130_000);
  peer.connection.takeOutput();
  return peer.failures.length === 0;
}

const block = Buffer.alloc(64, 5);
const frames = [
  ...[0, 1, 2, 3, 14, 15].map((id) => message(id)),
  ...[4, 13, 17].map((id) => message(id, 3)),
  message(5, Buffer.from([0xff, 0xf0])),
  ...[6, 8, 16].map((id) => message(id, 1, 16_384, 16_384)),
  message(7, 1, 0, block),
  message(9, Buffer.from([0x1a, 0xe1])),
  ...[21, 23].map((id) => message(id, Buffer.alloc(32, 1), 0, 0, 2, 4)),
  message(22, Buffer.alloc(32, 1), 0, 0, 2, 1, Buffer.alloc(96, 2)),
];
const holepunch = encodeHolepunch({
  type: 'connect',
  address: Uint8Array.of(1, 2, 3, 4),
  port: 5,
  error: 0,
});
const extensions = [
  EXTENSIONS,
  extended(
    0,
    'd1:ei1e1:md11:ut_metadatai3e6:ut_pexi5ee13:metadata_sizei40000e1:pi6881e4:reqqi250e6:yourip4:abcde',
  ),
  ...[0, 1, 2].map((type) =>
    extended(1, `d8:msg_typei${type}e5:piecei0e10:total_sizei40000ee`),
  ),
  extended(
    2,
    'd5:added12:aaaabbccccdd7:added.f2:\x01\x02' +
      '6:added618:aaaaaaaaaaaaaaaabb7:dropped6:aaaabbe',
  ),
  ...[3, 4, 5].map((id) =>
    extended(id, Buffer.concat([Buffer.alloc(3), Buffer.from([1])])),
  ),
  extended(4, holepunch),
];

const met = (options: RecordedOptions): RecordedPeer => {
  const peer = new RecordedPeer('incoming', { shape: SHAPE, ...options });
  peer.connection.receive(hello(), 0);
  peer.connection.takeOutput();
  return peer;
};

/** Both flows of a whole encrypted opening. */
function encrypted(): { there: Uint8Array; back: Uint8Array } {
  const outgoing = new RecordedPeer('outgoing', {
    shape: SHAPE,
    encryption: 'required',
  });
  const incoming = new RecordedPeer('incoming', {
    shape: SHAPE,
    encryption: 'required',
  });
  const [there, back]: Uint8Array[][] = [[], []];
  for (let i = 0; i < 4; i++) {
    const out = outgoing.output();
    there.push(out);
    incoming.connection.receive(out.subarray(), 0);
    const answer = incoming.output();
    back.push(answer);
    outgoing.connection.receive(answer.subarray(), 0);
  }
  return { there: Buffer.concat(there), back: Buffer.concat(back) };
}

function packet(
  type: number,
  id: number,
  payload: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const bytes = new Uint8Array(20 + payload.length);
  writeHeader(bytes, type, id, 1, 0);
  writeTimes(bytes, 1, 0, 100_000);
  bytes.set(payload, 20);
  return bytes;
}

export const targets: Record<string, () => FuzzTarget> = {
  handshakes: () => ({
    samples: [
      hello(),
      hello({ v2: true }),
      Buffer.concat([hello(), ...frames]),
    ],
    feed: (input, turn) =>
      feed(
        new RecordedPeer('incoming', {
          shape: SHAPE,
          encryption: turn % 2 ? 'off' : 'preferred',
        }),
        input,
        turn,
      ),
  }),
  messages: () => ({
    samples: [...frames, Buffer.concat(frames)],
    feed: (input, turn) =>
      feed(met(turn % 3 ? {} : { shape: undefined }), input, turn),
  }),
  extensions: () => ({
    samples: [...extensions, Buffer.concat(extensions)],
    feed: (input, turn) => {
      decodePex(input);
      decodeHolepunch(input);
      const local = { client: 'x', holepunch: true };
      return feed(
        met({ extensions: local, shape: turn % 3 ? SHAPE : undefined }),
        input,
        turn,
      );
    },
  }),
  'encryption, as responder': () => {
    const { there } = encrypted();
    return {
      samples: [there, there.subarray(0, 96), there.subarray(0, 300)],
      feed: (input, turn) =>
        feed(
          new RecordedPeer('incoming', {
            shape: SHAPE,
            encryption: 'required',
          }),
          input,
          turn,
        ),
    };
  },
  'encryption, as initiator': () => {
    const { back } = encrypted();
    return {
      samples: [back, back.subarray(0, 96), back.subarray(0, 200)],
      feed: (input, turn) => {
        const torrent = { infoHashV1: INFO_HASH };
        const peer = new RecordedPeer('outgoing', {
          shape: SHAPE,
          encryption: 'required',
          torrent,
        });
        if (!(peer.connection instanceof PeerConnection))
          throw new Error('no connection');
        return feed(peer, input, turn);
      },
    };
  },
  uTP: () => {
    const random = countingBytes(3);
    let out = 0;
    let now = 0;
    const events = {
      onConnect: () => undefined,
      onData: () => undefined,
      onWritable: () => undefined,
      onEnd: () => undefined,
      onClose: () => undefined,
    };
    const multiplexer = new UtpMultiplexer({
      send: (datagram) => (out += datagram.length),
      random16: () => Buffer.from(random(2)).readUInt16BE(),
      onConnection: () => events,
      maxConnections: 200,
    });
    return {
      samples: [
        packet(UtpType.syn, 100),
        packet(UtpType.state, 101),
        packet(UtpType.data, 101, block),
        packet(UtpType.fin, 101),
        packet(UtpType.reset, 101),
        Uint8Array.from([
          0x11,
          1,
          ...packet(UtpType.state, 101).subarray(2),
          0,
          4,
          1,
          2,
          3,
          4,
        ]),
      ],
      feed: (input, turn) => {
        const proven = turn % 10 < 7;
        const unproven = `unproven${turn}`;
        const before = out;
        const taken = multiplexer.handle(
          Uint8Array.from(input),
          proven ? `10.0.0.${turn % 5}` : unproven,
          now,
        );
        if (!proven && out - before > input.length)
          throw new Error('more went out than came in');
        if (turn % 20 === 0) multiplexer.tick((now += 50));
        if (multiplexer.size > 200) throw new Error('too many connections');
        return taken;
      },
    };
  },
};
