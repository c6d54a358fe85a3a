/**
 * One torrent's decisions: whom to ask for what, whom to serve, whom to choke, whom to ban.
 *
 * The owner sets the time (`at`), feeds what connections say into the peers it got from `addPeer`,
 * reports facts (`verified`, `corrupt`, `served`, ...) and calls `settle` when a chunk of input is
 * through: only then are requests and answers decided, once for all that came. `tick` is due at
 * `wakeAt`. No clock, timer, socket, disk or chance of its own.
 */
import { Bitfield } from '@dnd/metainfo';
import type { PeerCommands } from '@dnd/wire';
import { Choking } from './choking';
import { Downloader } from './downloader';
import { Holdings } from './holdings';
import type { DisconnectReason, SwarmHost } from './host';
import type { PartialPiece } from './partial-piece';
import { PiecePicker } from './piece-picker';
import type { SwarmSettings } from './settings';
import { defaultSettings } from './settings';
import { Seeding } from './seeding';
import { Suspects } from './suspects';
import type { Verdict } from './suspects';
import { SwarmPeer } from './swarm-peer';
import type { PeerOwner, PeerTraits } from './swarm-peer';
import type { TokenBucket } from './token-bucket';
import { RateMeter } from './rate-meter';
import { Uploader } from './uploader';

export interface SwarmOptions {
  readonly pieceCount: number;
  /** Bytes of each piece; all but the last alike (a v2 torrent's last piece of a file may be short, too). */
  readonly pieceSize: (piece: number) => number;
  /**
   * Bytes of a piece that may be requested of us, where that is more than `pieceSize`: of a v2-only
   * torrent's short pieces others ask for the zeros behind the end of the file as well.
   */
  readonly requestableSize?: (piece: number) => number;
  /** Verified pieces; copied. */
  readonly have: Bitfield;
  /** 0 (skip) to 7 a piece; taken over. */
  readonly priority?: Uint8Array;
  readonly host: SwarmHost;
  /** Uniform in [0, 1); seeded by the owner. */
  readonly random: () => number;
  readonly settings?: Partial<SwarmSettings>;
  /** Buckets that every byte up or down is taken from: the torrent's own, the global one. */
  readonly uploadLimits?: readonly TokenBucket[];
  readonly downloadLimits?: readonly TokenBucket[];
  /** Milliseconds on the owner's monotonic clock. */
  readonly now: number;
}

const SECOND = 1_000;
/** A seed that suggests is asked for nothing else until it has sent neither block nor suggestion for this long, ms. */
const GUIDED = 3_000;
const SUGGESTIONS = 512;
/** Pieces more that make a bitfield worth its while: aria2 sends one instead of so many haves. */
const PIECES_A_BITFIELD = 20;
/** Bitfields of one peer that tell less than that, for they cost us more than the peer. */
const IDLE_BITFIELDS = 20;
const ALLOWED_FAST = 64;
/** Peers that left with blocks of theirs in pieces that are not verified yet: so many are remembered, the latest. */
const DEPARTED = 64;
const ADAPT_EVERY = 100;

export class Swarm implements PeerOwner {
  readonly settings: SwarmSettings;
  readonly picker: PiecePicker;
  readonly down: RateMeter;
  readonly up: RateMeter;
  /** Bytes of pieces that failed their hash. */
  corruptBytes = 0;
  now: number;
  readonly #options: SwarmOptions;
  readonly #peers = new Map<number, SwarmPeer>();
  readonly #dirty: SwarmPeer[] = [];
  readonly #downloader: Downloader;
  readonly #uploader: Uploader;
  readonly #suspects = new Suspects<SwarmPeer>();
  readonly #departed = new Map<number, SwarmPeer>();
  readonly #holdings: Holdings;
  readonly #seeding: Seeding;
  readonly #choking: Choking;
  readonly #nothing: Bitfield;
  #nextId = 1;
  #secondAt = Infinity;
  #adaptAt = 0;

