/**
 * Fetches a magnet link's metadata (BEP 9) from several peers: decides whom to
 * ask for which piece, joins the answers and has them verified.
 *
 * No size that a peer claims is believed: pieces are kept as they come, each
 * claimed size is a collection of its own, so that an absurd one keeps nothing
 * out, and all together hold at most 32 MiB. Sizes that more peers claim go
 * first, and the smallest of equals, for it is proven or disproven soonest.
 * Metadata that fails its hash is thrown away; its only source is called a
 * liar, and with several sources the next attempts are made with one at a
 * time, until the liar is found. Rejects and silence earn a peer a growing
 * rest, so there is never a storm. Times are milliseconds; peers are whatever
 * the owner tells them apart by.
 */
import { METADATA_PIECE } from './metadata-message';
import { MAX_METADATA } from './extension-message';

export interface MetadataRequest<P> {
  readonly peer: P;
  readonly piece: number;
}

interface Source {
  readonly size: number;
  /** Piece to the time by which it must be here. */
  readonly asked: Map<number, number>;
  restsUntil: number;
  failures: number;
}

interface Collection<P> {
  readonly pieces: (Uint8Array | undefined)[];
  missing: number;
  readonly sources: Set<P>;
  /** After a failure: only this peer is asked. */
  sole: P | undefined;
  alone: boolean;
}

const ANSWER_TIME = 15_000;
const REJECT_REST = 60_000;
const LONGEST_REST = 600_000;
const ASKED_OF_ONE = 3;
/** Claimed sizes that are worked on at once. */
const SIZES_AT_ONCE = 3;
const MAX_SOURCES = 200;

export class MetadataExchange<P> {
  /** The verified bytes, once they are here. */
  metadata: Uint8Array | undefined;
  readonly #verify: (bytes: Uint8Array) => boolean;
  readonly #sources = new Map<P, Source>();
  readonly #collections = new Map<number, Collection<P>>();
  readonly #banned = new Set<P>();
  #liars: P[] = [];
  #held = 0;
  #now = -Infinity;

  /** `verify` says whether bytes hash to the info-hash. */
  constructor(verify: (bytes: Uint8Array) => boolean) {
    this.#verify = verify;
  }

  /** The peer's extension handshake came; `size` is its metadata_size, if believable. */
  offer(peer: P, size: number | undefined): void {
    if (this.metadata !== undefined || this.#banned.has(peer)) return;
    const known = this.#sources.get(peer);
    if (known?.size === size) return;
    this.gone(peer);
    if (size === undefined || size < 1 || size > MAX_METADATA) return;
    if (this.#sources.size >= MAX_SOURCES) return;
    this.#sources.set(peer, {
      size,
      asked: new Map(),
      restsUntil: -Infinity,
      failures: 0,
    });
  }

  /** Its connection is closed, or it no longer offers metadata. */
  gone(peer: P): void {
    const source = this.#sources.get(peer);
    if (source === undefined) return;
    this.#sources.delete(peer);
    for (const other of this.#sources.values()) {
      if (other.size === source.size) return;
    }
    this.#discard(source.size);
  }

  /** A data message; what was not asked for is ignored. The bytes are copied. */
  data(
    peer: P,
    piece: number,
    totalSize: number | undefined,
    bytes: Uint8Array,
    now: number,
  ): void {
    const source = this.#sources.get(peer);
    if (source === undefined || !source.asked.delete(piece)) return;
    const { size } = source;
    const start = piece * METADATA_PIECE;
    const length = Math.min(METADATA_PIECE, size - start);
    const wrongSize = totalSize !== undefined && totalSize !== size;
    if (wrongSize || bytes.length !== length) {
      return this.#rest(source, REJECT_REST, now);
    }
    const collection = this.#collection(size);
    if (collection.pieces[piece] !== undefined) return;
    if (!this.#makeRoom(length, size)) {
      return this.#rest(source, REJECT_REST, now);
    }
    source.failures = 0;
    this.#held += length;
    collection.pieces[piece] = new Uint8Array(bytes);
    collection.sources.add(peer);
    collection.missing--;
    if (collection.missing === 0) this.#complete(size, collection);
  }

  reject(peer: P, piece: number, now: number): void {
    const source = this.#sources.get(peer);
    if (source === undefined || !source.asked.has(piece)) return;
    source.asked.clear();
    this.#rest(source, REJECT_REST, now);
  }

  /** The requests to send now. Call after each input and at `wakeAt`. */
  next(now: number): MetadataRequest<P>[] {
    if (this.metadata !== undefined) return [];
    this.#now = now;
    this.#expire(now);
    const requests: MetadataRequest<P>[] = [];
    for (const size of this.#likelySizes(now)) {
      this.#askFor(size, now, requests);
    }
    return requests;
  }

  /** When `next` may have more to say. */
  get wakeAt(): number {
    let at = Infinity;
    if (this.metadata !== undefined) return at;
    for (const source of this.#sources.values()) {
      for (const due of source.asked.values()) at = Math.min(at, due);
      if (source.asked.size === 0 && source.restsUntil > this.#now) {
        at = Math.min(at, source.restsUntil);
      }
    }
    return at;
  }

