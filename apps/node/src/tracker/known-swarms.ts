/**
 * The swarms that this tracker has asked the ring about: when it last did, what the answer was, and
 * which are due to be asked of again. Those that nobody asks for any more are forgotten.
 *
 * A swarm's owners are told the numbers that are known of it and answer where they have others (`glance`).
 * Once they have, it is followed: their news tell of every change, and it is glanced at only when there is
 * doubt whether they are still its owners. That makes sure of a copy of the peers, too, for the numbers
 * tell who is in it; peers are asked for (`copy`) when there is news that did not come from here, before
 * all others, and to renew the copy before it runs out. Times are in milliseconds.
 */
import { STATE_BYTES, writeNumbers, type SwarmNumbers } from '@dnd/records';
import { HashIndex } from './hash-index';

export const glanceAge = 700;
/** Then a copy is due to be renewed. */
export const copyAge = 24_000;
const limit = 200_000;
const HASH_BYTES = 20;

interface Columns {
  readonly askedAt: Float64Array;
  readonly glancedAt: Float64Array;
  readonly copiedAt: Float64Array;
  /** As the ring last said. */
  readonly seeds: Uint32Array;
  readonly leechers: Uint32Array;
  readonly completed: Uint32Array;
  readonly print: Uint32Array;
  readonly state: Uint8Array;
}

const USED = 1;
/** Its peers are to be asked for at the next turn. */
const STALE = 2;
/** Other trackers have told the ring of peers or downloads. */
const SHARED = 4;
/** Its owners' news are heard. */
const FOLLOWED = 8;

export class KnownSwarms {
  /** Forgotten when nobody has asked for so long; may be changed at any time. */
  interest = 120_000;
  private readonly index: HashIndex;
  private columns: Columns = columnsFor(0);
  private nextGlance = 0;
  private nextCopy = 0;
  /** Those that became stale, the longest first; some of them may have been seen to meanwhile. */
  private urgent: number[] = [];

  /** `seed` has two random words. */
  constructor(seed: Uint32Array) {
    this.index = new HashIndex(seed, limit);
  }

  get size(): number {
    return this.index.size;
  }

  has(infoHash: Uint8Array): boolean {
    return this.index.find(infoHash) >= 0;
  }

  /** Is it known, and with that: somebody asks for it. */
  ask(infoHash: Uint8Array, now: number): boolean {
    const entry = this.index.find(infoHash);
    if (entry < 0) return false;
    this.columns.askedAt[entry] = now;
    return true;
  }

  /** The ring answered. What is new: its numbers, or only who is in it; nothing where the peers came along. */
  answered(
    infoHash: Uint8Array,
    { seeds, leechers, completed, print }: SwarmNumbers,
    withPeers: boolean,
    now: number,
  ): 'numbers' | 'peers' | undefined {
    const entry = this.enter(infoHash, now);
    if (entry < 0) return undefined;
    const { columns } = this;
    columns.glancedAt[entry] = now;
    const differInPeers = columns.print[entry] !== print;
    const differInNumbers =
      columns.seeds[entry] !== seeds ||
      columns.leechers[entry] !== leechers ||
      columns.completed[entry] !== completed;
    columns.seeds[entry] = seeds;
    columns.leechers[entry] = leechers;
    columns.completed[entry] = completed;
    columns.print[entry] = print;
    if (withPeers) {
      columns.copiedAt[entry] = now;
      columns.state[entry] &= ~STALE;
      return undefined;
    }
    return differInNumbers ? 'numbers' : differInPeers ? 'peers' : undefined;
  }

  /** The ring does not answer of it: asked again as if it had. */
  missed(infoHash: Uint8Array, now: number): void {
    const entry = this.enter(infoHash, now);
    if (entry >= 0) this.columns.glancedAt[entry] = now;
  }

  /** Its peers are to be asked for at the next turn. */
  stale(infoHash: Uint8Array): void {
    const entry = this.index.find(infoHash);
    if (entry < 0 || this.columns.state[entry] & STALE) return;
    this.columns.state[entry] |= STALE;
    this.urgent.push(entry);
  }

  /** It has peers, or has had downloads, that other trackers were told of. */
  shared(infoHash: Uint8Array): void {
    const entry = this.index.find(infoHash);
    if (entry >= 0) this.columns.state[entry] |= SHARED;
  }

  isShared(infoHash: Uint8Array): boolean {
    const entry = this.index.find(infoHash);
    return entry >= 0 && (this.columns.state[entry] & SHARED) !== 0;
  }

