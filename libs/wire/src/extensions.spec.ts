/** BEP 9, 10, 11, 21 and 54 from the side of the bytes. */
import { decodeHolepunch, encodeHolepunch } from './holepunch-message';
import { obfuscatedHash } from './mse/encrypted-handshake';
import { TorrentIndex } from './torrent-index';
import { MessageId } from './message-id';
import {
  after,
  EXTENSIONS,
  extended,
  hello,
  message,
  met,
  SHAPE,
} from './testing/hand-written-remote';
import {
  countingBytes,
  INFO_HASH,
  RecordedPeer,
} from './testing/recorded-peer';

describe('extensions', () => {
  it('are announced at once, with what is ours', () => {
    const infoBytes = new Uint8Array(20_000);
    const peer = new RecordedPeer('incoming', {
      shape: SHAPE,
      torrent: { infoHashV1: INFO_HASH, infoBytes, uploadOnly: true },
      extensions: {
        client: 'Test 1',
        requestQueue: 500,
        yourIp: new Uint8Array([127, 0, 0, 1]),
      },
    });
    peer.connection.receive(hello(), 0);
    const text = peer.output().toString('latin1');
    expect(text).toContain('13:metadata_sizei20000e');
    expect(text).toContain('4:reqqi500e');
    expect(text).toContain('6:yourip4:\x7f\0\0\x01');
    expect(text).toContain('11:upload_onlyi1e');
    expect(text).toContain('6:ut_pexi1e');
    expect(text).not.toContain('ut_holepunch');
  });

  it('leave peer exchange out of private torrents, both ways', () => {
    const torrent = { infoHashV1: INFO_HASH, private: true };
    const peer = new RecordedPeer('incoming', { shape: SHAPE, torrent });
    peer.connection.receive(hello(), 0);
    expect(peer.output().toString('latin1')).not.toContain('ut_pex');
    after(peer, EXTENSIONS, extended(1, 'd5:added6:\x01\x01\x01\x01\x01\x01e'));
    expect(peer.pex).toEqual([]);
    peer.connection.extensions?.sendPex({ added: [], dropped: [] });
    expect(peer.output()).toHaveLength(0);
  });

  it('use the ids that the remote gave, follow a second handshake, and 0 is off', () => {
    const peer = met();
    const sent = (): number | undefined => {
      peer.output();
      peer.connection.commands.dontHave(2);
      return peer.output()[5];
    };
    expect(sent()).toBeUndefined();
    after(peer, EXTENSIONS);
    expect(sent()).toBe(9);
    after(peer, extended(0, 'd1:md11:lt_donthavei44eee'));
    expect(sent()).toBe(44);
    expect(peer.connection.extensions?.offers('ut_pex')).toBe(true);
    after(peer, extended(0, 'd1:md11:lt_donthavei0eee'));
    expect(sent()).toBeUndefined();
    expect(peer.failures).toEqual([]);
  });

  it('tell an address of IPv6, and no size while there is no metadata', () => {
    const yourIp = new Uint8Array(16).fill(0x20);
    const peer = new RecordedPeer('incoming', { extensions: { yourIp } });
    peer.connection.receive(hello(), 0);
    const text = peer.output().toString('latin1');
    expect(text).toContain(`6:yourip16:${' '.repeat(16)}`);
    expect(text).toContain('11:ut_metadatai2e');
    expect(text).not.toContain('metadata_size');
  });

  it('are changed by a second handshake where it says something, and stay where it does not', () => {
    const peer = met();
    after(peer, extended(0, 'd1:pi6881e4:reqqi250e1:v3:One11:upload_onlyi1ee'));
    after(peer, extended(0, 'd13:metadata_sizei700e4:reqqi7ee'));
    expect(peer.extensions).toMatchObject({
      client: 'One',
      port: 6_881,
      requestQueue: 7,
      metadataSize: 700,
      uploadOnly: true,
    });
    after(peer, extended(0, 'd11:upload_onlyi0ee'));
    expect(peer.extensions?.uploadOnly).toBe(false);
  });

  it('are not spoken to a remote that does not know BEP 10', () => {
    const peer = met({ extensions: false });
    expect(after(peer, EXTENSIONS, message(1))).toEqual(['unchoke']);
    expect(peer.connection.extensions).toBeUndefined();
  });

  it.each([
    ['no dictionary', extended(0, 'i5e')],
    ['nested lists', extended(0, 'l'.repeat(100_000))],
    ['a string of 2^63 - 1', extended(0, 'd1:v9223372036854775807:xe')],
    ['wrong types', extended(0, 'd1:mi5e1:vi6e4:reqq3:abce')],
    ['ids of nonsense', extended(0, 'd1:md6:ut_pexi-1e1:ai256e1:b0:ee')],
    ['an unknown id', extended(200, 'xyz')],
    ['nothing', message(MessageId.extended)],
    ['an id alone', extended(2, '')],
    ['an unknown msg_type', extended(2, 'd8:msg_typei9e5:piecei0ee')],
    ['a dont-have of 3 bytes', extended(7, 'abc')],
    ['more than any extension needs', extended(1, 'x'.repeat(600_000))],
  ])('of %s: ignored', (_name, bytes) => {
    const peer = met();
    const log = after(peer, bytes, message(1));
    expect(log.filter((line) => line !== 'extensions -')).toEqual(['unchoke']);
  });

  it('read what a real client says', () => {
    const peer = met();
    const hex =
      '000000de14006431323a636f6d706c6574655f61676f69323239333465313a6d64' +
      '31313a6c745f646f6e746861766569376531303a73686172655f6d6f6465693865' +
      '31313a75706c6f61645f6f6e6c7969336531323a75745f686f6c6570756e636869' +
      '346531313a75745f6d65746164617461693265363a75745f706578693165653133' +
      '3a6d657461646174615f73697a656931333838373665343a726571716935303065' +
      '31313a75706c6f61645f6f6e6c79693165313a7632333a71426974746f7272656e' +
      '742f342e342e30616c70686131363a796f75726970343a7f00000165';
    after(peer, Buffer.from(hex, 'hex'));
    expect(peer.extensions).toEqual({
      client: 'qBittorrent/4.4.0alpha1',
      requestQueue: 500,
      metadataSize: 138_876,
      port: undefined,
      yourIp: new Uint8Array([127, 0, 0, 1]),
      ipv4: undefined,
      ipv6: undefined,
      uploadOnly: true,
    });
    expect(peer.connection.extensions?.offers('ut_holepunch')).toBe(true);
  });

  it('read the example of BEP 10, whose key is no UTF-8', () => {
    const peer = met();
    const names = 'd11:LT_metadatai1e6:\xb5T_PEXi2ee';
    const client = '13:\xc2\xb5Torrent 1.2';
    after(peer, extended(0, `d1:m${names}1:pi6881e1:v${client}e`));
    expect(peer.extensions).toMatchObject({
      client: '\u00b5Torrent 1.2',
      port: 6_881,
    });
    // The key as UTF-8 is longer than its length says: no dictionary.
    const broken = names.replace('\xb5', '\xc2\xb5');
    expect(after(met(), extended(0, `d1:m${broken}e`))).toEqual([]);
  });

  it.each([
    'i0e',
    'i-1e',
    `i${2 ** 31}e`,
    `i${2 ** 40}e`,
    'i1000000000e',
    '3:700',
  ])('do not believe a metadata size of %s', (size) => {
    const peer = met();
    after(peer, extended(0, `d13:metadata_size${size}e`));
    expect(peer.extensions).toBeDefined();
    expect(peer.extensions?.metadataSize).toBeUndefined();
  });

  it('tell of lost pieces, upload-only and the DHT port', () => {
    const log = after(
      met(),
      message(4, 5),
      extended(7, '\0\0\0\x05'),
      extended(7, '\0\0\0\x63'),
      extended(3, '\x01'),
      message(9, Buffer.from([0x1a, 0xe1])),
    );
    expect(log).toEqual([
      'have 5',
      'dont have 5',
      'upload only true',
      'port 6881',
    ]);
  });
});

