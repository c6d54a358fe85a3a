/** The first bytes of a connection, and its time limits. */
import { Bitfield } from '@dnd/metainfo';
import fc from 'fast-check';
import { HANDSHAKE_LENGTH } from './handshake';
import { MessageId } from './message-id';
import {
  after,
  extended,
  hello,
  message,
  met,
  SHAPE,
} from './testing/hand-written-remote';
import { INFO_HASH, RecordedPeer } from './testing/recorded-peer';

describe('the handshake', () => {
  it('answers with its own for the same info-hash, then says what it has', () => {
    const peer = new RecordedPeer('incoming', { shape: SHAPE });
    peer.connection.receive(hello(), 0);
    const out = peer.output();
    expect(out.subarray(0, 20).toString('latin1')).toBe(
      '\x13BitTorrent protocol',
    );
    expect(out.subarray(28, 48).equals(INFO_HASH)).toBe(true);
    expect(out.subarray(48, 68).toString()).toBe('i'.repeat(20));
    expect([...out.subarray(68, 73)]).toEqual([0, 0, 0, 1, MessageId.haveNone]);
    expect(out[77]).toBe(MessageId.extended);
    expect(out[78]).toBe(0);
  });

  it.each([
    ['an unknown info-hash', hello({}, new Uint8Array(20).fill(1))],
    ['another protocol', Buffer.from('\x13BitTorrent protocoX')],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['another length byte', Buffer.from('\x12BitTorrent protocol')],
  ])('closes without an answer on %s', (_name, bytes) => {
    const peer = new RecordedPeer('incoming', { shape: SHAPE });
    peer.connection.receive(Buffer.from(bytes), 0);
    expect(peer.failures).toHaveLength(1);
    expect(peer.output()).toHaveLength(0);
    expect(peer.connection.closed).toBe(true);
  });

  it('closes on its own peer id, at either end', () => {
    for (const role of ['incoming', 'outgoing'] as const) {
      const id = role === 'incoming' ? 0x69 : 0x6f;
      const peer = new RecordedPeer(role, { shape: SHAPE });
      peer.connection.receive(hello({}, INFO_HASH, id), 0);
      expect(peer.log).toEqual(['failure self-connection']);
      expect(peer.output()).toHaveLength(0);
    }
  });

  it('closes when the answer is for another torrent', () => {
    const peer = new RecordedPeer('outgoing', { shape: SHAPE });
    peer.connection.receive(hello({}, new Uint8Array(20).fill(0xab)), 0);
    expect(peer.log).toEqual(['failure unknown-torrent']);
  });

  it('ignores reserved bits it does not know', () => {
    const bytes = hello();
    bytes.fill(0xff, 20, 28);
    const peer = new RecordedPeer('incoming', { shape: SHAPE });
    peer.connection.receive(bytes, 0);
    expect(peer.failures).toEqual([]);
    expect(peer.remote?.capabilities.fast).toBe(true);
  });

  it('comes to the same byte by byte, with a pause, and with what follows it', () => {
    const more = Buffer.concat([message(2), message(6, 1, 5, 7)]);
    const bytes = Buffer.concat([hello({ extensions: false }), more]);
    const cuts: [number, number][][] = [
      [[bytes.length, 0]],
      Array.from(bytes, (): [number, number] => [1, 0]),
      [
        [30, 0],
        [bytes.length, 20_000],
      ],
      [
        [HANDSHAKE_LENGTH + 3, 0],
        [bytes.length, 20_000],
      ],
    ];
    for (const cut of cuts) {
      const peer = new RecordedPeer('incoming', { shape: SHAPE });
      let at = 0;
      let now = 0;
      for (const [size, pause] of cut) {
        now += pause;
        if (now >= peer.connection.wakeAt) peer.connection.tick(now);
        peer.connection.receive(bytes.subarray(at, at + size), now);
        at += size;
      }
      expect(peer.output().subarray(28, 48).equals(INFO_HASH)).toBe(true);
      expect(peer.log).toEqual(['interested', 'request 1 5 7']);
    }
  });

  it.each<[string, 'incoming' | 'outgoing', number]>([
    ['nothing comes', 'incoming', 0],
    ['half of it comes', 'incoming', 40],
    ['there is no answer', 'outgoing', 0],
    ['there is half an answer', 'outgoing', 67],
  ])('is given up after 10 to 30 s when %s', (_name, role, count) => {
    const peer = new RecordedPeer(role, { shape: SHAPE });
    peer.connection.receive(hello().subarray(0, count), 9_000);
    const { wakeAt } = peer.connection;
    expect(wakeAt).toBeGreaterThan(10_000);
    expect(wakeAt).toBeLessThanOrEqual(30_000);
    peer.connection.tick(wakeAt - 1);
    expect(peer.log).toEqual([]);
    peer.connection.tick(wakeAt);
    expect(peer.log).toEqual(['failure handshake']);
  });

  it('has the same limit where it is encrypted', () => {
    const encryption = 'preferred';
    const peer = new RecordedPeer('incoming', { shape: SHAPE, encryption });
    peer.connection.receive(Buffer.alloc(96, 5), 1_000);
    expect(peer.output().length).toBeGreaterThanOrEqual(96);
    peer.connection.receive(Buffer.alloc(100, 7), 9_000);
    expect(peer.log).toEqual([]);
    peer.connection.tick(30_000);
    expect(peer.log).toEqual(['failure handshake']);
  });

  it('has one time limit, however it is dribbled', () => {
    const peer = new RecordedPeer('incoming', { shape: SHAPE });
    const bytes = hello();
    for (let now = 0; now < 100_000; now += 3_000) {
      if (now >= peer.connection.wakeAt) peer.connection.tick(now);
      const at = now / 3_000;
      peer.connection.receive(bytes.subarray(at, at + 1), now);
    }
    expect(peer.log).toEqual(['failure handshake']);
    expect(peer.connection.wakeAt).toBe(Infinity);
  });

  it('is answered on the v2 hash where both can speak v2', () => {
    const infoHashV2 = new Uint8Array(32).fill(0xcc);
    const torrent = { infoHashV1: INFO_HASH, infoHashV2 };
    const torrents = { find: () => torrent, findObfuscated: () => undefined };
    const cases = [
      [hello({ v2: true }), 0xcc, true],
      [hello({ v2: false }), 0xaa, false],
      [hello({ v2: true }, infoHashV2.slice(0, 20)), 0xcc, true],
    ] as const;
    for (const [bytes, answered, v2] of cases) {
      const peer = new RecordedPeer('incoming', { shape: SHAPE, torrents });
      peer.connection.receive(bytes, 0);
      expect(peer.output()[28]).toBe(answered);
      expect(peer.remote?.v2).toBe(v2);
    }
    const dialler = new RecordedPeer('outgoing', { shape: SHAPE, torrent });
    expect(dialler.output()[28]).toBe(0xaa);
    dialler.connection.receive(hello({ v2: true }, infoHashV2.slice(0, 20)), 0);
    expect(dialler.remote?.v2).toBe(true);
  });
});

