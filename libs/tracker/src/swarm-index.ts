/**
 * From info-hash to a swarm's record of 26 words, in pages that never move, so that a million
 * swarms cost neither objects nor a copying pause. Open addressing over a keyed hash: nobody can
 * choose info-hashes that collide. A record's words are named by `SWARM` and, for the peers of
 * each address family, by `GROUP` from the base `SWARM.v4` or `SWARM.v6`.
 */
import { hashWords } from './sip-hash';

/** Offsets into a swarm's record. */
export const SWARM = {
  /** The info-hash as five big-endian words. */
  hash: 0,
  hash32: 5,
  /** Two groups of six words, see `GROUP`. */
  v4: 6,
  v6: 12,
  /** Completed downloads, all nodes together. */
  completed: 18,
  /** No peer's deadline lies before this second. */
  deadline: 19,
  /** Of them those counted here that the owners have not been told of. */
  untold: 20,
  /** Unequal zero while the swarm waits in the queue of changes. */
  queued: 21,
  /** Unequal zero while the record is in use. */
  used: 22,
  /** Numbers that the owners of a swarm too large to copy told, and until which second they count. */
  toldUntil: 23,
  toldComplete: 24,
  toldIncomplete: 25,
} as const;

/** Offsets from `SWARM.v4` or `SWARM.v6`: where one family's peers stand. */
export const GROUP = {
  /** Number of the block, plus one; 0 where there is none. */
  block: 0,
  capacity: 1,
  /** Peers that do not download: the first entries of the block. */
  sources: 2,
  /** Sources and downloaders; downloaders follow the sources. */
  live: 3,
  /** With the gravestones, which follow the live. */
  total: 4,
  /** Sources that have everything. */
  seeds: 5,
} as const;

const STRIDE = 26;
const PAGE_BITS = 12;
const PAGE_MASK = (1 << PAGE_BITS) - 1;

/** Parts of the table: each grows by itself, so that no growth takes long. */
const SHARD_BITS = 6;
const LEAST_SLOTS = 16;

/** Numbers of swarms plus one, each at or after its hash's slot; 0 is free. */
interface Shard {
  slots: Uint32Array;
  used: number;
}

export class SwarmIndex {
  private readonly pages: Uint32Array[] = [];
  private readonly free: number[] = [];
  private readonly shards: Shard[] = [];
  private top = 0;
  private used = 0;
  private readonly k0: number;
  private readonly k1: number;

  /** `k0` and `k1` are 32 random bits each. */
  constructor(k0: number, k1: number) {
    this.k0 = k0 | 0;
    this.k1 = k1 | 0;
    for (let i = 0; i < 1 << SHARD_BITS; i++)
      this.shards.push({ slots: new Uint32Array(LEAST_SLOTS), used: 0 });
  }

  get size(): number {
    return this.used;
  }

  /** One past the highest number ever given out: the end of a walk over all swarms. */
  get end(): number {
    return this.top;
  }

  /** The page that holds swarm number `swarm`, whose record begins at `base(swarm)`. */
  page(swarm: number): Uint32Array {
    return this.pages[swarm >>> PAGE_BITS];
  }

  base(swarm: number): number {
    return (swarm & PAGE_MASK) * STRIDE;
  }

  isUsed(swarm: number): boolean {
    return this.page(swarm)[this.base(swarm) + SWARM.used] !== 0;
  }

  /** The number of the swarm whose info-hash words stand in `words`, or −1. */
  find(words: Uint32Array): number {
    const hash = hashWords(this.k0, this.k1, words, 0);
    const { slots } = this.shardOf(hash);
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot];
      if (entry === 0) return -1;
      if (this.holds(entry - 1, words)) return entry - 1;
    }
  }

  /** Adds a swarm that `find` did not know; its record is zero but for the hash. */
  insert(words: Uint32Array): number {
    const hash = hashWords(this.k0, this.k1, words, 0);
    const shard = this.shardOf(hash);
    if (shard.used * 2 >= shard.slots.length) this.grow(shard);
    const swarm = this.free.pop() ?? this.top++;
    if (swarm >>> PAGE_BITS === this.pages.length)
      this.pages.push(new Uint32Array(STRIDE << PAGE_BITS));
    const page = this.page(swarm);
    const base = this.base(swarm);
    page.fill(0, base, base + STRIDE);
    page.set(words, base);
    page[base + SWARM.hash32] = hash;
    page[base + SWARM.used] = 1;
    this.used++;
    shard.used++;
    place(shard.slots, swarm + 1, hash);
    return swarm;
  }

  /** Forgets the swarm; its number may be given out again. */
  remove(swarm: number): void {
    const hash = this.hashOf(swarm);
    const shard = this.shardOf(hash);
    const { slots } = shard;
    const mask = slots.length - 1;
    this.page(swarm)[this.base(swarm) + SWARM.used] = 0;
    let hole = hash & mask;
    while (slots[hole] !== swarm + 1) hole = (hole + 1) & mask;
    // What follows the hole moves up, unless that would lift it above its own place.
    for (let slot = (hole + 1) & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot];
      if (entry === 0) break;
      const home = this.hashOf(entry - 1) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = entry;
      hole = slot;
    }
    slots[hole] = 0;
    this.free.push(swarm);
    this.used--;
    shard.used--;
  }

  private shardOf(hash: number): Shard {
    return this.shards[hash >>> (32 - SHARD_BITS)];
  }

  private holds(swarm: number, words: Uint32Array): boolean {
    const page = this.pages[swarm >>> PAGE_BITS];
    const base = this.base(swarm);
    return (
      page[base] === words[0] &&
      page[base + 1] === words[1] &&
      page[base + 2] === words[2] &&
      page[base + 3] === words[3] &&
      page[base + 4] === words[4]
    );
  }

  private hashOf(swarm: number): number {
    return this.page(swarm)[this.base(swarm) + SWARM.hash32];
  }

  private grow(shard: Shard): void {
    const slots = new Uint32Array(shard.slots.length * 2);
    for (const entry of shard.slots)
      if (entry !== 0) place(slots, entry, this.hashOf(entry - 1));
    shard.slots = slots;
  }
}

function place(slots: Uint32Array, entry: number, hash: number): void {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = entry;
}
