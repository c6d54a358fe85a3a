/**
 * Which versions of which records are on this node's disk: everything but the values, with
 * digests that two nodes compare. Digests of items are combined by exclusive or, so that one
 * change costs the same however many records there are. The ring is cut into 4,096 leaves by the
 * first three hex digits of a place; a range of the ring is some whole leaves and at most two
 * that it cuts.
 */
import { betweenIncl } from '@dnd/chord';
import type { RingId } from '@dnd/chord';
import { isTombstone, placeKey, supersedes } from './record';
import type { DurableKind, RecordKey, RecordMeta } from './record';
import type { Stamp } from './stamp';

export const LEAVES = 4096;
/** Bytes of one entry of `leafDigests`: two of the leaf's number, eight of its digest. */
export const LEAF_DIGEST_BYTES = 10;

/** One item's version here. */
export interface Held {
  readonly item: string;
  stamp: Stamp;
  digest: string;
  size: number;
  /** Grows with every change on this node since it started; says what is new to a reader. */
  revision: number;
}

/** All items of one kind at one place. */
export class Place {
  readonly items = new Map<string, Held>();
  low = 0;
  high = 0;
  /** The last change of any item here, a revision. */
  revision = 0;
  /** The owners that were all seen to hold what is here; empty when that is not so. */
  confirmedBy = '';
  /** The round of repair in which that was. */
  confirmedRound = 0;
  /** Another node may drop its copy relying on ours until then. */
  pinnedUntil = 0;

  constructor(
    readonly kind: DurableKind,
    readonly place: RingId,
  ) {}

  /** Digest of all versions here, 16 hex digits. */
  get digest(): string {
    return digestText(this.low, this.high);
  }
}

interface Leaf {
  low: number;
  high: number;
  /** Items. */
  count: number;
  readonly places: Map<string, Place>;
}

export class RecordTable {
  private readonly leaves = new Map<number, Leaf>();
  private revision = 0;
  private readonly changes = new Map<DurableKind, number>();
  records = 0;
  tombstones = 0;
  bytes = 0;

  get lastRevision(): number {
    return this.revision;
  }

  /** How often a record of this kind came, changed or went. */
  changesOf(kind: DurableKind): number {
    return this.changes.get(kind) ?? 0;
  }

  place(kind: DurableKind, place: RingId): Place | undefined {
    return this.leaves.get(leafOf(place))?.places.get(placeKey(kind, place));
  }

  get(key: RecordKey): Held | undefined {
    return this.place(key.kind, key.place)?.items.get(key.item);
  }

  meta(key: RecordKey): RecordMeta | undefined {
    const held = this.get(key);
    return held && metaOf(key.kind, key.place, held);
  }

  /** Takes a version in if it stands before the one held; whether it did. */
  set(meta: RecordMeta): boolean {
    const place = this.placeFor(meta);
    const old = place.items.get(meta.item);
    if (!supersedes(meta, old)) return false;
    if (old) this.toggle(place, old, -1);
    const held: Held = {
      item: old?.item ?? (meta.item === meta.place ? place.place : meta.item),
      stamp: meta.stamp,
      digest: meta.digest,
      size: meta.size,
      revision: ++this.revision,
    };
    place.items.set(held.item, held);
    place.revision = held.revision;
    place.confirmedBy = '';
    this.toggle(place, held, 1);
    return true;
  }

  delete(key: RecordKey): void {
    const place = this.place(key.kind, key.place);
    const held = place?.items.get(key.item);
    if (!place || !held) return;
    this.toggle(place, held, -1);
    place.items.delete(key.item);
    if (place.items.size > 0) return;
    this.leaves
      .get(leafOf(key.place))
      ?.places.delete(placeKey(key.kind, key.place));
  }

  /** Digest of every version in the ring range (from, to], 16 hex digits. */
  rangeDigest(from: RingId, to: RingId): string {
    let low = 0;
    let high = 0;
    const within = leavesWithin(from, to);
    for (const [i, leaf] of this.leaves) {
      const digest = digestWithin(leaf, within(i), from, to);
      low ^= digest.low;
      high ^= digest.high;
    }
    return digestText(low, high);
  }

  /** Digests of the leaves that hold something of (from, to], packed: LEAF_DIGEST_BYTES each. */
  leafDigests(from: RingId, to: RingId): Uint8Array {
    const size = this.leaves.size * LEAF_DIGEST_BYTES;
    const packed = new DataView(new ArrayBuffer(size));
    const within = leavesWithin(from, to);
    let end = 0;
    for (const [i, leaf] of this.leaves) {
      const { low, high } = digestWithin(leaf, within(i), from, to);
      if (low === 0 && high === 0) continue;
      packed.setUint16(end, i);
      packed.setUint32(end + 2, low >>> 0);
      packed.setUint32(end + 6, high >>> 0);
      end += LEAF_DIGEST_BYTES;
    }
    return new Uint8Array(packed.buffer, 0, end);
  }

