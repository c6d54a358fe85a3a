/**
 * Requests and the blocks that answer them: keeps each peer's pipeline full, times requests out,
 * finishes the download by asking twice where one peer would keep all waiting, and takes back what
 * choking, rejecting and leaving peers owe. Whose bytes were bad is for `Suspects` to find.
 */
import { BLOCK_LENGTH, ASKED, DONE } from './partial-piece';
import type { PartialPiece } from './partial-piece';
import type { PiecePicker } from './piece-picker';
import type { SwarmHost } from './host';
import type { SwarmPeer } from './swarm-peer';
import type { SwarmSettings } from './settings';
import type { TokenBucket } from './token-bucket';
import { allowance } from './token-bucket';

/** Unasked blocks beyond the cancelled ones before the connection is closed. */
const UNASKED_LIMIT = 64;
/** A connection that stands still inside a block that another peer delivered is closed after this, ms. */
const WRITER_PATIENCE = 3_000;
/** Peers asked for one block at the same time, at most. */
const COPIES = 3;
const STEAL_EVERY = 50;
const STEAL_BATCH = 32;
/** Pieces with deadlines that are looked after, the earliest first. */
const URGENT = 8;

export interface DownloaderOptions {
  readonly picker: PiecePicker;
  readonly host: SwarmHost;
  readonly settings: SwarmSettings;
  readonly limits: readonly TokenBucket[];
  readonly peers: ReadonlyMap<number, SwarmPeer>;
  /** All blocks of the piece are there. */
  readonly verify: (partial: PartialPiece) => void;
  readonly disconnect: (
    peer: SwarmPeer,
    reason: 'unasked-blocks' | 'stalled-block',
  ) => void;
}

export class Downloader {
  enabled = true;
  /** Bytes that were received and not needed. */
  wasted = 0;
  /** When a download limit lets the next request through; `Infinity` if none holds one back. */
  wakeAt = Infinity;
  #search = 0;

  constructor(private readonly options: DownloaderOptions) {}

