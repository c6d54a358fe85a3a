/**
 * Who has what: each peer's pieces, how often each piece is to be had, and how many of a peer's
 * pieces we want. A peer that came as a seed is counted as one, not piece by piece.
 */
import type { Bitfield } from '@dnd/metainfo';
import type { PiecePicker } from './piece-picker';
import type { SwarmPeer } from './swarm-peer';

export class Holdings {
  constructor(
    private readonly picker: PiecePicker,
    private readonly peers: ReadonlyMap<number, SwarmPeer>,
  ) {}

  /** False if the peer had it already. */
  add(peer: SwarmPeer, piece: number): boolean {
    if (peer.have.has(piece)) return false;
    makeOwn(peer);
    peer.have.add(piece);
    this.picker.order.change(piece, 1);
    peer.dryEpoch = -1;
    if (this.picker.wants(piece)) peer.wanted++;
    return true;
  }

  /** The peer's pieces, all of them. False if it had some that are not among them. */
  set(peer: SwarmPeer, have: Bitfield): boolean {
    const known = peer.have.bytes;
    const { bytes, complete } = have;
    let grows = true;
    for (let i = 0; i < bytes.length; i++) {
      if ((known[i] & ~bytes[i]) !== 0) grows = false;
      const before = peer.countedAsSeed ? 0 : known[i];
      this.#change(8 * i, before, complete ? 0 : bytes[i]);
    }
    peer.have = have;
    peer.shared = true;
    peer.countedAsSeed = complete;
    this.countWanted(peer);
    peer.dryEpoch = -1;
    return grows;
  }

  /** False if the peer did not have it. */
  remove(peer: SwarmPeer, piece: number): boolean {
    if (!peer.have.has(piece)) return false;
    if (peer.countedAsSeed) {
      peer.countedAsSeed = false;
      this.picker.order.changeAll(peer.have, 1);
    }
    makeOwn(peer);
    peer.have.delete(piece);
    this.picker.order.change(piece, -1);
    if (this.picker.wants(piece)) peer.wanted--;
    return true;
  }

  /** The peer's pieces are not to be had any more. */
  forget(peer: SwarmPeer): void {
    if (!peer.countedAsSeed && peer.have.count > 0)
      this.picker.order.changeAll(peer.have, -1);
    peer.countedAsSeed = false;
  }

  /** Counts eight pieces anew. */
  #change(first: number, before: number, now: number): void {
    if (before === now) return;
    for (let bit = 0; bit < 8; bit++) {
      const mask = 0x80 >> bit;
      if (((before ^ now) & mask) === 0) continue;
      this.picker.order.change(first + bit, (now & mask) !== 0 ? 1 : -1);
    }
  }

  countWanted(peer: SwarmPeer): void {
    const { picker } = this;
    peer.wanted = 0;
    if (picker.missing === 0) return;
    if (peer.have.complete) peer.wanted = picker.missing;
    else
      for (let piece = 0; piece < peer.have.size; piece++)
        if (peer.have.has(piece) && picker.wants(piece)) peer.wanted++;
  }

  /** Connected peers that hold each piece, seeds counted. */
  availability(): Uint16Array {
    const all = this.picker.order.availability.slice();
    let seeds = 0;
    for (const peer of this.peers.values()) if (peer.countedAsSeed) seeds++;
    if (seeds > 0)
      for (let piece = 0; piece < all.length; piece++) all[piece] += seeds;
    return all;
  }
}

/** `have` is about to be changed: it must be this peer's alone. */
function makeOwn(peer: SwarmPeer): void {
  if (!peer.shared) return;
  peer.have = peer.have.clone();
  peer.shared = false;
}
