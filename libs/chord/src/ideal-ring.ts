/** What a ring at rest must be, for simulations and tools: compares what nodes believe with who lives. */
import type { NodeRef } from './node-ref';

/** One member and its neighbours as it knows them; a ChordNode is one. */
export interface Placed {
  readonly self: NodeRef;
  readonly predecessor: NodeRef | undefined;
  readonly successors: readonly NodeRef[];
}

/**
 * Where these members differ from the ideal ring of just them, in words: each holds the next
 * min(`length`, N - 1) as its successors and the one before it as its predecessor.
 */
export function ringFlaws(nodes: readonly Placed[], length: number): string[] {
  const members = [...nodes].sort((a, b) => (a.self.id < b.self.id ? -1 : 1));
  const size = members.length;
  const at = (i: number) => (members[(i + size) % size] as Placed).self;
  const flaws: string[] = [];
  members.forEach(({ self, predecessor, successors }, i) => {
    const name = self.id.slice(0, 6);
    const count = Math.min(length, size - 1);
    const wanted = Array.from({ length: count }, (_, n) => at(i + 1 + n));
    if (list(successors) !== list(wanted)) {
      flaws.push(`${name} has ${list(successors)} for ${list(wanted)}`);
    }
    const before = size > 1 ? at(i - 1) : undefined;
    if (predecessor?.id !== before?.id) {
      flaws.push(
        `${name} is preceded by ${predecessor?.id.slice(0, 6)} for ${before?.id.slice(0, 6)}`,
      );
    }
  });
  return flaws;
}

function list(nodes: readonly NodeRef[]): string {
  return nodes.map((n) => `${n.id.slice(0, 6)}.${n.incarnation}`).join(' ');
}