  /** Versions of (from, to] in one leaf, ordered by place, kind and item. */
  versions(from: RingId, to: RingId, leaf: number): RecordMeta[] {
    const places = [...(this.leaves.get(leaf)?.places.values() ?? [])];
    return places
      .filter((place) => betweenIncl(from, place.place, to))
      .flatMap((place) => versionsAt(place))
      .sort(compareKeys);
  }

  *places(): Generator<Place> {
    for (const leaf of this.leaves.values()) yield* leaf.places.values();
  }

  /** Places in none of these ranges; leaves that one range holds whole cost nothing. */
  *placesOutside(
    ranges: readonly { readonly from: RingId; readonly to: RingId }[],
  ): Generator<Place> {
    const within = ranges.map(({ from, to }) => leavesWithin(from, to));
    for (const [i, leaf] of this.leaves) {
      if (within.some((range) => range(i) === 'all')) continue;
      for (const place of leaf.places.values())
        if (!ranges.some(({ from, to }) => betweenIncl(from, place.place, to)))
          yield place;
    }
  }

  /** Records, tombstones included, whose place lies in (from, to]. */
  count(from: RingId, to: RingId): number {
    let count = 0;
    const within = leavesWithin(from, to);
    for (const [i, leaf] of this.leaves) {
      const part = within(i);
      if (part === 'all') count += leaf.count;
      else if (part === 'some')
        for (const place of leaf.places.values())
          if (betweenIncl(from, place.place, to)) count += place.items.size;
    }
    return count;
  }

  private placeFor(meta: RecordKey): Place {
    const index = leafOf(meta.place);
    let leaf = this.leaves.get(index);
    if (!leaf) {
      leaf = { low: 0, high: 0, count: 0, places: new Map() };
      this.leaves.set(index, leaf);
    }
    const key = placeKey(meta.kind, meta.place);
    let place = leaf.places.get(key);
    if (!place)
      leaf.places.set(key, (place = new Place(meta.kind, meta.place)));
    return place;
  }

  private toggle(place: Place, held: Held, sign: 1 | -1): void {
    const leaf = this.leaves.get(leafOf(place.place));
    const [low, high] = hashVersion(place.kind, place.place, held);
    place.low ^= low;
    place.high ^= high;
    if (leaf) {
      leaf.low ^= low;
      leaf.high ^= high;
      leaf.count += sign;
    }
    this.records += sign;
    this.bytes += sign * held.size;
    if (isTombstone(held)) this.tombstones += sign;
    this.changes.set(place.kind, this.changesOf(place.kind) + 1);
  }
}

export function leafOf(place: RingId): number {
  return parseInt(place.slice(0, 3), 16);
}

export function versionsAt(place: Place): RecordMeta[] {
  return [...place.items.values()].map((held) =>
    metaOf(place.kind, place.place, held),
  );
}

export function metaOf(
  kind: DurableKind,
  place: RingId,
  held: Held,
): RecordMeta {
  const { item, stamp, digest, size } = held;
  return { kind, place, item, stamp, digest, size };
}

/** The order in which versions are listed to another node, so that a list can be taken up again. */
export function compareKeys(a: RecordKey, b: RecordKey): number {
  if (a.place !== b.place) return a.place < b.place ? -1 : 1;
  if (a.kind !== b.kind) return a.kind < b.kind ? -1 : 1;
  return a.item < b.item ? -1 : a.item > b.item ? 1 : 0;
}

type Part = 'all' | 'some' | 'none';

/** How much of a leaf lies in (from, to]. */
function leavesWithin(from: RingId, to: RingId): (leaf: number) => Part {
  if (from === to) return () => 'all';
  const first = leafOf(from);
  const last = leafOf(to);
  const inside = (leaf: number): boolean =>
    first < last
      ? leaf > first && leaf < last
      : first > last
        ? leaf > first || leaf < last
        : from > to;
  return (leaf) =>
    leaf === first || leaf === last ? 'some' : inside(leaf) ? 'all' : 'none';
}

function digestWithin(
  leaf: Leaf,
  part: Part,
  from: RingId,
  to: RingId,
): { low: number; high: number } {
  if (part === 'all') return leaf;
  let low = 0;
  let high = 0;
  if (part === 'some')
    for (const place of leaf.places.values()) {
      if (!betweenIncl(from, place.place, to)) continue;
      low ^= place.low;
      high ^= place.high;
    }
  return { low, high };
}

function digestText(low: number, high: number): string {
  const word = (n: number): string => (n >>> 0).toString(16).padStart(8, '0');
  return word(high) + word(low);
}

const { imul } = Math;

/** 64 bits that differ for different versions; made for speed, members of a ring trust each other. */
function hashVersion(
  kind: DurableKind,
  place: RingId,
  held: Held,
): [number, number] {
  const text = `${placeKey(kind, place)}${held.stamp}${held.digest}/${held.item}`;
  let low = 0x2545f491;
  let high = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = imul(low ^ code, 0x85ebca6b);
    high = imul(high ^ code, 0xc2b2ae35);
    low ^= high >>> 15;
  }
  low = imul(low ^ (low >>> 16), 0x7feb352d) ^ (high >>> 13);
  high = imul(high ^ (high >>> 15), 0x846ca68b) ^ (low >>> 16);
  return [low | 0, high | 0];
}