  /** Tops this peer's requests up. */
  fill(peer: SwarmPeer, now: number): void {
    if (!this.enabled || peer.gone || !peer.amInterested) return;
    if (peer.choking && peer.allowedFast === undefined) return;
    if (now < peer.restUntil) return;
    const { picker } = this.options;
    let room = Math.min(peer.window.size, peer.reqq) - peer.inFlight;
    // Wait for a quarter of the window to be free: requests then leave many in one write.
    const batch = Math.min(peer.window.size >> 2, 64);
    if (room <= 0 || (room < batch && peer.inFlight > 0)) return;
    room = Math.min(room, this.#allowance(peer, now));
    if (room <= 0) return;
    if (peer.dryEpoch !== picker.epoch) {
      const search = ++this.#search;
      while (room > 0) {
        const partial = picker.next(peer, now, search);
        if (partial === undefined) {
          peer.dryEpoch = picker.epoch;
          break;
        }
        peer.currentPiece = partial.piece;
        room = this.#takeFrom(partial, peer, now, room, search);
      }
    }
    if (now < peer.nextStealAt || room <= 0) return;
    if (picker.deadlines.length > 0) this.#rescue(peer, now);
    if (peer.inFlight === 0) this.#steal(peer, now, room);
  }

  /** Where a block goes that begins to arrive. */
  blockTarget(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
    now: number,
  ): Uint8Array | undefined {
    // One block at a time: an earlier one that never ended is not coming any more.
    this.#stopWriting(peer);
    const partial = this.options.picker.partials.get(piece);
    const block = partial === undefined ? -1 : partial.blockAt(begin, length);
    if (
      partial === undefined ||
      block < 0 ||
      !partial.isAskedOf(block, peer.id)
    ) {
      this.#unasked(peer, length);
      return undefined;
    }
    peer.writing = partial;
    peer.writingBlock = block;
    peer.writingSince = now;
    if (
      partial.others !== undefined &&
      this.#isBeingWritten(partial, block, peer)
    ) {
      partial.copies++;
      return (peer.scratch = new Uint8Array(length));
    }
    partial.writers++;
    return this.options.host.target(piece, begin, length);
  }

  /** The block that `blockTarget` was called for is complete. */
  received(peer: SwarmPeer, now: number): void {
    const partial = peer.writing;
    if (partial === undefined) return;
    const block = peer.writingBlock;
    const { scratch } = peer;
    this.#stopWriting(peer);
    const length = partial.lengthOf(block);
    if (!partial.isAskedOf(block, peer.id)) {
      // Given up or delivered by another while it was on its way.
      this.wasted += length;
      this.#writerLeft(partial);
      return;
    }
    this.#answered(peer, partial, block, now, length);
    if (scratch !== undefined && this.#isBeingWritten(partial, block, peer)) {
      partial.withdraw(block, peer.id);
      partial.spare ??= new Map();
      partial.spare.set(block, { from: peer.id, bytes: scratch });
      return;
    }
    if (scratch !== undefined)
      this.options.host
        .target(partial.piece, block * BLOCK_LENGTH, length)
        .set(scratch);
    this.#finishBlock(partial, block, peer.id);
  }

  rejected(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
    now: number,
  ): void {
    const partial = this.options.picker.partials.get(piece);
    const block = partial === undefined ? -1 : partial.blockAt(begin, length);
    if (
      partial === undefined ||
      block < 0 ||
      !partial.isAskedOf(block, peer.id)
    ) {
      if (peer.cancelledRequests > 0) peer.cancelledRequests--;
      return;
    }
    peer.inFlight--;
    this.#refund(peer, length);
    const owned = partial.owner[block] === peer.id;
    if (!owned && peer.late > 0) peer.late--;
    if (partial.withdraw(block, peer.id)) this.options.picker.reopened(partial);
    if (peer.choking) return;
    // A peer that refuses without choking is not asked for that piece again soon, and soon for nothing.
    peer.refused ??= new Set();
    peer.refused.add(piece);
    this.#endSole(peer);
    // Many rejects at once are one refusal.
    if (now < peer.restUntil) return;
    peer.rejects++;
    peer.restUntil =
      now + Math.min(60_000, 250 * 2 ** Math.min(peer.rejects, 10));
  }

  /** The remote has choked us: without BEP 6 all requests are gone, with it each is still answered. */
  choked(peer: SwarmPeer): void {
    const { fast } = peer.commands;
    peer.awaitedSince = 0;
    for (const partial of this.options.picker.partials.values()) {
      for (let block = 0; block < partial.blocks; block++) {
        if (!partial.isAskedOf(block, peer.id)) continue;
        if (fast) {
          if (peer.allowedFast?.has(partial.piece)) continue;
          this.#makeLate(partial, block, peer);
        } else {
          this.#refund(peer, partial.lengthOf(block));
          if (partial.withdraw(block, peer.id))
            this.options.picker.reopened(partial);
        }
      }
    }
    if (!fast) {
      peer.inFlight = 0;
      peer.late = 0;
    }
    this.#endSole(peer);
  }

  /** Forgets all that the peer owes; it has left. */
  left(peer: SwarmPeer): void {
    const writing = peer.writing;
    const direct = peer.scratch === undefined;
    this.#stopWriting(peer);
    if (peer.inFlight > 0) this.#releaseAll(peer);
    if (writing !== undefined && direct) this.#writerLeft(writing);
    this.#endSole(peer);
  }

  /** Pieces that this peer alone was to deliver begin anew with another. */
  #endSole(peer: SwarmPeer): void {
    for (const partial of [...this.options.picker.partials.values()])
      if (partial.sole === peer.id && !partial.complete && !partial.doomed)
        this.abandon(partial, true);
  }

  /** The piece is not had by the peer any more. */
  lostPiece(peer: SwarmPeer, piece: number): void {
    const partial = this.options.picker.partials.get(piece);
    if (partial === undefined) return;
    for (let block = 0; block < partial.blocks; block++) {
      if (!partial.isAskedOf(block, peer.id)) continue;
      // With BEP 6 a reject will follow; until then the request counts.
      if (peer.commands.fast) {
        this.#makeLate(partial, block, peer);
        continue;
      }
      peer.inFlight--;
      if (partial.withdraw(block, peer.id))
        this.options.picker.reopened(partial);
    }
  }

  /**
   * Cancels every request for the piece and gives its buffer back as soon as nobody writes into it.
   * `suspect`: it is to be downloaded from one peer alone.
   */
  abandon(partial: PartialPiece, suspect = false): void {
    for (let block = 0; block < partial.blocks; block++) {
      if (partial.state[block] === DONE) continue;
      this.#cancelAll(partial, block, 0);
      if (partial.state[block] === ASKED)
        partial.withdraw(block, partial.owner[block]);
    }
    this.options.picker.exhausted(partial);
    partial.doomed = true;
    partial.suspect = suspect;
    this.#endIfDoomed(partial);
  }

