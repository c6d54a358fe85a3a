/**
 * Many swarms in one virtual network: the commands of one are the events of another, after the time
 * that links of limited bandwidth and latency take. Time and chance come from the seed alone, so a
 * run can be repeated. Blocks carry a few bytes that tell piece, block and truth; nothing is copied
 * beyond them.
 */
import { Bitfield } from '@dnd/metainfo';
import type { PeerCommands } from '@dnd/wire';
import type { DisconnectReason, SwarmHost } from '../host';
import { BLOCK_LENGTH } from '../partial-piece';
import type { SwarmSettings } from '../settings';
import { Swarm } from '../swarm';
import type { SwarmPeer } from '../swarm-peer';
import { TokenBucket } from '../token-bucket';
import { seededRandom } from './seeded-random';

/** What a simulated node does wrong, if anything. */
export type Conduct =
  | 'honest'
  /** Some of the blocks it sends are wrong. */
  | 'corrupting'
  /** Claims everything, unchokes everybody, sends nothing. */
  | 'snubbing'
  /** Claims everything and rejects every request. */
  | 'rejecting'
  /** Sends the first byte of a block and then no more. */
  | 'dribbling';

export interface NodeOptions {
  readonly name: string;
  readonly seed?: boolean;
  readonly conduct?: Conduct;
  /** Bytes per second of the line; 1 GB/s by default. */
  readonly up?: number;
  readonly down?: number;
  /** Bytes per second that the program limits itself to. */
  readonly uploadLimit?: number;
  readonly downloadLimit?: number;
  readonly fast?: boolean;
  /** Pieces that may be received at a time. */
  readonly buffers?: number;
  readonly settings?: Partial<SwarmSettings>;
}

export interface SimulationOptions {
  readonly seed: number;
  readonly pieceCount: number;
  readonly pieceLength: number;
  /** Milliseconds one way. */
  readonly latency?: number;
  /** Milliseconds between a complete piece and its verdict. */
  readonly hashing?: number;
}

interface Message {
  readonly size: number;
  readonly deliver: () => void;
  readonly sent?: () => void;
}

const CONTROL = 17;
/** Bytes of pieces that a node receives at a time, unless told otherwise. */
const BUFFERED = 64 * 1024 * 1024;

/** A line out of one node: its connections take turns. */
class Uplink {
  readonly #rows: Message[][] = [];
  #turn = 0;
  #busy = false;

  constructor(
    private readonly world: SwarmSimulation,
    private readonly rate: number,
  ) {}

  addRow(): Message[] {
    const row: Message[] = [];
    this.#rows.push(row);
    return row;
  }

  wake(): void {
    if (this.#busy) return;
    for (let i = 0; i < this.#rows.length; i++) {
      const row = this.#rows[(this.#turn + i) % this.#rows.length];
      if (row.length === 0) continue;
      this.#turn = (this.#turn + i + 1) % this.#rows.length;
      this.#busy = true;
      // Small messages share a packet with what follows them.
      const packet = [row.shift() as Message];
      let size = packet[0].size;
      while (row.length > 0 && size < BLOCK_LENGTH) {
        const message = row.shift() as Message;
        size += message.size;
        packet.push(message);
      }
      this.world.after((size * 1000) / this.rate, () => {
        this.#busy = false;
        for (const { deliver, sent } of packet) {
          deliver();
          sent?.();
        }
        this.wake();
      });
      return;
    }
  }
}

export class SimulatedNode implements SwarmHost {
  readonly swarm: Swarm;
  readonly bannedNames = new Set<string>();
  readonly disconnects: { name: string; reason: DisconnectReason }[] = [];
  readonly uplink: Uplink;
  finishedAt = Infinity;
  downFreeAt = 0;
  /** Blocks received; more than the torrent has were in vain. */
  blocksSent = 0;
  readonly #buffers = new Map<number, Uint8Array>();
  readonly #freeBuffers: Uint8Array[] = [];
  readonly links = new Map<SwarmPeer, SimulatedLink>();
  #wakeAt = Infinity;

  constructor(
    readonly world: SwarmSimulation,
    readonly options: NodeOptions,
  ) {
    const { pieceCount, pieceLength } = world.options;
    const {
      conduct = 'honest',
      seed = false,
      uploadLimit,
      downloadLimit,
    } = options;
    const claimsAll = seed || conduct === 'snubbing' || conduct === 'rejecting';
    if (seed) this.finishedAt = 0;
    this.uplink = new Uplink(world, options.up ?? 1e9);
    this.swarm = new Swarm({
      pieceCount,
      pieceSize: () => pieceLength,
      have: claimsAll ? Bitfield.full(pieceCount) : new Bitfield(pieceCount),
      host: this,
      random: world.random,
      settings: options.settings,
      uploadLimits:
        uploadLimit === undefined
          ? []
          : [new TokenBucket(uploadLimit, world.now)],
      downloadLimits:
        downloadLimit === undefined
          ? []
          : [new TokenBucket(downloadLimit, world.now)],
      now: world.now,
    });
  }

