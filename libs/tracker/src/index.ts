export { formatAddress, parseAddress } from './address';
export type { AddressLength } from './address';
export {
  AnnounceEvent,
  AnnounceRequest,
  DEFAULT_NUMWANT,
  MAX_NUMWANT,
} from './announce-request';
export type { AnnounceEventCode } from './announce-request';
export { AnnounceTable } from './announce-table';
export type {
  AnnounceResult,
  AnnounceTableOptions,
  ChosenPeer,
  SwarmCounts,
  TableStats,
} from './announce-table';
export { SwarmUpdateError } from './swarm-exchange';
export type { ChangeFeed, SwarmUpdate } from './swarm-exchange';
export { HttpTracker, HttpTrackerConnection } from './http-tracker';
export type {
  Admission,
  HttpTrackerOptions,
  Sink,
  TrackerCounters,
} from './http-tracker';
export {
  encodeLsd,
  LSD_HOST_V4,
  LSD_HOST_V6,
  LSD_MAX_BYTES,
  LSD_PORT,
  parseLsd,
} from './lsd';
export type { LsdAnnounce } from './lsd';
export { UdpTracker } from './udp-tracker';
export type { UdpTrackerOptions } from './udp-tracker';
