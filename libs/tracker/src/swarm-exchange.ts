/**
 * What this node and the owners of the swarms tell each other. The owners merge what all nodes say;
 * here are kept the words of the clients that announce at this node, and copies of the others.
 *
 * `changes` gives what clients said here and the owners have not been told. A peer that stopped
 * leaves a gravestone until its time is over, so that no copy brings it back.
 *
 * `copy` takes what the owners answered, perhaps a part of a large swarm. It never speaks against
 * what clients said here, and lives only as long as it is said to.
 */
import type { AddressLength } from './address';
import { DOWNLOADER, FLAG, GRAVE, SOURCE, type Zone } from './peer-slab';
import type { PeerStore } from './peer-store';
import { SWARM } from './swarm-index';

/** A peer as it announced here; the same object each time, good during the call that hands it over. */
export interface ChangedPeer {
  /** 4 or 16 bytes. */
  ip: Uint8Array;
  port: number;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  seed: boolean;
  /** BEP 21: has what it wants, but not everything. */
  partial: boolean;
  /** It has stopped. */
  gone: boolean;
  /** Remaining time to live. */
  seconds: number;
}

/** Takes changes, one swarm after the other. */
export interface ChangeSink {
  /** The next swarm: its 20 bytes are the sink's to keep; `completed` downloads ended here since it was last told. */
  swarm(infoHash: Uint8Array, completed: number): void;
  /** A changed peer of that swarm. */
  peer(peer: ChangedPeer): void;
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
  readonly peersPerSwarm: number;
  readonly maxPeers: number;
  readonly maxSwarms: number;
}

/** Seconds for which a stop heard here counts more than a copy. */
const GRAVE_RULES = 30;
const FAMILIES = [4, 16] as const;

export class SwarmExchange {
  private readonly store: PeerStore;
  private readonly limits: ExchangeLimits;
  private queue: number[] = [];
  private readonly ip4 = new Uint8Array(4);
  private readonly ip6 = new Uint8Array(16);
  private readonly changed: ChangedPeer = {
    ip: this.ip4,
    port: 0,
    peerId: new Uint8Array(20),
    seed: false,
    partial: false,
    gone: false,
    seconds: 0,
  };

  constructor(store: PeerStore, limits: ExchangeLimits) {
    this.store = store;
    this.limits = limits;
  }

  /** Counts one completed download of the swarm at hand. */
  countCompleted(): void {
    const { record, base } = this.store;
    record[base + SWARM.completed]++;
    record[base + SWARM.untold]++;
  }

  /** Queues an entry of the swarm at hand for the owners. */
  tell(swarm: number, entry: number): void {
    const { store, queue } = this;
    store.mark(entry, FLAG.unsent, FLAG.heard);
    const queued = store.base + SWARM.queued;
    if (store.record[queued] !== 0) return;
    store.record[queued] = 1;
    queue.push(swarm);
    // Swarms forgotten while they waited leave stale numbers behind.
    if (queue.length > 1024 && queue.length > store.index.size * 2)
      this.queue = [...new Set(queue)].filter((each) =>
        store.index.isUsed(each),
      );
  }

  /** Hands on the queued changes, whole swarms until about `most` peers, and counts them as told. Returns how many swarms. */
  changes(to: ChangeSink, second: number, most: number): number {
    const { store, queue } = this;
    let taken = 0;
    let swarms = 0;
    for (let peers = 0; taken < queue.length && peers < most; taken++) {
      store.enter(queue[taken], 4);
      const { record, base } = store;
      if (record[base + SWARM.used] === 0 || record[base + SWARM.queued] === 0)
        continue;
      record[base + SWARM.queued] = 0;
      store.expire(second);
      to.swarm(this.infoHash(), record[base + SWARM.untold]);
      record[base + SWARM.untold] = 0;
      for (const length of FAMILIES) peers += this.hand(to, length, second);
      swarms++;
    }
    queue.splice(0, taken);
    return swarms;
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
      const gone = (flags & FLAG.gone) !== 0;
      if (gone && second < slab.get(slab.key, entry) + GRAVE_RULES) return;
      if (!gone && !(flags & FLAG.heard)) return;
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

  /** Brings an entry (or, where it is −1, a new one) into a zone; −1 where one more live peer has no room. */
  private putIn(
    entry: number,
    port: number,
    zone: Zone,
    seed: boolean,
  ): number {
    const { store, limits } = this;
    const lives = entry >= 0 && store.zoneOf(entry) !== GRAVE;
    const full =
      store.swarmPeers >= limits.peersPerSwarm ||
      store.peers >= limits.maxPeers;
    if (full && !lives) return -1;
    return entry >= 0
      ? store.change(entry, zone, seed)
      : store.add(port, zone, seed);
  }

  /** Hands on the untold entries of one family of the swarm at hand; returns how many. */
  private hand(to: ChangeSink, length: AddressLength, second: number): number {
    const { store } = this;
    store.turnTo(length);
    let count = 0;
    for (let entry = 0; entry < store.total; entry++) {
      if ((store.flags(entry) & FLAG.unsent) === 0) continue;
      this.show(entry, length, second);
      to.peer(this.changed);
      const { slab } = store;
      slab.set(slab.told, entry, slab.get(slab.deadline, entry));
      store.mark(entry, 0, FLAG.unsent);
      count++;
    }
    return count;
  }

  /** Fills `changed` from an entry. */
  private show(entry: number, length: AddressLength, second: number): void {
    const { store, changed } = this;
    const { slab } = store;
    const flags = store.flags(entry);
    changed.ip = length === 4 ? this.ip4 : this.ip6;
    for (let w = 0; w < slab.addressWords; w++)
      putWord(changed.ip, 4 * w, slab.get(w, entry));
    changed.port = slab.get(slab.port, entry) >>> 16;
    for (let w = 0; w < 5; w++)
      putWord(changed.peerId, 4 * w, slab.idWord(w, entry));
    changed.seed = (flags & FLAG.seed) !== 0;
    changed.partial = (flags & FLAG.partial) !== 0;
    changed.gone = (flags & FLAG.gone) !== 0;
    changed.seconds = Math.max(slab.get(slab.deadline, entry) - second, 0);
  }

  private infoHash(): Uint8Array {
    const { store } = this;
    const bytes = new Uint8Array(20);
    for (let w = 0; w < 5; w++)
      putWord(bytes, 4 * w, store.record[store.base + w]);
    return bytes;
  }
}

function putWord(out: Uint8Array, at: number, value: number): void {
  out[at] = value >>> 24;
  out[at + 1] = value >>> 16;
  out[at + 2] = value >>> 8;
  out[at + 3] = value;
}
