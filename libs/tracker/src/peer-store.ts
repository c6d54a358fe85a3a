/**
 * The swarms and peers of a tracker as numbers in pages: finding, entering, burying and expiring
 * them, and keeping every count right. Who may enter, what is answered and what other nodes are
 * told is decided above it. Seconds are whole seconds of the caller's clock.
 */
import { FLAG, GRAVE, MAX_CAPACITY, PeerSlab, type Zone } from './peer-slab';
import { GROUP, SWARM, SwarmIndex } from './swarm-index';

/** A swarm's deadline while it has no peers: never due. */
export const NEVER = 0xffffffff;
/** Gravestones kept in a swarm for each address family. */
const MAX_GRAVES = 512;

export class PeerStore {
  readonly index: SwarmIndex;
  readonly v4 = new PeerSlab(1);
  readonly v6 = new PeerSlab(4);
  /** The info-hash, address and peer id at hand, as big-endian words; `load…` fills them. */
  readonly hash = new Uint32Array(5);
  readonly address = new Uint32Array(4);
  readonly peerId = new Uint32Array(5);
  /** The record at hand and the group in it, set by `enter`. */
  record: Uint32Array = new Uint32Array(26);
  base = 0;
  group = 0;
  slab = this.v4;
  peers = 0;
  peers6 = 0;
  seeds = 0;
  private cursor = 0;

  constructor(k0: number, k1: number) {
    this.index = new SwarmIndex(k0, k1);
  }

  loadHash(bytes: Uint8Array, at: number): void {
    for (let w = 0; w < 5; w++) this.hash[w] = word(bytes, at + 4 * w);
  }

  loadPeerId(bytes: Uint8Array, at: number): void {
    for (let w = 0; w < 5; w++) this.peerId[w] = word(bytes, at + 4 * w);
  }

  loadAddress(bytes: Uint8Array, at: number, length: number): void {
    for (let w = 0; w * 4 < length; w++)
      this.address[w] = word(bytes, at + 4 * w);
  }

  /** Adds the swarm of the loaded info-hash. */
  create(): number {
    const swarm = this.index.insert(this.hash);
    this.index.page(swarm)[this.index.base(swarm) + SWARM.deadline] = NEVER;
    return swarm;
  }

  /** Turns to a swarm and to one address family in it. */
  enter(swarm: number, length: 4 | 16): void {
    this.record = this.index.page(swarm);
    this.base = this.index.base(swarm);
    this.turnTo(length);
  }

  /** Turns to the other family of the same swarm. */
  turnTo(length: 4 | 16): void {
    this.slab = length === 4 ? this.v4 : this.v6;
    this.group = this.base + (length === 4 ? SWARM.v4 : SWARM.v6);
    this.slab.open(this.record, this.group);
  }

  get sources(): number {
    return this.record[this.group + GROUP.sources];
  }

  get live(): number {
    return this.record[this.group + GROUP.live];
  }

  get total(): number {
    return this.record[this.group + GROUP.total];
  }

  /** Live peers of both families. */
  get swarmPeers(): number {
    return (
      this.record[this.base + SWARM.v4 + GROUP.live] +
      this.record[this.base + SWARM.v6 + GROUP.live]
    );
  }

  get swarmSeeds(): number {
    return (
      this.record[this.base + SWARM.v4 + GROUP.seeds] +
      this.record[this.base + SWARM.v6 + GROUP.seeds]
    );
  }

  get swarmDownloaders(): number {
    return (
      this.swarmPeers -
      this.record[this.base + SWARM.v4 + GROUP.sources] -
      this.record[this.base + SWARM.v6 + GROUP.sources]
    );
  }

  flags(entry: number): number {
    return this.slab.get(this.slab.port, entry) & 0xffff;
  }

  /** Changes flags that say nothing about the peer's zone. */
  mark(entry: number, set: number, clear = 0): void {
    const word = this.slab.get(this.slab.port, entry);
    this.slab.set(this.slab.port, entry, (word & ~clear) | set);
  }

