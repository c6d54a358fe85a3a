/**
 * What nodes tell each other of swarms: which entries have changed, and how another node's word is
 * taken in. Two ways of the latter:
 *
 * `merge` takes an update as an equal. Per peer the last writer wins by (sequence, origin). A
 * sequence is the second of the announce on the ring's clock, raised where needed so that it never
 * repeats for a peer. Nodes pass on the REMAINING time to live, and of two equal words the earlier
 * deadline counts, so relaying keeps nobody alive; a peer that stopped leaves a gravestone until
 * its time is over.
 *
 * `copy` takes what the swarm's owners answered, perhaps a part of a large swarm. It never speaks
 * against what clients said here, and lives only as long as it is said to.
 */
import type { AddressLength } from './address';
import { CompletedCounts } from './completed-counts';
import { DOWNLOADER, FLAG, GRAVE, SOURCE, type Zone } from './peer-slab';
import { PeerStore, word } from './peer-store';
import {
  checkHead,
  ENTRY_FLAG,
  ENTRY_HEAD,
  entryEnd,
  FORMAT,
  putWord,
  SwarmUpdateError,
} from './swarm-update';
import { SWARM } from './swarm-index';

/** `local`: entries that were announced here, for the swarm's owners; `all`: those and what others told, for holders of copies. */
export type ChangeFeed = 'local' | 'all';

export interface SwarmUpdate {
  /** 20 bytes. */
  readonly infoHash: Uint8Array;
  readonly bytes: Uint8Array;
}

/** What the owners of a swarm answered. */
export interface SwarmCopy {
  readonly complete: number;
  readonly incomplete: number;
  readonly downloaded: number;
  /** All of its peers, or some. */
  readonly peers: readonly CopiedPeer[];
}

export interface CopiedPeer {
  /** 4 or 16 bytes. */
  readonly ip: Uint8Array;
  readonly port: number;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  readonly seed: boolean;
  /** BEP 21. */
  readonly partial: boolean;
}

export interface ExchangeLimits {
  readonly origin: number;
  readonly peersPerSwarm: number;
  readonly maxPeers: number;
  readonly maxSwarms: number;
}

/** A sequence further ahead of our clock, in seconds, is not believed. */
const MAX_AHEAD = 90;
/** The longest time to live that an update can say, in seconds. */
const MAX_LIFETIME = 0xffff;
/** Seconds for which a stop heard here counts more than a copy. */
const GRAVE_RULES = 30;
const QUEUED = { local: 1, all: 2 } as const;
const FLAGS = { local: FLAG.unsent, all: FLAG.unshared } as const;
const FAMILIES = [4, 16] as const;

export class SwarmExchange {
  private readonly store: PeerStore;
  private readonly limits: ExchangeLimits;
  private readonly queues: Record<ChangeFeed, number[]> = {
    local: [],
    all: [],
  };
  private readonly completed = new CompletedCounts();

  constructor(store: PeerStore, limits: ExchangeLimits) {
    this.store = store;
    this.limits = limits;
    store.onForget = (swarm) => this.completed.forget(swarm);
  }

  /** Counts one completed download of the swarm at hand as our own. */
  countCompleted(swarm: number): void {
    this.completed.add(swarm, this.limits.origin);
    this.store.record[this.store.base + SWARM.completed]++;
  }

  /** Signs an entry of the swarm at hand as our own newest word and queues it for the others. */
  stamp(swarm: number, entry: number, second: number): void {
    const { store } = this;
    const { slab } = store;
    const before = slab.get(slab.sequence, entry);
    slab.set(slab.sequence, entry, Math.max(before + 1, second));
    slab.set(slab.origin, entry, this.limits.origin);
    store.mark(entry, FLAG.unsent | FLAG.unshared, FLAG.heard);
    this.queue('local', swarm);
    this.queue('all', swarm);
  }

