/**
 * Answers hash requests (BEP 52) of one torrent: the piece layer from the .torrent, the hashes of
 * blocks from verified pieces on the disk. Bounded: who asks too much at once is rejected.
 */
import {
  BLOCK_BYTES,
  merkleProof,
  MerkleTree,
  pieceLevel,
  type Metainfo,
} from '@dnd/metainfo';
import type { TorrentStorage } from '@dnd/storage';
import { isAskable, type HashRange } from '@dnd/wire';

const hashBytes = 32;
const mostAtOnce = 16;
const mostTrees = 8;
/** Hashes of blocks asked for at once (8 MiB of content). */
const mostLeaves = 512;

interface FileTree {
  readonly length: number;
  /** First piece of the torrent that holds the file. */
  readonly firstPiece: number;
  /** From the piece layer up; undefined for a file of one piece or without a known layer. */
  readonly layer: MerkleTree | undefined;
}

export class HashServer {
  private readonly trees = new Map<string, FileTree>();
  private underWay = 0;

  constructor(
    private readonly metainfo: Metainfo,
    private readonly storage: TorrentStorage,
  ) {}

  /** Hashes and the uncles that prove them, or undefined to reject. */
  async answer(range: HashRange): Promise<Uint8Array | undefined> {
    if (!isAskable(range) || this.underWay >= mostAtOnce) return undefined;
    const file = this.file(range.piecesRoot);
    if (!file) return undefined;
    this.underWay++;
    try {
      return range.baseLayer === 0 && this.level > 0
        ? await this.blocks(file, range)
        : this.pieces(file, range);
    } catch {
      // Pieces that are not there (any more).
      return undefined;
    } finally {
      this.underWay--;
    }
  }

  private get level(): number {
    return pieceLevel(this.metainfo.pieceLength);
  }

  private pieces(
    { layer, length }: FileTree,
    range: HashRange,
  ): Uint8Array | undefined {
    const count = Math.ceil(length / this.metainfo.pieceLength);
    if (!layer || range.baseLayer !== this.level) return undefined;
    if (!isWithin(range, count)) return undefined;
    return joined(
      layer.hashes(range.baseLayer, range.index, range.length),
      merkleProof(layer, range.index, range.length, range.proofLayers),
    );
  }

  /** Block hashes: those of whole pieces, or of a part of one piece. */
  private async blocks(
    file: FileTree,
    range: HashRange,
  ): Promise<Uint8Array | undefined> {
    const { index, length, proofLayers } = range;
    const perPiece = this.metainfo.pieceLength / BLOCK_BYTES;
    const total = Math.ceil(file.length / BLOCK_BYTES);
    if (!isWithin(range, total) || length > mostLeaves) return undefined;
    const single = file.length <= this.metainfo.pieceLength;
    if (!single && !file.layer) return undefined;
    const first = Math.floor(index / perPiece);
    const pieces = Math.max(1, length / perPiece);
    const leaves = new Uint8Array(
      (single ? total : pieces * perPiece) * hashBytes,
    );
    const end = Math.min(first + pieces, Math.ceil(total / perPiece));
    for (let piece = first; piece < end; piece++) {
      const own = await this.storage.leaves(file.firstPiece + piece);
      const at = (piece - first) * perPiece * hashBytes;
      leaves.set(own.subarray(0, leaves.length - at), at);
    }
    const tree = new MerkleTree(leaves);
    const from = index - first * perPiece;
    const hashes = tree.hashes(0, from, length);
    const uncles = merkleProof(tree, from, length, proofLayers);
    if (!file.layer) return joined(hashes, uncles);
    // What is left of the proof goes on in the layer of the pieces.
    const above = merkleProof(
      file.layer,
      first,
      pieces,
      proofLayers - this.level,
    );
    return joined(hashes, [...uncles, ...above]);
  }

  private file(root: Uint8Array): FileTree | undefined {
    const name = Buffer.from(root).toString('hex');
    const known = this.trees.get(name);
    if (known) return known;
    const { files, pieceLength, pieceLayers } = this.metainfo;
    const file = files.find(
      ({ piecesRoot }) =>
        piecesRoot !== undefined && Buffer.compare(piecesRoot, root) === 0,
    );
    const layer = pieceLayers.get(name);
    const tree = file && {
      length: file.length,
      firstPiece: Math.floor(file.offset / pieceLength),
      layer: layer && new MerkleTree(layer, this.level),
    };
    // Unknown roots are not kept: there is no end of them.
    if (!tree) return undefined;
    if (this.trees.size >= mostTrees)
      this.trees.delete(this.trees.keys().next().value as string);
    this.trees.set(name, tree);
    return tree;
  }
}

/** More hashes than the tree has, filled up to a power of two, lead to no root. */
const isWithin = ({ index, length }: HashRange, count: number): boolean =>
  index < count && length < 2 * count;

function joined(hashes: Uint8Array, uncles: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([hashes, ...uncles]);
}