  /** An entry for the loaded address and peer id; counted as live unless in the grave. −1 where there is no room. */
  add(port: number, zone: Zone, seed: boolean): number {
    if (this.total >= MAX_CAPACITY) return -1;
    if (zone === GRAVE && this.total - this.live >= MAX_GRAVES) return -1;
    const { slab } = this;
    const entry = slab.insert(this.record, this.group, zone);
    for (let w = 0; w < slab.addressWords; w++)
      slab.set(w, entry, this.address[w]);
    slab.setId(entry, this.peerId);
    slab.set(slab.port, entry, (port << 16) >>> 0);
    slab.set(slab.key, entry, 0);
    slab.set(slab.told, entry, 0);
    this.count(zone, seed, 1);
    if (zone === GRAVE) this.mark(entry, FLAG.gone);
    else if (seed) this.mark(entry, FLAG.seed);
    return entry;
  }

  /** Brings an entry into another zone or state, and returns its new number. */
  change(entry: number, zone: Zone, seed: boolean): number {
    const { slab } = this;
    this.count(this.zoneOf(entry), this.isSeed(entry), -1);
    const place = slab.move(this.record, this.group, entry, zone);
    this.mark(
      place,
      (zone === GRAVE ? FLAG.gone : 0) | (seed ? FLAG.seed : 0),
      FLAG.gone | FLAG.seed,
    );
    this.count(zone, seed, 1);
    return place;
  }

  remove(entry: number): void {
    this.count(this.zoneOf(entry), this.isSeed(entry), -1);
    this.slab.remove(this.record, this.group, entry);
  }

  setDeadline(entry: number, second: number): void {
    this.slab.set(this.slab.deadline, entry, second);
    const at = this.base + SWARM.deadline;
    if (this.record[at] > second) this.record[at] = second;
  }

  zoneOf(entry: number): Zone {
    return this.slab.zoneOf(this.record, this.group, entry);
  }

  isSeed(entry: number): boolean {
    return (this.flags(entry) & FLAG.seed) !== 0;
  }

  /** Takes out of the swarm at hand whoever's deadline lies before `second`, and returns how many entries were looked at. */
  expire(second: number): number {
    const at = this.base + SWARM.deadline;
    if (this.record[at] >= second) return 0;
    const family = this.slab;
    let next = NEVER;
    let seen = 0;
    for (const length of FAMILIES) {
      this.turnTo(length);
      const before = this.total;
      if (before === 0) continue;
      seen += before;
      for (let entry = before - 1; entry >= 0; entry--) {
        const deadline = this.slab.get(this.slab.deadline, entry);
        if (deadline < second) this.remove(entry);
        else if (deadline < next) next = deadline;
      }
      if (this.total < before) this.slab.shrink(this.record, this.group);
    }
    this.record[at] = next;
    this.turnTo(family === this.v4 ? 4 : 16);
    return seen;
  }

  /**
   * Goes on through the swarms and expires, until `steps` swarms and peers have been looked at or
   * all swarms once. Swarms without anything worth keeping are forgotten; where `frugal`, their
   * completed counts do not make them worth it.
   */
  sweep(second: number, steps: number, frugal: boolean): void {
    let walk = this.index.end;
    while (steps > 0 && walk-- > 0) {
      if (this.cursor >= this.index.end) this.cursor = 0;
      const swarm = this.cursor++;
      steps--;
      if (!this.index.isUsed(swarm)) continue;
      this.enter(swarm, 4);
      steps -= this.expire(second);
      const empty =
        this.record[this.base + SWARM.v4 + GROUP.total] === 0 &&
        this.record[this.base + SWARM.v6 + GROUP.total] === 0;
      if (!empty) continue;
      if (this.record[this.base + SWARM.completed] > 0 && !frugal) continue;
      this.forget(swarm);
      steps -= 4; // as dear as so many looks
    }
  }

  private forget(swarm: number): void {
    for (const length of FAMILIES) {
      this.turnTo(length);
      this.slab.shrink(this.record, this.group);
    }
    this.index.remove(swarm);
  }

  private count(zone: Zone, seed: boolean, by: 1 | -1): void {
    if (zone === GRAVE) return;
    this.peers += by;
    if (this.slab === this.v6) this.peers6 += by;
    if (!seed) return;
    this.seeds += by;
    this.record[this.group + GROUP.seeds] += by;
  }
}

const FAMILIES = [4, 16] as const;

/** Four bytes as a big-endian word. */
export function word(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] << 24) |
      (bytes[at + 1] << 16) |
      (bytes[at + 2] << 8) |
      bytes[at + 3]) >>>
    0
  );
}
