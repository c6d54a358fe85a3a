/**
 * Reads of whole places. `list` asks two replicas of one place and merges what they have;
 * `poll` asks one replica for each of many places, one message an owner, and gets back only what
 * differs from the versions it asks with. `compare` tells cheaply that a poll would bring nothing.
 */
import { betweenIncl } from '@dnd/chord';
import type { NodeRef, RingId } from '@dnd/chord';
import type { Revision } from './change-log';
import { all, run, wait } from './flow';
import type { Flow } from './flow';
import type { Intake } from './intake';
import type { Heard, Operation } from './io';
import type { Kernel } from './kernel';
import { MAX_ENTRIES } from './message';
import type { Answer, PlaceAnswer, PlaceQuery } from './message';
import { digestOf, isTombstone, REPLICAS, supersedes } from './record';
import type { DataRecord, DurableKind } from './record';

const READ_QUORUM = 2;
const MAX_ASKED = REPLICAS + 2;
/** An answer of more pages than this is cut: a place that large is broken. */
const MAX_PAGES = 1_000;

type List = Extract<Operation, { type: 'list' }>;
type Poll = Extract<Operation, { type: 'poll' }>;
type Compare = Extract<Operation, { type: 'compare' }>;

interface Answered {
  readonly lists: readonly PlaceAnswer[];
  readonly settled: boolean;
  readonly heard: Heard;
}

/** What a poll has gathered so far. */
interface Polled {
  readonly lists: PlaceAnswer[];
  readonly missed: RingId[];
  readonly heard: Heard[];
}

export class Lists {
  constructor(
    private readonly kernel: Kernel,
    private readonly intake: Intake,
  ) {}

  list(op: List): void {
    run(this.merged(op), (list) => {
      if (!list)
        this.kernel.out.push({ type: 'failed', op: op.op, code: 'timeout' });
      else
        this.kernel.done(op.op, {
          type: 'lists',
          lists: [list],
          missed: [],
          heard: [],
        });
    });
  }

  poll(op: Poll): void {
    run(this.polled(op), (result) =>
      this.kernel.done(op.op, { type: 'lists', ...result }),
    );
  }

  compare({ op, kind, heard }: Compare): void {
    run(all(heard.map((one) => this.isSame(kind, one))), (same) =>
      this.kernel.done(op, {
        type: 'compared',
        same: same.every(Boolean),
      }),
    );
  }

  private *isSame(kind: DurableKind, { node, at }: Heard): Flow<boolean> {
    if (this.kernel.suspected(node.id)) return false;
    const answer = yield* wait<Answer>((resume) =>
      this.kernel.ask(node, { type: 'revision', kind }, resume),
    );
    return (
      answer?.type === 'revised' &&
      answer.settled &&
      answer.at.epoch === at.epoch &&
      answer.at.revision === at.revision
    );
  }

  private *merged(op: List): Flow<PlaceAnswer | undefined> {
    const owners = yield* this.owners(op.place);
    const heard: PlaceAnswer[] = [];
    let settled = 0;
    const query = { place: op.place, version: op.version };
    for (let i = 0; i < owners.length && settled < READ_QUORUM;) {
      const few = owners.slice(i, i + READ_QUORUM - settled);
      i += few.length;
      const answers = yield* all(
        few.map((node) => this.from(node, op.kind, [query])),
      );
      for (const answer of answers) {
        const [list] = answer?.lists ?? [];
        if (!list) continue;
        heard.push(list);
        if (answer?.settled) settled++;
      }
    }
    return heard.length === 0 ? undefined : mergeLists(heard);
  }

  private *polled(op: Poll): Flow<Polled> {
    const polled: Polled = { lists: [], missed: [], heard: [] };
    let rest = [...op.places].sort((a, b) => (a.place < b.place ? -1 : 1));
    const groups: Flow<void>[] = [];
    while (rest.length > 0) {
      const first = rest[0] as PlaceQuery;
      const owners = yield* this.owners(first.place);
      const end = owners[0]?.id ?? first.place;
      const same = (query: PlaceQuery): boolean =>
        query.place === first.place ||
        betweenIncl(first.place, query.place, end);
      const group = rest.filter(same).slice(0, MAX_ENTRIES);
      const taken = new Set(group);
      rest = rest.filter((query) => !taken.has(query));
      groups.push(this.pollGroup(op.kind, group, owners, polled));
    }
    yield* all(groups);
    return polled;
  }

