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
export type {
  ChangedPeer,
  ChangeSink,
  CopiedPeer,
  SwarmCopy,
} from './swarm-exchange';
export { HttpTracker } from './http-tracker';
export type {
  Admission,
  HttpTrackerOptions,
  Known,
  TrackerCounters,
} from './http-tracker';
export { HttpTrackerConnection } from './http-tracker-connection';
export type { Sink } from './http-tracker-connection';
export { announceInterval } from './announce-interval';
export {
  encodeLsd,
  LSD_HOST_V4,
  LSD_HOST_V6,
  LSD_MAX_BYTES,
  LSD_PORT,
  parseLsd,
} from './lsd';
export type { LsdAnnounce } from './lsd';
export { LSD_DATAGRAM_GAP, LSD_TORRENT_GAP, LsdPace } from './lsd-pace';
export { UDP_MAX_ANSWER, UdpTracker } from './udp-tracker';
export type { UdpTrackerOptions } from './udp-tracker';
export { AnnounceSchedule } from './announce-schedule';
export type {
  AnnounceScheduleOptions,
  ScheduleEvent,
  ScheduleInput,
  ScheduleOutput,
  TrackerState,
} from './announce-schedule';
export {
  parseAnnounceAnswer,
  parseScrapeAnswer,
  TrackerAnswerError,
  TrackerFailure,
} from './tracker-answer';
export type {
  AnnounceAnswer,
  ScrapeAnswer,
  ScrapeEntry,
  TrackerAnswerErrorCode,
  TrackerPeer,
} from './tracker-answer';
export { announceUrl, refuseTrackerUrl, scrapeUrl } from './tracker-url';
export type { AnnounceFacts, ClientEvent } from './tracker-url';
export { UdpTrackerClient } from './udp-tracker-client';
export type {
  UdpClientInput,
  UdpClientOutput,
  UdpTrackerClientOptions,
} from './udp-tracker-client';
