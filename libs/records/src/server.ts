/**
 * Answers what other nodes ask of this one. Each answer is bounded: what does not fit is left
 * out in a way that the asker sees, and it asks again.
 */
import type { NodeRef } from '@dnd/chord';
import type { Revision } from './change-log';
import { all, run, wait } from './flow';
import type { Flow } from './flow';
import type { Intake } from './intake';
import type { Kernel } from './kernel';
import { ANSWER_BYTES, INLINE_BYTES, MAX_ENTRIES } from './message';
import type {
  PlaceAnswer,
  PlaceQuery,
  RecordsBody,
  RecordsMessage,
  StoreCode,
  SwarmAnswer,
} from './message';
import { isTombstone } from './record';
import type { DataRecord, DurableKind, RecordKey, RecordMeta } from './record';
import { compareKeys, metaOf } from './record-table';
import type { Held, Place } from './record-table';
import { Quota } from './quota';
import { MAX_AHEAD_MS } from './stamp';
import type { Stamp } from './stamp';
import { packAnswers, unpackPuts } from './swarm-pack';

type Of<T extends RecordsBody['type']> = Extract<RecordsBody, { type: T }>;

/** A copy that another node relies on stays at least this long, in milliseconds. */
export const PIN_MS = 30_000;
/** Nothing is known to have changed at a place without records. */
const NO_DIGEST = '0'.repeat(16);

/** Nodes that may share one address before they share what one of them may write. */
const NODES_PER_ADDRESS = 4;

export class Server {
  private readonly perNode: Quota;
  /** A node says itself who it is; where its messages come from, it cannot choose. */
  private readonly perAddress: Quota;

  /** `covered` hears of each share of the ring that another first owner compares with us. */
  constructor(
    private readonly kernel: Kernel,
    private readonly intake: Intake,
    private readonly covered: (from: NodeRef, share: Of<'digest'>) => void,
  ) {
    const { writesPerSecond = 5_000, bytesPerSecond = 32 * 1024 * 1024 } =
      kernel.options;
    this.perNode = new Quota(writesPerSecond, bytesPerSecond);
    this.perAddress = new Quota(
      NODES_PER_ADDRESS * writesPerSecond,
      NODES_PER_ADDRESS * bytesPerSecond,
    );
  }

  /** `late` is how long the message was under way, as far as can be told; `address` where it came from, if the transport says. */
  handle(
    from: NodeRef,
    message: RecordsMessage,
    late: number,
    answer: (body: RecordsBody) => void,
    address?: string,
  ): void {
    if (!this.kernel.loaded)
      return answer({ type: 'refused', code: 'starting' });
    switch (message.type) {
      case 'store':
        return this.admits(from, message.items, address)
          ? this.store(from, message.items, answer)
          : answer({ type: 'refused', code: 'busy' });
      case 'read':
        return run(this.read(message), answer);
      case 'chunk':
        return run(this.chunk(message), answer);
      case 'list':
        return run(this.list(message), answer);
      case 'revision':
        return answer(this.revision(message));
      case 'digest':
        return answer(this.digest(from, message));
      case 'versions':
        return answer(this.versions(message));
      case 'confirm':
        return answer(this.confirm(message));
      case 'announce':
        return answer(this.announce(from, message, late));
      case 'glance':
        return answer(this.glance(message));
      case 'news':
        return answer(this.news(message));
      case 'handover':
        return answer(this.handover(message));
    }
  }

  /** Is it within what its sender may write here? */
  private admits(
    from: NodeRef,
    items: readonly DataRecord[],
    address: string | undefined,
  ): boolean {
    const { self, now } = this.kernel;
    if (from.id === self.id && address === undefined) return true;
    const { length } = items;
    const bytes = items.reduce((sum, item) => sum + item.size, 0);
    return (
      this.perNode.take(from.id, length, bytes, now) &&
      (address === undefined ||
        this.perAddress.take(address, length, bytes, now))
    );
  }

  private store(
    from: NodeRef,
    items: readonly DataRecord[],
    answer: (body: RecordsBody) => void,
  ): void {
    const codes = new Array<StoreCode>(items.length);
    const { table } = this.kernel;
    let left = items.length;
    let latest: Stamp | undefined;
    items.forEach((item, i) =>
      this.intake.keep(item, from, (code) => {
        codes[i] = code;
        if (code === 'ok' || code === 'older') this.pin(item);
        if (code === 'older') latest = later(latest, table.get(item)?.stamp);
        if (--left === 0) answer({ type: 'stored', codes, latest });
      }),
    );
  }

