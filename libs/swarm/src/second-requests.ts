/**
 * Asking one more peer for a block that another is slow with: in the end game, to relieve a seed, and
 * for pieces with a deadline. The price is bytes that come twice, so each rule bounds them.
 */
import { ASKED, BLOCK_LENGTH } from './partial-piece';
import type { PiecePicker } from './piece-picker';
import type { Requests } from './requests';
import type { SwarmPeer } from './swarm-peer';

/** Peers asked for one block at the same time, at most. */
const COPIES = 3;
const STEAL_EVERY = 50;
const STEAL_BATCH = 32;
/** Pieces with deadlines that are looked after, the earliest first. */
const URGENT = 8;

export class SecondRequests {
  constructor(
    private readonly options: {
      readonly picker: PiecePicker;
      readonly peers: ReadonlyMap<number, SwarmPeer>;
    },
    private readonly requests: Requests,
  ) {}

  /**
   * Nothing new can be asked of this peer: asks it for blocks that others are slow with. Outside the
   * end game it must be twice as fast as the one who was asked, so that little is sent in vain.
   */
  steal(peer: SwarmPeer, now: number, room: number): void {
    const { picker, peers } = this.options;
    if (now < peer.nextStealAt) return;
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
        this.requests.ask(
          peer,
          partial.piece,
          block,
          partial.lengthOf(block),
          now,
        );
        left--;
      }
    }
  }

  /** Asks for blocks of urgent pieces once more where they would come too late; returns what is left of `room`. */
  rescue(peer: SwarmPeer, now: number, room: number): number {
    const { picker, peers } = this.options;
    if (!peer.measured || peer.parole || peer.stalled) return room;
    if (now < peer.nextRescueAt) return room;
    peer.nextRescueAt = now + STEAL_EVERY;
    const most = Math.min(room, STEAL_BATCH);
    let left = most;
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
        this.requests.ask(peer, piece, block, partial.lengthOf(block), now);
        left--;
      }
    }
    return room - (most - left);
  }

  /** Milliseconds until a block of this age will come from its owner; an overdue one takes as long again. */
  #expected(owner: SwarmPeer, age: number): number {
    if (owner.stalled || owner.choking) return Infinity;
    const latency = owner.measured ? owner.latency : 1_000;
    return age < latency ? latency - age : age;
  }
}

/** As many blocks as the peer sends in a tenth of a second or two; a few where that is not known. */
function stealBatch(peer: SwarmPeer): number {
  if (!peer.measured) return 4;
  const blocks = Math.ceil((peer.down.rate * 0.15) / BLOCK_LENGTH);
  return Math.max(1, Math.min(STEAL_BATCH, blocks));
}
