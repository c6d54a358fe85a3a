/**
 * What two nodes do to hold the same: compare a range of the ring, bring records to an owner,
 * and take over the swarms of a range. The caller decides with whom and when.
 */
import type { NodeRef, RingId } from '@dnd/chord';
import { all, wait } from './flow';
import type { Flow } from './flow';
import type { Intake } from './intake';
import { before } from './kernel';
import type { Kernel } from './kernel';
import { ANSWER_BYTES, INLINE_BYTES, MAX_ENTRIES } from './message';
import type { Answer, RecordsBody, StoreCode } from './message';
import { transferTime } from './put';
import { isTombstone, keyOf, supersedes } from './record';
import type { DataRecord, RecordMeta } from './record';
import {
  compareKeys,
  LEAF_DIGEST_BYTES,
  leafOf,
  versionsAt,
} from './record-table';
import type { Place } from './record-table';

/** Leaves whose versions are asked for in one go. */
const LEAVES_AT_A_TIME = 16;
/** A range is compared page by page; more than this is left to the next round. */
const MAX_PAGES = 4_000;
/** A disk may take longer than the network. */
const PATIENCE = 2;

type Of<T extends RecordsBody['type']> = Extract<
  NonNullable<Answer>,
  { type: T }
>;

export interface Compared {
  /** Both hold the same now. */
  readonly equal: boolean;
  /** Records that the other one still lacks, or holds in an earlier version. */
  readonly lacking: number;
}

export class Exchange {
  /** Records sent and fetched to make replicas equal. */
  readonly counters = { pushed: 0, pulled: 0 };
  /** Told whenever some have been. */
  onMoved: () => void = () => undefined;

  constructor(
    private readonly kernel: Kernel,
    private readonly intake: Intake,
  ) {}

  /** Makes both hold the later version of everything in (from, to]. */
  *compare(node: NodeRef, from: RingId, to: RingId): Flow<Compared> {
    const { table } = this.kernel;
    const digest = table.rangeDigest(from, to);
    const message = { type: 'digest' as const, from, to, digest };
    const answer = as('leaves', yield* this.ask(node, message));
    if (!answer) return { equal: false, lacking: table.count(from, to) };
    if (!answer.leaves) return { equal: true, lacking: 0 };
    const leaves = differing(table.leafDigests(from, to), answer.leaves);
    let equal = true;
    let lacking = 0;
    for (let i = 0; i < leaves.length; i += LEAVES_AT_A_TIME) {
      const some = leaves.slice(i, i + LEAVES_AT_A_TIME);
      const theirs = yield* this.versions(node, from, to, some);
      if (!theirs) return { equal: false, lacking: table.count(from, to) };
      const mine = some.flatMap((leaf) => table.versions(from, to, leaf));
      const [, pulled] = yield* this.pull(node, later(theirs, mine));
      const push = later(mine, theirs);
      const arrived = (yield* this.push(node, push)).length;
      lacking += push.length - arrived;
      equal &&= pulled && arrived === push.length;
    }
    return { equal, lacking };
  }

