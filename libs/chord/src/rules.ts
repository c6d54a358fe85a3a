/**
 * The ring's own rules as pure functions: which nodes become successors, and who is the better
 * predecessor (Zave, arXiv 1610.01140, with the healing rule: the list is always the first r
 * responding nodes clockwise).
 */
import type { NodeRef, RingId } from './node-ref';
import { between } from './node-ref';
import { clockwiseFrom } from './ring-id';

export interface RingRules {
  /** The successor list of `self` from nodes that responded, each once, in any order. */
  successors(
    self: RingId,
    responding: readonly NodeRef[],
    length: number,
  ): NodeRef[];
  /** Is `candidate` to replace the live predecessor `current`? */
  precedes(current: NodeRef, candidate: NodeRef, self: RingId): boolean;
}

export const ringRules: RingRules = {
  successors(self, responding, length) {
    const clockwise = clockwiseFrom(self);
    return [...responding]
      .sort((a, b) => clockwise(a.id, b.id))
      .slice(0, length);
  },
  precedes(current, candidate, self) {
    return between(current.id, candidate.id, self);
  },
};
