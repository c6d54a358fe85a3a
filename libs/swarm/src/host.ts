/**
 * What a swarm asks of its owner. The owner binds these few calls to a storage and to sockets and
 * answers later with facts (`Swarm.verified`, `SwarmPeer.served`, ...). Every call is made from
 * inside one of the swarm's own methods, so the owner must not call back into it synchronously
 * (from `serve` and `verify` it may).
 */
import type { SwarmPeer } from './swarm-peer';

/** Why the swarm wants a connection closed. */
export type DisconnectReason =
  /** The remote broke the protocol: an index out of range, a request across a piece's end, ... */
  | 'protocol'
  /** The remote sent bytes that failed the piece's hash. */
  | 'corrupt'
  /** Many blocks that nobody asked for. */
  | 'unasked-blocks'
  /** Both sides have all they want. */
  | 'both-complete'
  /** The remote stopped in the middle of a block that another peer has delivered since. */
  | 'stalled-block'
  /** More requests while choked, or more nonsense, than any client has a reason for. */
  | 'flood';

/** The owner's side of one torrent. */
export interface SwarmHost {
  /**
   * Sets a buffer aside for this piece, from a bounded pool. False: none is free now; the swarm goes
   * on with the pieces it has started and asks again once one of them is finished.
   */
  reserve(piece: number): boolean;

  /** The part of a reserved piece's buffer that a block is received into: exactly `length` bytes. */
  target(piece: number, begin: number, length: number): Uint8Array;

  /**
   * Every block of the piece stands in its buffer: hash it, write it, and answer with
   * `Swarm.verified` (the buffer may be gone by then), `Swarm.corrupt` (the buffer is still to
   * be read through `target`; the swarm then discards it) or `Swarm.unwritten` (likewise).
   */
  verify(piece: number): void;

  /** The piece is given up, or was corrupt: its buffer is free. */
  discard(piece: number): void;

  /**
   * Reads verified bytes and sends them to the peer as `piece` messages of `blockLength` bytes each
   * (the last may be shorter), in order. Answer with `SwarmPeer.served(length)` once the connection
   * has room for more, or with `SwarmPeer.unserved` when the bytes cannot be read.
   */
  serve(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
    blockLength: number,
  ): void;

  /**
   * Close this connection and feed it nothing more, not even the rest of a block: the buffer it
   * writes to may be somebody else's by now. The swarm has already forgotten the peer. `ban`: do not
   * connect to the address again; this may also come for a peer that left before it was found out.
   */
  disconnect(peer: SwarmPeer, reason: DisconnectReason, ban: boolean): void;

  /** All pieces with a priority above 0 are verified (again). */
  finished(): void;
}
