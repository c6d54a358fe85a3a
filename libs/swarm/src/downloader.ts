/**
 * Keeps each peer's pipeline full, times requests out, and takes back what choking, rejecting and
 * leaving peers owe. What comes in is `BlockIntake`'s, asking twice `SecondRequests`'.
 */
import { BlockIntake } from './block-intake';
import type { BlockIntakeOptions } from './block-intake';
import { ASKED, DONE } from './partial-piece';
import type { PartialPiece } from './partial-piece';
import { Requests } from './requests';
import { SecondRequests } from './second-requests';
import type { SwarmPeer } from './swarm-peer';
import type { TokenBucket } from './token-bucket';

export interface DownloaderOptions extends BlockIntakeOptions {
  readonly limits: readonly TokenBucket[];
}

export class Downloader {
  enabled = true;
  readonly #requests: Requests;
  readonly #intake: BlockIntake;
  readonly #second: SecondRequests;
  #search = 0;

  constructor(private readonly options: DownloaderOptions) {
    this.#requests = new Requests(options);
    this.#intake = new BlockIntake(options, this.#requests);
    this.#second = new SecondRequests(options, this.#requests);
  }

  /** Bytes that were received and not needed. */
  get wasted(): number {
    return this.#intake.wasted;
  }

  /** When a download limit lets the next request through; `Infinity` if none holds one back. */
  get wakeAt(): number {
    return this.#requests.wakeAt;
  }

  /** The limits are looked at again. */
  woken(): void {
    this.#requests.wakeAt = Infinity;
  }

  /** Where a block goes that begins to arrive. */
  blockTarget(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
    now: number,
  ): Uint8Array | undefined {
    return this.#intake.blockTarget(peer, piece, begin, length, now);
  }

  /** The block that `blockTarget` was called for is complete. */
  received(peer: SwarmPeer, now: number): void {
    this.#intake.received(peer, now);
  }

  /** Tops this peer's requests up. */
  fill(peer: SwarmPeer, now: number): void {
    if (!this.enabled || peer.gone || !peer.amInterested) return;
    if (peer.choking && peer.allowedFast === undefined) return;
    if (now < peer.restUntil) return;
    const { picker } = this.options;
    let room = peer.ahead - peer.inFlight;
    // Wait for a quarter of the window to be free: requests then leave many in one write.
    const batch = Math.min(peer.window.size >> 2, 64);
    if (room <= 0 || (room < batch && peer.inFlight > 0)) return;
    room = Math.min(room, this.#requests.allowance(peer, now));
    if (room <= 0) return;
    if (picker.deadlines.length > 0)
      room = this.#second.rescue(peer, now, room);
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
    if (room > 0 && peer.inFlight === 0) this.#second.steal(peer, now, room);
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
    this.#requests.refund(peer, length);
    const owned = partial.owner[block] === peer.id;
    if (!owned && peer.late > 0) peer.late--;
    if (partial.withdraw(block, peer.id)) this.options.picker.reopened(partial);
    if (peer.choking && !peer.allowedFast?.has(piece)) return;
    // A peer that refuses what it lets us ask is not asked for that piece again soon, and soon for nothing.
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
          this.#requests.makeLate(partial, block, peer);
        } else {
          this.#requests.refund(peer, partial.lengthOf(block));
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
    this.#intake.stopWriting(peer);
    if (peer.inFlight > 0) this.#requests.releaseAll(peer);
    if (writing !== undefined && direct) this.#intake.writerLeft(writing);
    this.#endSole(peer);
  }

  /** Pieces that this peer alone was to deliver begin anew with another; true when there were some. */
  #endSole(peer: SwarmPeer): boolean {
    let ended = false;
    for (const partial of [...this.options.picker.partials.values()]) {
      if (partial.sole !== peer.id || partial.complete || partial.doomed)
        continue;
      this.abandon(partial, true);
      ended = true;
    }
    return ended;
  }

  /** A peer that keeps others waiting is not the next to have a suspect piece alone. */
  passOver(peer: SwarmPeer, now: number): void {
    if (peer.stalled)
      peer.restUntil = Math.max(peer.restUntil, now + this.timeoutOf(peer));
  }

  /** The piece is not had by the peer any more. */
  lostPiece(peer: SwarmPeer, piece: number): void {
    const partial = this.options.picker.partials.get(piece);
    if (partial === undefined) return;
    for (let block = 0; block < partial.blocks; block++) {
      if (!partial.isAskedOf(block, peer.id)) continue;
      // With BEP 6 a reject will follow; until then the request counts.
      if (peer.commands.fast) {
        this.#requests.makeLate(partial, block, peer);
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
      this.#requests.cancelBlock(partial, block, 0);
      if (partial.state[block] === ASKED)
        partial.withdraw(block, partial.owner[block]);
    }
    this.options.picker.exhausted(partial);
    partial.doomed = true;
    partial.suspect = suspect;
    this.#intake.endIfDoomed(partial);
  }

  /** Takes every request back; what has been received stays. */
  cancelAll(): void {
    for (const partial of this.options.picker.partials.values())
      for (let block = 0; block < partial.blocks; block++) {
        if (partial.state[block] === DONE || partial.doomed) continue;
        this.#requests.cancelBlock(partial, block, 0);
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
        this.#intake.endStuckWriters(partial, now);
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
        this.#requests.makeLate(partial, block, peer);
        if (!peer.stalled) {
          peer.stalled = true;
          peer.window.collapse();
        }
      }
    }
    for (const peer of peers.values()) {
      this.#forgetLost(peer, now);
      if (peer.stalled && this.#endSole(peer)) this.passOver(peer, now);
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
      this.#requests.ask(peer, piece, block, partial.lengthOf(block), now);
      room--;
    }
    if (partial.free === 0) this.options.picker.exhausted(partial);
    return room;
  }

  /** Late requests that nothing came of: the remote has dropped them; probe it anew. */
  #forgetLost(peer: SwarmPeer, now: number): void {
    if (peer.inFlight === 0 || peer.writing !== undefined) return;
    if (now - peer.lastBlockAt < 2 * this.timeoutOf(peer)) return;
    peer.cancelledRequests += peer.inFlight;
    this.#requests.releaseAll(peer);
    peer.lastBlockAt = now;
  }
}
