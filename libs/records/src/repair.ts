/**
 * Keeps the copies where they belong. Every ten seconds, and soon after each change of the ring,
 * a node
 *  1. compares its own share (what lies between its predecessor and itself) with the next two
 *     successors, by digests of the whole, then of leaves, then versions; both sides end up with
 *     the later version of everything;
 *  2. offers what it holds of other nodes' shares, and nobody compared with it lately, to the
 *     owners: that is how a record written while an owner was dead reaches it, and how two rings
 *     that grew together exchange what they have;
 *  3. drops a copy when it lies outside the first four successors, all three owners have
 *     confirmed at least this version, and the neighbourhood has been stable for 30 s.
 * A node that has just joined fetches its share at once and says so in its answers until then; one
 * that leaves hands over what it holds before it goes.
 */
import { betweenIncl } from '@dnd/chord';
import type { NodeRef, RingId } from '@dnd/chord';
import { all, both, run, wait } from './flow';
import type { Flow } from './flow';
import type { RecordsHealth } from './io';
import { before } from './kernel';
import type { Kernel } from './kernel';
import { MAX_ENTRIES } from './message';
import { isTombstone, REPLICAS } from './record';
import type { RecordMeta } from './record';
import { LEAVES } from './record-table';
import type { Place } from './record-table';
import type { Exchange } from './exchange';
import { PIN_MS } from './server';

const ROUND_MS = 10_000;
/** After a change of the ring; several changes make one round. */
const SOON_MS = 400;
/**
 * A share that its first owner compared with us within so many rounds needs nothing of us: a little
 * more than one, for an owner that has come to have others after it does not say so.
 */
const COVERED_ROUNDS = 1.5;
/** A copy is dropped only in a neighbourhood that has been the same for this long. */
export const STABLE_MS = 30_000;
/** Owners are asked again whether they hold what lies here beyond its place, this often. */
const RECONFIRM_ROUNDS = 60;
/** Whose they are is looked up anew this often. */
const REVIEW_ROUNDS = 3;
const MAX_TOMBSTONES = 200_000;
/** The swarms are swept once in this time, some 5,000 in a step. */
const SWEEP_MS = 5_000;
const SWEPT_AT_ONCE = 5_000;
const MOST_SWEEPS = 20;

interface Coverage {
  readonly from: RingId;
  readonly to: RingId;
  readonly at: number;
}

/** What speaks for and against dropping a copy. */
export interface DropCase {
  /** The live successors of its place, nearest first. */
  readonly owners: readonly NodeRef[];
  readonly self: RingId;
  /** Owners that said that they hold this version or a later one. */
  readonly confirmed: ReadonlySet<RingId>;
  readonly stableFor: number;
  /** Somebody else relies on this copy. */
  readonly pinned: boolean;
}

/** The three conditions. */
export function mayDrop(copy: DropCase): boolean {
  const near = copy.owners.slice(0, REPLICAS + 1);
  return (
    near.length > REPLICAS &&
    !near.some(({ id }) => id === copy.self) &&
    near.slice(0, REPLICAS).every(({ id }) => copy.confirmed.has(id)) &&
    copy.stableFor >= STABLE_MS &&
    !copy.pinned
  );
}

export class Repair {
  /** Counters of what happened, for tests and metrics. */
  readonly counters = { rounds: 0, offered: 0, dropped: 0, handovers: 0 };
  private running = false;
  /** Copies differ, as far as is known, or were not all compared since the ring changed. */
  private differs = true;
  private readonly busyWith = new Set<RingId>();
  private again = false;
  private due: { at: number } | undefined;
  private readonly coverage = new Map<RingId, Coverage>();
  private shownHealth = '';
  private missing = 0;
  private foreign = 0;
  private reviewedIn = 0;
  private rounds = 0;
  /** View and start of the range for which swarms were fetched. */
  private swarmsFor = '';

  constructor(
    private readonly kernel: Kernel,
    private readonly exchange: Exchange,
    private readonly drop: (copy: DropCase) => boolean,
  ) {
    exchange.onMoved = () => {
      this.differs = true;
      this.report();
    };
  }

  /** Call once, when the first view is known. */
  start(): void {
    this.schedule(this.kernel.options.random() * this.every);
    this.sweep();
  }

  viewChanged(): void {
    this.differs = true;
    this.schedule(SOON_MS);
    // Who has just joined knows no swarms, and those who do may be the next to die.
    if (!this.kernel.settled) run(this.fetchSwarms(), () => undefined);
  }

