/**
 * Finds out who sent the bad bytes of a piece that failed its hash. One source: it is guilty. Several:
 * all are suspected (on parole) until the piece has been downloaded again, from one peer alone, and
 * verifies; then every block whose bytes were different the first time names its sender. Nobody is
 * called guilty for a block that was right.
 */
import { createHash } from 'node:crypto';
import type { PartialPiece } from './partial-piece';
import { BLOCK_LENGTH } from './partial-piece';

/** Bad versions remembered of one piece. */
const VERSIONS = 4;
/** Pieces with bad versions at a time; the oldest is forgotten. */
const PIECES = 64;

interface BadVersion<Peer> {
  readonly senders: readonly (Peer | undefined)[];
  /** Per block: its sender (index into `senders`) and the digest of its bytes. */
  readonly sender: readonly number[];
  readonly digest: readonly string[];
}

export interface Verdict<Peer> {
  readonly guilty: ReadonlySet<Peer>;
  readonly suspected: ReadonlySet<Peer>;
}

export class Suspects<Peer> {
  readonly #bad = new Map<number, BadVersion<Peer>[]>();

  /** Digests of the version that is being verified, of pieces that were bad before. */
  readonly #candidates = new Map<number, readonly string[]>();

  /**
   * The complete piece is about to be verified, after which its bytes may be gone: remembers what it
   * looks like if there is something to compare it with.
   */
  complete(
    partial: PartialPiece,
    bytes: (begin: number, length: number) => Uint8Array,
  ): void {
    if (this.#bad.has(partial.piece))
      this.#candidates.set(partial.piece, digestsOf(partial, bytes));
  }

  has(piece: number): boolean {
    return this.#bad.has(piece);
  }

  /** The complete piece failed its hash; `bytes` reads its blocks, `peer` finds a sender by its id. */
  failed(
    partial: PartialPiece,
    bytes: (begin: number, length: number) => Uint8Array,
    peer: (id: number) => Peer | undefined,
  ): Verdict<Peer> {
    const known = this.#candidates.get(partial.piece);
    this.#candidates.delete(partial.piece);
    const ids: number[] = [];
    const sender: number[] = [];
    for (let block = 0; block < partial.blocks; block++) {
      const id = partial.owner[block];
      let index = ids.indexOf(id);
      if (index < 0) index = ids.push(id) - 1;
      sender.push(index);
    }
    const senders = ids.map(peer);
    const present = new Set(senders.filter((found) => found !== undefined));
    if (senders.length === 1) return { guilty: present, suspected: new Set() };
    const digest = known ?? digestsOf(partial, bytes);
    const versions = this.#versions(partial.piece);
    if (versions.length < VERSIONS) versions.push({ senders, sender, digest });
    return { guilty: new Set(), suspected: present };
  }

  /** The piece verifies now: `guilty` sent something else before, the other `suspected` did not. */
  verified(piece: number): Verdict<Peer> {
    const guilty = new Set<Peer>();
    const suspected = new Set<Peer>();
    const versions = this.#bad.get(piece) ?? [];
    const right = this.#candidates.get(piece) ?? [];
    this.#bad.delete(piece);
    this.#candidates.delete(piece);
    for (const { senders, sender, digest } of versions) {
      for (const peer of senders) if (peer !== undefined) suspected.add(peer);
      for (let block = 0; block < right.length; block++) {
        const peer = senders[sender[block]];
        if (peer !== undefined && digest[block] !== right[block])
          guilty.add(peer);
      }
    }
    for (const peer of guilty) suspected.delete(peer);
    return { guilty, suspected };
  }

  /** Whether any remembered bad version has bytes of this peer. */
  suspects(peer: Peer): boolean {
    for (const versions of this.#bad.values())
      for (const { senders } of versions)
        if (senders.includes(peer)) return true;
    return false;
  }

  #versions(piece: number): BadVersion<Peer>[] {
    let versions = this.#bad.get(piece);
    if (versions === undefined) {
      if (this.#bad.size >= PIECES)
        this.#bad.delete(this.#bad.keys().next().value as number);
      this.#bad.set(piece, (versions = []));
    }
    return versions;
  }
}

function digestsOf(
  partial: PartialPiece,
  bytes: (begin: number, length: number) => Uint8Array,
): string[] {
  const digests: string[] = [];
  for (let block = 0; block < partial.blocks; block++) {
    const part = bytes(block * BLOCK_LENGTH, partial.lengthOf(block));
    digests.push(createHash('sha1').update(part).digest('base64'));
  }
  return digests;
}