describe('time', () => {
  it('keeps alive with less than two minutes between messages', () => {
    const peer = met({ extensions: false });
    let last = 0;
    for (let now = 0; now < 900_000; now += 1_000) {
      peer.connection.receive(Buffer.alloc(4), now);
      if (now >= peer.connection.wakeAt) peer.connection.tick(now);
      const said = now === 61_000 ? (peer.connection.commands.have(1), 9) : 0;
      const bytes = peer.output();
      if (bytes.length === 0) continue;
      expect(bytes.length).toBe(said || 4);
      expect(now - last).toBeLessThan(120_000);
      last = now;
    }
    expect(last).toBeGreaterThan(780_000);
  });

  it('lets go of a peer that is silent for four minutes, not earlier', () => {
    const peer = met();
    peer.connection.receive(Buffer.alloc(4), 10_000);
    peer.connection.tick(249_000);
    expect(peer.connection.closed).toBe(false);
    peer.connection.tick(250_000);
    expect(peer.log).toEqual(['failure silent']);
  });
});

describe('before the metadata is known', () => {
  it('keeps what the remote said and tells it then', () => {
    const peer = met({}, { shape: undefined });
    const field = message(5, Buffer.from([0x80, 0x01]));
    after(peer, field, message(4, 8), message(1), message(2), message(17, 4));
    after(peer, message(7, 0, 0, Buffer.alloc(10)));
    expect(peer.log).toEqual([]);
    peer.connection.attach(peer, SHAPE);
    expect(peer.log).toEqual([
      'bitfield 8080 2',
      'allowed fast 4',
      'interested',
      'unchoke',
    ]);
  });

  it('rejects requests, and drops them where rejects are not known', () => {
    const peer = met({}, { shape: undefined });
    after(peer, message(6, 0, 0, 16_384));
    expect(peer.output().equals(message(16, 0, 0, 16_384))).toBe(true);
    const plain = met({ fast: false }, { shape: undefined });
    expect(after(plain, message(6, 0, 0, 16_384))).toEqual([]);
    expect(plain.output()).toHaveLength(0);
  });

  it('keeps in mind what one who had everything has lost', () => {
    const peer = met({}, { shape: undefined });
    const lost = (piece: number): Buffer => {
      const index = Buffer.alloc(4);
      index.writeUInt32BE(piece);
      return extended(7, index);
    };
    after(peer, message(14), lost(2), lost(3), message(4, 3));
    after(peer, ...Array.from({ length: 5_000 }, (_, i) => lost(12 + i)));
    peer.connection.attach(peer, SHAPE);
    expect(peer.log).toEqual(['bitfield dff0 11']);
  });

  it.each([
    ['a bitfield of another size', message(5, Buffer.alloc(3))],
    ['a piece that is not there', message(4, 0xffffffff)],
  ])('closes for %s when the size is known', (_name, bytes) => {
    const peer = met({}, { shape: undefined });
    after(peer, bytes);
    peer.connection.attach(peer, SHAPE);
    peer.connection.tick(1);
    expect(peer.log).toEqual([expect.stringMatching(/^failure bad-/)]);
  });

  it('says have, piece by piece, of what it finds it already has', () => {
    const peer = met({ extensions: false }, { shape: undefined });
    const have = new Bitfield(12);
    have.add(3);
    peer.connection.attach(peer, SHAPE);
    peer.connection.commands.bitfield(have);
    expect(peer.output().equals(message(4, 3))).toBe(true);
  });
});

