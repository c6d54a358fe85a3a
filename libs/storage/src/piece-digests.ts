/**
 * What each piece must hash to, and how it is hashed: SHA-1 for v1 and hybrid torrents, the SHA-256
 * tree of BEP 52 for v2-only ones.
 *
 * A hybrid is held to its SHA-1 alone: that is what every v1 peer of the swarm goes by, and whoever
 * could make one piece with two contents of equal SHA-1 is the torrent's own maker.
 */
import type { FileLayout, Metainfo } from '@dnd/metainfo';
import { type HashUnit, Want } from './hasher';

const LEAF = 16_384;

export interface PlaceOfPiece {
  /** Index into `HashJob.files`, position, length; index -1 for zeros. */
  readonly ranges?: readonly number[];
  readonly memory?: SharedArrayBuffer;
}

/** BEP 52: leaves of the tree over one piece, the file's own tree when it has only one. */
export function treeWidth(fileLength: number, pieceLength: number): number {
  const covered = Math.min(fileLength, pieceLength);
  return 2 ** Math.ceil(Math.log2(Math.ceil(covered / LEAF)));
}

export class PieceDigests {
  readonly #metainfo: Metainfo;
  readonly #layout: FileLayout;
  /** v2: hex of the pieces roots by file, made when first needed. */
  readonly #rootKeys = new Map<number, string>();

  constructor(metainfo: Metainfo, layout: FileLayout) {
    this.#metainfo = metainfo;
    this.#layout = layout;
  }

  /** How to hash the piece for `matches`. */
  unit(piece: number, place: PlaceOfPiece): HashUnit {
    const length = this.#layout.pieceSize(piece);
    if (this.#metainfo.format !== 'v2') {
      return { want: Want.sha1, width: 0, length, ...place };
    }
    const { file } = this.#v2(piece);
    const width = treeWidth(file.length, this.#metainfo.pieceLength);
    return { want: Want.root, width, length, ...place };
  }

  /**
   * The digest that `unit` must give. Undefined while it is not known: a v2 torrent that came as a magnet
   * link has no piece layers until peers send them (they then stand in `Metainfo.pieceLayers`).
   */
  expected(piece: number): Uint8Array | undefined {
    const { format, pieceHashes, pieceLength, pieceLayers } = this.#metainfo;
    if (format !== 'v2') {
      return pieceHashes.subarray(piece * 20, piece * 20 + 20);
    }
    const { index, file } = this.#v2(piece);
    if (file.length <= pieceLength) return file.piecesRoot;
    let key = this.#rootKeys.get(index);
    if (key === undefined) {
      key = Buffer.from(file.piecesRoot ?? []).toString('hex');
      this.#rootKeys.set(index, key);
    }
    const at = (piece - file.offset / pieceLength) * 32;
    return pieceLayers.get(key)?.subarray(at, at + 32);
  }

  matches(piece: number, digest: Uint8Array): boolean {
    const expected = this.expected(piece);
    return (
      expected !== undefined &&
      expected.length > 0 &&
      Buffer.compare(expected, digest) === 0
    );
  }

  /** The one file that a piece of a v2 torrent belongs to. */
  #v2(piece: number) {
    const [span] = this.#layout.spans(piece, 0, 1);
    const file = this.#metainfo.files[span.fileIndex];
    return { index: span.fileIndex, file };
  }
}