  /** This node stood still, and must fetch its share and its swarms anew before it is trusted with them. */
  missedMuch(): void {
    this.kernel.settled = false;
    this.swarmsFor = '';
    this.schedule(SOON_MS);
  }

  /** Another first owner compares its share with us. */
  covered(by: NodeRef, from: RingId, to: RingId): void {
    if (by.id !== to) return;
    // The swarms of a share that we come to keep are fetched soon.
    if (this.coverage.get(by.id)?.from !== from) this.schedule(SOON_MS);
    this.coverage.delete(by.id);
    this.coverage.set(by.id, { from, to, at: this.kernel.now });
    if (this.coverage.size > 64)
      for (const [id, share] of this.coverage)
        if (share.at + this.coveredFor < this.kernel.now)
          this.coverage.delete(id);
    const [oldest] = this.coverage.keys();
    if (this.coverage.size > 1_024 && oldest) this.coverage.delete(oldest);
  }

  health(): RecordsHealth {
    const { table, view, self, swarms } = this.kernel;
    const alone = view.successors.length === 0;
    const owned = view.predecessor
      ? table.count(view.predecessor.id, self.id)
      : alone
        ? table.records
        : 0;
    const few = view.successors.length < REPLICAS - 1;
    return {
      records: table.records,
      tombstones: table.tombstones,
      bytes: table.bytes,
      owned,
      underReplicated: few ? owned : Math.min(owned, this.missing),
      foreign: this.foreign,
      repairing: this.differs && !alone,
      repair: {
        with: [...this.busyWith],
        sent: this.exchange.counters.pushed,
        fetched: this.exchange.counters.pulled,
        dropped: this.counters.dropped,
      },
      swarms: swarms.swarms,
      peers: swarms.peers,
    };
  }

  private get every(): number {
    return this.kernel.options.repairEvery ?? ROUND_MS;
  }

  private get coveredFor(): number {
    return COVERED_ROUNDS * this.every;
  }

  private schedule(delay: number): void {
    const at = this.kernel.now + delay;
    if (this.running) {
      this.again = true;
      return;
    }
    if (this.due && this.due.at <= at) return;
    const due = { at };
    this.due = due;
    this.kernel.after(delay, () => {
      if (this.due !== due) return;
      this.due = undefined;
      this.begin();
    });
  }

  private begin(): void {
    this.running = true;
    this.again = false;
    const view = this.kernel.viewNumber;
    run(this.round(), (whole) => {
      this.running = false;
      this.differs = !whole;
      this.rounds++;
      this.counters.rounds++;
      if (whole && view === this.kernel.viewNumber) this.kernel.settled = true;
      this.forgetOld();
      this.report();
      // Up to a tenth earlier or later, so that nodes started together do not keep step.
      const jitter = 0.9 + 0.2 * this.kernel.options.random();
      this.schedule(
        this.again || !whole ? SOON_MS * 3 * jitter : this.every * jitter,
      );
    });
  }

  /** One round; whether all of our share was compared with all who should hold it. */
  private *round(): Flow<boolean> {
    const { kernel } = this;
    const { predecessor, successors } = kernel.view;
    if (!kernel.loaded) return false;
    if (successors.length === 0) return true;
    if (!predecessor) return false;
    const others = this.nextOwners();
    const comparing = all(
      others.map((node) =>
        this.beside(
          node,
          this.exchange.compare(node, predecessor.id, kernel.self.id),
        ),
      ),
    );
    // Beside one another: a neighbour that has just died is waited for in both.
    const [results, fetched] = yield* both(comparing, this.fetchSwarms());
    this.missing = Math.max(0, ...results.map((result) => result.lacking));
    yield* this.offerForeign();
    return fetched && results.every((result) => result.equal);
  }

  /** Who keeps our share with us. */
  private nextOwners(): NodeRef[] {
    const { self, view } = this.kernel;
    return view.successors
      .filter(({ id }) => id !== self.id)
      .slice(0, REPLICAS - 1);
  }

  /** Does this with a node, and shows it meanwhile. */
  private *beside<T>(node: NodeRef, flow: Flow<T>): Flow<T> {
    this.busyWith.add(node.id);
    try {
      return yield* flow;
    } finally {
      this.busyWith.delete(node.id);
    }
  }

