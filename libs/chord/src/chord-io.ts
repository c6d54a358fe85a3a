/** What goes into a ring node and what comes out, besides messages. */
import type { MachineInput, MachineOutput } from './machine';
import type { Beacon, ChordMessage } from './messages';
import type { NodeRef, RingId } from './node-ref';

/** Where a node may be reached of which nothing else is known yet. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

export type ChordInput =
  | MachineInput<ChordMessage>
  /**
   * Begin: find a ring through these contacts and through beacons, or form one. A node that is
   * restarted is a new ChordNode with its old id and a higher incarnation.
   */
  | { readonly type: 'join'; readonly contacts: readonly Address[] }
  /** Somebody's beacon was heard and is authentic. */
  | { readonly type: 'beacon'; readonly beacon: Beacon }
  /** A local question; answered by an output `owners` or `no-owners` of the same `call`. */
  | {
      readonly type: 'lookup';
      readonly call: number;
      readonly key: RingId;
      /** How many owners, the settings' number when absent. */
      readonly count?: number;
    }
  /** This node did not answer its owner in some other matter: look after it. */
  | { readonly type: 'suspect'; readonly id: RingId }
  /** Tell the neighbours and go; an event `left` of the node itself follows. */
  | { readonly type: 'leave' };

export type ChordOutput =
  /** A request whose `to` has the empty id goes to an address of which only host and port are known. */
  | MachineOutput<ChordMessage>
  /** The key's first live successors, nearest first. */
  | {
      readonly type: 'owners';
      readonly call: number;
      readonly key: RingId;
      readonly nodes: readonly NodeRef[];
      /** Nodes whose answers were needed. */
      readonly hops: number;
      readonly timeouts: number;
      /** The first owner was asked too, and answered. */
      readonly confirmed: boolean;
    }
  | {
      readonly type: 'no-owners';
      readonly call: number;
      readonly key: RingId;
      /** Not in a ring; too many lookups at once; nobody left to ask; no answer in time. */
      readonly reason: 'not-joined' | 'overloaded' | 'exhausted' | 'expired';
      readonly hops: number;
      readonly timeouts: number;
    }
  /** The neighbourhood, the membership or the node's own reference is another one. */
  | { readonly type: 'changed'; readonly view: RingView }
  /** To be sent to the multicast group. */
  | { readonly type: 'beacon'; readonly beacon: Beacon }
  /** The node had to take a new incarnation, or a new id: keep it on disk. */
  | { readonly type: 'identity'; readonly self: NodeRef }
  | {
      readonly type: 'event';
      readonly event: RingEvent;
      readonly node: NodeRef;
    };

/**
 * Of the node itself: `joined` a ring, `formed` one of its own, `renamed` after a clash of ids,
 * `left`. Of others: `appeared` first, `suspected` after one time-out, `dead` after two,
 * `returned`, `gone` in order, `merged` when it turned out to belong to another ring.
 */
export type RingEvent =
  | 'joined'
  | 'formed'
  | 'renamed'
  | 'left'
  | 'appeared'
  | 'suspected'
  | 'dead'
  | 'returned'
  | 'gone'
  | 'merged';

export type RingMode = 'idle' | 'joining' | 'member' | 'leaving' | 'left';

export interface RingView {
  readonly self: NodeRef;
  readonly mode: RingMode;
  readonly predecessor: NodeRef | undefined;
  /** Live, clockwise, without the node itself; empty in a ring of one. */
  readonly successors: readonly NodeRef[];
  readonly fingers: readonly NodeRef[];
  readonly contacts: readonly ContactView[];
  /** When predecessor or successors last changed, milliseconds of the machine's clock. */
  readonly stableSince: number;
  /** Live members, this one included: counted in a small ring, estimated in one too large to know. */
  readonly size: number;
}

export interface ContactView {
  readonly node: NodeRef;
  readonly state: 'alive' | 'suspected' | 'dead';
  /** When it was last heard itself. */
  readonly heardAt: number;
  /** Smoothed, milliseconds. */
  readonly roundTrip: number | undefined;
}