  /** Takes the queued changes, about `maxBytes` of them, one update a swarm. What is taken counts as told. */
  changes(feed: ChangeFeed, second: number, maxBytes: number): SwarmUpdate[] {
    const { store } = this;
    const queue = this.queues[feed];
    const updates: SwarmUpdate[] = [];
    let bytes = 0;
    let taken = 0;
    while (taken < queue.length && bytes < maxBytes) {
      const swarm = queue[taken++];
      store.enter(swarm, 4);
      const flags = store.base + SWARM.flags;
      const current =
        store.record[store.base + SWARM.used] !== 0 &&
        (store.record[flags] & QUEUED[feed]) !== 0;
      if (!current) continue;
      store.record[flags] &= ~QUEUED[feed];
      store.expire(second);
      const update = this.write(swarm, second, feed);
      bytes += update.length;
      updates.push({ infoHash: this.infoHash(), bytes: update });
    }
    queue.splice(0, taken);
    return updates;
  }

  /** The whole swarm, gravestones too. */
  snapshot(infoHash: Uint8Array, second: number): Uint8Array | undefined {
    const { store } = this;
    store.loadHash(infoHash, 0);
    const swarm = store.index.find(store.hash);
    if (swarm < 0) return undefined;
    store.enter(swarm, 4);
    store.expire(second);
    return this.write(swarm, second, undefined);
  }

  /** True where the update told anything new. */
  merge(infoHash: Uint8Array, update: Uint8Array, second: number): boolean {
    const { store } = this;
    if (infoHash.length !== 20)
      throw new SwarmUpdateError('an info-hash has 20 bytes');
    let at = checkHead(update);
    store.loadHash(infoHash, 0);
    let swarm = store.index.find(store.hash);
    if (swarm < 0) {
      if (store.index.size >= this.limits.maxSwarms) return false;
      swarm = store.create();
    }
    store.enter(swarm, 4);
    store.expire(second);
    let news = this.mergeCounts(swarm, update);
    while (at < update.length) {
      const end = entryEnd(update, at);
      const length = update[at] & ENTRY_FLAG.v6 ? 16 : 4;
      store.turnTo(length);
      if (this.mergeEntry(update, at, length, second)) news = true;
      at = end;
    }
    if (news) {
      store.record[store.base + SWARM.version]++;
      this.queue('all', swarm);
    }
    return news;
  }

  /** Takes in what the owners answered, good for `lifetime` seconds. */
  copy(
    infoHash: Uint8Array,
    copy: SwarmCopy,
    lifetime: number,
    second: number,
  ): void {
    const { store } = this;
    store.loadHash(infoHash, 0);
    let swarm = store.index.find(store.hash);
    if (swarm < 0) {
      if (copy.peers.length === 0 && copy.downloaded === 0) return;
      if (store.index.size >= this.limits.maxSwarms) return;
      swarm = store.create();
    }
    store.enter(swarm, 4);
    store.expire(second);
    const { record, base } = store;
    const deadline = second + lifetime;
    const part = copy.complete + copy.incomplete > copy.peers.length;
    record[base + SWARM.toldUntil] = part ? deadline : 0;
    record[base + SWARM.toldComplete] = copy.complete;
    record[base + SWARM.toldIncomplete] = copy.incomplete;
    const completed = base + SWARM.completed;
    record[completed] = Math.max(record[completed], copy.downloaded);
    for (const peer of copy.peers) this.copyPeer(peer, deadline, second);
  }

  private copyPeer(peer: CopiedPeer, deadline: number, second: number): void {
    const { store } = this;
    const { length } = peer.ip;
    if (peer.port < 1 || peer.port > 65_535 || peer.peerId.length !== 20)
      return;
    if (length !== 4 && length !== 16) return;
    store.turnTo(length satisfies AddressLength);
    store.loadPeerId(peer.peerId, 0);
    store.loadAddress(peer.ip, 0, length);
    const { slab } = store;
    let entry = slab.find(store.total, store.address, peer.port);
    const zone: Zone = peer.seed || peer.partial ? SOURCE : DOWNLOADER;
    if (entry >= 0) {
      const flags = store.flags(entry);
      const stoppedAt = slab.get(slab.sequence, entry);
      if (flags & FLAG.gone && second < stoppedAt + GRAVE_RULES) return;
      if (!(flags & FLAG.gone) && !(flags & FLAG.heard)) return;
    }
    entry = this.putIn(entry, peer.port, zone, peer.seed);
    if (entry < 0) return;
    store.mark(
      entry,
      FLAG.heard | (peer.partial ? FLAG.partial : 0),
      FLAG.partial | FLAG.unsent,
    );
    slab.setId(entry, store.peerId);
    slab.set(slab.told, entry, 0);
    store.setDeadline(entry, deadline);
  }

