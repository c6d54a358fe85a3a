/** BEP 3, 6 and 52 from the side of the bytes: what is taken, what is refused. */
import { Bitfield } from '@dnd/metainfo';
import { HANDSHAKE_LENGTH } from './handshake';
import {
  after,
  EXTENSIONS,
  hello,
  message,
  met,
  SHAPE,
  type Bits,
} from './testing/hand-written-remote';
import {
  countingBytes,
  INFO_HASH,
  RecordedPeer,
} from './testing/recorded-peer';

describe('messages of a wrong form', () => {
  it.each([
    ['a length over 1 MiB', Buffer.from([0x7f, 0xff, 0xff, 0xff])],
    ['the longest length', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['a have of 3 bytes', message(4, Buffer.alloc(3))],
    ['a choke of 2 bytes', message(0, Buffer.alloc(1))],
    ['a request of 8 bytes', message(6, 0, 0)],
    ['a have-all of 5 bytes', message(14, 0)],
    ['a reject of 4 bytes', message(16, 0)],
    ['a suggest of 8 bytes', message(13, 0, 0)],
    ['a port of 4 bytes', message(9, 0)],
    ['a bitfield a byte short', message(5, Buffer.alloc(1))],
    ['a bitfield a byte long', message(5, Buffer.alloc(3))],
    ['an empty bitfield', message(5)],
    ['have of an index out of range', message(4, 12)],
    ['a block of an index out of range', message(7, 12, 0, Buffer.alloc(9))],
    ['a piece without a block', message(7, 0, 0)],
    ['a piece without a place', message(7, 0)],
    ['a block over 16 KiB', message(7, 0, 0, Buffer.alloc(16_385))],
    ['a request over 128 KiB', message(6, 0, 0, 131_073)],
    ['a request of 2^32 - 1', message(6, 0, 0, 0xffffffff)],
    [
      'a hash request for a torrent without v2',
      message(21, Buffer.alloc(32), 0, 0, 2, 0),
    ],
    ['hashes for a torrent without v2', message(22, Buffer.alloc(80))],
  ])('%s: close', (_name, bytes) => {
    const whole = met();
    expect(after(whole, bytes)).toEqual([expect.stringMatching(/^failure/)]);
    const slow = met();
    for (const byte of bytes) after(slow, Buffer.from([byte]));
    expect(slow.failures).toHaveLength(1);
    after(slow, message(1));
    expect(slow.log).toEqual([]);
  });

  it('closes on an absurd length without waiting for its bytes', () => {
    const peer = met();
    after(peer, Buffer.from([0, 0x10, 0, 1]));
    expect(peer.log).toEqual(['failure too-long']);
  });

  it.each([
    ['have-all', message(14)],
    ['have-none', message(15)],
    ['suggest', message(13, 1)],
    ['reject', message(16, 0, 0, 16_384)],
    ['allowed-fast', message(17, 1)],
  ])('%s without the fast extension: close', (_name, bytes) => {
    expect(after(met({ fast: false }), bytes)).toEqual([
      'failure not-negotiated',
    ]);
    expect(after(met(), bytes)).not.toContain('failure not-negotiated');
  });

  it('reads past ids that nobody knows', () => {
    const peer = met();
    expect(
      after(peer, message(99, countingBytes(1)(70_000)), message(1)),
    ).toEqual(['unchoke']);
  });

  it.each([
    '0000003007',
    '00000030073030303030303030',
    '000000051130303030',
    '0000003005',
    '0000003307170892f302d5183936257ed251846218',
    '0000000110',
    '0000003014',
  ])('%s is no harm', (hex) => {
    const peer = met();
    after(peer, Buffer.from(hex, 'hex'));
    expect(peer.failures.length).toBeLessThanOrEqual(1);
  });
});

describe('the bitfield', () => {
  const field = (...bytes: number[]): Buffer => message(5, Buffer.from(bytes));

  it('is taken first, also after keep-alives and extension messages', () => {
    const peer = met();
    const log = after(peer, Buffer.alloc(4), EXTENSIONS, field(0x80, 0x10));
    expect(log).toEqual(['extensions -', 'bitfield 8010 2']);
  });

  it.each([
    ['after a have', message(4, 1), field(0x20, 0), 'bitfield 2000 1'],
    ['after an unchoke', message(1), field(0x20, 0), 'bitfield 2000 1'],
    ['twice', field(0x80, 0), field(0x20, 0), 'bitfield 2000 1'],
    ['after have-none', message(15), field(0x20, 0), 'bitfield 2000 1'],
    ['have-all after have-none', message(15), message(14), 'bitfield fff0 12'],
  ])('%s: the last one counts', (_name, first, second, told) => {
    const log = after(met(), first, second);
    expect(log[log.length - 1]).toBe(told);
  });

  it('has its spare bits cleared', () => {
    expect(after(met(), field(0xff, 0xff))).toEqual(['bitfield fff0 12']);
  });

  it('may be have-all or have-none with the fast extension', () => {
    expect(after(met(), message(14))).toEqual(['bitfield fff0 12']);
    expect(after(met(), message(15))).toEqual(['bitfield 0000 0']);
  });

  it('is ours in the shortest form that the remote knows', () => {
    const full = Bitfield.full(12);
    const some = new Bitfield(12);
    some.add(0);
    const none = new Bitfield(12);
    const first = (bits: Bits, have: Bitfield): number[] => {
      const peer = new RecordedPeer('incoming', { shape: SHAPE, have });
      peer.connection.receive(hello({ ...bits, extensions: false }), 0);
      return [...peer.output().subarray(HANDSHAKE_LENGTH)];
    };
    expect(first({}, full)).toEqual([0, 0, 0, 1, 14]);
    expect(first({}, none)).toEqual([0, 0, 0, 1, 15]);
    expect(first({}, some)).toEqual([0, 0, 0, 3, 5, 0x80, 0]);
    expect(first({ fast: false }, full)).toEqual([0, 0, 0, 3, 5, 0xff, 0xf0]);
    expect(first({ fast: false }, none)).toEqual([]);
  });
});

describe('requests', () => {
  it.each([
    ['an index past the end', 12, 0, 16_384],
    ['across the piece end', 0, 16_385, 16_384],
    ['past the last piece', 11, 0, 101],
    ['length 0', 0, 0, 0],
    ['over 16 KiB', 0, 0, 32_768],
    ['a sign bit', 0x80000000, 0, 16_384],
    ['begin and length over 32 bits', 0, 0xfffff000, 0x1000],
  ])('%s: rejected, or closed without fast', (_name, ...place) => {
    const peer = met();
    expect(after(peer, message(6, ...place))).toEqual([]);
    expect(peer.output().equals(message(16, ...place))).toBe(true);
    expect(after(met({ fast: false }), message(6, ...place))).toEqual([
      'failure bad-request',
    ]);
  });

  it('inside a piece are told, whatever the offset', () => {
    const log = after(met(), message(6, 11, 1, 99), message(6, 0, 7, 16_384));
    expect(log).toEqual(['request 11 1 99', 'request 0 7 16384']);
  });

  it('a cancel of anything is harmless', () => {
    const log = after(met(), message(8, 99, 1, 1), message(8, 0, 0, 16_384));
    expect(log).toEqual(['cancel 0 0 16384']);
  });

  it('nothing is rejected to a remote that does not know how', () => {
    const peer = met({ fast: false });
    peer.connection.commands.reject(0, 0, 1);
    peer.connection.commands.suggest(0);
    peer.connection.commands.allowedFast(0);
    expect(peer.output()).toHaveLength(0);
  });

  it('whose answers nobody reads end the connection, bounded', () => {
    const peer = met();
    const request = message(6, 12, 0, 1);
    const many = Buffer.concat(Array.from({ length: 1_000 }, () => request));
    for (let i = 0; i < 200 && !peer.connection.closed; i++) {
      peer.connection.receive(many, 0);
      expect(peer.connection.pendingOutput).toBeLessThan(3_000_000);
    }
    expect(peer.log).toEqual(['failure output-overflow']);
  });
});

describe('blocks', () => {
  it('that are not wanted or cross the piece end are read past', () => {
    const peer = met();
    after(peer, message(7, 11, 50, Buffer.alloc(51)));
    peer.wants = false;
    after(peer, message(7, 0, 0, Buffer.alloc(16_384)), message(1));
    expect(peer.log).toEqual(['unchoke']);
    expect(peer.blocks.size).toBe(0);
  });

  it('can be dropped while they come', () => {
    const peer = met();
    const bytes = message(7, 1, 0, Buffer.alloc(1_000, 5));
    after(peer, bytes.subarray(0, 500));
    expect(peer.connection.incomingBlock).toEqual({
      piece: 1,
      begin: 0,
      length: 1_000,
      got: 487,
    });
    peer.connection.dropIncomingBlock();
    expect(after(peer, bytes.subarray(500), message(1))).toEqual(['unchoke']);
    expect(peer.blocks.get('1 0')?.[600]).toBe(0);
  });

  it('out of range for suggest and allowed-fast is ignored', () => {
    const log = after(met(), message(13, 12), message(17, 99), message(17, 3));
    expect(log).toEqual(['allowed fast 3']);
  });

  it('are served by reference, several framed at once too', () => {
    const peer = met({ extensions: false });
    const block = new Uint8Array(100);
    peer.connection.commands.have(1);
    peer.connection.commands.piece(1, 0, block);
    peer.connection.commands.have(2);
    const chunks = peer.connection.takeOutput();
    expect(chunks.map((chunk) => chunk.length)).toEqual([22, 100, 9]);
    expect(chunks[1]).toBe(block);
    expect(peer.connection.takeOutput()).toEqual([]);
  });
});

describe('hash messages', () => {
  it.each([
    ['request', message(21, Buffer.alloc(48))],
    ['hashes', message(22, Buffer.alloc(112))],
    ['reject', message(23, Buffer.alloc(48))],
  ])(
    'of one who says that it knows v2 end the connection where the torrent does not (%s)',
    (_name, bytes) => {
      expect(after(met({ v2: true }), bytes)).toEqual([
        'failure not-negotiated',
      ]);
    },
  );

  it('reach the other side of a v2 torrent', () => {
    const torrent = {
      infoHashV1: INFO_HASH,
      infoHashV2: new Uint8Array(32).fill(0xaa),
    };
    const a = met({ v2: true }, { torrent });
    const range = {
      piecesRoot: new Uint8Array(32).fill(4),
      baseLayer: 0,
      index: 8,
      length: 4,
      proofLayers: 2,
    };
    a.connection.commands.hashRequest(range);
    a.connection.commands.hashReject(range);
    a.connection.commands.hashes(range, new Uint8Array(192).fill(9));
    const b = met({ v2: true }, { torrent });
    expect(after(b, a.output())).toEqual([
      'hash request 8 4',
      'hash reject 8 4',
      'hashes 8 192',
    ]);
    expect(b.hashes[0]).toEqual([range, new Uint8Array(192).fill(9)]);
    const odd = message(22, Buffer.alloc(48 + 31));
    expect(after(b, odd)).toEqual(['failure bad-length']);
  });
});
