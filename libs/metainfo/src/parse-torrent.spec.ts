import { createHash } from 'node:crypto';
import { encode, type Encodable, Encoded } from '@dnd/bencode';
import * as fc from 'fast-check';
import { merkleRoot } from './merkle';
import { MetainfoError } from './metainfo-error';
import { parseInfo } from './parse-info';
import { parseTorrent } from './parse-torrent';

type Dictionary = { [key: string]: Encodable | undefined };

const hex = (bytes?: Uint8Array) => Buffer.from(bytes ?? []).toString('hex');
const HASH = new Uint8Array(20).fill(7);
const single: Dictionary = {
  name: 'a',
  length: 5,
  'piece length': 16_384,
  pieces: HASH,
};
const many = (files: Encodable): Dictionary => ({
  name: 't',
  files,
  'piece length': 16_384,
  pieces: HASH,
});
const torrent = (info: Encodable, outer: Dictionary = {}) =>
  encode({ info, ...outer });
const read = (info: Encodable, outer?: Dictionary) =>
  parseTorrent(torrent(info, outer));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof MetainfoError) return error.code;
    throw error;
  }
  return 'accepted';
}

const leaf = (n: number) =>
  new Uint8Array(createHash('sha256').update(Uint8Array.of(n)).digest());
const LAYER = Buffer.concat([leaf(1), leaf(2), leaf(3)]);
const ROOT = merkleRoot(LAYER);
/** A file of three pieces and a file of one byte. */
const v2: Dictionary = {
  name: 't',
  'meta version': 2,
  'piece length': 16_384,
  'file tree': {
    big: { '': { length: 40_000, 'pieces root': ROOT } },
    small: { '': { length: 1, 'pieces root': leaf(9) } },
  },
};
const hybrid = (files: Encodable): Dictionary => ({
  ...v2,
  files,
  pieces: new Uint8Array(80),
});
const layersOf = (layer: Uint8Array) =>
  new Map([[Buffer.from(ROOT).toString('latin1'), layer]]);

