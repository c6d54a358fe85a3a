/**
 * The announce table: who is in which swarm, and whom an asker is told of. One table serves every
 * protocol, so a swarm is one swarm whatever its peers speak.
 *
 * Promises: a peer never gets itself, a port 0, a peer whose time is over or, being complete, a
 * peer that is complete too; a peer stays for at least its interval; no call takes longer than a
 * pass over one swarm (at most 2,000 peers) or the steps given to `sweep`. Memory is about 48
 * bytes an IPv4 and 60 an IPv6 peer plus 96 a swarm, and bounded by the options.
 *
 * Leaves to its owner: the clock, the random seed, calling `sweep` some times a second, and the
 * way to other nodes, for which `changes`, `snapshot` and `merge` give and take bytes.
 */
import type { AddressLength } from './address';
import { AnnounceEvent, type AnnounceRequest } from './announce-request';
import { MAX_NUMWANT } from './announce-request';
import { type Candidates, choosePeers } from './peer-choice';
import { DOWNLOADER, FLAG, GRAVE, SOURCE } from './peer-slab';
import { PeerStore } from './peer-store';
import { SWARM } from './swarm-index';
import {
  type ChangeFeed,
  SwarmExchange,
  type SwarmUpdate,
} from './swarm-exchange';

export interface AnnounceTableOptions {
  /** Four random words; whoever knows them can slow the table down. */
  readonly seed: Uint32Array;
  /** Seconds between two announces of a peer that answers tell. 1,800 unless given. */
  readonly interval?: number;
  /** Seconds under which a peer should not ask again. 60 unless given. */
  readonly minInterval?: number;
  /** Peers kept in one swarm; at most 2,000, which is the default. */
  readonly peersPerSwarm?: number;
  /** Peers kept in all; 4,000,000 unless given. */
  readonly maxPeers?: number;
  /** Swarms kept; 1,000,000 unless given. */
  readonly maxSwarms?: number;
  /**
   * 32 bits that tell this node's announces from other nodes' (of its id, say). Where given, changes
   * are gathered for `changes` and peers that stopped leave gravestones; else the table stands alone.
   */
  readonly origin?: number;
}

/** Numbers of a swarm; `downloaded` counts completed events. */
export interface SwarmCounts {
  complete: number;
  incomplete: number;
  downloaded: number;
  /** BEP 21: the incomplete that do download. */
  downloaders: number;
}

/** What `announce` found; the same object each time, good until the next call of the table. */
export interface AnnounceResult extends SwarmCounts {
  /** Seconds until the next announce. */
  interval: number;
  minInterval: number;
  /** How many peers of each family were chosen; `writePeers` and `peerAt` give them. */
  peers4: number;
  peers6: number;
}

/** One chosen peer, for answers that are not compact. */
export interface ChosenPeer {
  readonly ip: Uint8Array;
  ipLength: AddressLength;
  port: number;
  readonly peerId: Uint8Array;
}

export interface TableStats {
  readonly swarms: number;
  readonly peers: number;
  readonly peers6: number;
  readonly seeds: number;
  /** Bytes of the blocks that hold peers. */
  readonly bytes: number;
}

const HARD_PEERS_PER_SWARM = 2000;

export class AnnounceTable {
  /** Seconds; may be changed while running, to have clients come back as the load allows. */
  interval: number;
  minInterval: number;
  private readonly peersPerSwarm: number;
  private readonly maxPeers: number;
  private readonly maxSwarms: number;
  private readonly shared: boolean;
  private readonly origin: number;
  private readonly store: PeerStore;
  private readonly exchange: SwarmExchange;
  private readonly chosen4 = new Uint16Array(MAX_NUMWANT);
  private readonly chosen6 = new Uint16Array(MAX_NUMWANT);
  private readonly candidates: Candidates = {
    from: 0,
    to: 0,
    self: -1,
    start: 0,
    wanted: 0,
  };
  private draw: number;
  private swarm = -1;
  private readonly result: AnnounceResult = {
    complete: 0,
    incomplete: 0,
    downloaded: 0,
    downloaders: 0,
    interval: 0,
    minInterval: 0,
    peers4: 0,
    peers6: 0,
  };

  constructor(options: AnnounceTableOptions) {
    const { seed } = options;
    this.interval = options.interval ?? 1800;
    this.minInterval = options.minInterval ?? 60;
    this.peersPerSwarm = Math.min(
      options.peersPerSwarm ?? HARD_PEERS_PER_SWARM,
      HARD_PEERS_PER_SWARM,
    );
    this.maxPeers = options.maxPeers ?? 4_000_000;
    this.maxSwarms = options.maxSwarms ?? 1_000_000;
    this.shared = options.origin !== undefined;
    this.origin = (options.origin ?? 0) >>> 0;
    this.store = new PeerStore(seed[0], seed[1]);
    this.exchange = new SwarmExchange(this.store, {
      origin: this.origin,
      peersPerSwarm: this.peersPerSwarm,
      maxPeers: this.maxPeers,
      maxSwarms: this.maxSwarms,
    });
    this.draw = (seed[2] ^ seed[3]) | 1;
  }