describe('metadata', () => {
  const infoBytes = countingBytes(3)(20_000);
  const served = (): RecordedPeer =>
    met({}, { torrent: { infoHashV1: INFO_HASH, infoBytes } });
  const ask = (piece: number | string): Buffer =>
    extended(2, `d8:msg_typei0e5:piecei${piece}ee`);

  it('is served in pieces of 16 KiB', () => {
    const peer = served();
    after(peer, EXTENSIONS, ask(0), ask(1));
    const out = peer.output();
    const head = 'd8:msg_typei1e5:piecei0e10:total_sizei20000ee';
    expect(out.subarray(5, 6 + head.length).toString('latin1')).toBe(
      `\x03${head}`,
    );
    const at = 6 + head.length;
    expect(
      out.subarray(at, at + 16_384).equals(infoBytes.subarray(0, 16_384)),
    ).toBe(true);
    expect(out.subarray(-3_616).equals(infoBytes.subarray(16_384))).toBe(true);
  });

  it.each([2, -1, 2 ** 31, '9223372036854775807'])(
    'piece %p is rejected with the same number',
    (piece) => {
      const peer = served();
      after(peer, EXTENSIONS, ask(piece));
      expect(peer.output().subarray(6).toString()).toBe(
        `d8:msg_typei2e5:piecei${piece}ee`,
      );
    },
  );

  it('is rejected while there is none, and told when there is', () => {
    const peer = met({}, { shape: undefined });
    after(peer, EXTENSIONS, ask(0));
    expect(peer.output().toString('latin1')).toContain('msg_typei2e');
    peer.connection.attach(peer, SHAPE, infoBytes);
    expect(peer.output().toString('latin1')).toContain('metadata_sizei20000e');
    after(peer, ask(1));
    expect(peer.output().toString('latin1')).toContain('total_sizei20000e');
  });

  it('asked for 3,000 times stays bounded', () => {
    const peer = served();
    after(peer, EXTENSIONS);
    for (let i = 0; i < 3_000; i++) after(peer, ask(0));
    expect(peer.connection.pendingOutput).toBeLessThan(400_000);
    expect(peer.failures).toEqual([]);
  });

  it('of others is handed on with what was said of it', () => {
    const peer = met();
    const data = 'd8:msg_typei1e5:piecei0e10:total_sizei5eehello';
    const log = after(
      peer,
      extended(2, data),
      extended(2, 'd8:msg_typei2e5:piecei4ee'),
    );
    expect(log).toEqual(['metadata 0 5 5', 'metadata reject 4']);
    expect(Buffer.from(peer.metadata[0]).toString()).toBe('hello');
  });
});

