/**
 * What nodes say to each other about records. Every message carries its sender's clock. Requests
 * are `store`, `read`, `chunk`, `list`, `revision`, `digest`, `versions`, `confirm`, `announce`, `glance`, `news`,
 * `handover`; the rest are answers. A frame stays below 512 KiB: values over 64 KiB travel by themselves in
 * chunks that the receiver asks for.
 */
import type { RingId } from '@dnd/chord';
import type { Revision } from './change-log';
import type {
  DataRecord,
  DurableKind,
  RecordKey,
  RecordMeta,
  Version,
} from './record';
import type { Stamp } from './stamp';
import type { Told } from './wall-clock';

/** Bytes of a value at a time. */
export const CHUNK_BYTES = 256 * 1024;
/** A value up to this size travels inside the message that names it. */
export const INLINE_BYTES = 64 * 1024;
/** An answer stops taking in records beyond this many bytes of values. */
export const ANSWER_BYTES = 256 * 1024;
/** At most so many records, keys or versions in one message. */
export const MAX_ENTRIES = 512;
/** At most so many swarms in one glance. */
export const MAX_GLANCES = 8_192;

/** Why a record was not taken. */
export const STORE_CODES = [
  'ok',
  /** A later version is there already. */
  'older',
  'invalid',
  'clock',
  'busy',
  'failed',
] as const;
export type StoreCode = (typeof STORE_CODES)[number];

/** Why a request was not served. */
export type RefusalCode = 'busy' | 'clock' | 'starting';

export interface PlaceQuery {
  readonly place: RingId;
  /** What the asker has, from an earlier answer of any node: then only what differs comes back. */
  readonly version?: string;
  /** Go on after this item, within the version of a first answer. */
  readonly after?: string;
}

export interface PlaceAnswer {
  readonly place: RingId;
  readonly version: string;
  /** Nothing differs from the version asked with. */
  readonly unchanged: boolean;
  /** `items` are all there is; otherwise only what changed since the version asked with. */
  readonly complete: boolean;
  /** In the order of `item`, tombstones included. Values over INLINE_BYTES are left out. */
  readonly items: readonly DataRecord[];
  /** There is more: ask again with this as `after`. */
  readonly next?: string;
}

export interface SwarmPut {
  readonly swarm: RingId;
  /** Peers wanted in the answer, at most 200; 0 asks for the counts. */
  readonly want: number;
  /** Seeds wanted as well. */
  readonly seeds: boolean;
  /** Downloads among `peers` that have become complete since the last announce. */
  readonly completed: number;
  /** From `packPeers`; empty to ask only. */
  readonly peers: Uint8Array;
}

/** What is compared to see whether a swarm has changed. */
export interface SwarmNumbers {
  readonly seeds: number;
  readonly leechers: number;
  readonly completed: number;
  /** 32 bits, made of who is in it: almost never the same when somebody else is, as many as they may be. */
  readonly print: number;
}

/** What its owner says of a swarm. */
export interface SwarmState extends SwarmNumbers {
  /** PEER_BYTES each. */
  readonly peers: Uint8Array;
}

export interface SwarmAnswer extends SwarmState {
  readonly swarm: RingId;
}

export interface SwarmCopy {
  readonly swarm: RingId;
  readonly completed: number;
  /** COPIED_PEER_BYTES each: peers with the time they have left, sequence and origin. */
  readonly peers: Uint8Array;
}

export interface PlaceDigest {
  readonly kind: DurableKind;
  readonly place: RingId;
  readonly digest: string;
}

type Body =
  /** Keep these on your disk. A record with a size but no value is fetched from the sender. */
  | { readonly type: 'store'; readonly items: readonly DataRecord[] }
  | {
      readonly type: 'stored';
      readonly codes: readonly StoreCode[];
      /** The latest stamp of those versions that made a record `older`. */
      readonly latest?: Stamp;
    }
  | {
      readonly type: 'read';
      readonly keys: readonly RecordKey[];
      /** False asks for versions only. */
      readonly values: boolean;
    }
  | {
      readonly type: 'found';
      /** False: this node has just joined and may not hold everything yet. */
      readonly settled: boolean;
      /** One for each key; null where there is none. */
      readonly records: readonly (DataRecord | null)[];
    }
  | {
      readonly type: 'chunk';
      readonly key: RecordKey;
      /** The value that is meant. */
      readonly digest: string;
      readonly offset: number;
    }
  /** Null: this value is not here. */
  | { readonly type: 'piece'; readonly bytes: Uint8Array | null }
  | {
      readonly type: 'list';
      readonly kind: DurableKind;
      readonly places: readonly PlaceQuery[];
    }
  | {
      readonly type: 'listed';
      readonly settled: boolean;
      /** Of the first places asked for; the rest did not fit. */
      readonly lists: readonly PlaceAnswer[];
      /** What a question for the `revision` of this kind would have been answered with. */
      readonly at: Revision;
    }
  /** Another answer than before: a record of this kind has come, changed or gone here. */
  | { readonly type: 'revision'; readonly kind: DurableKind }
  | {
      readonly type: 'revised';
      readonly settled: boolean;
      readonly at: Revision;
    }
  /** The digest of everything the sender holds in (from, to], its own share of the ring. */
  | {
      readonly type: 'digest';
      readonly from: RingId;
      readonly to: RingId;
      readonly digest: string;
    }
  /** Null: the same here. Otherwise the digests by leaf. */
  | { readonly type: 'leaves'; readonly leaves: Uint8Array | null }
  | {
      readonly type: 'versions';
      readonly from: RingId;
      readonly to: RingId;
      readonly leaves: readonly number[];
      readonly after?: RecordKey;
    }
  | {
      readonly type: 'held';
      readonly items: readonly RecordMeta[];
      readonly more: boolean;
    }
  /** Do you hold at least this of these places? */
  | { readonly type: 'confirm'; readonly places: readonly PlaceDigest[] }
  /** Positions of those that differ. The others are kept for half a minute at least. */
  | { readonly type: 'confirmed'; readonly differ: readonly number[] }
  | {
      readonly type: 'announce';
      readonly sequence: number;
      /** From `packPuts`. */
      readonly swarms: Uint8Array;
    }
  | {
      readonly type: 'announced';
      readonly settled: boolean;
      /** From `packAnswers`, of the first swarms; the answers to the rest did not fit. */
      readonly swarms: Uint8Array;
    }
  /** Which of these swarms are no longer as the asker knows them? From `packAnswers`, without peers. */
  | { readonly type: 'glance'; readonly swarms: Uint8Array }
  /** Which swarms have changed since? Not more than `most` are of use. */
  | { readonly type: 'news'; readonly since: Revision; readonly most: number }
  /** These are otherwise now; an answer to `glance` and `news`. */
  | {
      readonly type: 'glanced';
      readonly settled: boolean;
      /** Nothing is left out: false where there is too much news, or the revision asked with is too old. */
      readonly whole: boolean;
      /** From `packAnswers`, without peers. */
      readonly swarms: Uint8Array;
      readonly at: Revision;
    }
  | {
      readonly type: 'handover';
      readonly from: RingId;
      readonly to: RingId;
    }
  | {
      readonly type: 'swarms';
      /** Origins of sequences, by the number that the peers carry. */
      readonly origins: readonly RingId[];
      readonly swarms: readonly SwarmCopy[];
      readonly more: boolean;
    }
  | { readonly type: 'refused'; readonly code: RefusalCode };

export type RecordsBody = Body;
export type RecordsMessage = Body & Told;
export type Answer = RecordsMessage | undefined;
export type { Version };