  get conduct(): Conduct {
    return this.options.conduct ?? 'honest';
  }

  /** Everything that reaches the swarm goes through here. */
  enter(input: () => void): void {
    this.swarm.at(this.world.now);
    input();
    this.swarm.settle();
    this.#arm();
  }

  reserve(piece: number): boolean {
    const length = this.world.options.pieceLength;
    const most = this.options.buffers ?? Math.max(4, BUFFERED / length);
    if (this.#buffers.size >= most) return false;
    this.#buffers.set(piece, this.#freeBuffers.pop() ?? new Uint8Array(length));
    return true;
  }

  target(piece: number, begin: number, length: number): Uint8Array {
    const buffer = this.#buffers.get(piece);
    if (buffer === undefined) throw new Error(`no buffer for piece ${piece}`);
    return buffer.subarray(begin, begin + length);
  }

  verify(piece: number): void {
    this.world.after(this.world.options.hashing ?? 1, () => {
      const right = this.#isRight(piece);
      if (right) this.#free(piece);
      this.enter(() => {
        if (right) this.swarm.verified(piece);
        else this.swarm.corrupt(piece);
      });
    });
  }

  discard(piece: number): void {
    this.#free(piece);
  }

  serve(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
    blockLength: number,
  ): void {
    const link = this.links.get(peer);
    if (link === undefined) return;
    for (let at = begin; at < begin + length; at += blockLength)
      link.sendBlock(piece, at, Math.min(blockLength, begin + length - at));
  }

  disconnect(peer: SwarmPeer, reason: DisconnectReason, ban: boolean): void {
    const link = this.links.get(peer);
    const name = peer.traits.address;
    this.disconnects.push({ name, reason });
    if (ban) this.bannedNames.add(name);
    link?.close();
  }

  finished(): void {
    this.finishedAt = Math.min(this.finishedAt, this.world.now);
  }

  #isRight(piece: number): boolean {
    const buffer = this.#buffers.get(piece);
    if (buffer === undefined) return false;
    for (let begin = 0; begin < buffer.length; begin += BLOCK_LENGTH) {
      const at =
        buffer[begin] | (buffer[begin + 1] << 8) | (buffer[begin + 2] << 16);
      if (
        at !== (piece & 0xffffff) ||
        buffer[begin + 3] !== ((begin >> 14) & 0xff)
      )
        return false;
      if (buffer[begin + 4] !== 0) return false;
    }
    return true;
  }

  #free(piece: number): void {
    const buffer = this.#buffers.get(piece);
    if (buffer === undefined) throw new Error(`piece ${piece} was freed twice`);
    this.#buffers.delete(piece);
    // Whoever still writes here, or forgets to, is found out.
    for (let begin = 0; begin < buffer.length; begin += BLOCK_LENGTH)
      buffer.fill(0xee, begin, begin + 5);
    this.#freeBuffers.push(buffer);
  }

  #arm(): void {
    const { wakeAt } = this.swarm;
    if (wakeAt >= this.#wakeAt) return;
    this.#wakeAt = wakeAt;
    this.world.at(wakeAt, () => {
      if (this.#wakeAt !== wakeAt) return;
      this.#wakeAt = Infinity;
      this.swarm.tick(this.world.now);
      this.#arm();
    });
  }
}

/** One direction of a connection: what `from` says reaches `to`'s peer object. */
class SimulatedLink implements PeerCommands {
  readonly fast: boolean;
  remote: SwarmPeer | undefined;
  local: SwarmPeer | undefined;
  back: SimulatedLink | undefined;
  open = true;
  readonly #row: Message[];
  /** A block has begun that will never end; nothing can come behind it. */
  #dribbled = false;

  constructor(
    private readonly from: SimulatedNode,
    private readonly to: SimulatedNode,
  ) {
    this.fast = (from.options.fast ?? true) && (to.options.fast ?? true);
    this.#row = from.uplink.addRow();
  }

  choke = (): void => this.#say((peer) => peer.onChoke());
  unchoke = (): void => this.#say((peer) => peer.onUnchoke());
  interested = (): void => this.#say((peer) => peer.onInterested());
  notInterested = (): void => this.#say((peer) => peer.onNotInterested());
  have = (piece: number): void => this.#say((peer) => peer.onHave(piece));
  bitfield = (have: Bitfield): void => {
    const copy = have.clone();
    this.#say((peer) => peer.onBitfield(copy));
  };
  request = (piece: number, begin: number, length: number): void =>
    this.#say((peer) => peer.onRequest(piece, begin, length));
  cancel = (piece: number, begin: number, length: number): void =>
    this.#say((peer) => peer.onCancel(piece, begin, length));
  reject = (piece: number, begin: number, length: number): void => {
    if (this.fast) this.#say((peer) => peer.onReject(piece, begin, length));
  };
  allowedFast = (piece: number): void =>
    this.#say((peer) => peer.onAllowedFast(piece));
  suggest = (piece: number): void => this.#say((peer) => peer.onSuggest(piece));
  dontHave = (piece: number): void =>
    this.#say((peer) => peer.onDontHave(piece));
  keepAlive = (): void => this.#say(() => undefined);

