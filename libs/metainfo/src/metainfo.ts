/**
 * What a .torrent says, parsed and made safe. Everything that follows (storage, swarm, tracker)
 * works from this and never looks at the bencoded dictionary again.
 */

/** v1: BEP 3; v2: BEP 52; hybrid: both in one info dictionary, with BEP 47 padding. */
export type MetainfoFormat = 'v1' | 'v2' | 'hybrid';

/** One file (or pad) of the torrent, in the order of the torrent's byte space. */
export interface MetainfoFile {
  /** Safe path elements below the Storage folder; the first is the torrent's name. Never `..`, never empty, unique. */
  readonly path: readonly string[];
  /** Bytes. */
  readonly length: number;
  /** Where the file begins in the torrent's v1 byte space (pads counted); for v2 it is aligned to pieces. */
  readonly offset: number;
  /** BEP 47 pad: zeros that are hashed and transferred but never stored. */
  readonly pad: boolean;
  /** BEP 52 merkle root of the file's 16 KiB blocks (32 bytes); absent in v1 and for empty files. */
  readonly piecesRoot?: Uint8Array;
  /** BEP 47 `x`. */
  readonly executable?: boolean;
  /** BEP 47 `h`. */
  readonly hidden?: boolean;
  /** BEP 47 `l`: the file is empty and stands for this other path of the torrent (safe elements, the first is the name). */
  readonly symlink?: readonly string[];
}

export interface Metainfo {
  readonly format: MetainfoFormat;
  /** SHA-1 of the info value's bytes as received, 20 bytes; absent for v2-only. */
  readonly infoHashV1?: Uint8Array;
  /** SHA-256 of the same bytes, 32 bytes; absent for v1-only. */
  readonly infoHashV2?: Uint8Array;
  /** 40 hex digits: v1's hash, or v2's truncated to 20 bytes. The one key by which the rest of the program knows the torrent. */
  readonly id: string;
  /** Display name and first path element, made safe. */
  readonly name: string;
  /** Bytes; a power of two ≥ 16 KiB for v2 and hybrid, any positive number for v1. */
  readonly pieceLength: number;
  readonly pieceCount: number;
  /** v1 byte space with pads (v2-only: every file aligned up to whole pieces but for the last one's tail). */
  readonly length: number;
  /** Bytes of real content, pads left out. */
  readonly size: number;
  readonly files: readonly MetainfoFile[];
  /** v1 SHA-1 of each piece, 20 bytes each, concatenated; empty for v2-only. */
  readonly pieceHashes: Uint8Array;
  /** v2: pieces root (hex) → layer of SHA-256 hashes, 32 bytes a piece; only files longer than one piece. */
  readonly pieceLayers: ReadonlyMap<string, Uint8Array>;
  /** BEP 27. */
  readonly private: boolean;
  /** BEP 12 tiers; a lone `announce` is one tier. */
  readonly announce: readonly (readonly string[])[];
  /** BEP 19 web seeds. */
  readonly webSeeds: readonly string[];
  /** BEP 5 nodes. */
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly comment?: string;
  readonly createdBy?: string;
  /** Seconds since 1970. */
  readonly createdAt?: number;
  /** The info value's bytes exactly as received (what BEP 9 serves and the hashes cover). */
  readonly infoBytes: Uint8Array;
}