  /** Peers that sent false metadata, each told once: close and ban. */
  takeLiars(): P[] {
    const liars = this.#liars;
    this.#liars = [];
    return liars;
  }

  #likelySizes(now: number): number[] {
    const isReady = (source: Source): boolean => source.restsUntil <= now;
    return this.#claims(isReady).slice(0, SIZES_AT_ONCE);
  }

  /** Sizes with the most such peers first, the smallest of equals. */
  #claims(counts: (source: Source) => boolean): number[] {
    const peers = new Map<number, number>();
    for (const source of this.#sources.values()) {
      if (!counts(source)) continue;
      peers.set(source.size, (peers.get(source.size) ?? 0) + 1);
    }
    return [...peers.keys()].sort(
      (a, b) => (peers.get(b) ?? 0) - (peers.get(a) ?? 0) || a - b,
    );
  }

  /** For `length` bytes more of a size: what is less likely gives way. False when nothing is. */
  #makeRoom(length: number, size: number): boolean {
    if (this.#held + length <= MAX_METADATA) return true;
    const sizes = this.#claims(() => true);
    while (this.#held + length > MAX_METADATA) {
      const least = sizes.pop();
      if (least === undefined || least === size) return false;
      this.#empty(this.#collection(least));
    }
    return true;
  }

  #askFor(size: number, now: number, requests: MetadataRequest<P>[]): void {
    const collection = this.#collection(size);
    const peers = this.#readyPeers(size, collection, now);
    const outstanding = new Set<number>();
    for (const source of this.#sources.values()) {
      if (source.size !== size) continue;
      for (const piece of source.asked.keys()) outstanding.add(piece);
    }
    for (let piece = 0; piece < collection.pieces.length; piece++) {
      if (peers.length === 0) return;
      if (collection.pieces[piece] !== undefined) continue;
      if (outstanding.has(piece)) continue;
      const [peer, source] = peers.reduce((least, each) =>
        each[1].asked.size < least[1].asked.size ? each : least,
      );
      if (source.asked.size >= ASKED_OF_ONE) return;
      source.asked.set(piece, now + ANSWER_TIME);
      requests.push({ peer, piece });
    }
  }

  #readyPeers(
    size: number,
    collection: Collection<P>,
    now: number,
  ): [P, Source][] {
    const ready = [...this.#sources].filter(
      ([, source]) => source.size === size && source.restsUntil <= now,
    );
    if (!collection.alone) return ready;
    const sole = ready.filter(([peer]) => peer === collection.sole);
    if (sole.length > 0 || ready.length === 0) return sole;
    // The one that was tried alone left or rests: another begins anew.
    this.#empty(collection);
    collection.sole = ready[0][0];
    return [ready[0]];
  }

  #complete(size: number, collection: Collection<P>): void {
    const bytes = new Uint8Array(Buffer.concat(collection.pieces.map(present)));
    if (this.#verify(bytes)) {
      this.metadata = bytes;
      this.#collections.clear();
      this.#sources.clear();
      this.#held = 0;
      return;
    }
    const [first] = collection.sources;
    const single = collection.sources.size === 1;
    this.#empty(collection);
    collection.alone = true;
    collection.sole = undefined;
    if (!single) return;
    this.#banned.add(first);
    this.#liars.push(first);
    this.gone(first);
  }

  #expire(now: number): void {
    for (const source of this.#sources.values()) {
      let late = false;
      for (const [piece, due] of source.asked) {
        if (due > now) continue;
        source.asked.delete(piece);
        late = true;
      }
      if (late) this.#rest(source, ANSWER_TIME, now);
    }
  }

  #rest(source: Source, base: number, now: number): void {
    const rest = Math.min(base * 2 ** source.failures, LONGEST_REST);
    source.restsUntil = now + rest;
    source.failures = Math.min(source.failures + 1, 10);
  }

  #collection(size: number): Collection<P> {
    const known = this.#collections.get(size);
    if (known !== undefined) return known;
    const count = Math.ceil(size / METADATA_PIECE);
    const collection: Collection<P> = {
      pieces: new Array<Uint8Array | undefined>(count).fill(undefined),
      missing: count,
      sources: new Set(),
      sole: undefined,
      alone: false,
    };
    this.#collections.set(size, collection);
    return collection;
  }

  #empty(collection: Collection<P>): void {
    for (const piece of collection.pieces) this.#held -= piece?.length ?? 0;
    collection.pieces.fill(undefined);
    collection.missing = collection.pieces.length;
    collection.sources.clear();
  }

  #discard(size: number): void {
    const collection = this.#collections.get(size);
    if (collection !== undefined) this.#empty(collection);
    this.#collections.delete(size);
  }
}

function present(piece: Uint8Array | undefined): Uint8Array {
  return piece ?? new Uint8Array(0);
}
