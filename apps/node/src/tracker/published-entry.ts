/** What the catalogue says of a .torrent. */
import type { Metainfo } from '@dnd/metainfo';
import { maxPaths, type Entry } from './values';

export function entryOf(
  metainfo: Metainfo,
  by: Pick<Entry, 'publisherId' | 'publisherName' | 'publishedAt'>,
): Entry {
  const files = metainfo.files.filter(({ pad }) => !pad);
  const paths =
    files.length === 1 && files[0].path.length === 1
      ? ''
      : files.map(({ path }) => path.slice(1).join('/')).join('\n');
  return {
    infoHash: metainfo.id,
    name: metainfo.name,
    size: metainfo.size,
    files: files.length,
    comment: cut(metainfo.comment ?? '', 4096),
    private: metainfo.private,
    paths: cut(paths, maxPaths),
    ...by,
  };
}

/** At most `bytes` bytes of UTF-8, no half characters. */
function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  return encoded.length <= bytes
    ? text
    : encoded
        .subarray(0, bytes)
        .toString()
        .replace(/\uFFFD+$/, '');
}
