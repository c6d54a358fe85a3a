/**
 * One connected peer as the swarm sees it: what the remote has said, what we have said to it and
 * what is under way. It receives the connection's events and notes them; decisions fall when the
 * owner calls `Swarm.settle`, once for all events of one chunk of bytes.
 */
import type { Bitfield } from '@dnd/metainfo';
import type { PeerCommands, PeerEvents } from '@dnd/wire';
import type { PartialPiece } from './partial-piece';
import type { PickingPeer } from './piece-picker';
import { RateMeter } from './rate-meter';
import { RequestWindow } from './request-window';
import { UploadQueue } from './upload-queue';

/** Bytes handed to a connection before its speed is known. */
const SEND_AHEAD = 131_072;
/** A connection that needs longer than this for what was handed to it is slow, ms. */
export const SLOW = 400;

/** Where the address of a peer came from. */
export type PeerSource =
  'tracker' | 'pex' | 'lsd' | 'dht' | 'manual' | 'magnet' | 'incoming';

/** What the owner knows of a peer when its handshake is over. */
export interface PeerTraits {
  /** For bans and the user's eyes: `host:port`. */
  readonly address: string;
  readonly incoming: boolean;
  readonly source?: PeerSource;
  readonly client?: string;
  /** The rate limits do not apply to it; the owner may change it at any time. */
  unlimited?: boolean;
  /** BEP 6 allowed-fast set to grant; needs both sides to know the extension. */
  readonly allowedFast?: readonly number[];
  /** Seconds of its rate that are requested ahead at least; the swarm's setting by default. */
  readonly aheadSeconds?: number;
}

/** What a peer's events are handed on to. */
export interface PeerOwner {
  choked(peer: SwarmPeer): void;
  unchoked(peer: SwarmPeer): void;
  interest(peer: SwarmPeer, interested: boolean): void;
  hasPiece(peer: SwarmPeer, piece: number): void;
  hasPieces(peer: SwarmPeer, have: Bitfield): void;
  lostPiece(peer: SwarmPeer, piece: number): void;
  requested(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
  ): void;
  cancelled(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
  ): void;
  blockTarget(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
  ): Uint8Array | undefined;
  received(peer: SwarmPeer): void;
  rejected(peer: SwarmPeer, piece: number, begin: number, length: number): void;
  suggested(peer: SwarmPeer, piece: number): void;
  allowed(peer: SwarmPeer, piece: number): void;
  served(peer: SwarmPeer, bytes: number): void;
  changed(peer: SwarmPeer): void;
}

export class SwarmPeer implements PeerEvents, PickingPeer {
  /** What the remote holds; never changed in place while `shared`. */
  have: Bitfield;
  shared = true;
  /** The most pieces that a bitfield of it has had, and how many told little more. */
  told = 0;
  idleBitfields = 0;
  /** `have` was complete when it came and counts as one seed, not piece by piece. */
  countedAsSeed = false;
  /** It chokes us. */
  choking = true;
  /** It wants pieces of us. */
  interested = false;
  /** We choke it. */
  amChoking = true;
  amInterested = false;
  /** BEP 21: it will not download, whatever its bitfield says. */
  uploadOnly = false;
  /** BEP 10: most requests it wants to have queued. */
  reqq = 250;
  /** Pieces it has that we want and lack. */
  wanted = 0;
  /** Removed; events that still come are ignored. */
  gone = false;
  /** Its address has been banned for corrupt blocks. */
  banned = false;
  /** Waits for the next `settle`. */
  dirty = false;

  // Downloading from it.
  readonly window = new RequestWindow();
  readonly down: RateMeter;
  /** Requests sent and not answered. */
  inFlight = 0;
  /** Of these, the ones that others may be asked for as well by now. */
  late = 0;
  /** Cancelled requests that may still be answered. */
  cancelledRequests = 0;
  unaskedBlocks = 0;
  currentPiece = -1;
  parole = false;
  /** Its requests timed out, or it has sent nothing for `snubAfter`. */
  stalled = false;
  snubbing = false;
  /** Milliseconds from request to block, and their mean deviation. */
  latency = 1_000;
  deviation = 500;
  measured = false;
  lastBlockAt: number;
  /** Since when blocks are due of it; 0 while none are. */
  awaitedSince = 0;
  /** The `awaitedSince` for which a keep-alive has been sent. */
  probedFor = 0;
  /** No requests before this time: it has just rejected some. */
  restUntil = 0;
  rejects = 0;
  /** Pieces it rejected while it did not choke us. */
  refused: Set<number> | undefined;
  /** Pieces that may be asked though it chokes us (BEP 6). */
  allowedFast: Set<number> | undefined;
  readonly suggestions: number[] = [];
  guidedUntil = 0;
  /** The picker's epoch at which there was nothing to ask of it. */
  dryEpoch = -1;
  nextStealAt = 0;
  nextRescueAt = 0;
  // The block that is coming in.
  writing: PartialPiece | undefined;
  writingBlock = -1;
  writingSince = 0;
  scratch: Uint8Array | undefined;

