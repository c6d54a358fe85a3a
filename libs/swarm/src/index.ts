export { Swarm } from './swarm';
export type { SwarmOptions } from './swarm';
export { SwarmPeer } from './swarm-peer';
export type { PeerSource, PeerTraits } from './swarm-peer';
export type { DisconnectReason, SwarmHost } from './host';
export { defaultSettings } from './settings';
export type { SwarmSettings } from './settings';
export { peerStats, swarmStats } from './swarm-stats';
export type { PeerStats, SwarmStats } from './swarm-stats';
export { PeerBook, keyOf } from './peer-book';
export type {
  DialledAddress,
  KnownPeer,
  PeerAddress,
  PeerBookOptions,
} from './peer-book';
export { leastUseful } from './peer-turnover';
export { TokenBucket } from './token-bucket';
export { RateMeter } from './rate-meter';
export { BLOCK_LENGTH } from './partial-piece';
