/** A file and its .torrent of any format, made with the library alone: what a foreign client seeds. */
import {
  buildTorrent,
  hashFile,
  planTorrent,
  type MetainfoFormat,
} from '@dnd/metainfo';
import { createHash } from 'node:crypto';

const blockLength = 16_384;
export const pieceLength = 65_536;

/** The .torrent of one file. */
export function makeTorrent(
  name: string,
  content: Buffer,
  format: MetainfoFormat,
): Uint8Array {
  const plan = planTorrent({
    name,
    format,
    pieceLength,
    files: [{ path: [], length: content.length }],
  });
  const pieces = digests('sha1', content, pieceLength);
  const leaves = digests('sha256', content, blockLength);
  const files = [hashFile(leaves, pieceLength)];
  return buildTorrent(plan, {
    ...(format === 'v2' ? {} : { pieces }),
    ...(format === 'v1' ? {} : { files }),
  });
}

function digests(name: string, content: Buffer, step: number): Buffer {
  const found: Buffer[] = [];
  for (let at = 0; at < content.length; at += step)
    found.push(
      createHash(name)
        .update(content.subarray(at, at + step))
        .digest(),
    );
  return Buffer.concat(found);
}