  get stats(): TableStats {
    const { store } = this;
    return {
      swarms: store.index.size,
      peers: store.peers,
      peers6: store.peers6,
      seeds: store.seeds,
      bytes: store.v4.bytes + store.v6.bytes,
    };
  }

  /** Seconds that a peer is kept after its announce: half as long again as its interval, and a minute. */
  get lifetime(): number {
    return Math.ceil(this.interval * 1.5) + 60;
  }

  /** Enters or removes the asker and chooses the peers of the answer. `now` is in milliseconds and never goes back. */
  announce(request: AnnounceRequest, now: number): AnnounceResult {
    const { store, result } = this;
    const second = Math.floor(now / 1000);
    result.interval = this.interval;
    result.minInterval = this.minInterval;
    result.peers4 = result.peers6 = 0;
    store.loadHash(request.infoHash, 0);
    store.loadPeerId(request.peerId, 0);
    store.loadAddress(request.ip, 0, request.ipLength);
    let swarm = store.index.find(store.hash);
    const enters =
      request.port !== 0 && request.event !== AnnounceEvent.stopped;
    if (swarm < 0) {
      if (!enters || store.index.size >= this.maxSwarms) return this.nothing();
      swarm = store.create();
    }
    this.swarm = swarm;
    store.enter(swarm, request.ipLength);
    store.expire(second);
    let self = store.slab.find(store.total, store.address, request.port);
    if (enters) self = this.upsert(request, self, now, second);
    else if (request.event === AnnounceEvent.stopped)
      this.leave(request, self, second);
    this.fillCounts(result);
    this.choose(request, self);
    return result;
  }

  /** Writes the chosen peers of one family as 6- or 18-byte entries to `out` at `at`; returns the end. */
  writePeers(length: AddressLength, out: Uint8Array, at: number): number {
    const count = length === 4 ? this.result.peers4 : this.result.peers6;
    if (count === 0) return at;
    const { store } = this;
    store.enter(this.swarm, length);
    const { slab } = store;
    const chosen = length === 4 ? this.chosen4 : this.chosen6;
    const { page, addressWords } = slab;
    const ports = slab.plane(slab.port);
    for (let k = 0; k < count; k++) {
      const entry = chosen[k];
      for (let w = 0; w < addressWords; w++) {
        const bits = page[slab.plane(w) + entry];
        out[at++] = bits >>> 24;
        out[at++] = bits >>> 16;
        out[at++] = bits >>> 8;
        out[at++] = bits;
      }
      const port = page[ports + entry];
      out[at++] = port >>> 24;
      out[at++] = port >>> 16;
    }
    return at;
  }

  /** The chosen peer number `k` of one family, written into `into`. */
  peerAt(length: AddressLength, k: number, into: ChosenPeer): void {
    const { store } = this;
    store.enter(this.swarm, length);
    const { slab } = store;
    const entry = (length === 4 ? this.chosen4 : this.chosen6)[k];
    into.ipLength = length;
    into.port = slab.get(slab.port, entry) >>> 16;
    for (let i = 0; i < length; i++)
      into.ip[i] = slab.get(i >> 2, entry) >>> (24 - 8 * (i & 3));
    for (let i = 0; i < 20; i++)
      into.peerId[i] =
        slab.get(slab.peerId + (i >> 2), entry) >>> (24 - 8 * (i & 3));
  }

  /** Fills `into` with the numbers of the swarm whose info-hash stands at `at`; false (and zeros) where it is unknown. */
  scrape(
    infoHash: Uint8Array,
    at: number,
    now: number,
    into: SwarmCounts,
  ): boolean {
    const { store } = this;
    store.loadHash(infoHash, at);
    const swarm = store.index.find(store.hash);
    if (swarm < 0) {
      into.complete = into.incomplete = into.downloaded = into.downloaders = 0;
      return false;
    }
    store.enter(swarm, 4);
    store.expire(Math.floor(now / 1000));
    this.fillCounts(into);
    return true;
  }

  /** Expires peers, looking at no more than about `steps` swarms and peers. Call it so often that all are seen in a minute or so. */
  sweep(now: number, steps = 5000): void {
    const frugal = this.store.index.size > this.maxSwarms * 0.9;
    this.store.sweep(Math.floor(now / 1000), steps, frugal);
  }

  /** Changes to be sent to other nodes; see `SwarmExchange`. Empty in a table without `origin`. */
  changes(feed: ChangeFeed, now: number, maxBytes = 256 * 1024): SwarmUpdate[] {
    return this.exchange.changes(feed, Math.floor(now / 1000), maxBytes);
  }

  /** Everything known of a swarm, or undefined where it is unknown. */
  snapshot(infoHash: Uint8Array, now: number): Uint8Array | undefined {
    return this.exchange.snapshot(infoHash, Math.floor(now / 1000));
  }

