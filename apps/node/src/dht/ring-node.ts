/**
 * This node on the ring: the two cores (membership and records) with their drivers, the network
 * between nodes, the beacons and the disk. Everything is decided in the cores; this carries.
 */
import {
  ChordNode,
  defaultSettings,
  isChordMessage,
  type ChordInput,
  type ChordOutput,
  type NodeRef,
  type RingView,
} from '@dnd/chord';
import {
  isRecordsMessage,
  Records,
  type Operation,
  type OperationResult,
  type RecordsHealth,
  type RecordsInput,
  type RecordsOutput,
  type KeptSwarms,
} from '@dnd/records';
import { Inject, Injectable } from '@nestjs/common';
import { every } from '../beat';
import { Config } from '../config/config';
import { Beacons } from '../discovery/beacons';
import { IdentityFile } from '../identity';
import type { Part } from '../part';
import { deriveKey } from '../rpc/psk';
import { SeamError } from '../rpc/seam-error';
import { MachineDriver } from './machine-driver';
import { RecordDisk } from './record-disk';
import { RingLog, whyFailed } from './ring-log';
import { RingTransport, type Protocol } from './ring-transport';
import { SteadyClock } from '../steady-clock';
import { isValidRecord } from './valid-record';

/** How long whoever wants something of the ring waits for it, milliseconds; joining goes on after that. */
const joinPatience = 10_000;
/** At most so long a node that is stopped goes on bringing its records to others, milliseconds. */
const handOverPatience = 5_000;
/** How often the records are told the time of day, in looks at the clock, which come once a second. */
const looks = 10;

/** `Omit` over each member of a union. */
type WithoutOp<T> = T extends Operation ? Omit<T, 'op'> : never;
export type RecordsQuestion = WithoutOp<Operation>;

interface Pending {
  resolve(result: OperationResult): void;
  reject(error: SeamError): void;
}

@Injectable()
export class RingNode implements Part {
  /** Set by the program once its listeners have their ports. */
  address = { port: 0, seamPort: 0 };
  /** As it was when the neighbourhood last changed; `look` has what is now. */
  view: RingView | undefined;
  health: RecordsHealth | undefined;
  disk!: RecordDisk;

  private readonly log: RingLog;
  private readonly transport: RingTransport;
  private readonly pending = new Map<number, Pending>();
  private node: ChordNode | undefined;
  private chord!: MachineDriver<ChordInput, ChordOutput>;
  private records!: MachineDriver<RecordsInput, RecordsOutput>;
  private core: Records | undefined;
  private nextOp = 1;
  private readonly clock = new SteadyClock();
  private endLooking = (): void => undefined;
  private onMember: () => void = () => undefined;
  /** Resolves when this node is a member of a ring, or the wait for that is over. */
  private joined: Promise<unknown> = Promise.resolve();
  private onLeft: () => void = () => undefined;
  private stopped = false;

  constructor(
    @Inject(Config) private readonly config: Config,
    private readonly identity: IdentityFile,
    private readonly beacons: Beacons,
  ) {
    this.log = new RingLog(() => identity.value.ringId);
    this.transport = new RingTransport(
      config.ring,
      config.secret === undefined
        ? undefined
        : deriveKey(config.secret, `ring:${config.ring}`),
      (id) => this.chord.feed({ type: 'suspect', id }),
    );
  }

  /** Begins to join a ring. */
  async start(): Promise<void> {
    const { disk, damaged } = RecordDisk.open(this.config.storage);
    if (damaged)
      this.log.warn(
        `the records on this disk were damaged and are put aside as ${damaged}; the other nodes' copies replace them`,
      );
    this.disk = disk;
    const { ringId, incarnation } = this.identity.change({
      incarnation: this.identity.value.incarnation + 1,
    });
    this.joined = Promise.race([
      new Promise<void>((resolve) => (this.onMember = resolve)),
      new Promise((resolve) => setTimeout(resolve, joinPatience).unref()),
    ]);
    this.build({
      id: ringId,
      host: this.config.advertise,
      port: this.address.port,
      incarnation,
    });
    this.beacons.onBeacon(({ beacon }) => {
      if (
        beacon.node.id !== this.view?.self.id ||
        beacon.node.port !== this.address.port
      )
        this.chord.feed({ type: 'beacon', beacon });
    });
    this.chord.feed({ type: 'join', contacts: this.config.join });
    let looked = 0;
    this.endLooking = every(1_000, () => {
      const slept = this.clock.look();
      if (slept || ++looked % looks === 0) this.tellTime();
    });
  }

  async whenReady(): Promise<void> {
    await this.joined;
  }

  async stop(): Promise<void> {
    // Others may leave right after this node: what it holds must not wait for the next repair.
    if (this.view)
      await Promise.race([
        this.operate({ type: 'handOver' }).catch(() => undefined),
        new Promise((resolve) => setTimeout(resolve, handOverPatience).unref()),
      ]);
    const left = new Promise<void>((resolve) => (this.onLeft = resolve));
    this.chord.feed({ type: 'leave' });
    await Promise.race([
      left,
      new Promise((resolve) => setTimeout(resolve, 2000).unref()),
    ]);
    this.stopped = true;
    this.endLooking();
    this.chord.stop();
    this.records.stop();
    this.transport.close();
    for (const { reject } of this.pending.values())
      reject(new SeamError('unavailable', 'the node is stopping'));
    this.disk.close();
  }

  /** The ring as this node sees it now; undefined before it is on one. */
  look(): RingView | undefined {
    return this.view && this.node?.view();
  }