  /**
   * Sees to it that `node` holds at least our versions at these places, which are neighbours in
   * the order of the ring; those where it does. Later versions of theirs come to us: of all
   * items when we own the places too, otherwise of those we hold.
   */
  *bring(
    node: NodeRef,
    places: readonly Place[],
    isOwner: boolean,
  ): Flow<readonly Place[]> {
    const query = places.map(({ kind, place, digest }) => ({
      kind,
      place,
      digest,
    }));
    const answer = as(
      'confirmed',
      yield* this.ask(node, { type: 'confirm', places: query }),
    );
    if (!answer) return [];
    const differ = new Set(answer.differ);
    const open = places.filter((_, i) => differ.has(i));
    const sure = places.filter((_, i) => !differ.has(i));
    const first = open[0];
    const last = open.at(-1);
    if (!first || !last) return sure;
    const leaves = [...new Set(open.map(({ place }) => leafOf(place)))];
    const theirs = yield* this.versions(
      node,
      before(first.place),
      last.place,
      leaves,
    );
    if (!theirs) return sure;
    const mine = open.flatMap((place) => versionsAt(place));
    const held = new Set(mine.map(keyOf));
    const ours = new Set(open.map(({ place }) => place));
    const news = later(theirs, mine).filter(
      (meta) => held.has(keyOf(meta)) || (isOwner && ours.has(meta.place)),
    );
    yield* this.pull(node, news);
    const push = later(mine, theirs);
    const arrived = new Set((yield* this.push(node, push)).map(keyOf));
    const failed = new Set(
      push
        .filter((meta) => !arrived.has(keyOf(meta)))
        .map((meta) => meta.kind + meta.place),
    );
    return [
      ...sure,
      ...open.filter(({ kind, place }) => !failed.has(kind + place)),
    ];
  }

  /** Takes over the swarms of (from, to]; whether all came. */
  *swarms(node: NodeRef, from: RingId, to: RingId): Flow<boolean> {
    let start = from;
    for (let page = 0; page < MAX_PAGES; page++) {
      const askedAt = this.kernel.now;
      const message = { type: 'handover' as const, from: start, to };
      const answer = as('swarms', yield* this.ask(node, message));
      if (!answer) return false;
      const { swarms, origins, more } = answer;
      this.kernel.swarms.paste(swarms, origins, askedAt, this.kernel.now);
      const last = swarms.at(-1)?.swarm;
      if (!more || last === undefined || last === to) return true;
      start = last;
    }
    return false;
  }

  private *versions(
    node: NodeRef,
    from: RingId,
    to: RingId,
    leaves: readonly number[],
  ): Flow<RecordMeta[] | undefined> {
    const items: RecordMeta[] = [];
    for (let page = 0; page < MAX_PAGES; page++) {
      const last = items.at(-1);
      const answer = as(
        'held',
        yield* this.ask(node, {
          type: 'versions',
          from,
          to,
          leaves,
          ...(last ? { after: keyPart(last) } : {}),
        }),
      );
      if (!answer) return undefined;
      for (const meta of answer.items) {
        const previous = items.at(-1);
        if (previous && compareKeys(meta, previous) <= 0) return undefined;
        items.push(meta);
      }
      if (!answer.more || answer.items.length === 0) return items;
    }
    return undefined;
  }

  /** Fetches these versions; what arrived safely, and whether that was all. */
  private *pull(
    node: NodeRef,
    metas: readonly RecordMeta[],
  ): Flow<[RecordMeta[], boolean]> {
    const arrived: RecordMeta[] = [];
    for (const part of parts(metas)) {
      const answer = as(
        'found',
        yield* this.ask(node, {
          type: 'read',
          keys: part.map(keyPart),
          values: true,
        }),
      );
      if (!answer) return [arrived, false];
      const records = answer.records.filter((record) => record !== null);
      const codes = yield* all(
        records.map((record) => this.keep(record, node)),
      );
      arrived.push(...records.filter((_, i) => isSafe(codes[i])));
      this.counters.pulled += records.length;
      this.onMoved();
    }
    return [arrived, arrived.length >= metas.length];
  }

  /** Sends these versions; those that are safe there. */
  private *push(
    node: NodeRef,
    metas: readonly RecordMeta[],
  ): Flow<RecordMeta[]> {
    const safe: RecordMeta[] = [];
    for (const part of parts(metas)) {
      const items = yield* this.withValues(part);
      const answer = as(
        'stored',
        yield* wait<Answer>((resume) =>
          this.kernel.ask(
            node,
            { type: 'store', items },
            resume,
            PATIENCE,
            transferTime(items),
          ),
        ),
      );
      if (!answer) return safe;
      safe.push(...items.filter((_, i) => isSafe(answer.codes[i])));
      this.counters.pushed += items.length;
      this.onMoved();
    }
    return safe;
  }

