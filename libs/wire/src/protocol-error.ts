/** Why a connection is not worth keeping; each names one broken rule. */
export type ProtocolErrorCode =
  /** Not a BitTorrent handshake, or one that breaks its form. */
  | 'handshake'
  /** The info-hash is of no torrent here, or not the one that was dialled. */
  | 'unknown-torrent'
  /** The other end is this very peer: close and do not dial the address again. */
  | 'self-connection'
  /** Message-stream encryption: bad key, pad, verification or choice of method. */
  | 'encryption'
  /** A message longer than its kind may ever be. */
  | 'too-long'
  /** A message of fixed length has another length. */
  | 'bad-length'
  /** A bitfield, have-all or have-none where it may not stand. */
  | 'bad-order'
  /** A bitfield that does not fit the torrent. */
  | 'bad-bitfield'
  /** A piece index outside the torrent. */
  | 'bad-index'
  /** A request that no peer may ask. */
  | 'bad-request'
  /** A message of an extension that was not agreed on. */
  | 'not-negotiated'
  /** An extension message that cannot be understood and may not be ignored. */
  | 'bad-extension'
  /** The remote makes us answer and does not read the answers. */
  | 'output-overflow';

/** The remote broke the protocol: close the connection and count it against the peer. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: ProtocolErrorCode;

  constructor(code: ProtocolErrorCode, detail: string) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}

/** The remote took too long: close the connection; nothing is held against the peer. */
export class PeerTimeoutError extends Error {
  override readonly name = 'PeerTimeoutError';
  readonly code: 'handshake' | 'silent';

  constructor(code: 'handshake' | 'silent') {
    super(
      code === 'handshake'
        ? 'the handshake was not complete in time'
        : 'nothing was heard of the peer for too long',
    );
    this.code = code;
  }
}
