export { decodeBeacon, encodeBeacon } from './beacon-codec';
export type {
  Address,
  ChordInput,
  ChordOutput,
  ContactView,
  RingEvent,
  RingMode,
  RingView,
} from './chord-io';
export { ChordNode } from './chord-node';
export type { ChordOptions } from './chord-node';
export { ringFlaws } from './ideal-ring';
export type { Placed } from './ideal-ring';
export type { Machine, MachineInput, MachineOutput } from './machine';
export {
  isBeacon,
  isChordMessage,
  isChordReply,
  isChordRequest,
  isNodeRef,
} from './messages';
export type {
  Beacon,
  ChordMessage,
  ChordReply,
  ChordRequest,
} from './messages';
export { between, betweenIncl } from './node-ref';
export type { NodeRef, RingId } from './node-ref';
export { clockwiseFrom, isRingId, randomRingId, shareOfRing } from './ring-id';
export { route } from './routing';
export type { Routable, Route, RoutingView } from './routing';
export { ringRules } from './rules';
export type { RingRules } from './rules';
export { defaultSettings } from './settings';
export type { ChordSettings } from './settings';
