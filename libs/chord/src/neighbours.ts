/**
 * A node's place on the ring: predecessor and successor list, and since when both are the same.
 * Only the stabiliser writes it.
 */
import type { NodeRef, RingId } from './node-ref';

export class Neighbours {
  predecessor: NodeRef | undefined;
  successors: readonly NodeRef[] = [];
  /** When either last changed. */
  stableSince = 0;
  /** Either changed since `takeChanged` was last called. */
  private changed = false;

  setPredecessor(node: NodeRef | undefined, now: number): void {
    if (sameNode(this.predecessor, node)) return;
    this.predecessor = node;
    this.touch(now);
  }

  /** True when the list is another one than before. */
  setSuccessors(list: readonly NodeRef[], now: number): boolean {
    if (
      list.length === this.successors.length &&
      list.every((node, i) => sameNode(node, this.successors[i]))
    ) {
      return false;
    }
    this.successors = list;
    this.touch(now);
    return true;
  }

  has(id: RingId): boolean {
    return this.predecessor?.id === id || this.isSuccessor(id);
  }

  isSuccessor(id: RingId): boolean {
    for (const node of this.successors) if (node.id === id) return true;
    return false;
  }

  touch(now: number): void {
    this.stableSince = now;
    this.changed = true;
  }

  takeChanged(): boolean {
    const { changed } = this;
    this.changed = false;
    return changed;
  }
}

/** The same process: same id, start and address. */
export function sameNode(a: NodeRef | undefined, b: NodeRef | undefined) {
  if (a === b) return true;
  return (
    a !== undefined &&
    b !== undefined &&
    a.id === b.id &&
    a.incarnation === b.incarnation &&
    sameAddress(a, b)
  );
}

export function sameAddress(
  a: { readonly host: string; readonly port: number },
  b: { readonly host: string; readonly port: number },
): boolean {
  return a.port === b.port && a.host === b.host;
}