describe('parseTorrent', () => {
  it('hashes the bytes as they came, canonical or not', () => {
    const info = Buffer.concat([
      Buffer.from('d4:name1:a6:lengthi05e12:piece lengthi16384e6:pieces20:'),
      HASH,
      Buffer.from('e'),
    ]);
    const { infoHashV1, infoBytes, id } = parseTorrent(
      torrent(new Encoded(info)),
    );
    expect(hex(infoBytes)).toBe(hex(info));
    expect(hex(infoHashV1)).toBe(createHash('sha1').update(info).digest('hex'));
    expect(id).toBe(hex(infoHashV1));
  });

  it('shares no memory with its input', () => {
    const bytes = torrent(v2, { 'piece layers': layersOf(LAYER) });
    const before = parseTorrent(bytes);
    const after = parseTorrent(bytes);
    bytes.fill(0);
    expect(after).toEqual(before);
    expect(hex(after.pieceLayers.get(hex(ROOT)))).toBe(hex(LAYER));
  });

  it('reads trackers in tiers, each once', () => {
    const tiers = [
      ['http://1', ' http://2\n'],
      'udp://3',
      ['http://1'],
      [],
      [7],
    ];
    expect(read(single, { 'announce-list': tiers }).announce).toEqual([
      ['http://1', 'http://2'],
      ['udp://3'],
    ]);
    expect(
      read(single, { 'announce-list': [[]], announce: 'http://x' }).announce,
    ).toEqual([['http://x']]);
    expect(read(single, { announce: 5 }).announce).toEqual([]);
  });

  it('reads web seeds over HTTP, folders with a slash', () => {
    const seeds = {
      'url-list': ['http://w/x y', 'ftp://w/', '', 3, 'http://w/x y'],
    };
    expect(read(single, seeds).webSeeds).toEqual(['http://w/x%20y']);
    const files = [
      { length: 2, path: ['a'] },
      { length: 3, path: ['b'] },
    ];
    expect(read(many(files), seeds).webSeeds).toEqual(['http://w/x%20y/']);
    expect(read(single, { 'url-list': 'http://one' }).webSeeds).toEqual([
      'http://one',
    ]);
  });

  it('reads the rest of the outer dictionary', () => {
    const outer = {
      nodes: [['1.2.3.4', 5], ['::1', 6], ['h', 0], 'x'],
      comment: 'c',
      'created by': 'b',
      'creation date': 9,
    };
    expect(read(single, outer)).toMatchObject({
      nodes: [
        { host: '1.2.3.4', port: 5 },
        { host: '::1', port: 6 },
      ],
      comment: 'c',
      createdBy: 'b',
      createdAt: 9,
      private: false,
    });
    expect(read({ ...single, private: 1 }).private).toBe(true);
  });

  it('reads BEP 47 pads, links and attributes', () => {
    const { files, size, length } = read(
      many([
        { length: 3, path: ['a'], attr: 'x' },
        { length: 7, attr: 'p' },
        { length: 4, path: ['d', 'b'], attr: 'h' },
        { length: 9, path: ['link'], attr: 'l', 'symlink path': ['d', 'b'] },
        {
          path: ['out'],
          attr: 'l',
          'symlink path': ['..', '..', 'etc', 'passwd'],
        },
      ]),
    );
    expect(files).toEqual([
      { path: ['t', 'a'], length: 3, offset: 0, pad: false, executable: true },
      { path: ['t', '.pad', '7'], length: 7, offset: 3, pad: true },
      {
        path: ['t', 'd', 'b'],
        length: 4,
        offset: 10,
        pad: false,
        hidden: true,
      },
      {
        path: ['t', 'link'],
        length: 0,
        offset: 14,
        pad: false,
        symlink: ['t', 'd', 'b'],
      },
      { path: ['t', 'out'], length: 0, offset: 14, pad: false },
    ]);
    expect([size, length]).toEqual([7, 14]);
  });

  it('falls back to the hash for a name of which nothing is left', () => {
    const { name, id, files } = read({ ...single, name: '..' });
    expect(name).toBe(id);
    expect(files[0].path).toEqual([id]);
  });

  it.each<[string, Dictionary, string]>([
    ['no name', { ...single, name: undefined }, 'missing-name'],
    [
      'no piece length',
      { ...single, 'piece length': undefined },
      'missing-piece-length',
    ],
    [
      'pieces of 0 bytes',
      { ...single, 'piece length': 0 },
      'missing-piece-length',
    ],
    [
      'pieces of 1 GiB',
      { ...single, 'piece length': 2 ** 30 },
      'missing-piece-length',
    ],
    ['no pieces', { ...single, pieces: undefined }, 'missing-pieces'],
    [
      '19 bytes of hashes',
      { ...single, pieces: HASH.subarray(1) },
      'pieces-count-mismatch',
    ],
    [
      'a hash too many',
      { ...single, pieces: new Uint8Array(40) },
      'pieces-count-mismatch',
    ],
    ['a negative length', { ...single, length: -1 }, 'invalid-length'],
    ['a length of 2⁶³', { ...single, length: 2n ** 63n }, 'invalid-length'],
    [
      'no content',
      { ...single, length: 0, pieces: new Uint8Array() },
      'invalid-length',
    ],
    [
      'neither length nor files',
      { ...single, length: undefined },
      'invalid-length',
    ],
    ['no files', many([]), 'no-files'],
    ['a file that is a number', many([7]), 'file-entry-parse-failed'],
    ['a file without a path', many([{ length: 5 }]), 'missing-name'],
    [
      'a path that is a number',
      many([{ length: 5, path: [5] }]),
      'invalid-name',
    ],
    [
      'deep folders',
      many([{ length: 5, path: Array(200).fill('d') }]),
      'directory-too-deep',
    ],
    [
      'lengths whose sum is absurd',
      many([
        { length: 2 ** 47, path: ['a'] },
        { length: 2 ** 48, path: ['b'] },
      ]),
      'invalid-length',
    ],
    [
      'two million pieces',
      { ...single, length: 2 ** 40, 'piece length': 16_384 },
      'too-many-pieces',
    ],
    ['version 3', { ...v2, 'meta version': 3 }, 'unknown-version'],
  ])('refuses %s', (_, info, code) => {
    expect(codeOf(() => read(info))).toBe(code);
  });

  it.each([
    ['', 'invalid-bencoding'],
    ['d4:info', 'invalid-bencoding'],
    ['i5e', 'not-a-dictionary'],
    ['de', 'missing-info'],
    ['d4:info4:texte', 'missing-info'],
    ['d4:info' + 'l'.repeat(1_000), 'nesting-too-deep'],
  ])('refuses %j', (text, code) => {
    expect(codeOf(() => parseTorrent(Buffer.from(text)))).toBe(code);
  });

  it('says in a sentence what is wrong', () => {
    expect(() => read({ ...single, name: undefined })).toThrow(
      'The torrent or one of its files has no name.',
    );
  });
});

