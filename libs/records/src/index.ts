export { isRecordsMessage } from './guard';
export type { Revision } from './change-log';
export type {
  FailureCode,
  Heard,
  Operation,
  OperationResult,
  RecordsHealth,
  RecordsInput,
  RecordsOptions,
  RecordsOutput,
  RecordWrite,
} from './io';
export type {
  PlaceAnswer,
  RecordsMessage,
  SwarmAnswer,
  SwarmNumbers,
  SwarmPut,
  SwarmState,
} from './message';
export {
  ANNOUNCED_PEER_BYTES,
  GONE,
  MAX_TTL_MS,
  packPeer,
  packPeers,
  PARTIAL_SEED,
  PEER_BYTES,
  SEED,
  unpackPeers,
} from './peer';
export type { AnnouncedPeer, Peer } from './peer';
export {
  digestOf,
  isTombstone,
  MAX_ITEM_LENGTH,
  MAX_TORRENT_BYTES,
  MAX_VALUE_BYTES,
  mergeVersions,
  REPLICAS,
} from './record';
export type {
  DataRecord,
  DurableKind,
  RecordKey,
  RecordMeta,
  Version,
} from './record';
export { Records } from './records';
export { stampTime } from './stamp';
export type { Stamp } from './stamp';
export {
  areAnswers,
  arePuts,
  areStates,
  countAnswers,
  eachAnswer,
  packAnswers,
  packPuts,
  packQuestions,
  STATE_BYTES,
  unpackAnswers,
  unpackPuts,
  writeNumbers,
} from './swarm-pack';
export {
  MAX_PEERS_GIVEN,
  MAX_PEERS_KEPT,
  mergeSwarmVersions,
} from './swarm-table';
export type { KeptSwarms } from './swarm-table';
export type { SwarmVersion } from './swarm-table';
