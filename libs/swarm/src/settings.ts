/** What the owner of a swarm can tune. Sizes in bytes, times in milliseconds unless a name says otherwise. */

export interface SwarmSettings {
  /** Most requests outstanding with one peer, however fast; the peer's own `reqq` bounds it further. */
  maxRequests: number;
  /** Seconds of a peer's bandwidth that are kept requested, and more where that makes it faster. */
  requestAheadSeconds: number;
  /** Most requests that a peer may have queued with us; what our extended handshake says as `reqq`. */
  reqq: number;
  /** Peers that may download from us at once; 'auto' follows the upload rate. */
  uploadSlots: number | 'auto';
  /** How a seed chooses whom to unchoke. */
  seedChoking: 'round-robin' | 'fastest';
  /** Most bytes handed to one connection and not yet reported as served; a slow one gets less. */
  sendAhead: number;
  /** Adjacent requests of one peer are served by one read of at most this size. */
  readRun: number;
  /** Pieces taken at random before rarest-first begins, so that there is something to trade early. */
  randomFirstPieces: number;
  /** Pieces in their order rather than rarest first. */
  sequential: boolean;
  /** BEP 16: show each peer one piece at a time. */
  superSeeding: boolean;
  /** As a seed, suggest different pieces to different peers (BEP 6), so that each leaves here once. */
  spread: boolean;
  /** Shortest and longest time that a request may stay unanswered before another peer is asked. */
  requestTimeoutMin: number;
  requestTimeoutMax: number;
  /** A peer that sends nothing for this long though asked may be gone: a keep-alive finds out. */
  probeAfter: number;
  /** A peer that sends nothing for this long though asked is snubbing us. */
  snubAfter: number;
  rechokeEvery: number;
  optimisticEvery: number;
}

export const defaultSettings: Readonly<SwarmSettings> = {
  maxRequests: 2000,
  requestAheadSeconds: 0.3,
  reqq: 2000,
  uploadSlots: 'auto',
  seedChoking: 'round-robin',
  sendAhead: 1024 * 1024,
  readRun: 256 * 1024,
  randomFirstPieces: 4,
  sequential: false,
  superSeeding: false,
  spread: true,
  requestTimeoutMin: 8_000,
  requestTimeoutMax: 30_000,
  probeAfter: 2_000,
  snubAfter: 60_000,
  rechokeEvery: 10_000,
  optimisticEvery: 30_000,
};
