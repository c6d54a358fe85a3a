/**
 * The routing step: what one node answers to "who are the first successors of this key?" from
 * what it holds, without asking anybody. The program, the simulations and the reproduction of
 * the papers' figures all decide every hop here.
 */
import { MAX_NODES } from './messages';
import type { NodeRef, RingId } from './node-ref';
import { between, betweenIncl } from './node-ref';

/** A node that may be routed to. */
export interface Routable {
  readonly node: NodeRef;
  /** Believed to be a live member. */
  readonly usable: boolean;
}

export interface RoutingView {
  readonly self: NodeRef;
  readonly predecessor: NodeRef | undefined;
  /** Clockwise from the node itself, without it. */
  readonly successors: readonly NodeRef[];
  /** The successors are all the other nodes there are. */
  readonly complete: boolean;
  /** Every known node, successors and fingers included, in ascending order of id. */
  readonly table: readonly Routable[];
}

export interface Route {
  /** `nodes` are the key's first successors; otherwise they precede it, nearest first. */
  readonly done: boolean;
  readonly nodes: readonly NodeRef[];
}

/** Nearer nodes named in one answer, so that the asker has others when some are dead. */
const ALTERNATIVES = 8;

/**
 * `count` owners are asked for. Fewer are given only when the ring has no more, and more when
 * they are known, so that the asker has others when some are dead.
 */
export function route(view: RoutingView, key: RingId, count: number): Route {
  const { self, predecessor, successors } = view;
  if (successors.length === 0) return { done: true, nodes: [self] };
  if (predecessor && betweenIncl(predecessor.id, key, self.id)) {
    return { done: true, nodes: [self, ...successors].slice(0, MAX_NODES) };
  }
  let before = self;
  for (let i = 0; i < successors.length; i++) {
    const successor = successors[i] as NodeRef;
    if (betweenIncl(before.id, key, successor.id)) {
      return fromList(view, i, count);
    }
    before = successor;
  }
  if (view.complete) {
    return { done: true, nodes: [self, ...successors].slice(0, MAX_NODES) };
  }
  const nearer = preceding(view.table, self.id, key, ALTERNATIVES);
  return { done: false, nodes: nearer.length > 0 ? nearer : [before] };
}

/** The key lies just before the successor at `index`. */
function fromList(view: RoutingView, index: number, count: number): Route {
  const { self, successors, complete } = view;
  const nodes = successors.slice(index);
  if (complete) nodes.push(self, ...successors.slice(0, index));
  if (nodes.length < count && !complete && index > 0) {
    // Those before it hold more of the list than this node does.
    const nearer = successors.slice(Math.max(0, index - ALTERNATIVES), index);
    return { done: false, nodes: nearer.reverse() };
  }
  return { done: true, nodes: nodes.slice(0, MAX_NODES) };
}

/** Up to `count` usable nodes of the sorted table in (self, key), nearest to the key first. */
export function preceding(
  table: readonly Routable[],
  self: RingId,
  key: RingId,
  count: number,
): NodeRef[] {
  const nodes: NodeRef[] = [];
  const size = table.length;
  let at = firstAtOrAfter(table, key);
  for (let seen = 0; seen < size && nodes.length < count; seen++) {
    at = at === 0 ? size - 1 : at - 1;
    const entry = table[at] as Routable;
    if (!between(self, entry.node.id, key)) break;
    if (entry.usable) nodes.push(entry.node);
  }
  return nodes;
}

/** Where `key` is, or would be inserted, in a table sorted by id. */
export function firstAtOrAfter(
  table: readonly Routable[],
  key: RingId,
): number {
  let low = 0;
  let high = table.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((table[middle] as Routable).node.id < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