  #endIfDoomed(partial: PartialPiece): void {
    if (!partial.doomed || partial.writers > 0) return;
    const { piece, suspect } = partial;
    this.#detach(partial);
    this.options.picker.abandoned(piece, suspect);
    this.options.host.discard(piece);
  }

  /** Takes every request back; what has been received stays. */
  cancelAll(): void {
    for (const partial of this.options.picker.partials.values())
      for (let block = 0; block < partial.blocks; block++) {
        if (partial.state[block] === DONE || partial.doomed) continue;
        this.#cancelAll(partial, block, 0);
        if (partial.state[block] === ASKED)
          partial.withdraw(block, partial.owner[block]);
        this.options.picker.reopened(partial);
      }
  }

  /** Frees what has been waited for too long; about once a second. */
  timeouts(now: number): void {
    const { picker, peers } = this.options;
    for (const partial of picker.partials.values()) {
      if (
        partial.doomed ||
        partial.spare !== undefined ||
        (partial.done === partial.blocks && partial.writers > 0)
      )
        this.#endStuckWriters(partial, now);
      if (partial.done === partial.blocks) continue;
      if (partial.sole !== 0 && this.#isIdle(partial)) {
        this.abandon(partial, true);
        continue;
      }
      for (let block = 0; block < partial.blocks; block++) {
        if (partial.state[block] !== ASKED) continue;
        const peer = peers.get(partial.owner[block]);
        if (peer === undefined) continue;
        if (now - partial.askedAt[block] < this.timeoutOf(peer)) continue;
        this.#makeLate(partial, block, peer);
        if (!peer.stalled) {
          peer.stalled = true;
          peer.window.collapse();
        }
      }
    }
    for (const peer of peers.values()) {
      this.#forgetLost(peer, now);
      if (peer.stalled) this.#endSole(peer);
    }
  }

  /** For two rounds in a row nothing of it was asked of anybody. */
  #isIdle(partial: PartialPiece): boolean {
    for (let block = 0; block < partial.blocks; block++)
      if (partial.state[block] === ASKED) {
        partial.idleRounds = 0;
        return false;
      }
    return ++partial.idleRounds >= 2;
  }

  /** Milliseconds after which a request to this peer is somebody else's. */
  timeoutOf(peer: SwarmPeer): number {
    const { requestTimeoutMin, requestTimeoutMax } = this.options.settings;
    const expected = peer.measured ? 3 * peer.latency + 4 * peer.deviation : 0;
    return Math.max(requestTimeoutMin, Math.min(requestTimeoutMax, expected));
  }

  #allowance(peer: SwarmPeer, now: number): number {
    const { limits } = this.options;
    if (limits.length === 0 || peer.traits.unlimited) return Infinity;
    const bytes = allowance(limits, now);
    if (bytes >= BLOCK_LENGTH) return Math.floor(bytes / BLOCK_LENGTH);
    if (bytes > 0) return 1;
    for (const limit of limits)
      this.wakeAt = Math.min(
        this.wakeAt,
        Math.max(limit.readyAt(1, now), now + 5),
      );
    return 0;
  }

  #takeFrom(
    partial: PartialPiece,
    peer: SwarmPeer,
    now: number,
    room: number,
    search: number,
  ): number {
    const { piece } = partial;
    while (room > 0) {
      const block = partial.take(peer.id, now);
      if (block < 0) {
        partial.tried = search;
        break;
      }
      this.#ask(peer, piece, block, partial.lengthOf(block), now);
      room--;
    }
    if (partial.free === 0) this.options.picker.exhausted(partial);
    return room;
  }

  #ask(
    peer: SwarmPeer,
    piece: number,
    block: number,
    length: number,
    now: number,
  ): void {
    if (peer.inFlight === 0) peer.lastBlockAt = now;
    if (peer.awaitedSince === 0) peer.awaitedSince = now;
    peer.inFlight++;
    if (!peer.traits.unlimited)
      for (let i = 0; i < this.options.limits.length; i++)
        this.options.limits[i].take(length);
    peer.commands.request(piece, block * BLOCK_LENGTH, length);
  }

  #refund(peer: SwarmPeer, length: number): void {
    if (peer.traits.unlimited) return;
    for (const limit of this.options.limits) limit.refund(length);
  }

  /**
   * Nothing new can be asked of this peer: asks it for blocks that others are slow with. Outside the
   * end game it must be twice as fast as the one who was asked, so that little is sent in vain.
   */
  #steal(peer: SwarmPeer, now: number, room: number): void {
    const { picker, peers } = this.options;
    peer.nextStealAt = now + STEAL_EVERY;
    if (peer.parole || peer.stalled) return;
    const mine = peer.measured ? peer.latency : 500;
    const { endGame } = picker;
    const margin = endGame ? 1.2 * mine + 10 : 2 * mine + 50;
    let left = Math.min(room, stealBatch(peer));
    for (const partial of picker.partials.values()) {
      if (left <= 0) return;
      if (partial.sole !== 0 || partial.complete || partial.doomed) continue;
      if (!peer.have.has(partial.piece) || !peer.mayAsk(partial.piece))
        continue;
      // From the back: what was asked last is furthest from coming.
      for (let block = partial.blocks - 1; block >= 0 && left > 0; block--) {
        if (partial.state[block] !== ASKED) continue;
        const owner = peers.get(partial.owner[block]);
        if (owner === undefined || owner === peer) continue;
        // Before the end only a seed is relieved, for it alone has what others lack.
        if (!endGame && !(owner.seed && !peer.seed)) continue;
        if (partial.isAskedOf(block, peer.id)) continue;
        if (partial.askedCount(block) >= COPIES) continue;
        if (this.#expected(owner, now - partial.askedAt[block]) <= margin)
          continue;
        partial.addOther(block, peer.id);
        this.#ask(peer, partial.piece, block, partial.lengthOf(block), now);
        left--;
      }
    }
  }

  /** Asks for blocks of urgent pieces once more where they would come too late. */
  #rescue(peer: SwarmPeer, now: number): void {
    const { picker, peers } = this.options;
    if (!peer.measured || peer.parole || peer.stalled) return;
    peer.nextStealAt = now + STEAL_EVERY;
    let left = STEAL_BATCH;
    for (let i = 0; i < picker.deadlines.length && i < URGENT; i++) {
      const { piece, at } = picker.deadlines[i];
      const partial = picker.partials.get(piece);
      if (partial === undefined || partial.sole !== 0 || partial.doomed)
        continue;
      if (!peer.have.has(piece) || !peer.mayAsk(piece)) continue;
      for (let block = 0; block < partial.blocks && left > 0; block++) {
        if (partial.state[block] !== ASKED) continue;
        const owner = peers.get(partial.owner[block]);
        if (owner === undefined || owner === peer) continue;
        const expected = this.#expected(owner, now - partial.askedAt[block]);
        if (now + expected < at || expected < 1.5 * peer.latency) continue;
        if (partial.isAskedOf(block, peer.id)) continue;
        if (partial.askedCount(block) >= COPIES) continue;
        partial.addOther(block, peer.id);
        this.#ask(peer, piece, block, partial.lengthOf(block), now);
        left--;
      }
    }
  }

  /** Milliseconds until a block of this age will come from its owner; an overdue one takes as long again. */
  #expected(owner: SwarmPeer, age: number): number {
    if (owner.stalled || owner.choking) return Infinity;
    const latency = owner.measured ? owner.latency : 1_000;
    return age < latency ? latency - age : age;
  }

  #answered(
    peer: SwarmPeer,
    partial: PartialPiece,
    block: number,
    now: number,
    length: number,
  ): void {
    peer.inFlight--;
    peer.lastBlockAt = now;
    peer.awaitedSince = peer.inFlight > 0 ? now : 0;
    peer.snubbing = false;
    peer.rejects = 0;
    peer.down.add(length);
    if (partial.owner[block] === peer.id && partial.state[block] === ASKED) {
      const latency = now - partial.askedAt[block];
      const error = latency - peer.latency;
      if (peer.measured) {
        peer.latency += error / 8;
        peer.deviation += (Math.abs(error) - peer.deviation) / 8;
      } else {
        peer.latency = latency;
        peer.deviation = latency / 2;
        peer.measured = true;
      }
    } else if (peer.late > 0) {
      peer.late--;
    }
    if (peer.stalled) {
      peer.stalled = false;
      peer.window.restart();
    } else {
      peer.window.onBlock(
        now,
        Math.min(peer.reqq, this.options.settings.maxRequests),
      );
    }
  }

  #finishBlock(partial: PartialPiece, block: number, from: number): void {
    if (partial.others !== undefined || partial.owner[block] !== from)
      this.#cancelAll(partial, block, from);
    partial.finish(block, from);
    if (partial.free === 0) this.options.picker.exhausted(partial);
    this.#verifyIfComplete(partial);
  }

  #verifyIfComplete(partial: PartialPiece): void {
    if (!partial.complete || partial.writers > 0 || partial.doomed) return;
    this.#detach(partial);
    this.options.verify(partial);
  }

  /** Connections that are receiving a copy of a block of it, beside its buffer, are not waited for. */
  #detach(partial: PartialPiece): void {
    if (partial.copies === 0) return;
    for (const peer of this.options.peers.values())
      if (peer.writing === partial) this.#stopWriting(peer);
  }

  /** Cancels the block with everybody but `except`. */
  #cancelAll(partial: PartialPiece, block: number, except: number): void {
    const others = partial.others?.get(block);
    if (others !== undefined) {
      for (const id of others)
        if (id !== except) this.#cancel(partial, block, id, true);
      partial.others?.delete(block);
    }
    const owner = partial.owner[block];
    if (partial.state[block] === ASKED && owner !== except)
      this.#cancel(partial, block, owner, false);
  }

  #cancel(
    partial: PartialPiece,
    block: number,
    id: number,
    other: boolean,
  ): void {
    const peer = this.options.peers.get(id);
    if (peer === undefined) return;
    peer.inFlight--;
    if (other && peer.late > 0) peer.late--;
    if (peer.writing === partial && peer.writingBlock === block) return;
    peer.cancelledRequests++;
    peer.commands.cancel(
      partial.piece,
      block * BLOCK_LENGTH,
      partial.lengthOf(block),
    );
  }

  #makeLate(partial: PartialPiece, block: number, peer: SwarmPeer): void {
    if (partial.state[block] !== ASKED || partial.owner[block] !== peer.id)
      return;
    partial.setFree(block);
    peer.late++;
    this.options.picker.reopened(partial);
  }

  #releaseAll(peer: SwarmPeer): void {
    for (const partial of this.options.picker.partials.values())
      for (let block = 0; block < partial.blocks; block++)
        if (
          partial.isAskedOf(block, peer.id) &&
          partial.withdraw(block, peer.id)
        )
          this.options.picker.reopened(partial);
    peer.inFlight = 0;
    peer.late = 0;
  }

  /** Late requests that nothing came of: the remote has dropped them; probe it anew. */
  #forgetLost(peer: SwarmPeer, now: number): void {
    if (peer.inFlight === 0 || peer.writing !== undefined) return;
    if (now - peer.lastBlockAt < 2 * this.timeoutOf(peer)) return;
    peer.cancelledRequests += peer.inFlight;
    this.#releaseAll(peer);
    peer.lastBlockAt = now;
  }

  #unasked(peer: SwarmPeer, length: number): void {
    this.wasted += length;
    if (peer.cancelledRequests > 0) {
      peer.cancelledRequests--;
      return;
    }
    if (++peer.unaskedBlocks > UNASKED_LIMIT)
      this.options.disconnect(peer, 'unasked-blocks');
  }

  #isBeingWritten(
    partial: PartialPiece,
    block: number,
    by: SwarmPeer,
  ): boolean {
    if (partial.writers === 0) return false;
    for (const peer of this.options.peers.values())
      if (
        peer !== by &&
        peer.writing === partial &&
        peer.writingBlock === block &&
        peer.scratch === undefined
      )
        return true;
    return false;
  }

  #stopWriting(peer: SwarmPeer): void {
    if (peer.writing !== undefined) {
      if (peer.scratch === undefined) peer.writing.writers--;
      else peer.writing.copies--;
    }
    peer.writing = undefined;
    peer.writingBlock = -1;
    peer.scratch = undefined;
  }

  /** Blocks whose bytes waited for a writer to go. */
  #writerLeft(partial: PartialPiece): void {
    if (partial.doomed) {
      this.#endIfDoomed(partial);
      return;
    }
    if (partial.spare !== undefined) {
      for (const [block, { from, bytes }] of partial.spare) {
        if (partial.state[block] === DONE) continue;
        this.options.host
          .target(partial.piece, block * BLOCK_LENGTH, bytes.length)
          .set(bytes);
        this.#cancelAll(partial, block, 0);
        partial.finish(block, from);
      }
      partial.spare = undefined;
      if (partial.free === 0) this.options.picker.exhausted(partial);
    }
    this.#verifyIfComplete(partial);
  }

  #endStuckWriters(partial: PartialPiece, now: number): void {
    for (const peer of [...this.options.peers.values()]) {
      if (peer.writing !== partial || peer.scratch !== undefined) continue;
      if (now - peer.writingSince < WRITER_PATIENCE) continue;
      if (
        partial.doomed ||
        partial.state[peer.writingBlock] === DONE ||
        partial.spare?.has(peer.writingBlock)
      )
        this.options.disconnect(peer, 'stalled-block');
    }
  }
}

/** As many blocks as the peer sends in a tenth of a second or two; a few where that is not known. */
function stealBatch(peer: SwarmPeer): number {
  if (!peer.measured) return 4;
  const blocks = Math.ceil((peer.down.rate * 0.15) / BLOCK_LENGTH);
  return Math.max(1, Math.min(STEAL_BATCH, blocks));
}