describe('parseTorrent of version 2', () => {
  it('aligns files to pieces', () => {
    const metainfo = read(v2, { 'piece layers': layersOf(LAYER) });
    expect(metainfo).toMatchObject({
      format: 'v2',
      pieceCount: 4,
      length: 49_153,
      size: 40_001,
      files: [
        { path: ['t', 'big'], offset: 0, piecesRoot: ROOT },
        { path: ['t', 'small'], offset: 49_152 },
      ],
    });
    expect(metainfo.infoHashV1).toBeUndefined();
    expect(metainfo.id).toBe(hex(metainfo.infoHashV2).slice(0, 40));
    expect(metainfo.pieceHashes).toHaveLength(0);
  });

  it('accepts that layers are missing', () => {
    expect(read(v2).pieceLayers.size).toBe(0);
  });

  it('knows a torrent of one file', () => {
    const alone = {
      ...v2,
      'file tree': { t: { '': { length: 1, 'pieces root': leaf(9) } } },
    };
    expect(read(alone).files[0].path).toEqual(['t']);
    const inside = {
      ...v2,
      'file tree': { u: { '': { length: 1, 'pieces root': leaf(9) } } },
    };
    expect(read(inside).files[0].path).toEqual(['t', 'u']);
  });

  it('reads a hybrid’s v1 list with v2’s roots', () => {
    const metainfo = read(
      hybrid([
        { length: 40_000, path: ['big'] },
        { length: 9_152, attr: 'p', path: ['.pad', '9152'] },
        { length: 1, path: ['small'] },
      ]),
      { 'piece layers': layersOf(LAYER) },
    );
    expect(metainfo.format).toBe('hybrid');
    expect(
      metainfo.files.map(({ pad, piecesRoot }) => [pad, hex(piecesRoot)]),
    ).toEqual([
      [false, hex(ROOT)],
      [true, ''],
      [false, hex(leaf(9))],
    ]);
    expect(metainfo.id).toBe(hex(metainfo.infoHashV1));
  });

  it.each<[string, Encodable]>([
    [
      'unaligned',
      [
        { length: 40_000, path: ['big'] },
        { length: 1, path: ['small'] },
      ],
    ],
    [
      'of another name',
      [
        { length: 40_000, path: ['bug'] },
        { length: 9_152, attr: 'p', path: ['p'] },
        { length: 1, path: ['small'] },
      ],
    ],
    [
      'of another length',
      [
        { length: 40_001, path: ['big'] },
        { length: 9_151, attr: 'p', path: ['p'] },
        { length: 1, path: ['small'] },
      ],
    ],
    ['too few', [{ length: 40_000, path: ['big'] }]],
    [
      'too many',
      [
        { length: 40_000, path: ['big'] },
        { length: 9_152, attr: 'p', path: ['p'] },
        { length: 1, path: ['small'] },
        { length: 0, path: ['z'] },
      ],
    ],
  ])('refuses v1 files that are %s', (_, files) => {
    expect(codeOf(() => read(hybrid(files)))).toBe('v1-v2-files-differ');
  });

  it.each<[string, Encodable]>([
    ['of the wrong size', layersOf(LAYER.subarray(32))],
    [
      'with a wrong hash',
      layersOf(Buffer.concat([LAYER.subarray(0, 64), leaf(4)])),
    ],
    ['of an unknown root', new Map([['x'.repeat(32), LAYER]])],
    ['that are no dictionary', []],
    [
      'that are no strings',
      new Map([[Buffer.from(ROOT).toString('latin1'), 5]]),
    ],
  ])('refuses layers %s', (_, layers) => {
    expect(codeOf(() => read(v2, { 'piece layers': layers }))).toBe(
      'invalid-piece-layer',
    );
  });

  it.each<[string, Dictionary, string]>([
    [
      'a tree out of order',
      {
        ...v2,
        'file tree': new Encoded(
          Buffer.from('d1:bd0:d6:lengthi0eee1:ad0:d6:lengthi0eeee'),
        ),
      },
      'invalid-bencoding',
    ],
    [
      'a file without root',
      { ...v2, 'file tree': { a: { '': { length: 1 } } } },
      'missing-pieces-root',
    ],
    [
      'a root of zeros',
      {
        ...v2,
        'file tree': {
          a: { '': { length: 1, 'pieces root': new Uint8Array(32) } },
        },
      },
      'missing-pieces-root',
    ],
    [
      'a pad',
      { ...v2, 'file tree': { a: { '': { length: 0, attr: 'p' } } } },
      'invalid-pad-file',
    ],
    [
      'a leaf beside files',
      {
        ...v2,
        'file tree': { a: { '': { length: 0 }, b: { '': { length: 0 } } } },
      },
      'file-entry-parse-failed',
    ],
    ['an empty tree', { ...v2, 'file tree': {} }, 'no-files'],
    [
      'pieces of 24 KiB',
      { ...v2, 'piece length': 24_576 },
      'piece-length-not-power-of-two',
    ],
    [
      'pieces of 8 KiB',
      { ...v2, 'piece length': 8_192 },
      'missing-piece-length',
    ],
  ])('refuses %s', (_, info, code) => {
    expect(codeOf(() => read(info))).toBe(code);
  });
});