  /** A number that differs whenever a new snapshot would; 0 where the swarm is unknown. */
  version(infoHash: Uint8Array): number {
    const { store } = this;
    store.loadHash(infoHash, 0);
    const swarm = store.index.find(store.hash);
    if (swarm < 0) return 0;
    store.enter(swarm, 4);
    return store.record[store.base + SWARM.version];
  }

  /** Takes in what another node said of a swarm (`changes` or `snapshot` there). Throws `SwarmUpdateError` on malformed bytes, having taken what stood before them. */
  merge(infoHash: Uint8Array, update: Uint8Array, now: number): boolean {
    return this.exchange.merge(infoHash, update, Math.floor(now / 1000));
  }

  private upsert(
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
    this.note(entry, changed, second);
    return entry;
  }

  /** The same address with another peer id: a new run of that client. */
  private renew(entry: number): void {
    const { slab, peerId } = this.store;
    for (let w = 0; w < 5; w++) slab.set(slab.peerId + w, entry, peerId[w]);
    this.store.mark(entry, 0, FLAG.completed);
  }

  /** Counts a completed download once; true where it did. */
  private complete(entry: number): boolean {
    const { store } = this;
    if (store.flags(entry) & FLAG.completed) return false;
    store.mark(entry, FLAG.completed);
    this.exchange.countCompleted(this.swarm);
    return true;
  }

  /** Marks a change for other nodes; a mere refresh only where what they were told grows old. */
  private note(entry: number, changed: boolean, second: number): void {
    const { store } = this;
    if (changed) store.record[store.base + SWARM.version]++;
    if (!this.shared) return;
    const { slab } = store;
    const told = slab.get(slab.told, entry);
    const deadline = slab.get(slab.deadline, entry);
    if (!changed && deadline - told < this.interval / 4) return;
    this.exchange.stamp(this.swarm, entry, second);
  }

  /** Is there room for one peer more? In a full swarm the one that is due first of a few makes it. */
  private makeRoom(): boolean {
    const { store } = this;
    if (store.swarmPeers < this.peersPerSwarm)
      return store.peers < this.maxPeers;
    const { live } = store;
    if (live === 0) return false;
    const { slab } = store;
    let entry = this.next() % live;
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

  private leave(request: AnnounceRequest, found: number, second: number): void {
    const { store } = this;
    if (found >= 0) {
      if (store.zoneOf(found) !== GRAVE) this.bury(found, second);
      return;
    }
    const moved = this.leaveOldAddress(request, second);
    if (!this.shared || moved !== 0 || request.port === 0) return;
    // Another node may know the peer: the stop goes to the owners all the same.
    const entry = store.add(request.port, GRAVE, false);
    if (entry < 0) return;
    store.setDeadline(entry, second + this.lifetime);
    this.exchange.stamp(this.swarm, entry, second);
  }

  private bury(entry: number, second: number): void {
    const { store } = this;
    store.record[store.base + SWARM.version]++;
    if (!this.shared) return store.remove(entry);
    const place = store.change(entry, GRAVE, false);
    this.exchange.stamp(this.swarm, place, second);
  }

  private choose(request: AnnounceRequest, self: number): void {
    const { store, result } = this;
    const wanted = request.wanted();
    if (wanted === 0) return;
    const source = request.complete || request.event === AnnounceEvent.paused;
    const own = request.ipLength;
    const other = own === 4 ? 16 : 4;
    store.turnTo(own);
    const mine = this.chooseFrom(source, self, wanted);
    store.turnTo(other);
    // The other family has no entry of the asker's address; its own id is looked for in any case.
    const rest =
      store.live > 0 ? this.chooseFrom(source, -1, wanted - mine) : 0;
    result.peers4 = own === 4 ? mine : rest;
    result.peers6 = own === 4 ? rest : mine;
  }

  private chooseFrom(source: boolean, self: number, wanted: number): number {
    const { store, candidates } = this;
    candidates.from = source ? store.sources : 0;
    candidates.to = store.live;
    candidates.self = self;
    candidates.wanted = wanted;
    const span = candidates.to - candidates.from;
    if (span <= 0 || wanted <= 0) return 0;
    candidates.start = candidates.from + (this.next() % span);
    return choosePeers(
      store.slab,
      candidates,
      store.address,
      store.peerId,
      store.slab === store.v4 ? this.chosen4 : this.chosen6,
    );
  }

  private fillCounts(into: SwarmCounts): void {
    const { store } = this;
    into.complete = store.swarmSeeds;
    into.incomplete = store.swarmPeers - into.complete;
    into.downloaders = store.swarmDownloaders;
    into.downloaded = store.record[store.base + SWARM.completed];
  }

  /** The answer where the swarm is unknown and stays so. */
  private nothing(): AnnounceResult {
    const { result } = this;
    this.swarm = -1;
    result.complete = result.incomplete = 0;
    result.downloaded = result.downloaders = 0;
    return result;
  }

  /** xorshift32 over the seed: unsigned. */
  private next(): number {
    let x = this.draw;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.draw = x;
    return x >>> 0;
  }
}
