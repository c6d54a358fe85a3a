/**
 * What is asked of whom: sends requests and cancels, keeps each peer's count of them and what the
 * download limits have left.
 */
import { ASKED, BLOCK_LENGTH } from './partial-piece';
import type { PartialPiece } from './partial-piece';
import type { PiecePicker } from './piece-picker';
import type { SwarmPeer } from './swarm-peer';
import type { TokenBucket } from './token-bucket';
import { allowance as allowanceOf } from './token-bucket';

export interface RequestsOptions {
  readonly picker: PiecePicker;
  readonly limits: readonly TokenBucket[];
  readonly peers: ReadonlyMap<number, SwarmPeer>;
}

export class Requests {
  /** When a download limit lets the next request through; `Infinity` if none holds one back. */
  wakeAt = Infinity;

  constructor(private readonly options: RequestsOptions) {}

  /** Blocks that the download limits let this peer be asked for now. */
  allowance(peer: SwarmPeer, now: number): number {
    const { limits } = this.options;
    if (limits.length === 0 || peer.traits.unlimited) return Infinity;
    const bytes = allowanceOf(limits, now);
    if (bytes >= BLOCK_LENGTH) return Math.floor(bytes / BLOCK_LENGTH);
    if (bytes > 0) return 1;
    for (const limit of limits)
      this.wakeAt = Math.min(
        this.wakeAt,
        Math.max(limit.readyAt(1, now), now + 5),
      );
    return 0;
  }

  /** The block has been noted as asked of this peer; tells the peer. */
  ask(
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

  /** Nothing will come for a request of this length. */
  refund(peer: SwarmPeer, length: number): void {
    if (peer.traits.unlimited) return;
    for (const limit of this.options.limits) limit.refund(length);
  }

  /** Cancels the block with everybody but `except`. */
  cancelBlock(partial: PartialPiece, block: number, except: number): void {
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

  /** Lets others be asked for the block, while this peer may still deliver it. */
  makeLate(partial: PartialPiece, block: number, peer: SwarmPeer): void {
    if (partial.state[block] !== ASKED || partial.owner[block] !== peer.id)
      return;
    partial.setFree(block);
    peer.late++;
    this.options.picker.reopened(partial);
  }

  /** This peer will deliver nothing that it was asked for. */
  releaseAll(peer: SwarmPeer): void {
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
}