  private *pollGroup(
    kind: DurableKind,
    group: readonly PlaceQuery[],
    owners: readonly NodeRef[],
    { lists, missed, heard }: Polled,
  ): Flow<void> {
    let best: Answered | undefined;
    for (const node of owners) {
      const answer = yield* this.from(node, kind, group);
      if (answer) best = answer;
      if (answer?.settled) break;
    }
    if (!best) {
      missed.push(...group.map((query) => query.place));
      return;
    }
    lists.push(...best.lists.filter((list) => !list.unchanged));
    // Of one that answers for two shares of the ring, the earlier word.
    const { node } = best.heard;
    if (!heard.some((one) => one.node.id === node.id)) heard.push(best.heard);
  }

  /** All that one node has to say to these queries, however many messages it takes. */
  private *from(
    node: NodeRef,
    kind: DurableKind,
    queries: readonly PlaceQuery[],
  ): Flow<Answered | undefined> {
    const lists = new Map<RingId, PlaceAnswer>();
    let open = queries;
    let settled = true;
    let at: Revision | undefined;
    for (let page = 0; open.length > 0 && page < MAX_PAGES; page++) {
      const places = open;
      let answer = yield* this.ask(node, kind, places);
      if (!answer) answer = yield* this.ask(node, kind, places);
      if (answer?.type !== 'listed' || answer.lists.length === 0)
        return undefined;
      settled &&= answer.settled;
      at ??= answer.at;
      const again: PlaceQuery[] = [];
      const asked = new Map(places.map((query) => [query.place, query]));
      for (const list of answer.lists) {
        const query = asked.get(list.place);
        if (!query) return undefined;
        const items = yield* this.withLarge(list.items, node);
        const before = lists.get(list.place);
        lists.set(
          list.place,
          before
            ? { ...before, items: [...before.items, ...items] }
            : { ...list, items, next: undefined },
        );
        if (typeof list.next === 'string' && !list.unchanged)
          again.push({ ...query, after: list.next });
      }
      for (const { place } of answer.lists) asked.delete(place);
      open = [...again, ...asked.values()];
    }
    return at && { lists: [...lists.values()], settled, heard: { node, at } };
  }

  private *ask(
    node: NodeRef,
    kind: DurableKind,
    places: readonly PlaceQuery[],
  ): Flow<Answer> {
    return yield* wait<Answer>((resume) =>
      this.kernel.ask(node, { type: 'list', kind, places }, resume),
    );
  }

  /** Adds what was too large for the list, and leaves out what is spoiled. */
  private *withLarge(
    items: readonly DataRecord[],
    node: NodeRef,
  ): Flow<DataRecord[]> {
    const whole: DataRecord[] = [];
    for (const item of items) {
      if (isTombstone(item)) whole.push(item);
      else {
        const value = item.value ?? (yield* this.intake.pull(item, node));
        if (value && digestOf(value) === item.digest)
          whole.push({ ...item, value });
      }
    }
    return whole;
  }

  private *owners(place: RingId): Flow<readonly NodeRef[]> {
    const owners = yield* wait<readonly NodeRef[]>((resume) =>
      this.kernel.ownersOf(place, resume),
    );
    const good = owners.filter((node) => !this.kernel.suspected(node.id));
    const bad = owners.filter((node) => this.kernel.suspected(node.id));
    return [...good, ...bad].slice(0, MAX_ASKED);
  }
}

/** What several replicas have at one place: the later version of each item. */
export function mergeLists(lists: readonly PlaceAnswer[]): PlaceAnswer {
  const [first] = lists;
  if (!first) throw new RangeError('nothing to merge');
  const items = new Map<string, DataRecord>();
  for (const list of lists)
    for (const item of list.items)
      if (supersedes(item, items.get(item.item))) items.set(item.item, item);
  const unchanged = lists.every((list) => list.unchanged);
  return {
    place: first.place,
    version: first.version,
    unchanged,
    complete: lists.every((list) => list.complete),
    items: [...items.values()].sort((a, b) => (a.item < b.item ? -1 : 1)),
  };
}