  /**
   * The peers of our swarms, from those who kept them before us; once for each view, and again when
   * more is ours as second or third owner. Who has just joined takes all that they keep: it is told
   * only later which shares are its own. Whether all answered.
   */
  private *fetchSwarms(): Flow<boolean> {
    const { viewNumber, self, settled } = this.kernel;
    const { predecessor } = this.kernel.view;
    if (!predecessor) return false;
    const start = settled ? this.reachBack(predecessor.id) : self.id;
    const wanted = `${viewNumber} ${start}`;
    if (this.swarmsFor === wanted) return true;
    const keepers = this.nextOwners();
    if (keepers.every(({ id }) => id !== predecessor.id))
      keepers.push(predecessor);
    this.counters.handovers += keepers.length;
    const answered = yield* all(
      keepers.map((node) => this.exchange.swarms(node, start, self.id)),
    );
    const whole = answered.every(Boolean);
    if (whole) this.swarmsFor = wanted;
    return whole;
  }

  /** Where the shares begin that others compared with us lately and that touch ours. */
  private reachBack(from: RingId): RingId {
    let start = from;
    for (let i = 1; i < REPLICAS; i++) {
      const share = this.coverage.get(start);
      // Back at this node: everything is ours.
      if (!share || start === this.kernel.self.id) return start;
      start = share.from;
    }
    return start;
  }

  private *offerForeign(): Flow<void> {
    const foreign = [...this.kernel.table.placesOutside(this.shares())];
    this.foreign = foreign.reduce((sum, { items }) => sum + items.size, 0);
    const review = this.mustReview();
    const places = foreign
      .filter((place) => review || this.isUnsure(place))
      .sort(byPlace);
    for (let i = 0; i < places.length;) {
      const { owners, group } = yield* this.groupAt(places, i);
      i += group.length;
      const by = ownersKey(owners);
      const open = group.filter(
        (place) => this.isUnsure(place) || place.confirmedBy !== by,
      );
      if (owners.length > 0 && open.length > 0) yield* this.offer(open, owners);
    }
  }

  /**
   * Brings all that is held here to the owners it has when this node is gone, the next ones where
   * some do not answer; whether three, or as many as live, have it then.
   */
  *handOver(): Flow<boolean> {
    const { kernel } = this;
    if (kernel.view.successors.length === 0) return false;
    const places = [...kernel.table.places()].sort(byPlace);
    let whole = true;
    for (let i = 0; i < places.length;) {
      const { owners, group } = yield* this.groupAt(places, i);
      i += group.length;
      let safe = 0;
      for (const node of owners) {
        if (safe >= REPLICAS) break;
        if (node.id === kernel.self.id) continue;
        const sure = yield* this.beside(
          node,
          this.exchange.bring(node, group, true),
        );
        if (sure.length === group.length) safe++;
      }
      whole &&= safe >= Math.min(REPLICAS, kernel.view.successors.length);
    }
    return whole;
  }

  /** The places from the i-th on that have the same owners, as many as go in a message; at least one. `places` are in the order of the ring. */
  private *groupAt(
    places: readonly Place[],
    i: number,
  ): Flow<{ owners: readonly NodeRef[]; group: Place[] }> {
    const first = places[i] as Place;
    const owners = yield* wait<readonly NodeRef[]>((resume) =>
      this.kernel.lookup(first.place, resume),
    );
    const end = owners[0]?.id ?? first.place;
    const group = [first];
    for (const place of places.slice(i + 1, i + MAX_ENTRIES)) {
      if (!betweenIncl(before(first.place), place.place, end)) break;
      group.push(place);
    }
    return { owners, group };
  }