  private queue(feed: ChangeFeed, swarm: number): void {
    const { store } = this;
    const flags = store.base + SWARM.flags;
    if (store.record[flags] & QUEUED[feed]) return;
    store.record[flags] |= QUEUED[feed];
    const queue = this.queues[feed];
    queue.push(swarm);
    // Swarms forgotten while they waited leave stale numbers behind.
    if (queue.length > 1024 && queue.length > store.index.size * 2)
      this.queues[feed] = this.withoutStale(queue);
  }

  private withoutStale(queue: readonly number[]): number[] {
    const { index } = this.store;
    return [...new Set(queue)].filter((swarm) => index.isUsed(swarm));
  }

  private mergeEntry(
    update: Uint8Array,
    at: number,
    length: 4 | 16,
    second: number,
  ): boolean {
    const { store } = this;
    const wire = update[at];
    const left = (update[at + 1] << 8) | update[at + 2];
    const sequence = word(update, at + 3);
    const origin = word(update, at + 7);
    const port = (update[at + 11] << 8) | update[at + 12];
    if (port === 0 || sequence > second + MAX_AHEAD) return false;
    store.loadPeerId(update, at + 17);
    store.loadAddress(update, at + ENTRY_HEAD, length);
    const deadline = second + left;
    let entry = store.slab.find(store.total, store.address, port);
    const { slab } = store;
    if (entry >= 0) {
      const known = slab.get(slab.sequence, entry);
      const knownOrigin = slab.get(slab.origin, entry);
      if (sequence === known && origin === knownOrigin) {
        const heard = (store.flags(entry) & FLAG.heard) !== 0;
        if (heard && deadline < slab.get(slab.deadline, entry))
          store.setDeadline(entry, deadline);
        return false;
      }
      if (sequence < known || (sequence === known && origin < knownOrigin))
        return false;
    }
    const gone = (wire & ENTRY_FLAG.gone) !== 0;
    const seed = !gone && (wire & ENTRY_FLAG.seed) !== 0;
    const zone: Zone = gone
      ? GRAVE
      : seed || wire & ENTRY_FLAG.partial
        ? SOURCE
        : DOWNLOADER;
    entry = this.putIn(entry, port, zone, seed);
    if (entry < 0) return false;
    this.fill(entry, wire, word(update, at + 13), sequence, origin);
    store.setDeadline(entry, deadline);
    slab.set(slab.told, entry, deadline);
    return true;
  }

  private fill(
    entry: number,
    wire: number,
    key: number,
    sequence: number,
    origin: number,
  ): void {
    const { store } = this;
    const { slab } = store;
    const gone = (wire & ENTRY_FLAG.gone) !== 0;
    const set =
      (wire & ENTRY_FLAG.partial && !gone ? FLAG.partial : 0) |
      (wire & ENTRY_FLAG.completed ? FLAG.completed : 0) |
      (wire & ENTRY_FLAG.key ? FLAG.hasKey : 0);
    store.mark(
      entry,
      set | FLAG.heard | FLAG.unshared,
      FLAG.partial | FLAG.completed | FLAG.hasKey | FLAG.unsent,
    );
    slab.setId(entry, store.peerId);
    slab.set(slab.key, entry, key);
    slab.set(slab.sequence, entry, sequence);
    slab.set(slab.origin, entry, origin);
  }

  /** Brings an entry (or, where it is −1, a new one) into a zone; −1 where one more live peer has no room. */
  private putIn(
    entry: number,
    port: number,
    zone: Zone,
    seed: boolean,
  ): number {
    const { store } = this;
    const lives = entry >= 0 && store.zoneOf(entry) !== GRAVE;
    if (zone !== GRAVE && !lives && !this.roomForOne()) return -1;
    return entry >= 0
      ? store.change(entry, zone, seed)
      : store.add(port, zone, seed);
  }

