/**
 * The two directions of one peer connection after its handshake, as plain calls: what the remote
 * says (`PeerEvents`, implemented by whoever decides) and what we say (`PeerCommands`, implemented
 * by the connection). No object is made per message, and a block's bytes are copied once, from the
 * socket's buffer to the place that `blockTarget` names.
 */
import type { Bitfield } from '@dnd/metainfo';

/** Facts from the remote, already checked for form (lengths, order, extension negotiated); indexes are NOT checked against what was asked. */
export interface PeerEvents {
  onChoke(): void;
  onUnchoke(): void;
  onInterested(): void;
  onNotInterested(): void;
  onHave(piece: number): void;
  /** Also for have-all and have-none: always a complete picture. */
  onBitfield(have: Bitfield): void;
  onRequest(piece: number, begin: number, length: number): void;
  onCancel(piece: number, begin: number, length: number): void;
  /** Where the bytes of this block go (exactly `length` long), or undefined: read and dropped. */
  blockTarget(
    piece: number,
    begin: number,
    length: number,
  ): Uint8Array | undefined;
  /** All bytes of a block stand in its target (called only when there was one). */
  onBlock(piece: number, begin: number, length: number): void;
  /** BEP 6. */
  onReject(piece: number, begin: number, length: number): void;
  onSuggest(piece: number): void;
  onAllowedFast(piece: number): void;
  /** BEP 54: the remote has lost this piece. */
  onDontHave(piece: number): void;
}

/** What we say; each call appends to the connection's outgoing bytes. */
export interface PeerCommands {
  /** BEP 6 was offered by both sides. */
  readonly fast: boolean;
  choke(): void;
  unchoke(): void;
  interested(): void;
  notInterested(): void;
  have(piece: number): void;
  /** The first message: bitfield, or have-all / have-none where both sides know BEP 6. */
  bitfield(have: Bitfield): void;
  request(piece: number, begin: number, length: number): void;
  cancel(piece: number, begin: number, length: number): void;
  /** BEP 6; nothing is sent where the remote does not know it. */
  reject(piece: number, begin: number, length: number): void;
  allowedFast(piece: number): void;
  suggest(piece: number): void;
  dontHave(piece: number): void;
  /** Says nothing; a transport that finds nobody there ends the connection. */
  keepAlive(): void;
}
