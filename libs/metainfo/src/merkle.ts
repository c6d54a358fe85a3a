/**
 * The SHA-256 hash trees of BEP 52. Level 0 are the hashes of a file's 16 KiB blocks, a level above
 * halves their number. A tree is filled up to a power of two leaves with zero hashes (32 zero bytes).
 * Lists of hashes are one array of 32 bytes a hash.
 */
import { hash as digest } from 'node:crypto';

/** Bytes of the block under one leaf. */
export const BLOCK_BYTES = 16_384;
const HASH_BYTES = 32;

/** The root over `hashes` (at least one) that stand on `level`, as of a file: filled up to a power of two. */
export function merkleRoot(hashes: Uint8Array, level = 0): Uint8Array {
  return new MerkleTree(hashes, level).root;
}

/** The hashes on `level` over a file's leaves; one for every begun 2^level leaves. */
export function merkleLayer(leaves: Uint8Array, level: number): Uint8Array {
  let layer = leaves;
  for (let at = 0; at < level; at++) layer = parents(layer, zeroHash(at));
  return layer;
}

/** The level on which a hash covers one piece. */
export function pieceLevel(pieceLength: number): number {
  return Math.log2(pieceLength / BLOCK_BYTES);
}

/** A file's root, and its piece layer if it is longer than one piece, from its leaves (at least one). */
export function hashFile(
  leaves: Uint8Array,
  pieceLength: number,
): { readonly root: Uint8Array; readonly layer?: Uint8Array } {
  const level = pieceLevel(pieceLength);
  if (leaves.length / HASH_BYTES <= 2 ** level) {
    return { root: merkleRoot(leaves) };
  }
  const layer = merkleLayer(leaves, level);
  return { root: merkleRoot(layer, level), layer };
}

/** The root of a piece's own leaves when it is one of several in its file: filled up to the whole piece. */
export function pieceRoot(leaves: Uint8Array, pieceLength: number): Uint8Array {
  return merkleLayer(leaves, pieceLevel(pieceLength));
}

/** How many uncle hashes follow the `length` hashes in a BEP 52 `hashes` message. */
export function uncleCount(length: number, proofLayers: number): number {
  return Math.max(0, proofLayers - (Math.log2(length) - 1));
}

/**
 * The uncle hashes that lead from `length` hashes (a power of two, `index` a multiple of it) of the
 * tree's lowest level towards the root, as BEP 52's `proof layers` counts them.
 */
export function merkleProof(
  tree: MerkleTree,
  index: number,
  length: number,
  proofLayers: number,
): Uint8Array[] {
  const first = tree.level + Math.log2(length);
  const uncles: Uint8Array[] = [];
  let position = index / length;
  const end = Math.min(first + uncleCount(length, proofLayers), tree.height);
  for (let level = first; level < end; level++) {
    uncles.push(tree.hash(level, position ^ 1));
    position >>= 1;
  }
  return uncles;
}

/**
 * True when `hashes` (a power of two of them, the first with `index` in its level) and `uncles`, nearest
 * first, hash to `root`. The caller knows the file's size and so how many uncles there must be.
 */
export function verifyMerkleProof(
  root: Uint8Array,
  hashes: Uint8Array,
  index: number,
  uncles: readonly Uint8Array[],
): boolean {
  const length = hashes.length / HASH_BYTES;
  if (!isPowerOfTwo(length) || index % length !== 0) return false;
  let position = index / length;
  if (position < 0 || position >= 2 ** uncles.length) return false;
  let hash = hashes;
  for (let n = length; n > 1; n /= 2) hash = parents(hash, EMPTY);
  for (const uncle of uncles) {
    if (uncle.length !== HASH_BYTES) return false;
    hash = position % 2 === 0 ? pair(hash, uncle) : pair(uncle, hash);
    position = Math.floor(position / 2);
  }
  return Buffer.compare(hash, root) === 0;
}

/** All hashes from one level up to the root; about twice the memory of that level. */
export class MerkleTree {
  /** The level of the root. */
  readonly height: number;
  readonly #layers: Uint8Array[];

  /** @param hashes at least one hash of `level`, which the tree begins with. */
  constructor(
    hashes: Uint8Array,
    readonly level = 0,
  ) {
    this.#layers = [hashes];
    let at = level;
    for (let layer = hashes; layer.length > HASH_BYTES; at++) {
      layer = parents(layer, zeroHash(at));
      this.#layers.push(layer);
    }
    this.height = at;
  }

  get root(): Uint8Array {
    return this.#layers[this.#layers.length - 1];
  }

  /** One hash; that of zero leaves beyond the file's end. */
  hash(level: number, index: number): Uint8Array {
    const layer = this.#layers[level - this.level];
    const at = index * HASH_BYTES;
    return at < layer.length
      ? layer.subarray(at, at + HASH_BYTES)
      : zeroHash(level);
  }

  /** `count` hashes of a level from `index` on, those beyond the file's end included. */
  hashes(level: number, index: number, count: number): Uint8Array {
    const out = new Uint8Array(count * HASH_BYTES);
    for (let i = 0; i < count; i++) {
      out.set(this.hash(level, index + i), i * HASH_BYTES);
    }
    return out;
  }
}

const EMPTY = new Uint8Array(HASH_BYTES);
const zeros: Uint8Array[] = [EMPTY];

/** The hash on `level` over nothing but zero leaves. */
export function zeroHash(level: number): Uint8Array {
  for (let at = zeros.length; at <= level; at++) {
    zeros.push(pair(zeros[at - 1], zeros[at - 1]));
  }
  return zeros[level];
}

function parents(layer: Uint8Array, filler: Uint8Array): Uint8Array {
  const count = Math.ceil(layer.length / HASH_BYTES / 2);
  const above = new Uint8Array(count * HASH_BYTES);
  for (let i = 0; i < count; i++) {
    const at = i * 2 * HASH_BYTES;
    const children = layer.subarray(at, at + 2 * HASH_BYTES);
    const hash =
      children.length === 2 * HASH_BYTES
        ? sha256(children)
        : pair(children, filler);
    above.set(hash, i * HASH_BYTES);
  }
  return above;
}

const both = new Uint8Array(2 * HASH_BYTES);

function pair(left: Uint8Array, right: Uint8Array): Uint8Array {
  both.set(left);
  both.set(right, HASH_BYTES);
  return sha256(both);
}

function sha256(bytes: Uint8Array): Uint8Array {
  return digest('sha256', bytes, 'buffer');
}

export function isPowerOfTwo(n: number): boolean {
  return n >= 1 && Number.isInteger(Math.log2(n));
}
