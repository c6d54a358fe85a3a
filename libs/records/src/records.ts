/**
 * The replicated records of one node as a state machine without I/O. Its owner brings the ring
 * (look-ups and the view), the network between nodes, the disk and the clock; see `io.ts`.
 * Promises: a record is acknowledged only when min(2, live) disks hold it; replicas that can talk
 * to each other become equal; whatever grows is bounded; a broken message does no harm.
 * Leaves to its owner: who may talk to us at all, and keeping messages private.
 */
import type { Machine } from '@dnd/chord';
import { Announces } from './announce';
import { Exchange } from './exchange';
import { run } from './flow';
import { Gets } from './get';
import { isRecordsMessage } from './guard';
import { Intake } from './intake';
import type {
  Operation,
  RecordsHealth,
  RecordsInput,
  RecordsOptions,
  RecordsOutput,
} from './io';
import { Kernel } from './kernel';
import type { View } from './kernel';
import { Lists } from './list';
import type { RecordsBody, RecordsMessage } from './message';
import { Puts } from './put';
import type { RecordMeta } from './record';
import { mayDrop, Repair } from './repair';
import type { DropCase } from './repair';
import { Server } from './server';
import type { KeptSwarms } from './swarm-table';

const MAX_WAITING = 1_000;
/** A node that stood still for this long has missed too much to be trusted with its share. */
const ASLEEP_MS = 5_000;

export class Records implements Machine<RecordsInput, RecordsOutput> {
  private readonly kernel: Kernel;
  private readonly puts: Puts;
  private readonly gets: Gets;
  private readonly lists: Lists;
  private readonly announces: Announces;
  private readonly exchange: Exchange;
  private readonly repair: Repair;
  private readonly server: Server;
  /** Operations that came before the disk was read. */
  private waiting: Operation[] = [];
  private refused = 0;
  private viewed = false;

  constructor(options: RecordsOptions) {
    const kernel = new Kernel(options);
    const intake = new Intake(kernel, (record) => this.admit(record));
    this.kernel = kernel;
    this.puts = new Puts(kernel, intake);
    this.gets = new Gets(kernel, intake);
    this.lists = new Lists(kernel, intake);
    this.announces = new Announces(kernel);
    this.exchange = new Exchange(kernel, intake);
    this.repair = new Repair(kernel, this.exchange, (c) => this.mayDrop(c));
    this.server = new Server(kernel, intake, (from, share) =>
      this.repair.covered(from, share.from, share.to),
    );
    kernel.serveSelf = (message, answer) =>
      this.server.handle(kernel.self, message, 0, (body) =>
        answer(kernel.seal(body)),
      );
  }

  get wakeAt(): number {
    return this.kernel.timers.next;
  }

  handle(input: RecordsInput, now: number): RecordsOutput[] {
    const { kernel } = this;
    // Before anything is stamped: after a sleep both `now` and the time of day are others.
    if (input.type === 'clock') kernel.wall.offset = input.wallOffset;
    if (now - this.wakeAt > ASLEEP_MS) this.repair.missedMuch();
    kernel.now = Math.max(kernel.now, now);
    kernel.out = [];
    kernel.timers.runDue(kernel.now);
    this.take(input);
    this.finishStep();
    return kernel.out;
  }

  /** What this node holds and how well it is replicated. */
  health(): RecordsHealth {
    return this.repair.health();
  }

  /** The swarms whose first owner this node is, and who is in them. */
  ownSwarms(): KeptSwarms {
    const { self, view, swarms } = this.kernel;
    return swarms.counts(view.predecessor?.id ?? self.id, self.id);
  }

  /** How often the rarer things happened since the start. */
  get counters(): Readonly<Record<string, number>> {
    return {
      ...this.repair.counters,
      ...this.exchange.counters,
      refused: this.refused,
      lost: this.kernel.lost,
    };
  }

  /** Versions held, for inspection. */
  *held(): Generator<RecordMeta> {
    for (const { kind, place, items } of this.kernel.table.places())
      for (const { item, stamp, digest, size } of items.values())
        yield { kind, place, item, stamp, digest, size };
  }

  /** Peers held of one swarm, by address in hex. For inspection. */
  peersOf(swarm: string) {
    return this.kernel.swarms.versions(swarm);
  }