describe('anything at all', () => {
  it('is survived, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('incoming', 'outgoing'),
        fc.constantFrom('off', 'accepted', 'preferred', 'required'),
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
        (role, encryption, chunks) => {
          const peer = new RecordedPeer(role as 'incoming', {
            shape: SHAPE,
            encryption: encryption as 'off',
          });
          for (const chunk of chunks) peer.connection.receive(chunk, 0);
          expect(peer.connection.pendingOutput).toBeLessThan(100_000);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is survived after the handshake, with likely ids and lengths', () => {
    const frame = fc
      .tuple(
        fc.constantFrom(
          0,
          4,
          5,
          6,
          7,
          8,
          9,
          13,
          14,
          16,
          17,
          20,
          21,
          22,
          23,
          99,
        ),
        fc.uint8Array({ maxLength: 90 }),
      )
      .map(([id, payload]) => message(id, payload));
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 12 }), (frames) => {
        const whole = met();
        const cut = met();
        const bytes = Buffer.concat(frames);
        after(whole, bytes);
        cut.log.length = 0;
        for (let at = 0; at < bytes.length; at += 7) {
          cut.connection.receive(Buffer.from(bytes.subarray(at, at + 7)), 0);
        }
        expect(cut.log).toEqual(whole.log);
        expect(cut.output().equals(whole.output())).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