  sendBlock(piece: number, begin: number, length: number): void {
    const { conduct } = this.from;
    if (conduct === 'snubbing') return;
    if (conduct === 'rejecting') {
      this.local?.served(length);
      this.reject(piece, begin, length);
      return;
    }
    const bad = conduct === 'corrupting' && this.from.world.random() < 0.2;
    this.from.blocksSent++;
    this.#send(
      length,
      (peer) => {
        if (this.#dribbled) return;
        const target = peer.blockTarget(piece, begin, length);
        if (conduct === 'dribbling') {
          this.#dribbled = true;
          return;
        }
        if (target === undefined) return;
        target[0] = piece;
        target[1] = piece >> 8;
        target[2] = piece >> 16;
        target[3] = begin >> 14;
        target[4] = Number(bad);
        peer.onBlock();
      },
      () => this.from.enter(() => this.local?.served(length)),
    );
  }

  close(): void {
    if (this.back?.local !== undefined) {
      const { back } = this;
      back.open = false;
      this.open = false;
      const other = back.local;
      this.from.world.after(this.from.world.options.latency ?? 1, () =>
        this.to.enter(() => {
          if (other !== undefined) this.to.swarm.removePeer(other);
        }),
      );
    }
  }

  #say(event: (peer: SwarmPeer) => void): void {
    this.#send(CONTROL, event);
  }

  #send(
    size: number,
    event: (peer: SwarmPeer) => void,
    sent?: () => void,
  ): void {
    if (!this.open) return;
    const { world } = this.from;
    this.#row.push({
      size,
      sent,
      deliver: () => {
        const rate = this.to.options.down ?? 1e9;
        const arrival = world.now + (world.options.latency ?? 1);
        this.to.downFreeAt =
          Math.max(this.to.downFreeAt, arrival) + (size * 1000) / rate;
        world.at(this.to.downFreeAt, () => {
          const { remote } = this;
          if (remote === undefined || remote.gone) return;
          this.to.enter(() => event(remote));
        });
      },
    });
    this.from.uplink.wake();
  }
}

export class SwarmSimulation {
  now = 0;
  readonly random: () => number;
  readonly nodes: SimulatedNode[] = [];
  readonly #heap: { at: number; order: number; run: () => void }[] = [];
  #order = 0;

  constructor(readonly options: SimulationOptions) {
    this.random = seededRandom(options.seed);
  }

  add(options: NodeOptions): SimulatedNode {
    const node = new SimulatedNode(this, options);
    this.nodes.push(node);
    return node;
  }

  /** Connects each with each. */
  connectAll(): void {
    for (let i = 0; i < this.nodes.length; i++)
      for (let j = 0; j < i; j++) this.connect(this.nodes[i], this.nodes[j]);
  }

  connect(dialler: SimulatedNode, listener: SimulatedNode): void {
    const there = new SimulatedLink(dialler, listener);
    const back = new SimulatedLink(listener, dialler);
    there.back = back;
    back.back = there;
    const a = dialler;
    const b = listener;
    a.swarm.at(this.now);
    b.swarm.at(this.now);
    const ofA = a.swarm.addPeer(there, {
      address: b.options.name,
      incoming: false,
    });
    const ofB = b.swarm.addPeer(back, {
      address: a.options.name,
      incoming: true,
    });
    // As their extended handshakes say.
    ofA.extended({ reqq: b.swarm.settings.reqq });
    ofB.extended({ reqq: a.swarm.settings.reqq });
    there.local = ofA;
    there.remote = ofB;
    back.local = ofB;
    back.remote = ofA;
    a.links.set(ofA, there);
    b.links.set(ofB, back);
    a.enter(() => undefined);
    b.enter(() => undefined);
  }

  /** Runs until all honest nodes are complete or the time (ms) is up; true in the first case. */
  run(until: number): boolean {
    const honest = this.nodes.filter((node) => node.conduct === 'honest');
    let checked = 0;
    for (;;) {
      const next = this.#heap[0];
      if (next === undefined || next.at > until) {
        this.now = until;
        return honest.every((node) => node.swarm.have.complete);
      }
      this.#pop();
      this.now = next.at;
      next.run();
      if (++checked % 256 === 0 && honest.every((n) => n.finishedAt < Infinity))
        return true;
    }
  }

  at(time: number, run: () => void): void {
    if (time === Infinity) return;
    this.#push({ at: Math.max(time, this.now), order: this.#order++, run });
  }

  after(delay: number, run: () => void): void {
    this.at(this.now + delay, run);
  }

  #push(entry: { at: number; order: number; run: () => void }): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      if (!isBefore(entry, heap[up])) break;
      heap[at] = heap[up];
      at = up;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && isBefore(heap[down + 1], heap[down]))
        down++;
      if (!isBefore(heap[down], last)) break;
      heap[at] = heap[down];
      at = down;
    }
    heap[at] = last;
  }
}

function isBefore(
  a: { at: number; order: number },
  b: { at: number; order: number },
): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
