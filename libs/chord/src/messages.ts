/**
 * What ring nodes say to each other: plain objects, sent as MessagePack by the owner.
 * `isChordMessage` decides what is let in: every list is bounded, every identifier, host and
 * port is checked, unknown fields are ignored, and another version is no message.
 */
import type { NodeRef, RingId } from './node-ref';
import { isRingId } from './ring-id';

const { MAX_SAFE_INTEGER, isSafeInteger } = Number;

/** Longest list in any message; also the bound of the successor list. */
export const MAX_NODES = 32;

/** `member`: the sender belongs to a ring. Other requests are sent by members only. */
export type ChordRequest =
  | { readonly v: 1; readonly type: 'ping'; readonly member: boolean }
  /** Asks for predecessor and successor list in one reply. */
  | { readonly v: 1; readonly type: 'read' }
  /** Asks for the first `count` successors of `key`, or for nodes nearer to it. */
  | {
      readonly v: 1;
      readonly type: 'find';
      readonly member: boolean;
      readonly key: RingId;
      readonly count: number;
    }
  /** The sender believes that it is the receiver's predecessor. */
  | {
      readonly v: 1;
      readonly type: 'notify';
      readonly successors: readonly NodeRef[];
    }
  /** The sender goes and hands on its neighbours. */
  | {
      readonly v: 1;
      readonly type: 'leave';
      readonly predecessor: NodeRef | null;
      readonly successors: readonly NodeRef[];
    };

interface Answer {
  readonly v: 1;
  /** Who answers, and whether it is a member of a ring yet. */
  readonly me: NodeRef;
  readonly member: boolean;
}

export type ChordReply =
  | (Answer & { readonly type: 'pong' })
  /** The answer to `read` of a node that awaits one itself: ask again shortly. */
  | (Answer & { readonly type: 'busy' })
  | (Answer & {
      readonly type: 'state';
      readonly predecessor: NodeRef | null;
      readonly successors: readonly NodeRef[];
      /** A few other nodes it knows, drawn at random. */
      readonly contacts: readonly NodeRef[];
    })
  /** With `done` the key's first successors, else nodes between the answering one and the key, nearest to the key first. */
  | (Answer & {
      readonly type: 'found';
      readonly done: boolean;
      readonly nodes: readonly NodeRef[];
      /** Of the answering node, from which its asker sees whether the key is its own. */
      readonly predecessor: NodeRef | null;
    })
  /** Refuses a sender whose id is known with a higher incarnation, or at another address. */
  | (Answer & { readonly type: 'stale'; readonly known: NodeRef });

export type ChordMessage = ChordRequest | ChordReply;

/** What a node tells everybody on the multicast group. */
export interface Beacon {
  readonly node: NodeRef;
  readonly state: 'joining' | 'member' | 'leaving';
  /** Of a member; absent in a ring of one. */
  readonly successor?: RingId;
}

export function isChordMessage(value: unknown): value is ChordMessage {
  return isChordRequest(value) || isChordReply(value);
}

export function isChordRequest(value: unknown): value is ChordRequest {
  if (!isRecord(value) || value['v'] !== 1) return false;
  switch (value['type']) {
    case 'read':
      return true;
    case 'ping':
      return typeof value['member'] === 'boolean';
    case 'find':
      return (
        typeof value['member'] === 'boolean' &&
        isRingId(value['key']) &&
        isWhole(value['count'], 1, MAX_NODES)
      );
    case 'notify':
      return isNodeList(value['successors']);
    case 'leave':
      return (
        isNodeList(value['successors']) && isNodeOrNull(value['predecessor'])
      );
    default:
      return false;
  }
}

export function isChordReply(value: unknown): value is ChordReply {
  if (!isRecord(value) || value['v'] !== 1) return false;
  if (!isNodeRef(value['me']) || typeof value['member'] !== 'boolean') {
    return false;
  }
  switch (value['type']) {
    case 'pong':
    case 'busy':
      return true;
    case 'state':
      return (
        isNodeOrNull(value['predecessor']) &&
        isNodeList(value['successors']) &&
        isNodeList(value['contacts'])
      );
    case 'found':
      return (
        typeof value['done'] === 'boolean' &&
        isNodeList(value['nodes']) &&
        isNodeOrNull(value['predecessor'])
      );
    case 'stale':
      return isNodeRef(value['known']);
    default:
      return false;
  }
}

/** A whole reference: 40 hex digits, a host name or address of at most 255 characters, a port, an incarnation. */
export function isNodeRef(value: unknown): value is NodeRef {
  return (
    isRecord(value) &&
    isRingId(value['id']) &&
    typeof value['host'] === 'string' &&
    /^[\w.:%-]{1,255}$/.test(value['host']) &&
    isWhole(value['port'], 1, 65_535) &&
    isWhole(value['incarnation'], 0, MAX_SAFE_INTEGER)
  );
}

export function isBeacon(value: unknown): value is Beacon {
  return (
    isRecord(value) &&
    isNodeRef(value['node']) &&
    (value['state'] === 'joining' ||
      value['state'] === 'member' ||
      value['state'] === 'leaving') &&
    (value['successor'] === undefined || isRingId(value['successor']))
  );
}

function isNodeOrNull(value: unknown): value is NodeRef | null {
  return value === null || isNodeRef(value);
}

function isNodeList(value: unknown): value is NodeRef[] {
  return (
    Array.isArray(value) && value.length <= MAX_NODES && value.every(isNodeRef)
  );
}

function isWhole(value: unknown, least: number, most: number): boolean {
  return (
    typeof value === 'number' &&
    isSafeInteger(value) &&
    value >= least &&
    value <= most
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
