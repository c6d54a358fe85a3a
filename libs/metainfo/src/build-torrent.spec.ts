import { createHash } from 'node:crypto';
import { decode } from '@dnd/bencode';
import * as fc from 'fast-check';
import {
  buildTorrent,
  type TorrentHashes,
  withAnnounce,
  wrapInfo,
} from './build-torrent';
import { FileLayout } from './file-layout';
import { BLOCK_BYTES, hashFile } from './merkle';
import type { MetainfoFormat } from './metainfo';
import { MetainfoError } from './metainfo-error';
import { parseInfo } from './parse-info';
import { parseTorrent } from './parse-torrent';
import {
  choosePieceLength,
  planTorrent,
  type TorrentPlan,
  type TorrentSource,
} from './plan-torrent';

const KIB = 1024;
const hex = (bytes?: Uint8Array) => Buffer.from(bytes ?? []).toString('hex');

/** Content by position, so that any two files differ. */
function contentOf(source: number, length: number): Buffer {
  return Buffer.alloc(length, `file ${source} `);
}

/** What storage does, in memory: SHA-1 over pieces, leaves and trees over files. */
function hashPlan(plan: TorrentPlan): TorrentHashes {
  const layout = new FileLayout(plan);
  const contents = plan.files.map(({ source, length }) =>
    source === undefined ? undefined : contentOf(source, length),
  );
  const pieces = Array.from({ length: plan.pieceCount }, (_, piece) => {
    const bytes = Buffer.alloc(layout.pieceSize(piece));
    for (const span of layout.spans(piece, 0, bytes.length)) {
      const { fileIndex, fileOffset, length, at } = span;
      contents[fileIndex]?.copy(bytes, at, fileOffset, fileOffset + length);
    }
    return createHash('sha1').update(bytes).digest();
  });
  const files = contents.map((content) =>
    content?.length ? hashFile(leavesOf(content), plan.pieceLength) : undefined,
  );
  return { pieces: Buffer.concat(pieces), files };
}

function leavesOf(content: Buffer): Uint8Array {
  const leaves: Buffer[] = [];
  for (let at = 0; at < content.length; at += BLOCK_BYTES) {
    const block = content.subarray(at, at + BLOCK_BYTES);
    leaves.push(createHash('sha256').update(block).digest());
  }
  return Buffer.concat(leaves);
}

function make(source: TorrentSource): Uint8Array {
  const plan = planTorrent(source);
  return buildTorrent(
    plan,
    plan.format === 'v1' ? { pieces: hashPlan(plan).pieces } : hashPlan(plan),
  );
}

const twoFiles = (format: MetainfoFormat): TorrentSource => ({
  name: 'two files',
  format,
  pieceLength: 16 * KIB,
  files: [
    { path: ['sub', 'b.bin'], length: 40_000 },
    { path: ['a.txt'], length: 5 },
  ],
});

describe('choosePieceLength', () => {
  it.each([
    [0, 16 * KIB],
    [20 * 2 ** 20, 16 * KIB],
    [2 ** 30, 2 ** 20],
    [2 ** 40, 16 * 2 ** 20],
    [2 ** 47, 64 * 2 ** 20],
  ])('for %i bytes is %i', (size, length) => {
    expect(choosePieceLength(size)).toBe(length);
  });
});

describe('planTorrent', () => {
  it('sorts by bytes and fills a hybrid with pads', () => {
    const plan = planTorrent(twoFiles('hybrid'));
    expect(plan.files).toEqual([
      {
        path: ['two files', 'a.txt'],
        length: 5,
        offset: 0,
        pad: false,
        source: 1,
      },
      {
        path: ['two files', '.pad', '16379'],
        length: 16_379,
        offset: 5,
        pad: true,
      },
      {
        path: ['two files', 'sub', 'b.bin'],
        length: 40_000,
        offset: 16_384,
        pad: false,
        source: 0,
      },
    ]);
    expect(plan).toMatchObject({ length: 56_384, size: 40_005, pieceCount: 4 });
  });

  it('is v1 unless told otherwise, and one file stands alone', () => {
    const plan = planTorrent({
      name: 'a.iso',
      files: [{ path: [], length: 9 }],
    });
    expect(plan).toMatchObject({
      format: 'v1',
      single: true,
      pieceLength: 16 * KIB,
    });
    expect(plan.files[0].path).toEqual(['a.iso']);
  });

  it.each<[string, TorrentSource, string]>([
    ['nothing', { name: 'x', files: [] }, 'no-files'],
    [
      'empty files only',
      { name: 'x', files: [{ path: ['a'], length: 0 }] },
      'invalid-length',
    ],
    [
      'a negative length',
      { name: 'x', files: [{ path: ['a'], length: -1 }] },
      'invalid-length',
    ],
    [
      'no name',
      { name: '../', files: [{ path: ['a'], length: 1 }] },
      'missing-name',
    ],
    [
      'a file without a path among others',
      {
        name: 'x',
        files: [
          { path: [], length: 1 },
          { path: ['a'], length: 1 },
        ],
      },
      'missing-name',
    ],
    [
      'v2 pieces that are no power of two',
      {
        name: 'x',
        format: 'v2',
        pieceLength: 20_000,
        files: [{ path: [], length: 1 }],
      },
      'piece-length-not-power-of-two',
    ],
    [
      'too many pieces',
      { name: 'x', pieceLength: 1, files: [{ path: [], length: 2 ** 22 }] },
      'too-many-pieces',
    ],
  ])('refuses %s', (_, source, code) => {
    expect(() => planTorrent(source)).toThrow(
      expect.objectContaining({ name: 'MetainfoError', code }),
    );
  });
});

