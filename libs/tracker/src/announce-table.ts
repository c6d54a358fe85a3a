/**
 * The announce table: who is in which swarm, and whom an asker is told of. One table serves every
 * protocol, so a swarm is one swarm whatever its peers speak.
 *
 * Promises: a peer never gets itself, a port 0, a peer whose time is over or, being complete, a
 * peer that is complete too; a peer stays for at least its interval; no call takes longer than a
 * pass over one swarm (at most 2,000 peers) or the steps given to `sweep`. Memory is about 40
 * bytes an IPv4 and 52 an IPv6 peer plus 104 a swarm, and bounded by the options.
 *
 * Leaves to its owner: the clock, the random seed, calling `sweep` some times a second, and the
 * way to other nodes, for which there are `changes` and `copy`.
 */
import type { AddressLength } from './address';
import { AnnounceEvent, type AnnounceRequest } from './announce-request';
import { MAX_NUMWANT } from './announce-request';
import {
  type Candidates,
  choosePeers,
  writeCompact4,
  writeCompact6,
} from './peer-choice';
import { PeerRegistry } from './peer-registry';
import { PeerStore } from './peer-store';
import { SWARM } from './swarm-index';
import {
  type ChangeSink,
  type SwarmCopy,
  SwarmExchange,
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
  /** Changes are gathered for `changes`, and peers that stopped leave gravestones; unless so, the table stands alone. */
  readonly shared?: boolean;
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
  private readonly maxSwarms: number;
  private readonly store: PeerStore;
  private readonly exchange: SwarmExchange;
  private readonly registry: PeerRegistry;
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
  private viewed: Uint8Array | undefined;
  private view: DataView = new DataView(new ArrayBuffer(0));
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
    this.maxSwarms = options.maxSwarms ?? 1_000_000;
    const limits = {
      shared: options.shared ?? false,
      peersPerSwarm: Math.min(
        options.peersPerSwarm ?? HARD_PEERS_PER_SWARM,
        HARD_PEERS_PER_SWARM,
      ),
      maxPeers: options.maxPeers ?? 4_000_000,
      maxSwarms: this.maxSwarms,
      random: () => this.next(),
    };
    this.store = new PeerStore(seed[0], seed[1]);
    this.exchange = new SwarmExchange(this.store, limits);
    this.registry = new PeerRegistry(this.store, this.exchange, limits);
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
    const { registry } = this;
    registry.swarm = swarm;
    registry.lifetime = this.lifetime;
    registry.refresh = this.interval / 2;
    store.enter(swarm, request.ipLength);
    store.expire(second);
    let self = store.slab.find(store.total, store.address, request.port);
    if (enters) self = registry.enter(request, self, now, second);
    else if (request.event === AnnounceEvent.stopped)
      registry.leave(request, self, second);
    this.fillCounts(result, second);
    this.choose(request, self);
    return result;
  }

  /** Writes the chosen peers of one family as 6- or 18-byte entries to `out` at `at`; returns the end. */
  writePeers(length: AddressLength, out: Uint8Array, at: number): number {
    const count = length === 4 ? this.result.peers4 : this.result.peers6;
    if (count === 0) return at;
    const { store } = this;
    store.enter(this.registry.swarm, length);
    const { slab } = store;
    const chosen = length === 4 ? this.chosen4 : this.chosen6;
    const write = length === 4 ? writeCompact4 : writeCompact6;
    return write(slab, chosen, count, this.viewOf(out), at);
  }

  /** The chosen peer number `k` of one family, written into `into`. */
  peerAt(length: AddressLength, k: number, into: ChosenPeer): void {
    const { store } = this;
    store.enter(this.registry.swarm, length);
    const { slab } = store;
    const entry = (length === 4 ? this.chosen4 : this.chosen6)[k];
    into.ipLength = length;
    into.port = slab.get(slab.port, entry) >>> 16;
    for (let i = 0; i < length; i++)
      into.ip[i] = slab.get(i >> 2, entry) >>> (24 - 8 * (i & 3));
    for (let i = 0; i < 20; i++)
      into.peerId[i] = slab.idWord(i >> 2, entry) >>> (24 - 8 * (i & 3));
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
    const second = Math.floor(now / 1000);
    store.expire(second);
    this.fillCounts(into, second);
    return true;
  }

  /** Expires peers, looking at no more than about `steps` swarms and peers. Call it so often that all are seen in a minute or so. */
  sweep(now: number, steps = 5000): void {
    const frugal = this.store.index.size > this.maxSwarms * 0.9;
    this.store.sweep(Math.floor(now / 1000), steps, frugal);
  }

  /**
   * Hands to `to` what clients said here and the swarms' owners have not been told, whole swarms until
   * about `most` peers; what is handed on counts as told. Returns how many swarms. Nothing in a table
   * that is not `shared`.
   */
  changes(to: ChangeSink, now: number, most = 6_000): number {
    return this.exchange.changes(to, Math.floor(now / 1000), most);
  }

  /** Takes in what the owners of a swarm answered, good for `lifetime` seconds; never against what clients told this node. */
  copy(
    infoHash: Uint8Array,
    copy: SwarmCopy,
    lifetime: number,
    now: number,
  ): void {
    this.exchange.copy(infoHash, copy, lifetime, Math.floor(now / 1000));
  }

  private choose(request: AnnounceRequest, self: number): void {
    const { store, result } = this;
    const wanted = request.wanted();
    if (wanted === 0) return;
    // Who starts and claims to lack nothing may be a client that has a magnet link and does not know the size yet (aria2).
    const source =
      (request.complete && request.event !== AnnounceEvent.started) ||
      request.event === AnnounceEvent.paused;
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

  private fillCounts(into: SwarmCounts, second: number): void {
    const { store } = this;
    const { record, base } = store;
    into.complete = store.swarmSeeds;
    into.incomplete = store.swarmPeers - into.complete;
    into.downloaders = store.swarmDownloaders;
    into.downloaded = record[base + SWARM.completed];
    if (record[base + SWARM.toldUntil] < second) return;
    into.complete = Math.max(into.complete, record[base + SWARM.toldComplete]);
    into.incomplete = Math.max(
      into.incomplete,
      record[base + SWARM.toldIncomplete],
    );
  }

  /** The answer where the swarm is unknown and stays so. */
  private nothing(): AnnounceResult {
    const { result } = this;
    result.complete = result.incomplete = 0;
    result.downloaded = result.downloaders = 0;
    return result;
  }

  /** Answers go to the same few buffers again and again. */
  private viewOf(out: Uint8Array): DataView {
    if (this.viewed !== out) {
      this.viewed = out;
      this.view = new DataView(out.buffer, out.byteOffset, out.byteLength);
    }
    return this.view;
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
