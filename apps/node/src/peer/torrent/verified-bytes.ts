/** How much of a torrent is verified: of all, of one file, and from one byte on. Bytes throughout. */
import { FileLayout, type Bitfield, type Metainfo } from '@dnd/metainfo';

/** Of the content, pads left out as far as the last piece tells. */
export function verifiedBytes(metainfo: Metainfo, have: Bitfield): number {
  if (have.count === 0) return 0;
  if (have.complete) return metainfo.size;
  const last = metainfo.pieceCount - 1;
  const short = have.has(last)
    ? metainfo.pieceCount * metainfo.pieceLength - metainfo.length
    : 0;
  return Math.min(metainfo.size, have.count * metainfo.pieceLength - short);
}

/** Of one file; `layout` is made when it is not at hand. */
export function verifiedBytesOf(
  metainfo: Metainfo,
  have: Bitfield,
  fileIndex: number,
  layout = new FileLayout(metainfo),
): number {
  const { offset, length } = metainfo.files[fileIndex];
  if (have.complete || length === 0) return length;
  const { first, end } = layout.piecesOf(fileIndex);
  let count = 0;
  for (let piece = first; piece < end; piece++) {
    if (!have.has(piece)) continue;
    const start = piece * metainfo.pieceLength;
    count +=
      Math.min(start + metainfo.pieceLength, offset + length) -
      Math.max(start, offset);
  }
  return count;
}

/** In one run from `offset` of the torrent on, `length` at most. */
export function verifiedFrom(
  { pieceLength }: Metainfo,
  have: Bitfield,
  offset: number,
  length: number,
): number {
  let end = offset;
  while (end < offset + length && have.has(Math.floor(end / pieceLength)))
    end = (Math.floor(end / pieceLength) + 1) * pieceLength;
  return Math.min(length, end - offset);
}