  /** The swarms whose first owner this node is. */
  ownSwarms(): KeptSwarms {
    return this.core?.ownSwarms() ?? { swarms: 0, peers: 0, seeds: 0 };
  }

  /** One operation on the records, once this node is on a ring. Rejects with SeamError. */
  async operate(question: RecordsQuestion): Promise<OperationResult> {
    await this.joined;
    if (this.stopped)
      throw new SeamError('unavailable', 'the node is stopping');
    const op = this.nextOp++;
    return new Promise((resolve, reject) => {
      this.pending.set(op, { resolve, reject });
      this.records.feed({ ...question, op } as Operation);
    });
  }

  /** An incoming message of the ring from `address`; resolves with our answer, null when there is none. */
  receive(
    protocol: Protocol,
    data: unknown,
    address?: string,
  ): Promise<unknown> {
    return this.transport.incoming(data, (call, from, message) => {
      if (this.stopped || this.view === undefined) return false;
      if (protocol === 'chord') {
        if (!isChordMessage(message)) return false;
        this.chord.feed({ type: 'request', call, from, message });
      } else {
        if (!isRecordsMessage(message)) return false;
        this.records.feed({
          type: 'request',
          call,
          from,
          message,
          ...(address === undefined ? {} : { address }),
        });
      }
      return true;
    });
  }

  private build(self: NodeRef): void {
    const chord = new ChordNode({
      self,
      random: Math.random,
      settings: defaultSettings,
    });
    this.node = chord;
    const records = new Records({
      self,
      random: Math.random,
      validate: isValidRecord,
      wallOffset: this.clock.wallOffset,
    });
    this.core = records;
    this.chord = new MachineDriver(
      chord,
      (output) => this.performChord(output),
      this.clock.now,
    );
    this.records = new MachineDriver(
      records,
      (output) => this.performRecords(output),
      this.clock.now,
    );
    for (const part of this.disk.load())
      this.records.feed({ type: 'loaded', records: part, last: false });
    this.records.feed({ type: 'loaded', records: [], last: true });
  }

  private performChord(output: ChordOutput): void {
    switch (output.type) {
      case 'request':
        void this.transport
          .request(
            'chord',
            output.to,
            this.view?.self ?? this.self(),
            output.message,
          )
          .then((message) => {
            if (isChordMessage(message))
              this.chord.feed({ type: 'reply', call: output.call, message });
            else this.chord.feed({ type: 'unreachable', call: output.call });
          });
        break;
      case 'reply':
        this.transport.answer(output.call, output.message);
        break;
      case 'owners':
        this.records.feed({
          type: 'owners',
          call: output.call,
          owners: output.nodes,
        });
        break;
      case 'no-owners':
        this.records.feed({ type: 'owners', call: output.call, owners: [] });
        break;
      case 'changed':
        this.adopt(output.view);
        break;
      case 'beacon':
        this.beacons.say({
          beacon: output.beacon,
          seamPort: this.address.seamPort,
        });
        break;
      case 'identity':
        this.identity.change({
          ringId: output.self.id,
          incarnation: output.self.incarnation,
        });
        break;
      case 'event':
        if (output.event === 'left') this.onLeft();
        else this.log.tell(output.event, output.node);
        break;
    }
  }

  private performRecords(output: RecordsOutput): void {
    switch (output.type) {
      case 'request':
        void this.transport
          .request(
            'records',
            output.to,
            this.view?.self ?? this.self(),
            output.message,
          )
          .then((message) => {
            if (isRecordsMessage(message))
              this.records.feed({ type: 'reply', call: output.call, message });
            else {
              this.records.feed({ type: 'unreachable', call: output.call });
              this.chord.feed({ type: 'suspect', id: output.to.id });
            }
          });
        break;
      case 'reply':
        this.transport.answer(output.call, output.message);
        break;
      case 'lookup':
        this.chord.feed({
          type: 'lookup',
          call: output.call,
          key: output.place,
          count: output.count,
        });
        break;
      case 'suspect':
        this.chord.feed({ type: 'suspect', id: output.id });
        break;
      case 'persist':
        void this.persist(output);
        break;
      case 'fetch':
        this.records.feed({
          type: 'fetched',
          call: output.call,
          values: this.disk.values(output.keys),
        });
        break;
      case 'done':
        this.pending.get(output.op)?.resolve(output.result);
        this.pending.delete(output.op);
        break;
      case 'failed':
        this.pending
          .get(output.op)
          ?.reject(
            new SeamError(
              output.code === 'invalid' ? 'bad-input' : 'unavailable',
              whyFailed[output.code],
            ),
          );
        this.pending.delete(output.op);
        break;
      case 'health':
        this.health = output.health;
        break;
    }
  }

  private async persist({
    batch,
    upserts,
    removals,
  }: Extract<RecordsOutput, { type: 'persist' }>): Promise<void> {
    let ok = true;
    try {
      await this.disk.write(upserts, removals);
    } catch (error) {
      ok = false;
      this.log.error(
        `the disk does not take records: ${(error as Error).message}`,
      );
    }
    this.records.feed({ type: 'persisted', batch, ok });
  }

  private tellTime(): void {
    const { wallOffset } = this.clock;
    this.records.feed({ type: 'clock', wallOffset });
  }

  private adopt(view: RingView): void {
    this.view = view;
    const { self, predecessor, successors, stableSince } = view;
    this.records.feed({
      type: 'view',
      self,
      predecessor,
      successors,
      stableSince,
    });
    if (view.mode === 'member') this.onMember();
  }

  private self(): NodeRef {
    const { ringId, incarnation } = this.identity.value;
    return {
      id: ringId,
      host: this.config.advertise,
      port: this.address.port,
      incarnation,
    };
  }
}