  /** The asker may now drop its own copy. */
  private pin(key: RecordKey): void {
    const place = this.kernel.table.place(key.kind, key.place);
    if (place) place.pinnedUntil = this.kernel.now + PIN_MS;
  }

  private *read(message: Of<'read'>): Flow<RecordsBody> {
    const { table, settled } = this.kernel;
    const metas = message.keys.map((key) => table.meta(key));
    const found = metas.filter((meta) => meta !== undefined);
    const filled = message.values ? yield* this.withValues(found) : found;
    let next = 0;
    const records = metas.map((meta) =>
      meta ? (filled[next++] ?? null) : null,
    );
    return { type: 'found', settled, records };
  }

  /** Adds values as far as they fit; one that the disk has lost takes its record along. */
  private *withValues(
    metas: readonly RecordMeta[],
  ): Flow<(DataRecord | undefined)[]> {
    let left = ANSWER_BYTES;
    const inline = metas.filter((meta) => {
      if (isTombstone(meta) || meta.size > INLINE_BYTES || meta.size > left)
        return false;
      left -= meta.size;
      return true;
    });
    const values = yield* wait<readonly (Uint8Array | undefined)[]>((resume) =>
      this.kernel.fetch(inline, resume),
    );
    const byMeta = new Map(inline.map((meta, i) => [meta, values[i]]));
    return metas.map((meta) => {
      if (!byMeta.has(meta)) return meta;
      const value = byMeta.get(meta);
      return value && { ...meta, value };
    });
  }

  private *chunk(message: Of<'chunk'>): Flow<RecordsBody> {
    const { kind, place, item } = message.key;
    const { digest, offset } = message;
    const meta = { kind, place, item, digest, stamp: '', size: 0 };
    const bytes = yield* this.intake.piece(meta, offset);
    return { type: 'piece', bytes: bytes ?? null };
  }

  private *list(message: Of<'list'>): Flow<RecordsBody> {
    // What changes while values are read shows in the next revision.
    const at = this.revisionOf(message.kind);
    const cut: { answer: PlaceAnswer; metas: RecordMeta[] }[] = [];
    let entries = MAX_ENTRIES;
    let bytes = ANSWER_BYTES;
    for (const query of message.places) {
      if (entries <= 0 || bytes <= 0) break;
      const part = this.part(message.kind, query, entries, bytes);
      entries -= part.metas.length;
      for (const meta of part.metas) bytes -= inlineSize(meta);
      cut.push(part);
    }
    const lists = yield* all(cut.map((part) => this.fill(part)));
    return { type: 'listed', settled: this.kernel.settled, lists, at };
  }

  private revision({ kind }: Of<'revision'>): RecordsBody {
    const { settled } = this.kernel;
    return { type: 'revised', settled, at: this.revisionOf(kind) };
  }

  private revisionOf(kind: DurableKind): Revision {
    const { self, table } = this.kernel;
    return { epoch: self.incarnation, revision: table.changesOf(kind) };
  }

  private *fill(part: {
    answer: PlaceAnswer;
    metas: RecordMeta[];
  }): Flow<PlaceAnswer> {
    if (part.metas.length === 0) return part.answer;
    const items = yield* this.withValues(part.metas);
    return {
      ...part.answer,
      items: items.filter((item) => item !== undefined),
    };
  }

  private part(
    kind: DurableKind,
    query: PlaceQuery,
    entries: number,
    bytes: number,
  ): { answer: PlaceAnswer; metas: RecordMeta[] } {
    const held = this.kernel.table.place(kind, query.place);
    const { complete, items } = this.differing(
      held,
      query.version ?? undefined,
    );
    const version = this.versionOf(held);
    const wanted = items
      .filter((item) => !query.after || item.item > query.after)
      .sort((a, b) => (a.item < b.item ? -1 : 1));
    const metas: RecordMeta[] = [];
    let left = bytes;
    for (const item of wanted) {
      if (metas.length >= entries || left <= 0) break;
      const meta = metaOf(kind, query.place, item);
      left -= inlineSize(meta);
      metas.push(meta);
    }
    const last = metas.at(-1)?.item;
    const answer = {
      place: query.place,
      version,
      unchanged: items.length === 0 && !complete,
      complete,
      items: metas,
      ...(metas.length < wanted.length && last !== undefined
        ? { next: last }
        : {}),
    };
    return { answer, metas };
  }

