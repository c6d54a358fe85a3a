/** Hostile bytes for .torrent files and magnet links: taken as something whole and safe, or refused. */
import { encode, type Encodable } from '@dnd/bencode';
import type { FuzzTarget } from '@dnd/sim';
import { FileLayout } from './file-layout';
import { formatMagnet, parseMagnet } from './magnet';
import type { Metainfo } from './metainfo';
import { MetainfoError } from './metainfo-error';
import { parseTorrent } from './parse-torrent';

const root = Buffer.alloc(32, 7);
const bytesOf = (value: Encodable): Uint8Array => encode(value);
const v1 = { name: 'a', 'piece length': 16_384, pieces: Buffer.alloc(40, 1) };
const tree = {
  a: { '': { length: 40_000, 'pieces root': root } },
  b: { c: { '': { length: 5, 'pieces root': root } } },
};
const v2 = {
  'meta version': 2,
  name: 'a',
  'piece length': 16_384,
  'file tree': tree,
};

const torrents = [
  bytesOf({ announce: 'http://t/announce', info: { ...v1, length: 20_000 } }),
  bytesOf({
    'announce-list': [['udp://t:1', 'http://u/'], ['wss://v']],
    'url-list': ['http://w/'],
    info: {
      ...v1,
      private: 1,
      files: [
        { length: 16_000, path: ['x', 'y'] },
        { attr: 'p', length: 384, path: ['.pad', '384'] },
        { length: 3_000, path: ['..', 'CON'] },
      ],
    },
  }),
  bytesOf({
    info: v2,
    'piece layers': new Map([[root.toString('latin1'), Buffer.alloc(96, 9)]]),
  }),
  bytesOf({
    info: {
      ...v2,
      ...v1,
      pieces: Buffer.alloc(80, 1),
      files: [
        { length: 40_000, path: ['a'] },
        { attr: 'p', length: 9_152, path: ['.pad', '9152'] },
        { length: 5, path: ['b', 'c'] },
      ],
    },
  }),
];
const magnets = [
  `magnet:?xt=urn:btih:${'ab'.repeat(20)}&dn=a%20b&tr=http%3A%2F%2Ft%2F&x.pe=1.2.3.4:5&x.pe=[::1]:6&so=0,2-4&ws=http://w/`,
  `magnet:?xt=urn:btmh:1220${'cd'.repeat(32)}&xt=urn:btih:ABCDEFGHIJKLMNOPQRSTUVWXYZ234567`,
].map((text) => Buffer.from(text));

const isUnsafe = (element: string): boolean =>
  element === '' ||
  element === '.' ||
  element === '..' ||
  /[/\\\0]/.test(element);

/** What everything that follows takes for granted. */
function check(metainfo: Metainfo): void {
  const { files, length, pieceCount, pieceLength } = metainfo;
  if (pieceCount !== Math.ceil(length / pieceLength))
    throw new Error('another number of pieces');
  let end = 0;
  for (const { path, offset, length: size } of files) {
    if (path.some(isUnsafe)) throw new Error(`unsafe path ${path.join('/')}`);
    if (!Number.isSafeInteger(offset + size) || offset < end)
      throw new Error('files overlap');
    end = offset + size;
  }
  if (end > length) throw new Error('files beyond the end');
  const layout = new FileLayout(metainfo);
  if (pieceCount > 0 && !(layout.pieceSize(pieceCount - 1) > 0))
    throw new Error('an empty piece');
}

function attempt(read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof MetainfoError) return false;
    throw error;
  }
}

export const targets: Record<string, () => FuzzTarget> = {
  'torrent files': () => ({
    samples: torrents,
    feed: (input) => attempt(() => check(parseTorrent(input))),
  }),
  'magnet links': () => ({
    samples: magnets,
    feed: (input) =>
      attempt(() => {
        const magnet = parseMagnet(Buffer.from(input).toString('utf8'));
        const again = parseMagnet(formatMagnet(magnet));
        if (again.id !== magnet.id) throw new Error('another torrent');
      }),
  }),
};