describe('buildTorrent', () => {
  it('writes the v1 torrent that anybody would', () => {
    const torrent = buildTorrent(
      planTorrent({
        name: 'a',
        pieceLength: 16_384,
        files: [{ path: [], length: 3 }],
      }),
      { pieces: new Uint8Array(20).fill(0x78) },
      {
        announce: [['http://t/announce', 'udp://u:1']],
        private: true,
        comment: 'é',
      },
    );
    expect(Buffer.from(torrent).toString()).toBe(
      'd8:announce17:http://t/announce13:announce-listll17:http://t/announce9:udp://u:1ee' +
        '7:comment2:é4:infod6:lengthi3e4:name1:a12:piece lengthi16384e' +
        '6:pieces20:xxxxxxxxxxxxxxxxxxxx7:privatei1eee',
    );
  });

  // libtorrent 2.0.8 reads these hashes from the same torrents and finds all of their content good.
  it.each<[MetainfoFormat, string, string]>([
    ['v1', 'efee0cc0d4ecaf39d40d06a714bf00b27caf06de', ''],
    [
      'hybrid',
      'b89ceff9634dbb6984660fe49fe163a0702d0017',
      '28a6e5205ddd742c7f52122ab3b3385b2d321b14dc26afbc62d99a0b3e4cc699',
    ],
    [
      'v2',
      '',
      'e910d1aa57142910e9647773550c3f59c41946a5d804598eb7c45884f0dc2bce',
    ],
  ])('makes the %s torrent that others verify', (format, v1, v2) => {
    const metainfo = parseTorrent(make(twoFiles(format)));
    expect(metainfo.format).toBe(format);
    expect(hex(metainfo.infoHashV1)).toBe(v1);
    expect(hex(metainfo.infoHashV2)).toBe(v2);
    expect(metainfo.pieceLayers.size).toBe(format === 'v1' ? 0 : 1);
  });

  it('does not depend on the order it is given files in', () => {
    const source = twoFiles('hybrid');
    const plan = planTorrent({ ...source, files: source.files.toReversed() });
    const straight = planTorrent(source);
    const shape = ({ files }: TorrentPlan) =>
      files.map(({ path, offset, length }) => ({ path, offset, length }));
    expect(shape(plan)).toEqual(shape(straight));
  });

  const name = fc.oneof(
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom('a', 'A', 'é', '.pad', '..', 'sub', 'CON', 'x'.repeat(255)),
  );
  const source = fc.record({
    name: fc.constantFrom('t', 'name with spaces 💈', 'x'.repeat(255)),
    format: fc.constantFrom<MetainfoFormat>('v1', 'v2', 'hybrid'),
    pieceLength: fc.constantFrom(16 * KIB, 32 * KIB),
    files: fc.array(
      fc.record({
        path: fc.array(name, { minLength: 1, maxLength: 3 }),
        length: fc.oneof(fc.nat(3), fc.nat(80_000)),
      }),
      { minLength: 1, maxLength: 6 },
    ),
  });

  /** Undefined for a folder that version 2 cannot tell from a file. */
  function planned(given: TorrentSource): TorrentPlan | undefined {
    try {
      return planTorrent(given);
    } catch (error) {
      if ((error as MetainfoError).code !== 'folder-reads-as-file') throw error;
      return undefined;
    }
  }

  it.each<MetainfoFormat>(['v2', 'hybrid'])(
    'makes no %s torrent of a folder that reads as the file in it',
    (format) => {
      const files = [{ path: ['t'], length: 1 }];
      expect(() => planTorrent({ name: 't', format, files })).toThrow(
        expect.objectContaining({ code: 'folder-reads-as-file' }),
      );
      for (const source of [
        { name: 't', format: 'v1' as const, files },
        { name: 't', format, files: [{ path: ['t', 't'], length: 1 }] },
        { name: 't', format, files: [...files, { path: ['u'], length: 1 }] },
      ]) {
        const plan = planTorrent(source);
        const { files: read } = parseTorrent(
          buildTorrent(plan, hashPlan(plan)),
        );
        expect(read.map(({ path }) => path)).toEqual(
          plan.files.map(({ path }) => path),
        );
      }
    },
  );

  it('and parseTorrent agree on every plan', () => {
    fc.assert(
      fc.property(source, (given) => {
        fc.pre(given.files.some(({ length }) => length > 0));
        const plan = planned(given);
        fc.pre(plan !== undefined);
        if (!plan) return;
        const metainfo = parseTorrent(buildTorrent(plan, hashPlan(plan)));
        const { single, files, ...rest } = plan;
        expect(single).toBe(false);
        expect(metainfo).toMatchObject(rest);
        expect(
          metainfo.files.map(({ path, length, offset, pad }) => ({
            path,
            length,
            offset,
            pad,
          })),
        ).toEqual(
          files.map(({ path, length, offset, pad }) => ({
            path,
            length,
            offset,
            pad,
          })),
        );
      }),
      { numRuns: 150 },
    );
  });

  it.each<
    [string, MetainfoFormat, (hashes: TorrentHashes) => TorrentHashes, string]
  >([
    ['no pieces', 'v1', () => ({}), 'missing-pieces'],
    [
      'a piece too few',
      'hybrid',
      (h) => ({ ...h, pieces: h.pieces?.subarray(20) }),
      'pieces-count-mismatch',
    ],
    ['no roots', 'v2', () => ({}), 'missing-pieces-root'],
    [
      'a layer of something else',
      'v2',
      (h) => ({
        files: h.files?.map((f) => f && { ...f, layer: f.layer?.toReversed() }),
      }),
      'invalid-piece-layer',
    ],
  ])('refuses %s', (_, format, bend, code) => {
    const plan = planTorrent(twoFiles(format));
    expect(() => buildTorrent(plan, bend(hashPlan(plan)))).toThrow(
      expect.objectContaining({ code }),
    );
  });
});

