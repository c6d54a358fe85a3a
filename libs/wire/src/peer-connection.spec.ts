import { Bitfield } from '@dnd/metainfo';
import fc from 'fast-check';
import type { EncryptionPolicy } from './mse/encryption-policy';
import { countingBytes, exchange, RecordedPeer } from './testing/recorded-peer';

const SHAPE = {
  pieceCount: 12,
  pieceLength: 32_768,
  length: 11 * 32_768 + 100,
};

function connected(
  options: ConstructorParameters<typeof RecordedPeer>[1] = {},
): [RecordedPeer, RecordedPeer] {
  const out = new RecordedPeer('outgoing', { shape: SHAPE, ...options });
  const into = new RecordedPeer('incoming', { shape: SHAPE, ...options });
  exchange(out, into);
  out.log.length = 0;
  into.log.length = 0;
  return [out, into];
}

describe('a connection of two', () => {
  it('shakes hands, tells what it has and which extensions it knows', () => {
    const have = new Bitfield(SHAPE.pieceCount);
    have.add(3);
    const out = new RecordedPeer('outgoing', { shape: SHAPE, have });
    const into = new RecordedPeer('incoming', {
      shape: SHAPE,
      have: Bitfield.full(SHAPE.pieceCount),
    });
    exchange(out, into);
    expect(out.log).toEqual(['bitfield fff0 12', 'extensions Test 1']);
    expect(into.log).toEqual(['bitfield 1000 1', 'extensions Test 1']);
    expect(Buffer.from(out.remote?.peerId ?? []).toString()).toBe(
      'i'.repeat(20),
    );
    expect(out.connection.commands.fast).toBe(true);
  });

  it('delivers every command as the same fact', () => {
    const [a, b] = connected();
    const say = a.connection.commands;
    say.interested();
    say.unchoke();
    say.choke();
    say.notInterested();
    say.have(7);
    say.request(1, 16_384, 16_384);
    say.cancel(1, 16_384, 16_384);
    say.reject(11, 0, 100);
    say.allowedFast(2);
    say.suggest(4);
    say.dontHave(5);
    say.port(6881);
    say.piece(11, 10, countingBytes(4)(90));
    exchange(a, b);
    expect(b.log).toEqual([
      'interested',
      'unchoke',
      'choke',
      'not interested',
      'have 7',
      'request 1 16384 16384',
      'cancel 1 16384 16384',
      'reject 11 0 100',
      'allowed fast 2',
      'suggest 4',
      'dont have 5',
      'port 6881',
      expect.stringMatching(/^block 11 10 90 /),
    ]);
    expect(b.blocks.get('11 10')).toEqual(countingBytes(4)(90));
    expect(b.connection.downloadedPayload).toBe(90);
    expect(a.connection.uploadedPayload).toBe(90);
  });

  it('reads the same however the bytes are cut', () => {
    const [a] = connected();
    const say = a.connection.commands;
    const random = countingBytes(9);
    for (let i = 0; i < 6; i++) {
      say.have(i);
      say.keepAlive();
      say.piece(i, 16_384 * (i & 1), random(i === 3 ? 1 : 16_384));
      say.request(i, 0, 16_384);
      a.connection.extensions?.sendPex({ added: [], dropped: [] });
      say.unchoke();
    }
    const bytes = a.output();
    const whole = eventsOf([bytes]);
    expect(whole.length).toBe(6 * 5);
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 40_000 }), { maxLength: 12 }),
        (sizes) => {
          expect(eventsOf(cut(bytes, sizes))).toEqual(whole);
        },
      ),
      { numRuns: 60 },
    );
    expect(eventsOf(cut(bytes, [], 1))).toEqual(whole);
    expect(eventsOf(cut(bytes, [], 13))).toEqual(whole);
  });
});

describe('an encrypted connection', () => {
  const policies: EncryptionPolicy[] = ['accepted', 'preferred', 'required'];

  it.each(policies.flatMap((dials) => policies.map((takes) => [dials, takes])))(
    'dialled %s and taken %s carries the same',
    (dials, takes) => {
      const out = new RecordedPeer('outgoing', {
        shape: SHAPE,
        encryption: dials,
      });
      const into = new RecordedPeer('incoming', {
        shape: SHAPE,
        encryption: takes,
      });
      const refused = dials === 'accepted' && takes === 'required';
      const seen = exchangeCut(out, into);
      if (refused) {
        expect(into.log).toEqual(['failure encryption']);
        return;
      }
      expect(seen.includes('BitTorrent protocol')).toBe(dials === 'accepted');
      for (const { commands } of [out.connection, into.connection]) {
        commands.have(7);
        commands.piece(11, 10, countingBytes(4)(90));
        commands.request(1, 16_384, 16_384);
      }
      exchangeCut(out, into);
      for (const peer of [out, into]) {
        expect(peer.log).toEqual([
          'bitfield 0000 0',
          'extensions Test 1',
          'have 7',
          expect.stringMatching(/^block 11 10 90 /),
          'request 1 16384 16384',
        ]);
        expect(peer.blocks.get('11 10')).toEqual(countingBytes(4)(90));
        const rc4 =
          dials !== 'accepted' &&
          (dials === 'required' || takes !== 'accepted');
        expect(peer.remote?.encrypted).toBe(rc4);
      }
    },
  );
});

/** Moves bytes both ways in parts of 13 until nobody has any; what the dialling end sent. */
function exchangeCut(out: RecordedPeer, into: RecordedPeer): string {
  const sent: Buffer[] = [];
  for (;;) {
    const there = out.output();
    const back = into.output();
    if (there.length + back.length === 0) break;
    sent.push(Buffer.from(there));
    for (const part of cut(there, [], 13))
      into.connection.receive(part.slice(), 0);
    for (const part of cut(back, [], 13))
      out.connection.receive(part.slice(), 0);
  }
  return Buffer.concat(sent).toString('latin1');
}

/** Feeds a reused buffer, as a socket's owner does. */
function eventsOf(chunks: Uint8Array[]): string[] {
  const [, b] = connected();
  const reused = new Uint8Array(Math.max(...chunks.map((c) => c.length)));
  for (const chunk of chunks) {
    reused.set(chunk);
    b.connection.receive(reused.subarray(0, chunk.length), 0);
    reused.fill(0xee);
  }
  return b.log;
}

function cut(bytes: Uint8Array, sizes: number[], rest = 65_536): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i] ?? rest;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}
