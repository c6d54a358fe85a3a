/**
 * Reads of single records. Two replicas are asked, the first for the value, the second for its
 * version; a miss, silence, or a node that has only just joined moves on to the next. A record
 * is missing only when all successors that could hold it were asked and none has it. Replicas
 * that turn out to be behind are sent what the others have.
 */
import type { NodeRef } from '@dnd/chord';
import { run, wait } from './flow';
import type { Flow } from './flow';
import type { Intake } from './intake';
import type { Operation } from './io';
import type { Kernel } from './kernel';
import { INLINE_BYTES } from './message';
import type { Answer } from './message';
import { transferTime } from './put';
import { isTombstone, REPLICAS, supersedes } from './record';
import type { DataRecord, RecordKey } from './record';
import type { Timer } from './timers';

const DEADLINE_MS = 10_000;
const RETRY_MS = 300;
/** When a replica takes longer than this the next one is asked as well. */
const HEDGE_MS = 250;
const READ_QUORUM = 2;
const MAX_ASKED = REPLICAS + 2;
const MAX_OPEN = 10_000;

type Get = Extract<Operation, { type: 'get' }>;

interface Heard {
  readonly node: NodeRef;
  readonly record: DataRecord | undefined;
  readonly settled: boolean;
}

interface Poll {
  /** Newest version that was found. */
  readonly best: DataRecord | undefined;
  readonly heard: readonly Heard[];
  /** Enough answered to say so. */
  readonly sure: boolean;
}

export class Gets {
  private open = 0;

  constructor(
    private readonly kernel: Kernel,
    private readonly intake: Intake,
  ) {}

  start(get: Get): void {
    const { kernel } = this;
    if (this.open >= MAX_OPEN) {
      kernel.out.push({ type: 'failed', op: get.op, code: 'busy' });
      return;
    }
    this.open++;
    run(this.get(get.key), (result) => {
      this.open--;
      if (result === 'no-owners' || result === 'timeout')
        kernel.out.push({ type: 'failed', op: get.op, code: result });
      else kernel.done(get.op, { type: 'record', record: result.record });
    });
  }

  private *get(
    key: RecordKey,
  ): Flow<{ record: DataRecord | undefined } | 'no-owners' | 'timeout'> {
    const { kernel } = this;
    const until = kernel.now + DEADLINE_MS;
    let reached = false;
    for (;;) {
      const owners = yield* wait<readonly NodeRef[]>((resume) =>
        kernel.lookup(key.place, resume),
      );
      if (owners.length > 0) {
        reached = true;
        const { best, heard, sure } = yield* wait<Poll>((resume) =>
          this.ask(key, owners, resume),
        );
        const record = best && (yield* this.complete(best, heard));
        if (record) {
          this.mend(record, heard, owners);
          return { record: isTombstone(record) ? undefined : record };
        }
        if (!best && sure) return { record: undefined };
      }
      if (kernel.now + RETRY_MS > until)
        return reached ? 'timeout' : 'no-owners';
      yield* wait<void>((resume) => kernel.after(RETRY_MS, () => resume()));
    }
  }

  /** Asks the owners one after another, two at a time, until it is clear what there is. */
  private ask(
    key: RecordKey,
    owners: readonly NodeRef[],
    resume: (poll: Poll) => void,
  ): void {
    const { kernel } = this;
    const candidates = this.inOrder(owners);
    const heard: Heard[] = [];
    let asked = 0;
    let open = 0;
    let over = false;
    let hedge: Timer | undefined;
    const finish = (): void => {
      if (over) return;
      over = true;
      if (hedge) kernel.timers.cancel(hedge);
      const best = newest(heard);
      const enough = Math.min(READ_QUORUM, candidates.length);
      resume({ best, heard, sure: heard.length >= enough });
    };
    const next = (): void => {
      const node = candidates[asked];
      if (!node || over) return;
      const values = asked++ === 0;
      open++;
      kernel.ask(node, { type: 'read', keys: [key], values }, (answer) => {
        open--;
        const found = heardFrom(node, answer, key);
        if (found) heard.push(found);
        weigh();
      });
    };
    /** As many more as are silent. */
    const askMore = (): void => {
      if (asked === candidates.length && newest(heard)) return finish();
      for (let silent = open; silent > 0; silent--) next();
      if (!over) hedge = kernel.after(HEDGE_MS, askMore);
    };
    const weigh = (): void => {
      if (over) return;
      const best = newest(heard);
      const settled = heard.filter((one) => one.settled).length;
      const immutable = key.kind === 'torrent' && best && !isTombstone(best);
      if (immutable || (best && settled >= READ_QUORUM)) return finish();
      if (asked < candidates.length) {
        if (open < READ_QUORUM) next();
      } else if (open === 0) finish();
    };
    next();
    next();
    if (!over) hedge = kernel.after(HEDGE_MS, askMore);
  }

  /** This node first, if it is one of the three: that costs nothing. Those that were silent lately last. */
  private inOrder(owners: readonly NodeRef[]): NodeRef[] {
    const { kernel } = this;
    const mine = owners
      .slice(0, REPLICAS)
      .filter(({ id }) => id === kernel.self.id);
    const others = owners.filter((node) => !mine.includes(node));
    return [
      ...mine,
      ...others.filter((node) => !kernel.suspected(node.id)),
      ...others.filter((node) => kernel.suspected(node.id)),
    ].slice(0, MAX_ASKED);
  }

  /** The value of the newest version, from whoever has it. */
  private *complete(
    best: DataRecord,
    heard: readonly Heard[],
  ): Flow<DataRecord | undefined> {
    if (best.value || isTombstone(best)) return best;
    for (const { node, record } of heard) {
      if (record?.digest !== best.digest) continue;
      if (record.value) return { ...best, value: record.value };
      const value = yield* this.intake.pull(best, node);
      if (value) return { ...best, value };
    }
    return undefined;
  }

  /** Read repair. */
  private mend(
    record: DataRecord,
    heard: readonly Heard[],
    owners: readonly NodeRef[],
  ): void {
    const ours = owners.slice(0, REPLICAS);
    const { value, ...meta } = record;
    const large = value !== undefined && value.length > INLINE_BYTES;
    for (const one of heard) {
      const owner = ours.some((node) => node.id === one.node.id);
      if (!owner || !supersedes(record, one.record)) continue;
      if (large) this.intake.offer(record.digest, value);
      const items = [large ? meta : record];
      const nobody = (): void => undefined;
      const extra = transferTime([record]);
      this.kernel.ask(one.node, { type: 'store', items }, nobody, 2, extra);
    }
  }
}

function newest(heard: readonly Heard[]): DataRecord | undefined {
  let best: DataRecord | undefined;
  for (const { record } of heard)
    if (
      record &&
      (supersedes(record, best) || (sameAs(record, best) && record.value))
    )
      best = record;
  return best;
}

function sameAs(a: DataRecord, b: DataRecord | undefined): boolean {
  return b !== undefined && a.stamp === b.stamp && a.digest === b.digest;
}

function heardFrom(
  node: NodeRef,
  answer: Answer,
  key: RecordKey,
): Heard | undefined {
  if (answer?.type !== 'found') return undefined;
  const record = answer.records[0] ?? undefined;
  const { kind, place, item } = key;
  const right =
    record === undefined ||
    (record.kind === kind && record.place === place && record.item === item);
  if (!right) return undefined;
  return { node, record, settled: answer.settled };
}