  /**
   * Swarms to be glanced at, with the numbers that are known of them (see `writeNumbers`): at most so
   * many, the others at the next call.
   */
  dueGlances(most: number, now: number): Uint8Array {
    const { columns } = this;
    const due: number[] = [];
    this.nextGlance = this.goRound(this.nextGlance, now, (entry) => {
      if (columns.state[entry] & (STALE | FOLLOWED)) return true;
      if (now - columns.glancedAt[entry] < glanceAge) return true;
      columns.glancedAt[entry] = now;
      return due.push(entry) < most;
    });
    return this.states(due);
  }

  /** All owners of these have answered to the glance (`dueGlances`), and their news are heard from then on. */
  followed(glances: Uint8Array): void {
    for (let at = 0; at < glances.length; at += STATE_BYTES) {
      const entry = this.index.find(glances.subarray(at, at + HASH_BYTES));
      if (entry >= 0) this.columns.state[entry] |= FOLLOWED;
    }
  }

  /** Each swarm is to be glanced at again. */
  doubt(): void {
    const { state } = this.columns;
    for (let entry = 0; entry < state.length; entry++)
      state[entry] &= ~FOLLOWED;
  }

  /** Swarms whose peers are to be asked for, with or without those that are only to be renewed: at most so many, the others at the next call. */
  dueCopies(most: number, now: number, renew: boolean): Buffer[] {
    const { columns } = this;
    const due: Buffer[] = [];
    const take = (entry: number): boolean => {
      columns.state[entry] &= ~STALE;
      columns.copiedAt[entry] = columns.glancedAt[entry] = now;
      return due.push(this.index.bytes(entry)) < most;
    };
    let seen = 0;
    for (const entry of this.urgent) {
      seen++;
      if (columns.state[entry] & STALE && !take(entry)) break;
    }
    this.urgent = this.urgent.slice(seen);
    if (renew && due.length < most)
      this.nextCopy = this.goRound(
        this.nextCopy,
        now,
        (entry) => !this.isOld(entry, now) || take(entry),
      );
    return due;
  }

  /** Of a swarm that is followed and has no peers but ours there is nothing to copy. */
  private isOld(entry: number, now: number): boolean {
    const state = this.columns.state[entry];
    if (state & STALE) return true;
    if ((state & (FOLLOWED | SHARED)) === FOLLOWED) return false;
    return now - this.columns.copiedAt[entry] >= copyAge;
  }

  /** Visits all once from `from` on, or until told to stop, and forgets those that nobody asks for; where to go on. */
  private goRound(
    from: number,
    now: number,
    visit: (entry: number) => boolean,
  ): number {
    const { state, askedAt } = this.columns;
    let next = from;
    for (let seen = 0; seen < state.length; seen++) {
      if (next >= state.length) next = 0;
      const entry = next++;
      if (state[entry] === 0) continue;
      if (now - askedAt[entry] > this.interest) {
        state[entry] = 0;
        this.index.remove(entry);
      } else if (!visit(entry)) break;
    }
    return next;
  }

  private states(entries: readonly number[]): Uint8Array {
    const { seeds, leechers, completed, print } = this.columns;
    const out = Buffer.allocUnsafe(entries.length * STATE_BYTES);
    entries.forEach((entry, i) => {
      const numbers = {
        seeds: seeds[entry],
        leechers: leechers[entry],
        completed: completed[entry],
        print: print[entry],
      };
      this.index.write(entry, out, i * STATE_BYTES);
      writeNumbers(out, i * STATE_BYTES, numbers);
    });
    return out;
  }

  private enter(infoHash: Uint8Array, now: number): number {
    const entry = this.index.add(infoHash);
    if (entry < 0) return entry;
    if (entry >= this.columns.state.length)
      this.columns = columnsFor(this.index.capacity, this.columns);
    const { columns } = this;
    if (columns.state[entry] === 0) {
      columns.state[entry] = USED;
      columns.askedAt[entry] = now;
      columns.glancedAt[entry] = columns.copiedAt[entry] = now;
      columns.seeds[entry] = columns.leechers[entry] = 0;
      columns.completed[entry] = columns.print[entry] = 0;
    }
    return entry;
  }
}

function columnsFor(capacity: number, before?: Columns): Columns {
  const columns: Columns = {
    askedAt: new Float64Array(capacity),
    glancedAt: new Float64Array(capacity),
    copiedAt: new Float64Array(capacity),
    seeds: new Uint32Array(capacity),
    leechers: new Uint32Array(capacity),
    completed: new Uint32Array(capacity),
    print: new Uint32Array(capacity),
    state: new Uint8Array(capacity),
  };
  if (before)
    for (const name of Object.keys(columns) as (keyof Columns)[])
      columns[name].set(before[name]);
  return columns;
}