  /** A version names the digest, and for ourselves also when it was, so that we can tell what is new. */
  private versionOf(held: Place | undefined): string {
    const { self, table } = this.kernel;
    const digest = held?.digest ?? NO_DIGEST;
    const node = `${self.id.slice(0, 12)}.${self.incarnation}`;
    return `${digest}.${node}.${table.lastRevision}`;
  }

  private differing(
    held: Place | undefined,
    version: string | undefined,
  ): { complete: boolean; items: Held[] } {
    const items = held ? [...held.items.values()] : [];
    if (version === undefined) return { complete: true, items };
    const { self } = this.kernel;
    const [digest, node, incarnation, revision] = version.split('.');
    if (digest === (held?.digest ?? NO_DIGEST))
      return { complete: false, items: [] };
    const ours =
      node === self.id.slice(0, 12) && incarnation === String(self.incarnation);
    if (!ours) return { complete: true, items };
    const since = Number(revision);
    return {
      complete: false,
      items: items.filter((item) => item.revision > since),
    };
  }

  private digest(from: NodeRef, message: Of<'digest'>): RecordsBody {
    this.covered(from, message);
    const { table } = this.kernel;
    const same = table.rangeDigest(message.from, message.to) === message.digest;
    return {
      type: 'leaves',
      leaves: same ? null : table.leafDigests(message.from, message.to),
    };
  }

  private versions(message: Of<'versions'>): RecordsBody {
    const { from, to, after } = message;
    const items: RecordMeta[] = [];
    for (const leaf of [...message.leaves].sort((a, b) => a - b))
      for (const meta of this.kernel.table.versions(from, to, leaf)) {
        if (after && compareKeys(meta, after) <= 0) continue;
        if (items.length >= MAX_ENTRIES)
          return { type: 'held', items, more: true };
        items.push(meta);
        this.pin(meta);
      }
    return { type: 'held', items, more: false };
  }

  private confirm(message: Of<'confirm'>): RecordsBody {
    const differ: number[] = [];
    message.places.forEach(({ kind, place, digest }, i) => {
      const held = this.kernel.table.place(kind, place);
      if (held?.digest === digest) held.pinnedUntil = this.kernel.now + PIN_MS;
      else differ.push(i);
    });
    return { type: 'confirmed', differ };
  }

  private announce(
    from: NodeRef,
    message: Of<'announce'>,
    late: number,
  ): RecordsBody {
    const { kernel } = this;
    const { swarms, settled } = kernel;
    if (message.sequence > kernel.time + MAX_AHEAD_MS)
      return { type: 'refused', code: 'clock' };
    const version = { sequence: message.sequence, origin: from.id, late };
    const answers: SwarmAnswer[] = [];
    let left = ANSWER_BYTES;
    const puts = unpackPuts(message.swarms);
    for (const put of puts)
      swarms.announce(put.swarm, put.peers, put.completed, version, kernel.now);
    for (const { swarm, want, seeds } of puts) {
      const answer = swarms.read(swarm, want, seeds, kernel.now);
      left -= answer.peers.length + 64;
      if (left < 0) break;
      answers.push(answer);
    }
    return { type: 'announced', settled, swarms: packAnswers(answers) };
  }

  private glance({ swarms: known }: Of<'glance'>): RecordsBody {
    const { swarms, now } = this.kernel;
    return this.glanced(true, swarms.changed(known, now));
  }

  private news({ since, most }: Of<'news'>): RecordsBody {
    const { swarms, now } = this.kernel;
    const changed = swarms.log.since(since, most);
    const states = changed?.map((swarm) => swarms.read(swarm, 0, false, now));
    return this.glanced(changed !== undefined, packAnswers(states ?? []));
  }

  private glanced(whole: boolean, states: Uint8Array): RecordsBody {
    const { settled, swarms } = this.kernel;
    return {
      type: 'glanced',
      settled,
      whole,
      swarms: states,
      at: swarms.log.now,
    };
  }

  private handover({ from, to }: Of<'handover'>): RecordsBody {
    const { swarms, now } = this.kernel;
    return { type: 'swarms', ...swarms.copy(from, to, ANSWER_BYTES, now) };
  }
}

function later(a: Stamp | undefined, b: Stamp | undefined): Stamp | undefined {
  return a === undefined || (b !== undefined && b > a) ? b : a;
}

function inlineSize(meta: RecordMeta): number {
  return 200 + (meta.size > INLINE_BYTES ? 0 : meta.size);
}