describe('wrapInfo', () => {
  it('makes of a magnet’s info the torrent it came from', () => {
    for (const format of ['v1', 'v2', 'hybrid'] as const) {
      const torrent = make(twoFiles(format));
      const metainfo = parseTorrent(torrent);
      const { pieceLayers } = metainfo;
      const wrapped = wrapInfo(metainfo.infoBytes, {
        ...(format !== 'v1' && { pieceLayers }),
      });
      expect(hex(wrapped)).toBe(hex(torrent));
    }
  });

  it('keeps what a magnet adds', () => {
    const { infoBytes } = parseTorrent(make(twoFiles('v1')));
    const extras = {
      announce: [['http://a/announce'], ['udp://b:1']],
      webSeeds: ['http://w/two files/'],
      nodes: [{ host: '1.2.3.4', port: 5 }],
      createdAt: 7,
      createdBy: 'me',
    };
    const there = parseTorrent(wrapInfo(infoBytes, extras));
    const here = parseInfo(infoBytes, {
      ...extras,
      webSeeds: ['http://w/two%20files/'],
    });
    expect(there).toEqual(here);
  });
});

describe('withAnnounce', () => {
  it('changes trackers and web seeds and no other byte', () => {
    const info =
      'd6:lengthi03e4:name1:a12:piece lengthi16384e6:pieces20:xxxxxxxxxxxxxxxxxxxxe';
    const torrent = Buffer.from(
      `d8:announce8:http://x4:info${info}1:zi007e8:url-list1:ye`,
    );
    const changed = withAnnounce(
      torrent,
      [['http://1/'], ['http://2/']],
      ['http://w/a'],
    );
    expect(Buffer.from(changed).toString()).toBe(
      `d8:announce9:http://1/13:announce-listll9:http://1/el9:http://2/ee4:info${info}8:url-listl10:http://w/ae1:zi007ee`,
    );
    const bare = withAnnounce(torrent, []);
    expect([...(decode(bare) as Map<string, unknown>).keys()]).toEqual([
      'info',
      'url-list',
      'z',
    ]);
    expect(parseTorrent(changed).id).toBe(parseTorrent(torrent).id);
  });

  it('refuses what is no torrent', () => {
    expect(() => withAnnounce(Buffer.from('de'), [])).toThrow(MetainfoError);
    expect(() => withAnnounce(Buffer.from('x'), [])).toThrow(MetainfoError);
  });
});
