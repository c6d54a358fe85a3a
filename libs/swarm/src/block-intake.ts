/**
 * Blocks that come in: where their bytes go, whose they were, when a piece is whole. One connection
 * writes into a piece's buffer at a place; a second one with the same block gets memory of its own.
 * A buffer is neither verified nor given back while anybody writes into it.
 */
import { ASKED, BLOCK_LENGTH, DONE } from './partial-piece';
import type { PartialPiece } from './partial-piece';
import type { PiecePicker } from './piece-picker';
import type { Requests } from './requests';
import type { SwarmHost } from './host';
import type { SwarmPeer } from './swarm-peer';
import type { SwarmSettings } from './settings';

/** Unasked blocks beyond the cancelled ones before the connection is closed. */
const UNASKED_LIMIT = 64;
/** A connection that stands still inside a block that another peer delivered is closed after this, ms. */
const WRITER_PATIENCE = 3_000;

export interface BlockIntakeOptions {
  readonly picker: PiecePicker;
  readonly host: SwarmHost;
  readonly settings: SwarmSettings;
  readonly peers: ReadonlyMap<number, SwarmPeer>;
  /** All blocks of the piece are there. */
  readonly verify: (partial: PartialPiece) => void;
  readonly disconnect: (
    peer: SwarmPeer,
    reason: 'unasked-blocks' | 'stalled-block',
  ) => void;
}

export class BlockIntake {
  /** Bytes that were received and not needed. */
  wasted = 0;

  constructor(
    private readonly options: BlockIntakeOptions,
    private readonly requests: Requests,
  ) {}

  /** Where a block goes that begins to arrive. */
  blockTarget(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
    now: number,
  ): Uint8Array | undefined {
    // One block at a time: an earlier one that never ended is not coming any more.
    this.stopWriting(peer);
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
    if (partial.writers > 0 && this.#isBeingWritten(partial, block, peer)) {
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
    this.stopWriting(peer);
    const length = partial.lengthOf(block);
    if (!partial.isAskedOf(block, peer.id)) {
      // Given up or delivered by another while it was on its way.
      this.wasted += length;
      this.writerLeft(partial);
      return;
    }
    this.#answered(peer, partial, block, now, length);
    const contested =
      scratch !== undefined &&
      partial.writers > 0 &&
      this.#isBeingWritten(partial, block, peer);
    if (contested) {
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
    let latency = Infinity;
    if (partial.owner[block] === peer.id && partial.state[block] === ASKED) {
      latency = now - partial.askedAt[block];
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
        latency,
        Math.min(peer.reqq, this.options.settings.maxRequests),
      );
    }
  }

  #finishBlock(partial: PartialPiece, block: number, from: number): void {
    if (partial.others !== undefined || partial.owner[block] !== from)
      this.requests.cancelBlock(partial, block, from);
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
      if (peer.writing === partial) this.stopWriting(peer);
  }

  endIfDoomed(partial: PartialPiece): void {
    if (!partial.doomed || partial.writers > 0) return;
    const { piece, suspect } = partial;
    this.#detach(partial);
    this.options.picker.abandoned(piece, suspect);
    this.options.host.discard(piece);
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

  stopWriting(peer: SwarmPeer): void {
    if (peer.writing !== undefined) {
      if (peer.scratch === undefined) peer.writing.writers--;
      else peer.writing.copies--;
    }
    peer.writing = undefined;
    peer.writingBlock = -1;
    peer.scratch = undefined;
  }

  /** Blocks whose bytes waited for a writer to go. */
  writerLeft(partial: PartialPiece): void {
    if (partial.doomed) {
      this.endIfDoomed(partial);
      return;
    }
    if (partial.spare !== undefined) {
      for (const [block, { from, bytes }] of partial.spare) {
        if (partial.state[block] === DONE) continue;
        this.options.host
          .target(partial.piece, block * BLOCK_LENGTH, bytes.length)
          .set(bytes);
        this.requests.cancelBlock(partial, block, 0);
        partial.finish(block, from);
      }
      partial.spare = undefined;
      if (partial.free === 0) this.options.picker.exhausted(partial);
    }
    this.#verifyIfComplete(partial);
  }

  endStuckWriters(partial: PartialPiece, now: number): void {
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
