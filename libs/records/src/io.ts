/**
 * How the records of one node are driven: the facts that they are told, the commands that they
 * give, and what their owner decides for them. All times are milliseconds.
 *
 * The disk, in four lines. On `persist`, in one transaction: delete `removals`, then insert or
 * replace `upserts` (primary key kind, place, item; a tombstone has no value), make it durable,
 * answer `persisted`. The next `persist` comes only after that answer. On `fetch`, answer
 * `fetched` with the values of the keys, in their order, undefined where there is none. At the
 * start, `loaded` with all rows less their values, in parts as large as is convenient, the last
 * one with `last: true`, an empty disk too; nothing is served before.
 */
import type { MachineInput, MachineOutput, NodeRef, RingId } from '@dnd/chord';
import type { Revision } from './change-log';
import type { DataRecord, DurableKind, RecordKey, RecordMeta } from './record';
import type { PlaceAnswer, RecordsMessage } from './message';

export interface RecordsOptions {
  /** This node in this incarnation. */
  readonly self: NodeRef;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  /**
   * Is this value fit for this record? A .torrent must hash to its item, a catalogue entry must
   * name a torrent of its place. Called once for each value that comes in, whoever sends it.
   */
  readonly validate: (
    kind: DurableKind,
    place: RingId,
    item: string,
    value: Uint8Array,
  ) => boolean;
  /** The time of day (milliseconds since 1970) less `now`; 0 where `now` is the time of day. */
  readonly wallOffset?: number;
  /** Between two rounds of anti-entropy; 10 s. */
  readonly repairEvery?: number;
  /**
   * Deleted records remembered at most; 200,000, of which the oldest are forgotten first. Age alone
   * does not count: a node that was away for a year brings back what is no longer known as deleted.
   */
  readonly maxTombstones?: number;
  /** Values kept in memory after they were read; 16 MiB. */
  readonly cacheBytes?: number;
  /**
   * What one other node may write here, a second; bursts of ten seconds' worth are taken. All that
   * comes from one address, whatever it calls itself, may be four times that.
   */
  readonly writesPerSecond?: number;
  readonly bytesPerSecond?: number;
}

/** One write: a value, or none to delete. */
export interface RecordWrite extends RecordKey {
  readonly value?: Uint8Array;
}

/** So far is known what a node says of what it keeps. */
export interface Heard {
  readonly node: NodeRef;
  readonly at: Revision;
}

/** What the node itself wants; each is answered by one `done` or `failed` of the same `op`. */
export type Operation =
  /** Writes one record or several. `strict`: only where three nodes live, and on all three. */
  | {
      readonly type: 'put';
      readonly op: number;
      readonly items: readonly RecordWrite[];
      readonly strict?: boolean;
    }
  | { readonly type: 'get'; readonly op: number; readonly key: RecordKey }
  /** All items at one place; `version` of an earlier answer leaves out what is known. */
  | {
      readonly type: 'list';
      readonly op: number;
      readonly kind: DurableKind;
      readonly place: RingId;
      readonly version?: string;
    }
  /** The same for many places, one message an owner, each answered by one replica. */
  | {
      readonly type: 'poll';
      readonly op: number;
      readonly kind: DurableKind;
      readonly places: readonly {
        readonly place: RingId;
        readonly version?: string;
      }[];
    }
  /** Has no record of a kind come, changed or gone at these nodes since they answered to a `poll`? */
  | {
      readonly type: 'compare';
      readonly op: number;
      readonly kind: DurableKind;
      readonly heard: readonly Heard[];
    }
  /** Announces to and asks about many swarms in one. */
  | {
      readonly type: 'announce';
      readonly op: number;
      /** From `packPuts` or `packQuestions`. */
      readonly swarms: Uint8Array;
    }
  /** Which of these swarms are otherwise now? Their owners say how. */
  | {
      readonly type: 'glance';
      readonly op: number;
      /** What is known of them, from `packAnswers`, without peers. */
      readonly swarms: Uint8Array;
    }
  /** What else has changed among the swarms of these owners? Not more of each than `most` is of use. */
  | {
      readonly type: 'news';
      readonly op: number;
      readonly heard: readonly Heard[];
      readonly most: number;
    }
  /** Before this node leaves for good: brings what it holds to those who keep it then. */
  | { readonly type: 'handOver'; readonly op: number };