it('what is kept of a message is kept, whatever becomes of the memory that it came in', () => {
  const peer = met({}, { shape: undefined });
  const have = Buffer.alloc(Math.ceil(SHAPE.pieceCount / 8));
  have[0] = 0x50;
  const everything = [
    message(MessageId.bitfield, have),
    extended(2, 'd8:msg_typei1e5:piecei0e10:total_sizei5eehello'),
  ];
  after(peer, ...everything);
  for (const bytes of everything) bytes.fill(0);
  peer.connection.attach(peer, SHAPE);
  expect(peer.log).toContain(`bitfield ${have.toString('hex')} 2`);
  expect(Buffer.from(peer.metadata[0]).toString()).toBe('hello');
});

describe('holepunch messages', () => {
  const address = new Uint8Array([10, 0, 0, 1]);

  it.each([
    { type: 'rendezvous', address, port: 6881, error: 0 },
    { type: 'connect', address: new Uint8Array(16).fill(3), port: 1, error: 0 },
    { type: 'error', address, port: 80, error: 2 },
  ] as const)('are read as they were written: $type', (sent) => {
    expect(decodeHolepunch(encodeHolepunch(sent))).toEqual(sent);
  });

  it.each([
    '',
    '00',
    '000000',
    '0300' + '01'.repeat(10),
    '0002' + '01'.repeat(10),
  ])('of a wrong form are ignored: %s', (hex) => {
    expect(decodeHolepunch(Buffer.from(hex, 'hex'))).toBeUndefined();
  });

  it('are taken only where they are offered', () => {
    const sent = { type: 'connect', address, port: 5, error: 0 } as const;
    const bytes = extended(4, encodeHolepunch(sent));
    expect(after(met(), bytes)).toEqual([]);
    const able = met({}, { extensions: { holepunch: true } });
    expect(after(able, bytes)).toEqual(['holepunch connect 5']);
  });
});

describe('the index of torrents', () => {
  it('finds by either hash and its obfuscated form, until it is deleted', () => {
    const infoHashV2 = new Uint8Array(32).fill(7);
    const torrent = { infoHashV1: INFO_HASH, infoHashV2 };
    const index = new TorrentIndex();
    index.add(torrent);
    const cut = infoHashV2.slice(0, 20);
    expect(index.find(INFO_HASH)).toBe(torrent);
    expect(index.find(cut)).toBe(torrent);
    expect(index.findObfuscated(obfuscatedHash(cut))).toEqual(cut);
    expect(index.find(new Uint8Array(20))).toBeUndefined();
    index.delete(torrent);
    expect(index.find(INFO_HASH)).toBeUndefined();
    expect(index.findObfuscated(obfuscatedHash(cut))).toBeUndefined();
  });
});
