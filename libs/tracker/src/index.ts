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