  constructor(options: SwarmOptions) {
    this.#options = options;
    this.now = options.now;
    this.settings = { ...defaultSettings, ...options.settings };
    const { host, pieceCount, pieceSize, random } = options;
    this.#nothing = new Bitfield(pieceCount);
    this.picker = new PiecePicker({
      pieceCount,
      pieceSize,
      have: options.have.clone(),
      priority: options.priority,
      random,
      reserve: (piece) => host.reserve(piece),
      discard: (piece) => host.discard(piece),
      randomFirstPieces: this.settings.randomFirstPieces,
      sequential: this.settings.sequential,
    });
    const disconnect = (peer: SwarmPeer, reason: DisconnectReason) =>
      this.#disconnect(peer, reason, false);
    this.#downloader = new Downloader({
      picker: this.picker,
      host,
      settings: this.settings,
      limits: options.downloadLimits ?? [],
      peers: this.#peers,
      disconnect,
      verify: (partial) => {
        this.#suspects.complete(partial, this.#bytesOf(partial.piece));
        host.verify(partial.piece);
      },
    });
    this.#uploader = new Uploader({
      have: this.picker.have,
      requestableSize: options.requestableSize ?? pieceSize,
      host,
      settings: this.settings,
      limits: options.uploadLimits ?? [],
      disconnect,
      firstCopy: (peer, piece) => this.#seeding.isFirstCopy(peer, piece),
      shows: (peer, piece) => this.#seeding.shows(peer, piece),
    });
    const pieceLength = pieceCount > 0 ? pieceSize(0) : 1;
    this.#holdings = new Holdings(this.picker, this.#peers);
    this.#seeding = new Seeding({
      peers: this.#peers,
      have: this.picker.have,
      settings: this.settings,
      order: () => this.picker.order,
      pieceLength,
      random,
    });
    this.#choking = new Choking({
      peers: this.#peers,
      settings: this.settings,
      uploader: this.#uploader,
      limits: options.uploadLimits ?? [],
      pieceLength,
      random,
      seeding: () => this.uploadOnly,
      rate: () => this.up.rate,
      unchoking: (peer) => this.#seeding.unchoking(peer),
    });
    this.down = new RateMeter(options.now);
    this.up = new RateMeter(options.now);
  }

  // -- facts about the torrent ---------------------------------------------------------------

  get have(): Bitfield {
    return this.picker.have;
  }

  /** All wanted pieces are verified: what BEP 21 calls upload-only. */
  get uploadOnly(): boolean {
    return this.picker.missing === 0;
  }

  get peers(): Iterable<SwarmPeer> {
    return this.#peers.values();
  }

  get peerCount(): number {
    return this.#peers.size;
  }

  /** When `tick` is due next; `Infinity` while nobody is connected. */
  get wakeAt(): number {
    return Math.min(
      this.#secondAt,
      this.#uploader.wakeAt,
      this.#downloader.wakeAt,
    );
  }

  /** The time of whatever is reported next. */
  at(now: number): void {
    if (now > this.now) this.now = now;
  }

  /** A connection is through its handshake. Sends the bitfield; feed its events to the result. */
  addPeer(commands: PeerCommands, traits: PeerTraits): SwarmPeer {
    const peer = new SwarmPeer(
      this.#nextId++,
      commands,
      traits,
      this,
      this.#nothing,
      this.settings.reqq,
      this.now,
    );
    this.#peers.set(peer.id, peer);
    if (this.#secondAt === Infinity) this.#secondAt = this.now + SECOND;
    const hidden = this.#seeding.joined(peer, (hides) =>
      commands.bitfield(hides ? this.#nothing : this.have),
    );
    if (!hidden) this.#grantFast(peer);
    return peer;
  }

  /** The connection is gone. */
  removePeer(peer: SwarmPeer): void {
    if (peer.gone) return;
    peer.gone = true;
    this.#peers.delete(peer.id);
    this.#downloader.left(peer);
    this.#rememberSender(peer);
    this.#uploader.left(peer);
    this.#holdings.forget(peer);
    this.#seeding.left(peer);
    this.#choking.fillSlots(this.now);
    this.#markAll();
    if (this.#peers.size === 0) this.#secondAt = Infinity;
  }

  /** The piece's hash is right and its bytes are safe. */
  verified(piece: number): void {
    if (this.#suspects.has(piece))
      this.#judge(this.#suspects.verified(piece), true);
    const wanted = this.picker.wants(piece);
    this.picker.verified(piece);
    for (const peer of this.#peers.values()) {
      if (peer.have.has(piece)) {
        if (wanted) peer.wanted--;
        this.#mark(peer);
        if (peer.seed) continue;
      } else if (peer.inFlight === 0) {
        this.#mark(peer);
      }
      peer.commands.have(piece);
    }
    if (this.uploadOnly) this.#completed();
  }

  /** The piece's hash is wrong. */
  corrupt(piece: number): void {
    const partial = this.picker.partials.get(piece);
    if (partial === undefined) return;
    this.corruptBytes += partial.size;
    const verdict = this.#suspects.failed(
      partial,
      this.#bytesOf(piece),
      (id) => this.#peers.get(id) ?? this.#departed.get(id),
    );
    this.#downloader.abandon(partial, verdict.suspected.size > 0);
    this.#judge(verdict, false);
    this.#markAll();
  }

  /** The piece's bytes could not be written; they are to be downloaded again. */
  unwritten(piece: number): void {
    const partial = this.picker.partials.get(piece);
    if (partial !== undefined) this.#downloader.abandon(partial);
    this.#markAll();
  }

  /** Pieces that we held are gone from the disk. */
  lost(pieces: Iterable<number>): void {
    for (const piece of pieces) {
      if (!this.have.has(piece)) continue;
      this.picker.lost(piece);
      this.#uploader.lostPiece(this.#peers.values(), piece);
      for (const peer of this.#peers.values()) peer.commands.dontHave(piece);
    }
    this.#recount();
  }

  // -- wishes ----------------------------------------------------------------------------------

  /** Priorities of a run of pieces: 0 (skip) to 7. */
  setPriority(first: number, count: number, priority: number): void {
    const was = this.uploadOnly;
    for (let piece = first; piece < first + count; piece++) {
      const unwanted = this.picker.setPriority(piece, priority);
      if (unwanted !== undefined && !unwanted.complete && !unwanted.doomed)
        this.#downloader.abandon(unwanted);
    }
    this.#recount();
    if (!was && this.uploadOnly) this.#completed();
  }

  setSequential(on: boolean): void {
    this.picker.sequential = on;
  }

  /** BEP 16: as a seed, show each peer one piece at a time. Holds for peers that join from now on; those that are here are the owner's to close. */
  setSuperSeeding(on: boolean): void {
    this.settings.superSeeding = on;
    this.#seeding.restart();
  }

  /** These pieces are needed by `deadline` (ms), before all others; earlier deadlines first. */
  need(first: number, count: number, deadline: number): void {
    for (let piece = first; piece < first + count; piece++)
      this.picker.setDeadline(piece, deadline);
    this.#markAll();
  }

  /** The pool that `reserve` draws from has room again. */
  buffersFreed(): void {
    this.picker.retryBuffers();
    this.#markAll();
  }

  /** No piece is urgent any more. */
  needNothing(): void {
    this.picker.clearDeadlines();
  }

  /** Whether to ask for anything (off while paused or without room on the disk). */
  setDownloading(on: boolean): void {
    this.#downloader.enabled = on;
    if (on) this.#markAll();
    else this.#downloader.cancelAll();
  }

  /** Whether to serve anybody. */
  setUploading(on: boolean): void {
    this.#uploader.enabled = on;
    if (on) this.#choking.fillSlots(this.now);
    else this.#choking.chokeAll(this.now);
  }

  // -- decisions -------------------------------------------------------------------------------

  /** Acts on all that was reported since the last call. */
  settle(): void {
    const { now } = this;
    const dirty = this.#dirty;
    // Peers marked while this runs are taken along.
    for (let i = 0; i < dirty.length; i++) {
      const peer = dirty[i];
      peer.dirty = false;
      if (peer.gone) continue;
      this.#showInterest(peer);
      this.#downloader.fill(peer, now);
    }
    dirty.length = 0;
    this.#uploader.serve(now);
  }

  /** Due at `wakeAt`; early or late calls do no harm. */
  tick(now: number): void {
    this.at(now);
    if (now >= this.#downloader.wakeAt) {
      this.#downloader.woken();
      this.#markAll();
    }
    if (now >= this.#secondAt) this.#everySecond(now);
    this.settle();
  }

  #everySecond(now: number): void {
    this.#secondAt = this.#peers.size > 0 ? now + SECOND : Infinity;
    this.down.sample(now);
    this.up.add(this.#uploader.sent - this.up.total);
    this.up.sample(now);
    this.#downloader.timeouts(now);
    this.picker.retryBuffers();
    for (const peer of this.#peers.values()) {
      this.#adapt(peer, now);
      peer.up.sample(now);
      if (peer.awaitedSince > 0) this.#await(peer, now);
      if (peer.refused !== undefined && now > peer.restUntil + 30_000) {
        peer.refused = undefined;
        peer.dryEpoch = -1;
      }
      if (peer.guidedUntil !== 0 && peer.guidedUntil <= now) {
        peer.guidedUntil = 0;
        peer.dryEpoch = -1;
      }
      if (peer.amInterested) this.#mark(peer);
    }
    this.#choking.everySecond(now);
    if (this.#uploader.idle) this.#seeding.idle();
  }

  /** Blocks are due of it. */
  #await(peer: SwarmPeer, now: number): void {
    const { probeAfter, snubAfter } = this.settings;
    const { awaitedSince } = peer;
    if (now - awaitedSince > probeAfter && peer.probedFor !== awaitedSince) {
      peer.probedFor = awaitedSince;
      peer.commands.keepAlive();
    }
    if (now - awaitedSince > snubAfter) peer.snubbing = true;
  }

  #adapt(peer: SwarmPeer, now: number): void {
    const rate = peer.down.sample(now);
    const { maxRequests, requestAheadSeconds } = this.settings;
    if (!peer.stalled && peer.inFlight > 0)
      peer.window.adapt(
        rate,
        peer.traits.aheadSeconds ?? requestAheadSeconds,
        Math.min(maxRequests, peer.reqq),
      );
  }

  // -- what peers say --------------------------------------------------------------------------

  choked(peer: SwarmPeer): void {
    if (peer.choking) return;
    peer.choking = true;
    this.#downloader.choked(peer);
    this.#markAll();
  }

  unchoked(peer: SwarmPeer): void {
    if (!peer.choking) return;
    peer.choking = false;
    peer.refused = undefined;
    peer.dryEpoch = -1;
    peer.window.restart();
    this.#mark(peer);
  }

  interest(peer: SwarmPeer, interested: boolean): void {
    if (peer.interested === interested) return;
    peer.interested = interested;
    // One that loses interest is choked in the next round, for it may change its mind at once.
    this.#choking.fillSlots(this.now);
  }

  hasPiece(peer: SwarmPeer, piece: number): void {
    if (this.#isOutside(peer, piece)) return;
    if (!this.#holdings.add(peer, piece)) return;
    if (this.picker.wants(piece)) this.#mark(peer);
    this.#seeding.hasPiece(peer, piece);
    if (peer.seed) this.#becameSeed(peer);
  }

  hasPieces(peer: SwarmPeer, have: Bitfield): void {
    if (have.size !== this.#options.pieceCount) {
      this.#disconnect(peer, 'protocol', false);
      return;
    }
    const grows = this.#holdings.set(peer, have);
    const getsOn = grows && have.count >= peer.told + PIECES_A_BITFIELD;
    peer.told = Math.max(peer.told, have.count);
    if (!getsOn && ++peer.idleBitfields > IDLE_BITFIELDS) {
      this.#disconnect(peer, 'flood', false);
      return;
    }
    this.#mark(peer);
    if (peer.seed) this.#becameSeed(peer);
  }

  lostPiece(peer: SwarmPeer, piece: number): void {
    if (this.#isOutside(peer, piece)) return;
    if (!this.#holdings.remove(peer, piece)) return;
    this.#downloader.lostPiece(peer, piece);
    this.#markAll();
  }

  requested(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
  ): void {
    this.#uploader.requested(peer, piece, begin, length);
    if (piece < this.#options.pieceCount) this.#seeding.requested(peer, piece);
  }

  cancelled(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
  ): void {
    this.#uploader.cancelled(peer, piece, begin, length);
  }

  blockTarget(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
  ): Uint8Array | undefined {
    return this.#downloader.blockTarget(peer, piece, begin, length, this.now);
  }

  received(peer: SwarmPeer): void {
    const { total } = peer.down;
    this.#downloader.received(peer, this.now);
    this.down.add(peer.down.total - total);
    if (peer.guidedUntil !== 0) peer.guidedUntil = this.now + GUIDED;
    if (this.now >= this.#adaptAt) {
      this.#adaptAt = this.now + ADAPT_EVERY;
      for (const each of this.#peers.values()) this.#adapt(each, this.now);
    }
    this.#mark(peer);
  }

  rejected(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
  ): void {
    this.#downloader.rejected(peer, piece, begin, length, this.now);
    this.#mark(peer);
  }

  suggested(peer: SwarmPeer, piece: number): void {
    if (piece >= this.#options.pieceCount) return;
    if (peer.suggestions.length >= SUGGESTIONS) peer.suggestions.shift();
    peer.suggestions.push(piece);
    if (peer.seed) peer.guidedUntil = this.now + GUIDED;
    peer.dryEpoch = -1;
    this.#mark(peer);
  }

  allowed(peer: SwarmPeer, piece: number): void {
    if (piece >= this.#options.pieceCount) return;
    peer.allowedFast ??= new Set();
    if (peer.allowedFast.size < ALLOWED_FAST) peer.allowedFast.add(piece);
    peer.dryEpoch = -1;
    this.#mark(peer);
  }

  served(peer: SwarmPeer, bytes: number): void {
    this.#uploader.served(peer, bytes, this.now);
  }

  changed(peer: SwarmPeer): void {
    if (peer.uploadOnly) this.#choking.fillSlots(this.now);
    this.#parting(peer);
  }

  // -- parts -----------------------------------------------------------------------------------

  /** A piece that does not exist ends the connection. */
  #isOutside(peer: SwarmPeer, piece: number): boolean {
    if (piece < this.#options.pieceCount) return false;
    this.#disconnect(peer, 'protocol', false);
    return true;
  }

  #mark(peer: SwarmPeer): void {
    if (peer.dirty) return;
    peer.dirty = true;
    this.#dirty.push(peer);
  }

  #markAll(): void {
    for (const peer of this.#peers.values()) this.#mark(peer);
  }

  #showInterest(peer: SwarmPeer): void {
    const interested = peer.wanted > 0;
    if (interested === peer.amInterested) return;
    peer.amInterested = interested;
    if (interested) peer.commands.interested();
    else peer.commands.notInterested();
  }

  #recount(): void {
    for (const peer of this.#peers.values()) {
      this.#holdings.countWanted(peer);
      peer.dryEpoch = -1;
      this.#mark(peer);
    }
  }

  #becameSeed(peer: SwarmPeer): void {
    this.#choking.fillSlots(this.now);
    this.#parting(peer);
  }

  /** Two that both have all they want are of no use to each other. */
  #parting(peer: SwarmPeer): void {
    if (this.uploadOnly && (peer.seed || peer.uploadOnly))
      this.#disconnect(peer, 'both-complete', false);
  }

  #completed(): void {
    this.#departed.clear();
    this.#options.host.finished();
    for (const peer of [...this.#peers.values()]) this.#parting(peer);
    this.#markAll();
  }

  #disconnect(peer: SwarmPeer, reason: DisconnectReason, ban: boolean): void {
    if (peer.gone && (!ban || peer.banned)) return;
    peer.banned = ban;
    this.removePeer(peer);
    this.#options.host.disconnect(peer, reason, ban);
  }

  #bytesOf(piece: number): (begin: number, length: number) => Uint8Array {
    return (begin, length) => this.#options.host.target(piece, begin, length);
  }

  #judge(verdict: Verdict<SwarmPeer>, clear: boolean): void {
    for (const peer of verdict.guilty) this.#disconnect(peer, 'corrupt', true);
    for (const peer of verdict.suspected) {
      peer.parole = clear ? this.#suspects.suspects(peer) : true;
      peer.dryEpoch = -1;
      if (!clear) this.#downloader.passOver(peer, this.now);
      if (!peer.gone) this.#mark(peer);
    }
  }

  /** Whoever sends bad blocks and leaves before they are hashed is found out all the same. */
  #rememberSender(peer: SwarmPeer): void {
    for (const { owner } of this.started) {
      if (!owner.includes(peer.id)) continue;
      this.#departed.set(peer.id, peer);
      if (this.#departed.size > DEPARTED)
        this.#departed.delete(this.#departed.keys().next().value as number);
      return;
    }
  }

  #grantFast(peer: SwarmPeer): void {
    const { allowedFast } = peer.traits;
    if (allowedFast === undefined || !peer.commands.fast) return;
    for (const piece of allowedFast) {
      if (!this.have.has(piece)) continue;
      peer.granted ??= new Set();
      peer.granted.add(piece);
      peer.commands.allowedFast(piece);
    }
  }

  // -- for the user's eyes ---------------------------------------------------------------------

  /** The started pieces. */
  get started(): Iterable<PartialPiece> {
    return this.picker.partials.values();
  }

  /** Bytes that came in vain. */
  get wastedBytes(): number {
    return this.#downloader.wasted;
  }

  /** Connected peers that hold each piece, seeds counted. */
  availability(): Uint16Array {
    return this.#holdings.availability();
  }
}