  /** Brings these places to their owners, and drops them here where that is right. */
  private *offer(
    group: readonly Place[],
    owners: readonly NodeRef[],
  ): Flow<void> {
    const { kernel } = this;
    const stableSince = kernel.view.stableSince;
    const view = kernel.viewNumber;
    const mine = owners.slice(0, REPLICAS);
    const isOwner = mine.some(({ id }) => id === kernel.self.id);
    const askedAt = kernel.now;
    const before = new Map(group.map((place) => [place, place.revision]));
    const confirmed = new Map(
      group.map((place) => [place, new Set<RingId>()] as const),
    );
    this.counters.offered += group.length;
    for (const node of mine) {
      if (node.id === kernel.self.id) continue;
      const sure = yield* this.beside(
        node,
        this.exchange.bring(node, group, isOwner),
      );
      for (const place of sure) confirmed.get(place)?.add(node.id);
    }
    for (const place of group) {
      const by = confirmed.get(place) ?? new Set<RingId>();
      const others = mine.filter(({ id }) => id !== kernel.self.id);
      if (place.revision !== before.get(place) || view !== kernel.viewNumber)
        continue;
      const copy = {
        owners,
        self: kernel.self.id,
        confirmed: by,
        stableFor: kernel.now - stableSince,
        pinned: place.pinnedUntil > kernel.now,
      };
      // The owners keep theirs for us only so long.
      const fresh = kernel.now - askedAt < PIN_MS / 2;
      if (fresh && this.drop(copy)) this.forget(place);
      else if (
        others.every(({ id }) => by.has(id)) &&
        (isOwner || this.isNear(owners))
      )
        this.confirm(place, owners);
    }
  }

  private confirm(place: Place, owners: readonly NodeRef[]): void {
    place.confirmedBy = ownersKey(owners);
    place.confirmedRound = this.rounds;
  }

  /** Owners change far away as well, without our neighbours changing: look now and then. */
  private mustReview(): boolean {
    const { viewNumber } = this.kernel;
    const due =
      this.reviewedIn !== viewNumber || this.rounds % REVIEW_ROUNDS === 0;
    if (due) this.reviewedIn = viewNumber;
    return due;
  }

  private isNear(owners: readonly NodeRef[]): boolean {
    const near = owners.slice(0, REPLICAS + 1);
    return near.some(({ id }) => id === this.kernel.self.id);
  }

  private forget(place: Place): void {
    const { kernel } = this;
    const { kind, place: at } = place;
    const items = [...place.items.keys()];
    const busy = items.some((item) =>
      kernel.writes.peek({ kind, place: at, item }),
    );
    if (busy) return;
    this.counters.dropped += items.length;
    for (const item of items) {
      kernel.table.delete({ kind, place: at, item });
      kernel.writes.remove({ kind, place: at, item });
    }
  }

  /** The shares that are looked after: our own, and those compared with us lately. */
  private shares(): { from: RingId; to: RingId }[] {
    const { view, self, now } = this.kernel;
    const shares: { from: RingId; to: RingId }[] = [
      ...this.coverage.values(),
    ].filter((share) => share.at + this.coveredFor > now);
    if (view.predecessor)
      shares.push({ from: view.predecessor.id, to: self.id });
    else if (view.successors.length === 0)
      shares.push({ from: self.id, to: self.id });
    return shares;
  }

  /** The owners of this copy have not lately confirmed theirs. */
  private isUnsure(place: Place): boolean {
    return (
      place.confirmedBy === '' ||
      this.rounds - place.confirmedRound >= RECONFIRM_ROUNDS
    );
  }

  /** The oldest deletions, when there are more of them than we can keep. */
  private forgetOld(): void {
    const { kernel } = this;
    const { table, writes } = kernel;
    const excess =
      table.tombstones - (kernel.options.maxTombstones ?? MAX_TOMBSTONES);
    if (excess <= 0 || this.rounds % 6 !== 0) return;
    const stones: RecordMeta[] = [];
    for (const { kind, place, items } of table.places())
      for (const held of items.values())
        if (isTombstone(held)) stones.push({ kind, place, ...held });
    stones.sort((a, b) => (a.stamp < b.stamp ? -1 : 1));
    for (const stone of stones.slice(0, excess)) {
      if (writes.peek(stone)) continue;
      table.delete(stone);
      writes.remove(stone);
    }
  }

  private sweep(): void {
    const { kernel } = this;
    const { swarms } = kernel;
    const steps = (): number =>
      Math.min(Math.ceil((swarms.swarms + 1) / SWEPT_AT_ONCE), MOST_SWEEPS);
    kernel.after(SWEEP_MS / steps(), () => {
      swarms.sweep(Math.ceil(LEAVES / steps()), kernel.now);
      this.sweep();
    });
  }

  private report(): void {
    const health = this.health();
    const shown = JSON.stringify(health);
    if (shown === this.shownHealth) return;
    this.shownHealth = shown;
    this.kernel.out.push({ type: 'health', health });
  }
}

const byPlace = (a: Place, b: Place): number => (a.place < b.place ? -1 : 1);

function ownersKey(owners: readonly NodeRef[]): string {
  return owners.map(({ id }) => id.slice(0, 8)).join();
}
