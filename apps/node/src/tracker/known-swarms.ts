/**
 * The swarms that this tracker has asked the ring about: when it last did, what the answer was, and
 * which are due to be asked of again. Those that nobody asks for any more are forgotten.
 *
 * Asking is cheap as long as nothing has changed: only the numbers of a swarm are asked for
 * (`glance`), and its peers (`copy`) when the numbers are news or the last copy is old. Times are in
 * milliseconds.
 */
import { HashIndex } from './hash-index';

export const glanceAge = 1_000;
/** Of a swarm that has peers elsewhere, and of one whose peers all came to this tracker. */
export const copyAge = { shared: 8_000, own: 24_000 } as const;
const limit = 200_000;

export interface Due {
  readonly glances: Buffer[];
  readonly copies: Buffer[];
}

interface Columns {
  readonly askedAt: Float64Array;
  readonly glancedAt: Float64Array;
  readonly copiedAt: Float64Array;
  /** Seeds and leechers as the ring last said. */
  readonly seeds: Uint32Array;
  readonly leechers: Uint32Array;
  readonly state: Uint8Array;
}

const USED = 1;
/** Its peers are to be asked for at the next turn. */
const STALE = 2;
/** Other trackers have told the ring of peers. */
const SHARED = 4;

export class KnownSwarms {
  /** Forgotten when nobody has asked for so long; may be changed at any time. */
  interest = 120_000;
  private readonly index: HashIndex;
  private columns: Columns = columnsFor(0);
  private cursor = 0;

  /** `seed` has two random words. */
  constructor(seed: Uint32Array) {
    this.index = new HashIndex(seed, limit);
  }

  get size(): number {
    return this.index.size;
  }

  /** Is it known, and with that: somebody asks for it. */
  ask(infoHash: Uint8Array, now: number): boolean {
    const entry = this.index.find(infoHash);
    if (entry < 0) return false;
    this.columns.askedAt[entry] = now;
    return true;
  }

  /** The ring answered. True where the swarm's peers should be asked for as well. */
  answered(
    infoHash: Uint8Array,
    seeds: number,
    leechers: number,
    withPeers: boolean,
    now: number,
  ): boolean {
    const entry = this.enter(infoHash, now);
    if (entry < 0) return false;
    const { columns } = this;
    columns.glancedAt[entry] = now;
    const news =
      columns.seeds[entry] !== seeds || columns.leechers[entry] !== leechers;
    columns.seeds[entry] = seeds;
    columns.leechers[entry] = leechers;
    if (withPeers) {
      columns.copiedAt[entry] = now;
      columns.state[entry] &= ~STALE;
      return false;
    }
    return news;
  }

  /** The ring does not answer of it: asked again as if it had. */
  missed(infoHash: Uint8Array, now: number): void {
    const entry = this.enter(infoHash, now);
    if (entry >= 0) this.columns.glancedAt[entry] = now;
  }

  /** Its peers are to be asked for at the next turn. */
  stale(infoHash: Uint8Array): void {
    this.flag(infoHash, STALE);
  }

  /** It has peers that other trackers were told of. */
  shared(infoHash: Uint8Array): void {
    this.flag(infoHash, SHARED);
  }

  isShared(infoHash: Uint8Array): boolean {
    const entry = this.index.find(infoHash);
    return entry >= 0 && (this.columns.state[entry] & SHARED) !== 0;
  }

  /** At most so many that are due, the others at the next call; forgets those that nobody asks for. */
  due(mostGlances: number, mostCopies: number, now: number): Due {
    const due: Due = { glances: [], copies: [] };
    const { columns } = this;
    const { length } = columns.state;
    for (let seen = 0; seen < length; seen++) {
      if (this.cursor >= length) this.cursor = 0;
      const entry = this.cursor++;
      const state = columns.state[entry];
      if (state === 0) continue;
      if (now - columns.askedAt[entry] > this.interest) {
        columns.state[entry] = 0;
        this.index.remove(entry);
        continue;
      }
      const old = state & SHARED ? copyAge.shared : copyAge.own;
      if (state & STALE || now - columns.copiedAt[entry] >= old) {
        if (due.copies.length >= mostCopies) continue;
        columns.state[entry] &= ~STALE;
        columns.copiedAt[entry] = columns.glancedAt[entry] = now;
        due.copies.push(this.index.bytes(entry));
      } else if (now - columns.glancedAt[entry] >= glanceAge) {
        columns.glancedAt[entry] = now;
        due.glances.push(this.index.bytes(entry));
        if (due.glances.length >= mostGlances) break;
      }
    }
    return due;
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
    }
    return entry;
  }

  private flag(infoHash: Uint8Array, flag: number): void {
    const entry = this.index.find(infoHash);
    if (entry >= 0) this.columns.state[entry] |= flag;
  }
}

function columnsFor(capacity: number, before?: Columns): Columns {
  const columns: Columns = {
    askedAt: new Float64Array(capacity),
    glancedAt: new Float64Array(capacity),
    copiedAt: new Float64Array(capacity),
    seeds: new Uint32Array(capacity),
    leechers: new Uint32Array(capacity),
    state: new Uint8Array(capacity),
  };
  if (before)
    for (const name of Object.keys(columns) as (keyof Columns)[])
      columns[name].set(before[name]);
  return columns;
}