  private roomForOne(): boolean {
    const { store, limits } = this;
    return (
      store.swarmPeers < limits.peersPerSwarm && store.peers < limits.maxPeers
    );
  }

  /** The entries of the swarm at hand that `feed` has not told yet, or all. */
  private write(
    swarm: number,
    second: number,
    feed: ChangeFeed | undefined,
  ): Uint8Array {
    const { store } = this;
    const wanted = feed === undefined ? 0 : FLAGS[feed];
    const counts = this.completed.of(swarm);
    let size = 2 + counts.length * 4;
    for (const length of FAMILIES) {
      store.turnTo(length);
      size += this.countMarked(wanted) * (ENTRY_HEAD + length);
    }
    const out = new Uint8Array(size);
    out[0] = FORMAT;
    out[1] = counts.length / 2;
    let at = 2;
    for (const value of counts) at = putWord(out, at, value);
    for (const length of FAMILIES) {
      store.turnTo(length);
      for (let entry = 0; entry < store.total; entry++) {
        if (wanted !== 0 && (store.flags(entry) & wanted) === 0) continue;
        at = this.writeEntry(out, at, entry, length, second);
        if (feed !== undefined) this.tick(entry, wanted);
      }
    }
    return out;
  }

  /** Ticks an entry off as told. */
  private tick(entry: number, flag: number): void {
    const { slab } = this.store;
    slab.set(slab.told, entry, slab.get(slab.deadline, entry));
    this.store.mark(entry, 0, flag);
  }

  private countMarked(wanted: number): number {
    const { store } = this;
    if (wanted === 0) return store.total;
    let count = 0;
    for (let entry = 0; entry < store.total; entry++)
      if (store.flags(entry) & wanted) count++;
    return count;
  }

  private writeEntry(
    out: Uint8Array,
    start: number,
    entry: number,
    length: 4 | 16,
    second: number,
  ): number {
    const { store } = this;
    const { slab } = store;
    const flags = store.flags(entry);
    const deadline = slab.get(slab.deadline, entry);
    const left = Math.min(Math.max(deadline - second, 0), MAX_LIFETIME);
    out[start] =
      (length === 16 ? ENTRY_FLAG.v6 : 0) |
      (flags & FLAG.seed ? ENTRY_FLAG.seed : 0) |
      (flags & FLAG.partial ? ENTRY_FLAG.partial : 0) |
      (flags & FLAG.gone ? ENTRY_FLAG.gone : 0) |
      (flags & FLAG.completed ? ENTRY_FLAG.completed : 0) |
      (flags & FLAG.hasKey ? ENTRY_FLAG.key : 0);
    out[start + 1] = left >> 8;
    out[start + 2] = left;
    let at = putWord(out, start + 3, slab.get(slab.sequence, entry));
    at = putWord(out, at, slab.get(slab.origin, entry));
    const port = slab.get(slab.port, entry) >>> 16;
    out[at++] = port >> 8;
    out[at++] = port;
    at = putWord(out, at, slab.get(slab.key, entry));
    for (let w = 0; w < 5; w++) at = putWord(out, at, slab.idWord(w, entry));
    for (let w = 0; w < slab.addressWords; w++)
      at = putWord(out, at, slab.get(w, entry));
    return at;
  }

  private mergeCounts(swarm: number, update: Uint8Array): boolean {
    const { store, completed } = this;
    let news = false;
    for (let k = 0; k < update[1]; k++) {
      const origin = word(update, 2 + k * 8);
      if (completed.raise(swarm, origin, word(update, 6 + k * 8))) news = true;
    }
    const at = store.base + SWARM.completed;
    if (news)
      store.record[at] = Math.max(store.record[at], completed.sum(swarm));
    return news;
  }

  private infoHash(): Uint8Array {
    const { store } = this;
    const bytes = new Uint8Array(20);
    for (let w = 0; w < 5; w++)
      putWord(bytes, 4 * w, store.record[store.base + w]);
    return bytes;
  }
}