  // Uploading to it.
  readonly up: RateMeter;
  readonly queue: UploadQueue;
  /** Bytes handed to the owner and not reported as served. */
  handed = 0;
  /** Stands in the row of those that are to be served. */
  inRow = false;
  /** What may be handed over: some tenths of a second's worth, so that our own requests are not stuck behind it. */
  sendAhead: number;
  /** Bytes still to be served until `sendAhead` is adapted, and since when they are waited for. */
  probeBytes = 0;
  probeSince = 0;
  /** Allowed-fast pieces granted to it. */
  granted: Set<number> | undefined;
  rejected = 0;
  unchokedAt = 0;
  chokedAt = 0;
  optimistic = false;
  /** Suggested and not requested yet. */
  readonly guided: number[] = [];
  ignoredGuidance = 0;
  /** The piece that super-seeding has shown it last. */
  shown = -1;

  readonly mayAsk = (piece: number): boolean => {
    if (this.choking && !this.allowedFast?.has(piece)) return false;
    return this.refused === undefined || !this.refused.has(piece);
  };

  get ahead(): number {
    return Math.min(this.window.size, this.reqq);
  }

  constructor(
    readonly id: number,
    readonly commands: PeerCommands,
    readonly traits: PeerTraits,
    private readonly owner: PeerOwner,
    nothing: Bitfield,
    reqq: number,
    readonly connectedAt: number,
  ) {
    this.have = nothing;
    this.queue = new UploadQueue(reqq);
    this.down = new RateMeter(connectedAt);
    this.up = new RateMeter(connectedAt);
    this.lastBlockAt = connectedAt;
    this.sendAhead = SEND_AHEAD;
  }

  /** What we hand over leaves in tenths of seconds rather than at once. */
  takesSlowly(now: number): boolean {
    const waits = this.probeBytes > 0 && now - this.probeSince > SLOW;
    return waits || this.sendAhead < SEND_AHEAD;
  }

  get seed(): boolean {
    return this.have.complete;
  }

  /** From the extended handshake: `reqq` (BEP 10) and `upload_only` (BEP 21). */
  extended(facts: { reqq?: number; uploadOnly?: boolean }): void {
    if (facts.reqq !== undefined && facts.reqq >= 1)
      this.reqq = Math.min(Math.floor(facts.reqq), 65_535);
    if (facts.uploadOnly !== undefined) this.uploadOnly = facts.uploadOnly;
    if (!this.gone) this.owner.changed(this);
  }

  /** `bytes` of what `serve` handed over have gone to the connection, and it has room again. */
  served(bytes: number): void {
    if (!this.gone) this.owner.served(this, bytes);
  }

  /** Bytes that `serve` asked for could not be read; the owner tells the swarm of lost pieces itself. */
  unserved(
    piece: number,
    begin: number,
    length: number,
    blockLength: number,
  ): void {
    if (this.gone) return;
    for (let at = begin; at < begin + length; at += blockLength) {
      const size = Math.min(blockLength, begin + length - at);
      if (this.commands.fast) this.commands.reject(piece, at, size);
    }
    this.owner.served(this, length);
  }

  onChoke(): void {
    if (!this.gone) this.owner.choked(this);
  }

  onUnchoke(): void {
    if (!this.gone) this.owner.unchoked(this);
  }

  onInterested(): void {
    if (!this.gone) this.owner.interest(this, true);
  }

  onNotInterested(): void {
    if (!this.gone) this.owner.interest(this, false);
  }

  onHave(piece: number): void {
    if (!this.gone) this.owner.hasPiece(this, piece);
  }

  onBitfield(have: Bitfield): void {
    if (!this.gone) this.owner.hasPieces(this, have);
  }

  onRequest(piece: number, begin: number, length: number): void {
    if (!this.gone) this.owner.requested(this, piece, begin, length);
  }

  onCancel(piece: number, begin: number, length: number): void {
    if (!this.gone) this.owner.cancelled(this, piece, begin, length);
  }

  blockTarget(
    piece: number,
    begin: number,
    length: number,
  ): Uint8Array | undefined {
    return this.gone
      ? undefined
      : this.owner.blockTarget(this, piece, begin, length);
  }

  onBlock(): void {
    if (!this.gone) this.owner.received(this);
  }

  onReject(piece: number, begin: number, length: number): void {
    if (!this.gone) this.owner.rejected(this, piece, begin, length);
  }

  onSuggest(piece: number): void {
    if (!this.gone) this.owner.suggested(this, piece);
  }

  onAllowedFast(piece: number): void {
    if (!this.gone) this.owner.allowed(this, piece);
  }

  onDontHave(piece: number): void {
    if (!this.gone) this.owner.lostPiece(this, piece);
  }
}