export type RecordsInput =
  | MachineInput<RecordsMessage>
  | Operation
  /** The ring around us has changed: live successors nearest first, without ourselves. */
  | {
      readonly type: 'view';
      /** This node, when its id or incarnation has changed. */
      readonly self?: NodeRef;
      readonly predecessor?: NodeRef;
      readonly successors: readonly NodeRef[];
      /** When predecessor or successors last changed. */
      readonly stableSince: number;
    }
  /** The answer to a `lookup`: the live successors of the place, nearest first; empty for a failure. */
  | {
      readonly type: 'owners';
      readonly call: number;
      readonly owners: readonly NodeRef[];
    }
  /** `time` of day less `now` has changed. */
  | { readonly type: 'clock'; readonly wallOffset: number }
  | {
      readonly type: 'loaded';
      readonly records: readonly RecordMeta[];
      readonly last: boolean;
    }
  | { readonly type: 'persisted'; readonly batch: number; readonly ok: boolean }
  | {
      readonly type: 'fetched';
      readonly call: number;
      readonly values: readonly (Uint8Array | undefined)[];
    };

export type FailureCode =
  /** The ring gave no owners: this node is not on it. */
  | 'no-owners'
  /** Too few replicas answered in time; what was written may still be there. */
  | 'timeout'
  /** A strict write, and fewer than three nodes live. */
  | 'too-few-nodes'
  /** Too large, an item name too long, a value that its kind does not allow. */
  | 'invalid'
  /** This node's clock differs from its neighbours' and could not be corrected. */
  | 'clock'
  /** Others keep writing the same record, and theirs came later. */
  | 'conflict'
  /** Too much at once, or the disk fails. */
  | 'busy';

export type OperationResult =
  | {
      readonly type: 'stored';
      /** Disks that hold every record of the operation. */
      readonly copies: number;
      /**
       * Live nodes that may hold them, as far as this one knows; more than are wanted do not count. Fewer
       * copies than these: the others are under way, and repair makes them anew should they be lost.
       */
      readonly nodes: number;
      /** Copies there should be. */
      readonly wanted: number;
    }
  | {
      readonly type: 'record';
      /** Undefined where there is none, or it was deleted. */
      readonly record: DataRecord | undefined;
    }
  /** Places where nothing differs are left out of a poll's `lists`; `missed` gave no answer. */
  | {
      readonly type: 'lists';
      readonly lists: readonly PlaceAnswer[];
      readonly missed: readonly RingId[];
      /** Who answered. */
      readonly heard: readonly Heard[];
    }
  /** False, too, where a node does not answer. */
  | { readonly type: 'compared'; readonly same: boolean }
  | {
      readonly type: 'swarms';
      /** From `packAnswers`; swarms that no owner could be reached for are left out. */
      readonly swarms: Uint8Array;
    }
  | {
      readonly type: 'glanced';
      /** Of swarms that are otherwise: `packAnswers`, without peers. */
      readonly swarms: Uint8Array;
      /** Who said so, to be asked for news from now on. */
      readonly heard: readonly Heard[];
      /** All owners answered, and with all they had. */
      readonly whole: boolean;
    }
  /** `whole`: three others, or as many as live, hold each of our records. */
  | { readonly type: 'handedOver'; readonly whole: boolean };

/** Replication as this node sees it. */
export interface RecordsHealth {
  /** Records on this node's disk, tombstones included. */
  readonly records: number;
  readonly tombstones: number;
  readonly bytes: number;
  /** Records whose first owner is this node. */
  readonly owned: number;
  /** Of these, how many had fewer copies than wanted at the end of the last round. */
  readonly underReplicated: number;
  /** Records held that belong elsewhere. */
  readonly foreign: number;
  /** Copies differ, or were not all compared yet. */
  readonly repairing: boolean;
  readonly repair: {
    /** Who is compared with, or brought copies, at this moment. */
    readonly with: readonly RingId[];
    /** Records sent to others, fetched from them and given up here since the start. */
    readonly sent: number;
    readonly fetched: number;
    readonly dropped: number;
  };
  readonly swarms: number;
  readonly peers: number;
}

export type RecordsOutput =
  | MachineOutput<RecordsMessage>
  /** Which are the first `count` live successors of this place, this node among them? */
  | {
      readonly type: 'lookup';
      readonly call: number;
      readonly place: RingId;
      readonly count: number;
    }
  /** This node did not answer: the ring should look after it. */
  | { readonly type: 'suspect'; readonly id: RingId }
  | {
      readonly type: 'persist';
      readonly batch: number;
      readonly upserts: readonly DataRecord[];
      readonly removals: readonly RecordKey[];
    }
  | {
      readonly type: 'fetch';
      readonly call: number;
      readonly keys: readonly RecordKey[];
    }
  | {
      readonly type: 'done';
      readonly op: number;
      readonly result: OperationResult;
    }
  | {
      readonly type: 'failed';
      readonly op: number;
      readonly code: FailureCode;
      /** Fewest disks that hold a record of a failed put. */
      readonly copies?: number;
    }
  | { readonly type: 'health'; readonly health: RecordsHealth };
