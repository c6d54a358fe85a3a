/**
 * One iterative lookup: node after node is asked for the key's successors, each nearer to the key
 * than the one before, until one names them. A node that does not answer in time costs a time-out
 * and the next best is asked. The first owner is asked itself when it has not been heard lately,
 * so that an answer begins with a live node.
 */
import type { Core, OnReply } from './core';
import { sameAddress } from './neighbours';
import type { NodeRef, RingId } from './node-ref';
import { between, betweenIncl } from './node-ref';
import { clockwiseFrom } from './ring-id';
import type { Route } from './routing';

export type LookupFailure =
  'not-joined' | 'overloaded' | 'exhausted' | 'expired';

export interface LookupResult {
  /** The key's first successors; empty on failure. */
  readonly nodes: readonly NodeRef[];
  /** Who named them; absent when the node itself did. */
  readonly namedBy?: NodeRef;
  readonly failure?: LookupFailure;
  /** The first of them answered itself. */
  readonly confirmed?: boolean;
  readonly hops: number;
  readonly timeouts: number;
}

export interface LookupOptions {
  /** Ask these first instead of the node's own table: another ring's view, or a ring not joined yet. */
  readonly start?: readonly NodeRef[];
  /** Do not believe the node's own table about this id. */
  readonly apart?: RingId;
  /** Ask the first owner itself: when not heard lately, or always. */
  readonly verify?: 'stale' | 'always';
}

export type Done = (result: LookupResult) => void;

/** No lookup needs more answers, however the ring is. */
const MAX_ASKED = 96;
/** Owners asked for beyond those wanted. */
const SPARE_OWNERS = 2;

export class Lookup {
  readonly endsAt: number;
  private hops = 0;
  private timeouts = 0;
  private readonly asked: NodeRef[] = [];
  /** Of those, who did not answer. */
  private readonly silent = new Set<RingId>();
  private readonly candidates: NodeRef[] = [];
  /** Who answered, to be asked again for less. */
  private readonly answering: NodeRef[] = [];
  private anyCount = false;
  /** An answer whose first owner knows of one before it, which is dead: good if there is no better. */
  private unsure: { by: NodeRef; nodes: readonly NodeRef[] } | undefined;
  private over = false;

  constructor(
    private readonly core: Core,
    private readonly key: RingId,
    private readonly count: number,
    private readonly options: LookupOptions,
    private readonly done: Done,
  ) {
    this.endsAt = core.now + core.settings.lookupMs;
  }

  fail(failure: LookupFailure): void {
    this.end({ nodes: [], failure });
  }

  /** With the nodes to ask, and what the node itself would answer. */
  begin(nodes: readonly NodeRef[], own?: Route): void {
    this.candidates.push(...nodes);
    if (own?.done && own.nodes[0]?.id !== this.options.apart) {
      this.answered(this.core.self, own);
    } else this.next();
  }

  /** Asks the nearest candidate before the key that was not asked yet. */
  next(): void {
    if (this.over) return;
    const best = this.takeNearest() ?? this.askLess();
    if (!best || this.asked.length >= MAX_ASKED) {
      if (this.unsure) this.finish(this.unsure.by, this.unsure.nodes, true);
      else this.fail('exhausted');
      return;
    }
    this.question(best, (reply) => {
      if (
        reply?.type !== 'found' ||
        !isPlausible(reply.me.id, this.key, reply)
      ) {
        this.next();
        return;
      }
      this.hops++;
      if (!this.anyCount) this.answering.push(reply.me);
      this.answered(reply.me, reply);
    });
  }

  /**
   * Nobody left to ask: those that answered are asked again for however many owners they know.
   * Lists are short just after a join and after many deaths.
   */
  private askLess(): NodeRef | undefined {
    if (this.anyCount) return undefined;
    this.anyCount = true;
    this.candidates.push(...this.answering);
    return this.takeNearest();
  }

  answered(by: NodeRef, route: Route): void {
    if (route.done) this.verify(by, this.living(by, route.nodes));
    else {
      this.addNearer(by, route.nodes);
      this.next();
    }
  }

