/**
 * BEP 52's three messages about merkle hashes share one head: which file's
 * tree, which layer, which hashes of it, and how many layers of proof.
 */
import { readUint32 } from './big-endian';

export interface HashRange {
  /** The file's merkle root, 32 bytes. */
  readonly piecesRoot: Uint8Array;
  /** 0 is the layer of the 16 KiB blocks. */
  readonly baseLayer: number;
  /** First hash in the base layer; a multiple of `length`. */
  readonly index: number;
  /** Hashes of the base layer asked for: a power of two, 2 or more. */
  readonly length: number;
  /** Layers above the base whose uncle hashes are wanted. */
  readonly proofLayers: number;
}

/** The most hashes that one message may ask for (BEP 52 advises 512). */
export const MAX_HASHES = 8_192;

/** Reads the 48 bytes after the id; the root is a copy. */
export function readHashRange(bytes: Uint8Array, at: number): HashRange {
  return {
    piecesRoot: bytes.slice(at, at + 32),
    baseLayer: readUint32(bytes, at + 32),
    index: readUint32(bytes, at + 36),
    length: readUint32(bytes, at + 40),
    proofLayers: readUint32(bytes, at + 44),
  };
}

/** Whether a range is one that BEP 52 allows to ask for; who answers still checks root and layer. */
export function isAskable(range: HashRange): boolean {
  const { index, length, baseLayer, proofLayers } = range;
  return (
    length >= 2 &&
    length <= MAX_HASHES &&
    (length & (length - 1)) === 0 &&
    index % length === 0 &&
    baseLayer < 64 &&
    proofLayers < 64
  );
}
