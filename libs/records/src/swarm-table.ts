/**
 * The peers of the swarms that this node keeps: soft state in memory, packed, about 60 bytes a
 * peer. Of two entries for one address the later (sequence, origin) stands; of equal ones the
 * earlier deadline, so that passing an entry round among replicas never keeps a peer alive.
 * Peers past their deadline are never given out; `sweep` frees their memory bit by bit.
 */
import { betweenIncl } from '@dnd/chord';
import type { RingId } from '@dnd/chord';
import { ChangeLog } from './change-log';
import type { SwarmAnswer, SwarmCopy } from './message';
import { eachState, packAnswers } from './swarm-pack';
import {
  ANNOUNCED_PEER_BYTES,
  clampTtl,
  COPIED_PEER_BYTES,
  ENDPOINT_BYTES,
  FLAGS_AT,
  GONE,
  ORIGIN_AT,
  PEER_BYTES,
  SEED,
  SEQUENCE_AT,
  TTL_AT,
} from './peer';
import { LEAVES, leafOf } from './record-table';
import { RowStore } from './row-store';
import type { Chain } from './row-store';

/** Peers kept of one swarm. */
export const MAX_PEERS_KEPT = 2_000;
/** Peers in one answer. */
export const MAX_PEERS_GIVEN = 200;
const MAX_SWARMS = 250_000;
const MAX_PEERS = 2_500_000;
const MAX_ORIGINS = 0xffff;
/** Deadlines are kept in steps of this many milliseconds, rounded down, since the table began. */
const TICK_MS = 16;
const ROW = COPIED_PEER_BYTES;

/** What decides between two entries for one address. */
export interface SwarmVersion {
  /** Grows with every announce of one origin; milliseconds of its corrected clock or more. */
  readonly sequence: number;
  /** The node that took the announce. */
  readonly origin: RingId;
  /** When it is over, in milliseconds. */
  readonly deadline: number;
}

/** Negative, zero or positive as `a` stands before, beside or after `b`. */
export function compareSwarmVersions(a: SwarmVersion, b: SwarmVersion): number {
  if (a.sequence !== b.sequence) return a.sequence - b.sequence;
  if (a.origin !== b.origin) return a.origin < b.origin ? -1 : 1;
  return b.deadline - a.deadline;
}

/** The one of two that stands: commutative, associative and idempotent. */
export function mergeSwarmVersions<V extends SwarmVersion>(a: V, b: V): V {
  return compareSwarmVersions(a, b) >= 0 ? a : b;
}

interface Swarm extends Chain {
  readonly id: RingId;
  completed: number;
  /** Of its rows: those that have everything and have not left. */
  seeds: number;
  /** Of its rows: those that have left. */
  gone: number;
  /** The prints of all others, taken together by exclusive or. */
  print: number;
  /** No row's deadline lies before this tick. */
  due: number;
}

/** How many swarms, and who is in them. */
export interface KeptSwarms {
  readonly swarms: number;
  readonly peers: number;
  readonly seeds: number;
}

const NEVER = 0xffffffff;