  /** Makes sure of the first owner, or of the next when it is dead. */
  private verify(by: NodeRef, nodes: readonly NodeRef[], again = false): void {
    const first = nodes[0];
    if (!first) {
      this.next();
      return;
    }
    if (
      first.id === by.id ||
      first.id === this.core.self.id ||
      this.isTrusted(first)
    ) {
      this.finish(by, nodes);
      return;
    }
    this.question(first, (reply, refused) => {
      if (!reply && !refused && !again) {
        // One lost message must not move a key to another owner.
        this.silent.delete(first.id);
        this.verify(by, nodes, true);
        return;
      }
      if (!reply || reply.me.id !== first.id) {
        this.verify(by, this.living(by, nodes.slice(1)));
        return;
      }
      if (reply.type !== 'found') {
        this.finish(by, nodes, true);
        return;
      }
      if (reply.done && reply.nodes[0]?.id === first.id) {
        this.finish(by, reply.nodes, true);
        return;
      }
      // The key is not its own: whoever precedes it may be the true owner.
      const { predecessor } = reply;
      const nearer =
        predecessor &&
        betweenIncl(by.id, this.key, predecessor.id) &&
        between(by.id, predecessor.id, first.id) &&
        this.living(by, [predecessor])[0];
      if (nearer && this.asked.length < MAX_ASKED) {
        this.verify(by, [nearer, ...nodes]);
      } else if (!reply.done && this.addNearer(by, reply.nodes)) {
        this.unsure = { by, nodes };
        this.next();
      } else this.finish(by, nodes, true);
    });
  }

  private finish(by: NodeRef, nodes: readonly NodeRef[], confirmed = false) {
    const namedBy = by.id === this.core.self.id ? {} : { namedBy: by };
    this.end({ nodes: nodes.slice(0, this.count), confirmed, ...namedBy });
  }

  private end(result: Omit<LookupResult, 'hops' | 'timeouts'>): void {
    if (this.over) return;
    this.over = true;
    const { hops, timeouts } = this;
    this.done({ ...result, hops, timeouts });
  }

  private question(to: NodeRef, onReply: OnReply): void {
    const { key } = this;
    const { successors } = this.core.settings;
    // A few more than wanted, where lists are long, in case that some are dead.
    const wanted = Math.max(
      this.count,
      Math.min(this.count + SPARE_OWNERS, successors >> 1),
    );
    const count = this.anyCount ? 1 : wanted;
    this.asked.push(to);
    const { member } = this.core;
    this.core.ask(
      to,
      { v: 1, type: 'find', member, key, count },
      (reply, refused) => {
        if (!reply) {
          this.timeouts++;
          this.silent.add(to.id);
        }
        if (!this.over) onReply(reply, refused);
      },
    );
  }

  /** Without those that are dead, or did not answer this lookup. */
  private living(by: NodeRef, nodes: readonly NodeRef[]): NodeRef[] {
    return nodes.filter((node) => {
      if (node.id === this.core.self.id || node.id === by.id) return true;
      const state = this.core.contacts.get(node.id)?.state;
      return state !== 'dead' && !this.silent.has(node.id);
    });
  }

  /** Whether any of them was news. */
  private addNearer(by: NodeRef, nodes: readonly NodeRef[]): boolean {
    const before = this.candidates.length;
    for (const node of nodes) {
      if (between(by.id, node.id, this.key) && !this.isCandidate(node)) {
        this.candidates.push(node);
      }
    }
    return this.candidates.length > before;
  }

  private isCandidate(node: NodeRef): boolean {
    if (node.id === this.core.self.id || this.wasAsked(node)) return true;
    if (this.core.contacts.get(node.id)?.state === 'dead') return true;
    return this.candidates.some((c) => c.id === node.id);
  }

  private wasAsked(node: NodeRef): boolean {
    return this.asked.some((a) => a.id === node.id && sameAddress(a, node));
  }

  /** The nearest before the key first, then those of which only the address is known. */
  private takeNearest(): NodeRef | undefined {
    let best = -1;
    const clockwise = clockwiseFrom(this.key);
    for (let i = 0; i < this.candidates.length; i++) {
      const node = this.candidates[i] as NodeRef;
      const held = this.candidates[best];
      if (!held || (node.id !== '' && clockwise(node.id, held.id) > 0))
        best = i;
    }
    return best < 0 ? undefined : this.candidates.splice(best, 1)[0];
  }

  private isTrusted(node: NodeRef): boolean {
    if (this.options.verify === 'always') return false;
    const contact = this.core.contacts.get(node.id);
    if (!contact?.usable) return false;
    return this.core.now - contact.heardAt <= this.core.settings.trustMs;
  }
}

/** Is the answer of `by` about `key` possible at all? */
function isPlausible(by: RingId, key: RingId, route: Route): boolean {
  const first = route.nodes[0];
  if (!route.done) return route.nodes.every((n) => between(by, n.id, key));
  return (
    first !== undefined && (first.id === by || betweenIncl(by, key, first.id))
  );
}