  private *withValues(metas: readonly RecordMeta[]): Flow<DataRecord[]> {
    const current = metas
      .map((meta) => this.kernel.table.meta(meta))
      .filter((meta) => meta !== undefined);
    const inline = current.map((meta) => meta.size <= INLINE_BYTES);
    const values = yield* wait<readonly (Uint8Array | undefined)[]>((resume) =>
      this.kernel.fetch(
        current.filter((_, i) => inline[i]),
        resume,
      ),
    );
    let next = 0;
    return current.flatMap((meta, i) => {
      if (!inline[i]) return [meta];
      const value = values[next++];
      if (isTombstone(meta)) return [meta];
      return value ? [{ ...meta, value }] : [];
    });
  }

  private *keep(record: DataRecord, source: NodeRef): Flow<StoreCode> {
    return yield* wait<StoreCode>((resume) =>
      this.intake.keep(record, source, resume),
    );
  }

  /** Asks, and once more after silence. */
  private *ask(node: NodeRef, body: RecordsBody): Flow<Answer> {
    const first = yield* wait<Answer>((resume) =>
      this.kernel.ask(node, body, resume),
    );
    if (first) return first;
    return yield* wait<Answer>((resume) => this.kernel.ask(node, body, resume));
  }
}

/** This version or a later one is on that disk. */
function isSafe(code: StoreCode | undefined): boolean {
  return code === 'ok' || code === 'older';
}

function keyPart({ kind, place, item }: RecordMeta) {
  return { kind, place, item };
}

/** The versions of `some` that `others` lack or hold in an earlier version. */
export function later(
  some: readonly RecordMeta[],
  others: readonly RecordMeta[],
): RecordMeta[] {
  const known = new Map(others.map((meta) => [keyOf(meta), meta]));
  return some.filter((meta) => supersedes(meta, known.get(keyOf(meta))));
}

/** Cuts a list so that the values of each part fit in a message; large values travel alone. */
function parts(metas: readonly RecordMeta[]): RecordMeta[][] {
  const result: RecordMeta[][] = [];
  let part: RecordMeta[] = [];
  let bytes = 0;
  for (const meta of metas) {
    const large = meta.size > INLINE_BYTES;
    const full = bytes + meta.size > ANSWER_BYTES || part.length >= MAX_ENTRIES;
    if (part.length > 0 && (full || large)) {
      result.push(part);
      part = [];
      bytes = 0;
    }
    part.push(meta);
    bytes += large ? ANSWER_BYTES : meta.size;
  }
  if (part.length > 0) result.push(part);
  return result;
}

/** Leaves whose digests are not the same in both packed lists. */
function differing(mine: Uint8Array, theirs: Uint8Array): number[] {
  const digests = new Map<number, string>();
  for (const [leaf, digest] of unpackLeaves(mine)) digests.set(leaf, digest);
  const leaves: number[] = [];
  for (const [leaf, digest] of unpackLeaves(theirs)) {
    if (digests.get(leaf) !== digest) leaves.push(leaf);
    digests.delete(leaf);
  }
  return [...leaves, ...digests.keys()].sort((a, b) => a - b);
}

function* unpackLeaves(packed: Uint8Array): Generator<[number, string]> {
  const view = new DataView(
    packed.buffer,
    packed.byteOffset,
    packed.byteLength,
  );
  for (
    let at = 0;
    at + LEAF_DIGEST_BYTES <= packed.length;
    at += LEAF_DIGEST_BYTES
  )
    yield [
      view.getUint16(at),
      `${view.getUint32(at + 2)}.${view.getUint32(at + 6)}`,
    ];
}

/** An answer that is not what was asked for counts as none. */
function as<T extends RecordsBody['type']>(
  type: T,
  answer: Answer,
): Of<T> | undefined {
  return answer?.type === type ? (answer as Of<T>) : undefined;
}