  /** May this copy go? A seam for rehearsing faults. */
  protected mayDrop(copy: DropCase): boolean {
    return mayDrop(copy);
  }

  /** Is this record to be taken in? A seam for rehearsing faults. */
  protected admit(record: RecordMeta): boolean {
    return record.stamp !== '';
  }

  private take(input: RecordsInput): void {
    const { kernel } = this;
    switch (input.type) {
      case 'tick':
        return;
      case 'request':
        return this.request(input);
      case 'reply':
        return this.reply(input.call, input.message);
      case 'unreachable':
        return kernel.answered(input.call, undefined);
      case 'view':
        return this.look(input);
      case 'owners':
        return kernel.foundOwners(input.call, input.owners);
      case 'clock':
        return;
      case 'loaded':
        return this.load(input.records, input.last);
      case 'persisted':
        return kernel.writes.done(input.batch, input.ok);
      case 'fetched':
        return kernel.fetched(input.call, input.values);
      default:
        return this.operate(input);
    }
  }

  private operate(operation: Operation): void {
    if (!this.kernel.loaded) {
      if (this.waiting.length < MAX_WAITING) this.waiting.push(operation);
      else
        this.kernel.out.push({
          type: 'failed',
          op: operation.op,
          code: 'busy',
        });
      return;
    }
    switch (operation.type) {
      case 'put':
        return this.puts.start(operation);
      case 'get':
        return this.gets.start(operation);
      case 'list':
        return this.lists.list(operation);
      case 'poll':
        return this.lists.poll(operation);
      case 'compare':
        return this.lists.compare(operation);
      case 'announce':
        return this.announces.announce(operation);
      case 'glance':
        return this.announces.glance(operation);
      case 'news':
        return this.announces.news(operation);
      case 'handOver':
        return run(this.repair.handOver(), (whole) =>
          this.kernel.done(operation.op, { type: 'handedOver', whole }),
        );
    }
  }

  private request({
    call,
    from,
    message,
    address,
  }: Extract<RecordsInput, { type: 'request' }>): void {
    if (!isRecordsMessage(message)) {
      this.refused++;
      return;
    }
    const { kernel } = this;
    const late = kernel.wall.hear(from, message, kernel.now);
    const reply = (body: RecordsBody): void => kernel.reply(call, from, body);
    this.server.handle(from, message, late, reply, address);
  }

  private reply(call: number, message: RecordsMessage): void {
    if (isRecordsMessage(message)) return this.kernel.answered(call, message);
    this.refused++;
    this.kernel.answered(call, undefined);
  }

  private look(view: View): void {
    const { kernel } = this;
    const alone = view.successors.length === 0;
    const wasAlone = kernel.view.successors.length === 0;
    const changed =
      !this.viewed || neighbours(view) !== neighbours(kernel.view);
    kernel.view = view;
    if (view.self) {
      kernel.self = view.self;
      kernel.clock.origin = view.self.id;
    }
    if (alone) kernel.settled = true;
    else if (wasAlone) kernel.settled = false;
    if (!this.viewed) this.repair.start();
    this.viewed = true;
    if (!changed) return;
    kernel.viewNumber++;
    kernel.forgetOwners();
    this.repair.viewChanged();
  }

  private load(records: readonly RecordMeta[], last: boolean): void {
    const { kernel } = this;
    for (const record of records) {
      kernel.table.set(record);
      kernel.clock.restore(record.stamp);
    }
    if (!last) return;
    kernel.wall.notBefore(kernel.clock.last, kernel.now);
    kernel.loaded = true;
    const waiting = this.waiting;
    this.waiting = [];
    for (const operation of waiting) this.operate(operation);
  }

  /** Writes gathered in this step leave together. */
  private finishStep(): void {
    const { kernel } = this;
    this.puts.flush();
    const batch = kernel.writes.next();
    if (batch) kernel.out.push({ type: 'persist', ...batch });
  }
}

function neighbours(view: View): string {
  const ids = view.successors.map(({ id, incarnation }) => id + incarnation);
  return `${view.predecessor?.id}${view.predecessor?.incarnation}>${ids.join()}`;
}
