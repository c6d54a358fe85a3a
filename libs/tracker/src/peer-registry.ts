/**
 * What an announce does to the table: a peer enters, changes, moves or leaves. A peer is known by
 * its address and port; by its id it is found again under another address only where its key or
 * an unchanged address proves it, for ids are no secret.
 */
import { AnnounceEvent, type AnnounceRequest } from './announce-request';
import { DOWNLOADER, FLAG, GRAVE, SOURCE } from './peer-slab';
import type { PeerStore } from './peer-store';
import type { SwarmExchange } from './swarm-exchange';

export interface RegistryLimits {
  readonly peersPerSwarm: number;
  readonly maxPeers: number;
  /** Changes are noted for other nodes. */
  readonly shared: boolean;
  /** A random unsigned number. */
  readonly random: () => number;
}

/** Works on the swarm that its store has at hand. */
export class PeerRegistry {
  /** Number of the swarm at hand. */
  swarm = -1;
  /** Seconds that a peer stays, and after which others hear of it anew. */
  lifetime = 0;
  refresh = 0;
  private readonly store: PeerStore;
  private readonly exchange: SwarmExchange;
  private readonly limits: RegistryLimits;

  constructor(
    store: PeerStore,
    exchange: SwarmExchange,
    limits: RegistryLimits,
  ) {
    this.store = store;
    this.exchange = exchange;
    this.limits = limits;
  }

  /** Enters the asker (`found` is the entry of its address, or −1) and returns its entry, −1 where there is no room. */
  enter(
    request: AnnounceRequest,
    found: number,
    now: number,
    second: number,
  ): number {
    const { store } = this;
    const seed = request.complete;
    const partial = request.event === AnnounceEvent.paused && !seed;
    const zone = seed || partial ? SOURCE : DOWNLOADER;
    let flags =
      (partial ? FLAG.partial : 0) | (request.hasKey ? FLAG.hasKey : 0);
    let entry = found;
    let changed = true;
    if (entry < 0) flags |= this.leaveOldAddress(request, second);
    if (entry < 0 || store.zoneOf(entry) === GRAVE) {
      if (!this.makeRoom()) return -1;
      entry = store.slab.find(store.total, store.address, request.port);
    }
    if (entry < 0) {
      entry = store.add(request.port, zone, seed);
      if (entry < 0) return -1;
    } else {
      const before = store.flags(entry);
      const restarted = !store.slab.sameId(entry, store.peerId);
      if (restarted) this.renew(entry);
      changed =
        restarted ||
        store.zoneOf(entry) !== zone ||
        store.isSeed(entry) !== seed ||
        ((before & FLAG.partial) !== 0) !== partial;
      if (changed) entry = store.change(entry, zone, seed);
    }
    store.mark(entry, flags, FLAG.partial | FLAG.hasKey | FLAG.heard);
    store.slab.set(store.slab.key, entry, request.key);
    if (request.event === AnnounceEvent.completed && seed)
      changed = this.complete(entry) || changed;
    store.setDeadline(entry, Math.ceil(now / 1000) + this.lifetime);
    this.note(entry, changed);
    return entry;
  }

  /** The same address with another peer id: a new run of that client. */
  private renew(entry: number): void {
    const { slab, peerId } = this.store;
    slab.setId(entry, peerId);
    this.store.mark(entry, 0, FLAG.completed);
  }

  /** Counts a completed download once; true where it did. */
  private complete(entry: number): boolean {
    const { store } = this;
    if (store.flags(entry) & FLAG.completed) return false;
    store.mark(entry, FLAG.completed);
    this.exchange.countCompleted();
    return true;
  }

  /** Marks a change for other nodes; a mere refresh only where what they were told grows old. */
  private note(entry: number, changed: boolean): void {
    if (!this.limits.shared) return;
    const { slab } = this.store;
    const told = slab.get(slab.told, entry);
    const deadline = slab.get(slab.deadline, entry);
    if (!changed && deadline - told < this.refresh) return;
    this.exchange.tell(this.swarm, entry);
  }

  /** Is there room for one peer more? In a full swarm the one that is due first of a few makes it. */
  private makeRoom(): boolean {
    const { store } = this;
    if (store.swarmPeers < this.limits.peersPerSwarm)
      return store.peers < this.limits.maxPeers;
    const { live } = store;
    if (live === 0) return false;
    const { slab } = store;
    let entry = this.limits.random() % live;
    let first = entry;
    for (let k = 0; k < 8; k++, entry = (entry + 1) % live)
      if (slab.get(slab.deadline, entry) < slab.get(slab.deadline, first))
        first = entry;
    store.remove(first);
    return true;
  }

  /**
   * A peer that is known by its id under another address has moved when its key says so, or when
   * only its port differs. The old entry goes; returned are the flags that move along.
   */
  private leaveOldAddress(request: AnnounceRequest, second: number): number {
    const { store } = this;
    const { slab } = store;
    for (let i = store.slab.findId(0, store.live, store.peerId); i >= 0;) {
      const keyed = (store.flags(i) & FLAG.hasKey) !== 0;
      const sameKey = slab.get(slab.key, i) === request.key >>> 0;
      const same =
        keyed && request.hasKey ? sameKey : slab.sameAddress(i, store.address);
      if (same) {
        const kept = store.flags(i) & FLAG.completed;
        this.bury(i, second);
        return kept;
      }
      i = slab.findId(i + 1, store.live, store.peerId);
    }
    return 0;
  }

  /** The asker (`found` is the entry of its address, or −1) stops. */
  leave(request: AnnounceRequest, found: number, second: number): void {
    const { store } = this;
    if (found >= 0) {
      if (store.zoneOf(found) !== GRAVE) this.bury(found, second);
      return;
    }
    const moved = this.leaveOldAddress(request, second);
    if (!this.limits.shared || moved !== 0 || request.port === 0) return;
    // Another node may know the peer: the stop goes to the owners all the same.
    const entry = store.add(request.port, GRAVE, false);
    if (entry < 0) return;
    store.setDeadline(entry, second + this.lifetime);
    this.tellStop(entry, second);
  }

  private bury(entry: number, second: number): void {
    const { store } = this;
    if (!this.limits.shared) return store.remove(entry);
    this.tellStop(store.change(entry, GRAVE, false), second);
  }

  private tellStop(entry: number, second: number): void {
    const { store } = this;
    store.mark(entry, 0, FLAG.hasKey);
    store.slab.set(store.slab.key, entry, second);
    this.exchange.tell(this.swarm, entry);
  }
}