describe('parseInfo', () => {
  it('is for what a magnet link leads to', () => {
    const bytes = encode(single);
    const metainfo = parseInfo(bytes, { announce: [['http://x']] });
    expect(metainfo).toEqual(
      parseTorrent(torrent(single, { announce: 'http://x' })),
    );
    expect(codeOf(() => parseInfo(Buffer.concat([bytes, HASH])))).toBe(
      'invalid-bencoding',
    );
  });
});

describe('hostile input', () => {
  const seeds = [
    torrent(single, { announce: 'http://x', nodes: [['1.2.3.4', 5]] }),
    torrent(
      many([
        { length: 3, path: ['a', '..'] },
        { length: 7, attr: 'p' },
      ]),
    ),
    torrent(v2, { 'piece layers': layersOf(LAYER) }),
    torrent(
      hybrid([
        { length: 40_000, path: ['big'] },
        { length: 9_152, attr: 'p' },
        { length: 1, path: ['small'] },
      ]),
    ),
  ];
  const pieces = [
    'i-1e',
    'i9007199254740993e',
    '0:',
    'de',
    'le',
    'd',
    'l',
    'e',
    'i1e',
    '1:/',
    '2:..',
    '4:info',
    '5:files',
    '99:',
  ];
  const edit = fc.record({
    at: fc.nat(),
    drop: fc.nat(12),
    put: fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      fc.constantFrom(...pieces).map((text) => Buffer.from(text)),
    ),
  });

  it('gets a MetainfoError or a torrent whose files lie where they may', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        (seed, edits) => {
          let bytes = Buffer.from(seed);
          for (const { at, drop, put } of edits) {
            const from = at % bytes.length;
            bytes = Buffer.concat([
              bytes.subarray(0, from),
              put,
              bytes.subarray(from + drop),
              Buffer.from('e'),
            ]);
          }
          try {
            const { files, length, pieceCount, pieceLength } =
              parseTorrent(bytes);
            expect(pieceCount).toBe(Math.ceil(length / pieceLength));
            for (const { path, offset, length: bytes } of files) {
              expect(offset + bytes).toBeLessThanOrEqual(length);
              for (const element of path)
                expect(element).not.toMatch(/^\.{0,2}$|[/\\\0]/);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(MetainfoError);
          }
        },
      ),
      { numRuns: 4_000 },
    );
  });
});
