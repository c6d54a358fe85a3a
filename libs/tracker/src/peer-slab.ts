/**
 * The peers of all swarms of one address family: in blocks of numbers, one block a swarm, 48
 * bytes an IPv4 peer and 60 an IPv6 peer. A block is a set of planes (all addresses, then all
 * ports, ...), so that searching and choosing read memory in order. Inside a block stand first
 * the peers that do not download ("sources"), then the downloaders, then the gravestones of
 * peers that left. Blocks come from pages that never move; a block that is outgrown is reused
 * for another swarm.
 */
import { GROUP } from './swarm-index';

/** What is known of a peer, in the low half of the word that holds its port. */
export const FLAG = {
  seed: 1,
  /** BEP 21: has what it wants, but not everything. */
  partial: 2,
  gone: 4,
  /** Its completed event has been counted. */
  completed: 8,
  hasKey: 16,
  /** Changed here, and the swarm's owners have not been told. */
  unsent: 32,
  /** Changed, here or elsewhere, and the holders of copies have not been told. */
  unshared: 64,
  /** Known from another node, not from its own announce here. */
  heard: 128,
} as const;

/** The three parts of a block, in their order. */
export type Zone = 0 | 1 | 2;
export const SOURCE = 0;
export const DOWNLOADER = 1;
export const GRAVE = 2;

const PAGE_WORDS = 1 << 20;
const CAPACITIES = [
  2, 4, 6, 8, 12, 16, 24, 32, 52, 64, 96, 128, 192, 256, 384, 512, 768, 1024,
  1536, 2048, 3072,
];
/** Entries that a block can hold at most. */
export const MAX_CAPACITY = CAPACITIES[CAPACITIES.length - 1];

export class PeerSlab {
  /** Words of an address: 1 or 4. The address planes come first. */
  readonly addressWords: 1 | 4;
  /** Numbers of the other planes. `port` holds port << 16 | flags. */
  readonly port: number;
  readonly deadline: number;
  readonly sequence: number;
  readonly origin: number;
  readonly key: number;
  /** The deadline that the owners were last told. */
  readonly told: number;
  /** The first of five. */
  readonly peerId: number;
  readonly planes: number;
  private readonly pages: Uint32Array[] = [];
  private readonly free: number[][] = CAPACITIES.map(() => []);
  private fill = PAGE_WORDS;
  /** Set by `open`: the block that is worked on. */
  page: Uint32Array = new Uint32Array(0);
  at = 0;
  capacity = 0;

  constructor(addressWords: 1 | 4) {
    this.addressWords = addressWords;
    this.port = addressWords;
    this.deadline = addressWords + 1;
    this.sequence = addressWords + 2;
    this.origin = addressWords + 3;
    this.key = addressWords + 4;
    this.told = addressWords + 5;
    this.peerId = addressWords + 6;
    this.planes = addressWords + 11;
  }

  /** Bytes of all pages. */
  get bytes(): number {
    return this.pages.length * PAGE_WORDS * 4;
  }

  /** Turns to the block of the group at `group` in a swarm's record. */
  open(record: Uint32Array, group: number): void {
    const block = record[group + GROUP.block];
    this.capacity = record[group + GROUP.capacity];
    if (block === 0) return;
    this.page = this.pages[Math.floor((block - 1) / PAGE_WORDS)];
    this.at = (block - 1) & (PAGE_WORDS - 1);
  }

  /** Where plane `plane` of the open block begins in `page`. */
  plane(plane: number): number {
    return this.at + plane * this.capacity;
  }

  get(plane: number, entry: number): number {
    return this.page[this.at + plane * this.capacity + entry];
  }

  set(plane: number, entry: number, value: number): void {
    this.page[this.at + plane * this.capacity + entry] = value;
  }

  /** The entry with this address (as words) and port among all of the block, or −1. */
  find(total: number, address: Uint32Array, port: number): number {
    const page = this.page;
    const a0 = address[0];
    const at = this.at;
    const ports = this.plane(this.port);
    for (let i = 0; i < total; i++) {
      if (page[at + i] !== a0 || page[ports + i] >>> 16 !== port) continue;
      if (this.addressWords === 1 || this.sameAddress(i, address)) return i;
    }
    return -1;
  }

  /** The next entry at or after `from` and before `to` with this peer id (as words), or −1. */
  findId(from: number, to: number, id: Uint32Array): number {
    const first = this.plane(this.peerId);
    const i0 = id[0];
    const i4 = id[4];
    const last = first + 4 * this.capacity;
    const page = this.page;
    for (let i = from; i < to; i++) {
      // The last word first: the first is the client's name and the same for many.
      if (page[last + i] !== i4 || page[first + i] !== i0) continue;
      if (this.sameId(i, id)) return i;
    }
    return -1;
  }

  sameId(entry: number, id: Uint32Array): boolean {
    for (let w = 4; w >= 0; w--)
      if (this.get(this.peerId + w, entry) !== id[w]) return false;
    return true;
  }

  sameAddress(entry: number, address: Uint32Array): boolean {
    for (let w = 0; w < this.addressWords; w++)
      if (this.get(w, entry) !== address[w]) return false;
    return true;
  }