/** 32 bits of an address and whether it is a seed's (FNV-1a, mixed). */
function printOf(page: Uint8Array, at: number, seed: number): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let i = at; i < at + ENDPOINT_BYTES; i++)
    hash = Math.imul(hash ^ (page[i] ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return hash ^ (hash >>> 13);
}

const leechersOf = ({ count, gone, seeds }: Swarm): number =>
  count - gone - seeds;

export class SwarmTable {
  private readonly leaves = new Array<Map<RingId, Swarm> | undefined>(LEAVES);
  private readonly origins: RingId[] = [];
  private readonly originNumbers = new Map<RingId, number>();
  private readonly store = new RowStore(ROW);
  private readonly row = new Uint8Array(ROW);
  private readonly rowView = new DataView(this.row.buffer);
  private began: number | undefined;
  private sweepLeaf = 0;
  /** What others see of a swarm has changed. */
  readonly log: ChangeLog;
  swarms = 0;
  peers = 0;

  /** `random` gives 0 ≤ x < 1. */
  constructor(private readonly random: () => number) {
    this.log = new ChangeLog(Math.floor(random() * 2 ** 32));
  }

  /**
   * Takes in announced peers (ANNOUNCED_PEER_BYTES each) that took `late` milliseconds to come.
   * `completed` counts only together with a peer that is news, so a repeated message counts once.
   */
  announce(
    swarmId: RingId,
    announced: Uint8Array,
    completed: number,
    version: { sequence: number; origin: RingId; late: number },
    now: number,
  ): void {
    if (announced.length === 0) return;
    const swarm = this.swarmFor(swarmId);
    if (!swarm) return;
    const origin = this.originNumber(version.origin);
    const ttls = viewOf(announced);
    const { print, count, gone } = swarm;
    let news = false;
    for (
      let at = 0;
      at + ANNOUNCED_PEER_BYTES <= announced.length;
      at += ANNOUNCED_PEER_BYTES
    ) {
      const ttl = clampTtl(ttls.getUint32(at + TTL_AT) - version.late);
      this.row.set(announced.subarray(at, at + PEER_BYTES));
      this.setRow(now + ttl, version.sequence, origin, now);
      if (this.insert(swarm, now)) news = true;
    }
    if (news) swarm.completed += completed;
    const differs =
      swarm.print !== print ||
      swarm.count - swarm.gone !== count - gone ||
      (news && completed > 0);
    if (differs) this.log.note(swarmId);
  }

  /** Counts and at most `want` peers drawn at random; `seeds` false leaves the seeds out. */
  read(
    swarmId: RingId,
    want: number,
    seeds: boolean,
    now: number,
  ): SwarmAnswer {
    const swarm = this.leaves[leafOf(swarmId)]?.get(swarmId);
    if (!swarm)
      return {
        swarm: swarmId,
        seeds: 0,
        leechers: 0,
        completed: 0,
        print: 0,
        peers: new Uint8Array(0),
      };
    this.expire(swarm, now);
    const leechers = leechersOf(swarm);
    const most = Math.min(
      want,
      MAX_PEERS_GIVEN,
      leechers + (seeds ? swarm.seeds : 0),
    );
    return {
      swarm: swarmId,
      seeds: swarm.seeds,
      leechers,
      completed: swarm.completed,
      print: swarm.print >>> 0,
      peers: this.sample(swarm, most, seeds ? GONE : GONE | SEED),
    };
  }

  /** The swarms among those `known` (answers without peers) that are otherwise now, as they are, without peers. */
  changed(known: Uint8Array, now: number): Uint8Array {
    const changed: SwarmAnswer[] = [];
    eachState(known, (id, seeds, leechers, completed, print) => {
      const swarm = this.leaves[leafOf(id)]?.get(id);
      if (swarm) this.expire(swarm, now);
      if (
        seeds !== (swarm?.seeds ?? 0) ||
        leechers !== (swarm ? leechersOf(swarm) : 0) ||
        completed !== (swarm?.completed ?? 0) ||
        print !== (swarm?.print ?? 0) >>> 0
      )
        changed.push(this.read(id, 0, false, now));
    });
    return packAnswers(changed);
  }

  /** What there is of (from, to]; those whose time has just ended may still count. */
  counts(from: RingId, to: RingId): KeptSwarms {
    const cut = [leafOf(from), leafOf(to)];
    let [swarms, peers, seeds] = [0, 0, 0];
    this.leaves.forEach((leaf, number) => {
      if (!leaf) return;
      const whole = !cut.includes(number);
      for (const [id, swarm] of leaf) {
        if (!betweenIncl(from, id, to)) {
          // All of a leaf that neither end cuts lies on the same side.
          if (whole) return;
          continue;
        }
        swarms++;
        peers += swarm.count - swarm.gone;
        seeds += swarm.seeds;
      }
    });
    return { swarms, peers, seeds };
  }

  /** Swarms of (from, to] from its beginning on, until about `bytes` are full. */
  copy(
    from: RingId,
    to: RingId,
    bytes: number,
    now: number,
  ): { swarms: SwarmCopy[]; origins: readonly RingId[]; more: boolean } {
    const swarms: SwarmCopy[] = [];
    // Of all origins ever seen only those of these peers, numbered anew.
    const origins: RingId[] = [];
    const numbers = new Map<number, number>();
    let left = bytes;
    for (const [id, swarm] of this.inOrder(from, to)) {
      this.expire(swarm, now);
      if (swarm.count === 0 && swarm.completed === 0) continue;
      if (left <= 0) return { swarms, origins, more: true };
      const peers = this.packed(swarm);
      const view = viewOf(peers);
      for (let at = 0; at < peers.length; at += ROW) {
        const deadline = this.deadline(view.getUint32(at + TTL_AT));
        view.setUint32(at + TTL_AT, deadline - now);
        const origin = view.getUint16(at + ORIGIN_AT);
        let number = numbers.get(origin);
        if (number === undefined) {
          number = origins.push(this.origins[origin] ?? '') - 1;
          numbers.set(origin, number);
        }
        view.setUint16(at + ORIGIN_AT, number);
      }
      swarms.push({ swarm: id, completed: swarm.completed, peers });
      left -= peers.length + 64;
    }
    return { swarms, origins, more: false };
  }

  /**
   * Takes in what another replica copied to us. `askedAt` is when we asked: time left is counted
   * from then, so that a copy's deadline never lies behind the original's.
   */
  paste(
    copies: readonly SwarmCopy[],
    origins: readonly RingId[],
    askedAt: number,
    now: number,
  ): void {
    for (const copy of copies) {
      const swarm = this.swarmFor(copy.swarm);
      if (!swarm) return;
      swarm.completed = Math.max(swarm.completed, copy.completed);
      this.log.note(copy.swarm);
      const view = viewOf(copy.peers);
      for (let at = 0; at + ROW <= copy.peers.length; at += ROW) {
        const origin = origins[view.getUint16(at + ORIGIN_AT)];
        const ttl = clampTtl(view.getUint32(at + TTL_AT));
        if (origin === undefined || askedAt + ttl <= now) continue;
        this.row.set(copy.peers.subarray(at, at + ROW));
        const sequence = readSequence(view, at);
        this.setRow(askedAt + ttl, sequence, this.originNumber(origin), now);
        this.insert(swarm, now);
      }
    }
  }

  /** Forgets peers past their deadline in `leaves` of the 4,096 parts of the table. */
  sweep(leaves: number, now: number): void {
    if (this.swarms === 0) return;
    for (let i = 0; i < leaves; i++) {
      const leaf = this.leaves[this.sweepLeaf];
      this.sweepLeaf = (this.sweepLeaf + 1) % LEAVES;
      if (!leaf) continue;
      for (const [id, swarm] of leaf) {
        this.expire(swarm, now);
        if (swarm.count > 0 || swarm.completed > 0) continue;
        leaf.delete(id);
        this.swarms--;
      }
    }
  }

  /** Versions of one swarm's peers by address in hex. For inspection. */
  versions(swarmId: RingId): Map<string, SwarmVersion & { flags: number }> {
    const result = new Map<string, SwarmVersion & { flags: number }>();
    const swarm = this.leaves[leafOf(swarmId)]?.get(swarmId);
    if (!swarm) return result;
    const packed = this.packed(swarm);
    const view = viewOf(packed);
    for (let at = 0; at < packed.length; at += ROW)
      result.set(hexOf(packed.subarray(at, at + ENDPOINT_BYTES)), {
        sequence: readSequence(view, at),
        origin: this.origins[view.getUint16(at + ORIGIN_AT)] ?? '',
        deadline: this.deadline(view.getUint32(at + TTL_AT)),
        flags: packed[at + FLAGS_AT] ?? 0,
      });
    return result;
  }

  private *inOrder(from: RingId, to: RingId): Generator<[RingId, Swarm]> {
    if (this.swarms === 0) return;
    const first = leafOf(from);
    for (let i = 0; i <= LEAVES; i++) {
      const leaf = this.leaves[(first + i) % LEAVES];
      if (!leaf) continue;
      // The leaf that `from` cuts comes first with its later part and last with its earlier one.
      const ids = [...leaf.keys()].filter(
        (id) =>
          betweenIncl(from, id, to) &&
          (i === 0 ? id > from : i < LEAVES || id <= from),
      );
      for (const id of ids.sort()) {
        const swarm = leaf.get(id);
        if (swarm) yield [id, swarm];
      }
    }
  }

  private swarmFor(id: RingId): Swarm | undefined {
    const leaf = (this.leaves[leafOf(id)] ??= new Map());
    const known = leaf.get(id);
    if (known) return known;
    if (this.swarms >= MAX_SWARMS) return undefined;
    this.swarms++;
    const swarm = {
      id,
      head: -1,
      count: 0,
      completed: 0,
      seeds: 0,
      gone: 0,
      print: 0,
      due: NEVER,
    };
    leaf.set(id, swarm);
    return swarm;
  }

  /** Merges `this.row` into a swarm; whether it was news. */
  private insert(swarm: Swarm, now: number): boolean {
    const { store } = this;
    const row = this.find(swarm);
    if (row >= 0) {
      const held = this.version(store.view(row), store.at(row));
      const coming = this.version(this.rowView, 0);
      if (compareSwarmVersions(coming, held) <= 0) return false;
      this.replace(swarm, row);
      return coming.sequence !== held.sequence;
    }
    if (swarm.count >= MAX_PEERS_KEPT || this.peers >= MAX_PEERS) {
      this.expire(swarm, now);
      if (swarm.count >= MAX_PEERS_KEPT) return this.replaceOldest(swarm);
      if (this.peers >= MAX_PEERS) return false;
    }
    store.push(swarm, this.row);
    this.count(swarm, this.row, 0, 1);
    this.dueAt(swarm, this.rowView.getUint32(TTL_AT));
    this.peers++;
    return true;
  }

  /** Puts `this.row` in the place of another. */
  private replace(swarm: Swarm, row: number): void {
    const { store } = this;
    this.count(swarm, store.page(row), store.at(row), -1);
    store.page(row).set(this.row, store.at(row));
    this.count(swarm, this.row, 0, 1);
    this.dueAt(swarm, this.rowView.getUint32(TTL_AT));
  }

  /** A row comes or goes. */
  private count(swarm: Swarm, page: Uint8Array, at: number, by: 1 | -1): void {
    const flags = page[at + FLAGS_AT] ?? 0;
    if (flags & GONE) {
      swarm.gone += by;
      return;
    }
    if (flags & SEED) swarm.seeds += by;
    swarm.print ^= printOf(page, at, flags & SEED);
  }

  private dueAt(swarm: Swarm, ticks: number): void {
    if (ticks < swarm.due) swarm.due = ticks;
  }

  /** The row with the address of `this.row`; -1 for none. */
  private find(swarm: Swarm): number {
    const { row, store } = this;
    const rows = store.rowsOf(swarm);
    for (let n = 0; n < swarm.count; n++) {
      const held = rows[n] as number;
      const page = store.page(held);
      const at = store.at(held);
      if (page[at + 17] !== row[17] || page[at + 15] !== row[15]) continue;
      let i = 0;
      while (i < ENDPOINT_BYTES && page[at + i] === row[i]) i++;
      if (i === ENDPOINT_BYTES) return held;
    }
    return -1;
  }

  private flags(row: number): number {
    return this.store.page(row)[this.store.at(row) + FLAGS_AT] ?? 0;
  }

  private ticks(row: number): number {
    return this.store.view(row).getUint32(this.store.at(row) + TTL_AT);
  }

  /** A copy of all rows. */
  private packed(swarm: Swarm): Uint8Array {
    const packed = new Uint8Array(swarm.count * ROW);
    const rows = this.store.rowsOf(swarm);
    for (let i = 0; i < swarm.count; i++)
      packed.set(this.store.bytes(rows[i] as number), i * ROW);
    return packed;
  }

  private version(view: DataView, at: number): SwarmVersion {
    return {
      sequence: readSequence(view, at),
      origin: this.origins[view.getUint16(at + ORIGIN_AT)] ?? '',
      deadline: view.getUint32(at + TTL_AT),
    };
  }

  /** Full: what has least time left makes room, unless that is the new one. */
  private replaceOldest(swarm: Swarm): boolean {
    const { store } = this;
    const rows = store.rowsOf(swarm);
    let oldest = -1;
    let least = this.rowView.getUint32(TTL_AT);
    for (let i = 0; i < swarm.count; i++) {
      const row = rows[i] as number;
      const ticks = this.ticks(row);
      if (ticks >= least) continue;
      least = ticks;
      oldest = row;
    }
    if (oldest < 0) return false;
    this.replace(swarm, oldest);
    return true;
  }

  private expire(swarm: Swarm, now: number): void {
    if (swarm.due === NEVER || this.deadline(swarm.due) > now) return;
    const rows = this.store.rowsOf(swarm);
    const before = swarm.count;
    swarm.due = NEVER;
    // The last row comes first, so what takes a removed row's place has been looked at.
    for (let i = 0; i < before; i++) {
      const row = rows[i] as number;
      const ticks = this.ticks(row);
      if (this.deadline(ticks) > now) {
        this.dueAt(swarm, ticks);
        continue;
      }
      this.count(swarm, this.store.page(row), this.store.at(row), -1);
      this.store.remove(swarm, row);
    }
    if (swarm.count < before) this.log.note(swarm.id);
    this.peers -= before - swarm.count;
  }

  private sample(swarm: Swarm, most: number, without: number): Uint8Array {
    const peers = new Uint8Array(most * PEER_BYTES);
    if (most === 0) return peers;
    const { count } = swarm;
    const rows = this.store.rowsOf(swarm);
    // A random start and a random stride without a common divisor visit each row once.
    let stride = 1 + Math.floor(this.random() * count);
    while (divisor(stride, count) !== 1) stride++;
    let index = Math.floor(this.random() * count);
    let taken = 0;
    for (let i = 0; i < count && taken < most; i++) {
      const row = rows[index] as number;
      index = (index + stride) % count;
      if (this.flags(row) & without) continue;
      const at = this.store.at(row);
      const page = this.store.page(row);
      peers.set(page.subarray(at, at + PEER_BYTES), taken++ * PEER_BYTES);
    }
    return peers;
  }

  private setRow(
    deadline: number,
    sequence: number,
    origin: number,
    now: number,
  ): void {
    this.began ??= now;
    const ticks = Math.floor((deadline - this.began) / TICK_MS);
    this.rowView.setUint32(TTL_AT, Math.max(0, ticks));
    this.rowView.setUint16(SEQUENCE_AT, Math.floor(sequence / 0x1_0000_0000));
    this.rowView.setUint32(SEQUENCE_AT + 2, sequence % 0x1_0000_0000);
    this.rowView.setUint16(ORIGIN_AT, origin);
  }

  private deadline(ticks: number): number {
    return (this.began ?? 0) + ticks * TICK_MS;
  }

  /** Origins beyond what two bytes can number share the first one's number. */
  private originNumber(origin: RingId): number {
    const known = this.originNumbers.get(origin);
    if (known !== undefined) return known;
    if (this.origins.length >= MAX_ORIGINS) return 0;
    this.originNumbers.set(origin, this.origins.length);
    return this.origins.push(origin) - 1;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function readSequence(view: DataView, at: number): number {
  return (
    view.getUint16(at + SEQUENCE_AT) * 0x1_0000_0000 +
    view.getUint32(at + SEQUENCE_AT + 2)
  );
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

function hexOf(bytes: Uint8Array): string {
  return Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
}
