/**
 * The peers of all swarms of one address family: in blocks of numbers, one block a swarm, 40
 * bytes an IPv4 peer and 52 an IPv6 peer. What searching and choosing read stands in planes (all
 * addresses, then all ports, ...), so that they read memory in order; the rest of a peer stands
 * together. Inside a block come first the peers that do not download ("sources"), then the
 * downloaders, then the gravestones of peers that left.
 */
import { BlockPool } from './block-pool';
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
  /** Known from another node, not from its own announce here. */
  heard: 64,
} as const;

/** The three parts of a block, in their order. */
export type Zone = 0 | 1 | 2;
export const SOURCE = 0;
export const DOWNLOADER = 1;
export const GRAVE = 2;

/** Words of an entry that stand together. */
const REST = 7;
/** Entries that a block can hold at most. */
export const MAX_CAPACITY = 4096;

export class PeerSlab {
  /** Words of an address: 1 or 4. The address planes come first. */
  readonly addressWords: 1 | 4;
  /** Number of the plane that holds port << 16 | flags. */
  readonly port: number;
  /** The last of a peer id's five words: the first ones are the client's name and the same for many. */
  readonly idTail: number;
  /** The fields that are no planes. `deadline` is a second. */
  readonly deadline: number;
  /** BEP 7's; of a gravestone the second at which the peer stopped. */
  readonly key: number;
  /** The deadline that the owners were last told. */
  readonly told: number;
  /** The first four words of the peer id. */
  readonly idHead: number;
  /** Words of an entry. */
  readonly words: number;
  /** How many of them are planes. */
  private readonly planes: number;
  private readonly pool: BlockPool;
  /** Set by `open`: the block that is worked on. */
  page: Uint32Array = new Uint32Array(0);
  at = 0;
  capacity = 0;

  constructor(addressWords: 1 | 4) {
    this.addressWords = addressWords;
    this.port = addressWords;
    this.idTail = addressWords + 1;
    this.planes = addressWords + 2;
    this.deadline = this.planes;
    this.key = this.planes + 1;
    this.told = this.planes + 2;
    this.idHead = this.planes + 3;
    this.words = this.planes + REST;
    this.pool = new BlockPool(this.words);
  }

  /** Bytes of all pages. */
  get bytes(): number {
    return this.pool.bytes;
  }

  /** Turns to the block of the group at `group` in a swarm's record. */
  open(record: Uint32Array, group: number): void {
    const block = record[group + GROUP.block];
    this.capacity = record[group + GROUP.capacity];
    if (block === 0) return;
    this.page = this.pool.page(block - 1);
    this.at = this.pool.offset(block - 1);
  }

  /** Where plane `plane` of the open block begins in `page`. */
  plane(plane: number): number {
    return this.at + plane * this.capacity;
  }

  get(field: number, entry: number): number {
    return this.page[this.place(field, entry)];
  }

  set(field: number, entry: number, value: number): void {
    this.page[this.place(field, entry)] = value;
  }

  /** The peer id's word number `w`, 0 to 4. */
  idWord(w: number, entry: number): number {
    return this.get(w === 4 ? this.idTail : this.idHead + w, entry);
  }

  setId(entry: number, id: Uint32Array): void {
    for (let w = 0; w < 4; w++) this.set(this.idHead + w, entry, id[w]);
    this.set(this.idTail, entry, id[4]);
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
    const tails = this.plane(this.idTail);
    const tail = id[4];
    const page = this.page;
    for (let i = from; i < to; i++)
      if (page[tails + i] === tail && this.sameId(i, id)) return i;
    return -1;
  }

  sameId(entry: number, id: Uint32Array): boolean {
    for (let w = 4; w >= 0; w--)
      if (this.idWord(w, entry) !== id[w]) return false;
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
    for (let f = 0; f < this.words; f++) held[f] = this.get(f, entry);
    this.remove(record, group, entry);
    const place = this.insert(record, group, zone);
    for (let f = 0; f < this.words; f++) this.set(f, place, held[f]);
    return place;
  }

  zoneOf(record: Uint32Array, group: number, entry: number): Zone {
    if (entry < record[group + GROUP.sources]) return SOURCE;
    return entry < record[group + GROUP.live] ? DOWNLOADER : GRAVE;
  }

  /** Gives room back where at most a quarter of a block is taken. */
  shrink(record: Uint32Array, group: number): void {
    const total = record[group + GROUP.total];
    if (total * 4 <= record[group + GROUP.capacity])
      this.resize(record, group, total);
  }

  private place(field: number, entry: number): number {
    const { planes, capacity } = this;
    return field < planes
      ? this.at + field * capacity + entry
      : this.at + planes * capacity + entry * REST + field - planes;
  }

  private copy(from: number, to: number): void {
    const { page, planes } = this;
    for (let p = 0; p < planes; p++) {
      const plane = this.plane(p);
      page[plane + to] = page[plane + from];
    }
    const source = this.place(planes, from);
    const target = this.place(planes, to);
    for (let w = 0; w < REST; w++) page[target + w] = page[source + w];
  }

  private resize(record: Uint32Array, group: number, needed: number): void {
    const before = record[group + GROUP.capacity];
    const order = Math.max(32 - Math.clz32(needed - 1), 1);
    const capacity = needed === 0 ? 0 : 1 << order;
    if (capacity === before) return;
    this.open(record, group);
    const { page, at } = this;
    const old = record[group + GROUP.block] - 1;
    const block = capacity === 0 ? -1 : this.pool.allocate(order);
    record[group + GROUP.block] = block + 1;
    record[group + GROUP.capacity] = capacity;
    this.open(record, group);
    if (capacity > 0)
      this.fillFrom(page, at, before, record[group + GROUP.total]);
    if (before > 0) this.pool.free(old, 31 - Math.clz32(before));
  }

  /** Copies the first `total` entries of another block into the open one. */
  private fillFrom(
    page: Uint32Array,
    at: number,
    capacity: number,
    total: number,
  ): void {
    for (let p = 0; p < this.planes; p++)
      for (let i = 0; i < total; i++)
        this.page[this.plane(p) + i] = page[at + p * capacity + i];
    const target = this.plane(this.planes);
    const source = at + this.planes * capacity;
    for (let w = 0; w < total * REST; w++)
      this.page[target + w] = page[source + w];
  }
}

/** An entry on its way from one zone to another. */
const held = new Uint32Array(16);