  /** Makes room for a new entry in `zone` and returns its number; the caller fills it. Counts seeds not. */
  insert(record: Uint32Array, group: number, zone: Zone): number {
    const total = record[group + GROUP.total];
    if (total === record[group + GROUP.capacity])
      this.resize(record, group, total + 1);
    this.open(record, group);
    const sources = record[group + GROUP.sources];
    const live = record[group + GROUP.live];
    record[group + GROUP.total] = total + 1;
    if (zone === GRAVE) return total;
    if (live < total) this.copy(live, total);
    record[group + GROUP.live] = live + 1;
    if (zone === DOWNLOADER) return live;
    if (sources < live) this.copy(sources, live);
    record[group + GROUP.sources] = sources + 1;
    return sources;
  }

  /** Takes `entry` out of the open block; the others close up and may change their numbers. */
  remove(record: Uint32Array, group: number, entry: number): void {
    const sources = record[group + GROUP.sources];
    const live = record[group + GROUP.live];
    const total = record[group + GROUP.total];
    let hole = entry;
    if (hole < sources) {
      if (hole < sources - 1) this.copy(sources - 1, hole);
      hole = sources - 1;
      record[group + GROUP.sources] = sources - 1;
    }
    if (hole < live) {
      if (hole < live - 1) this.copy(live - 1, hole);
      hole = live - 1;
      record[group + GROUP.live] = live - 1;
    }
    if (hole < total - 1) this.copy(total - 1, hole);
    record[group + GROUP.total] = total - 1;
  }

  /** Brings `entry` of the open block into `zone` and returns its new number. */
  move(record: Uint32Array, group: number, entry: number, zone: Zone): number {
    if (this.zoneOf(record, group, entry) === zone) return entry;
    for (let p = 0; p < this.planes; p++) held[p] = this.get(p, entry);
    this.remove(record, group, entry);
    const place = this.insert(record, group, zone);
    for (let p = 0; p < this.planes; p++) this.set(p, place, held[p]);
    return place;
  }

  zoneOf(record: Uint32Array, group: number, entry: number): Zone {
    if (entry < record[group + GROUP.sources]) return SOURCE;
    return entry < record[group + GROUP.live] ? DOWNLOADER : GRAVE;
  }

  /** Gives room back where more than half of a block stands empty. */
  shrink(record: Uint32Array, group: number): void {
    const total = record[group + GROUP.total];
    if (total === 0) this.release(record, group);
    else if (total * 2 < record[group + GROUP.capacity])
      this.resize(record, group, total);
  }

  private copy(from: number, to: number): void {
    const page = this.page;
    let plane = this.at;
    for (let p = 0; p < this.planes; p++) {
      page[plane + to] = page[plane + from];
      plane += this.capacity;
    }
  }

  private resize(record: Uint32Array, group: number, needed: number): void {
    const size = CAPACITIES.findIndex((capacity) => capacity >= needed);
    const capacity = CAPACITIES[size];
    if (capacity === record[group + GROUP.capacity]) return;
    const total = record[group + GROUP.total];
    this.open(record, group);
    const from = this.page;
    const old = this.at;
    const oldCapacity = this.capacity;
    const block = this.free[size].pop() ?? this.carve(size);
    const page = this.pages[Math.floor(block / PAGE_WORDS)];
    const at = block & (PAGE_WORDS - 1);
    for (let p = 0; p < this.planes && total > 0; p++)
      for (let i = 0; i < total; i++)
        page[at + p * capacity + i] = from[old + p * oldCapacity + i];
    if (oldCapacity > 0) this.giveBack(record, group);
    record[group + GROUP.block] = block + 1;
    record[group + GROUP.capacity] = capacity;
    this.open(record, group);
  }

  private release(record: Uint32Array, group: number): void {
    if (record[group + GROUP.capacity] === 0) return;
    this.giveBack(record, group);
    record[group + GROUP.block] = 0;
    record[group + GROUP.capacity] = 0;
  }

  private giveBack(record: Uint32Array, group: number): void {
    const size = CAPACITIES.indexOf(record[group + GROUP.capacity]);
    this.free[size].push(record[group + GROUP.block] - 1);
  }

  /** A new block of that size; what is left of a page that is too full is cut into smaller blocks. */
  private carve(size: number): number {
    const words = CAPACITIES[size] * this.planes;
    if (this.fill + words > PAGE_WORDS) {
      this.cutRest();
      this.pages.push(new Uint32Array(PAGE_WORDS));
      this.fill = 0;
    }
    const block = (this.pages.length - 1) * PAGE_WORDS + this.fill;
    this.fill += words;
    return block;
  }

  private cutRest(): void {
    for (let size = CAPACITIES.length - 1; size >= 0; size--) {
      const words = CAPACITIES[size] * this.planes;
      while (this.fill + words <= PAGE_WORDS) {
        this.free[size].push((this.pages.length - 1) * PAGE_WORDS + this.fill);
        this.fill += words;
      }
    }
  }
}

/** An entry on its way from one zone to another. */
const held = new Uint32Array(16);
