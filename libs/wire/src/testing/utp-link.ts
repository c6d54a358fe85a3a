/** For specs: two uTP ends joined by a line with faults, in virtual time. */
import { Random, VirtualTime } from '@dnd/sim';
import { UtpMultiplexer, type UtpOptions } from '../utp/utp-multiplexer';
import type { UtpEvents, UtpSocket } from '../utp/utp-socket';

export interface LineOptions {
  readonly seed: number;
  /** Milliseconds each way. */
  readonly delay?: number;
  /** Probabilities. */
  readonly loss?: number;
  readonly reorder?: number;
  readonly duplicate?: number;
  /** Bytes a millisecond each way; absent: no bound. */
  readonly bandwidth?: number;
  /** Bytes that wait at the narrow place before it drops. */
  readonly queue?: number;
  readonly datagram?: number;
  readonly maxConnections?: number;
}

/** One end: what it got, and how it ended. */
export class UtpEnd implements UtpEvents {
  readonly chunks: Uint8Array[] = [];
  received = 0;
  connected = false;
  ended = false;
  closes: (string | undefined)[] = [];
  /** What is still to be written. */
  toWrite: Uint8Array = new Uint8Array(0);
  endAfter = false;
  socket: UtpSocket | undefined;
  readonly #clock: () => number;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  onConnect(): void {
    this.connected = true;
    this.onWritable();
  }

  onData(bytes: Uint8Array): void {
    this.chunks.push(bytes.slice());
    this.received += bytes.length;
  }

  onWritable(): void {
    const { socket } = this;
    if (socket === undefined) return;
    while (this.toWrite.length > 0 && socket.writable) {
      const part = this.toWrite.subarray(0, 16_397);
      this.toWrite = this.toWrite.subarray(part.length);
      socket.write([part.subarray(0, 13), part.subarray(13)], this.#clock());
    }
    if (this.toWrite.length === 0 && this.endAfter) socket.end(this.#clock());
  }

  onEnd(): void {
    this.ended = true;
    this.socket?.end(this.#clock());
  }

  onClose(error: Error | undefined): void {
    this.closes.push(error?.message);
  }
}

export class UtpLine {
  readonly random: Random;
  readonly a: UtpMultiplexer;
  readonly b: UtpMultiplexer;
  readonly accepted: UtpEnd[] = [];
  /** Datagrams and bytes by sender. */
  readonly sent = { a: 0, b: 0, aBytes: 0, bBytes: 0, lost: 0 };
  /** The newest datagram of each end. */
  readonly last = { a: new Uint8Array(0), b: new Uint8Array(0) };
  /** From now on nothing arrives. */
  cut = false;
  /** Greatest bytes that waited at the narrow place. */
  deepest = 0;
  readonly #options: LineOptions;
  readonly #time = new VirtualTime();
  #tickAt = Infinity;
  readonly #freeAt = { a: 0, b: 0 };

  constructor(options: LineOptions) {
    this.#options = options;
    this.random = new Random(options.seed);
    this.a = new UtpMultiplexer(this.#end('a', 'b'));
    this.b = new UtpMultiplexer(this.#end('b', 'a'));
  }

  get now(): number {
    return this.#time.now;
  }

  /** A dials B. */
  connect(toWrite: Uint8Array = new Uint8Array(0), endAfter = false): UtpEnd {
    const end = new UtpEnd(() => this.now);
    end.toWrite = toWrite;
    end.endAfter = endAfter;
    end.socket = this.a.connect('b', end, this.now);
    return end;
  }

  /** Runs until `done` or the time is over; true when done. */
  run(milliseconds: number, done: () => boolean = () => false): boolean {
    let over = false;
    const end = this.#time.after(milliseconds, () => (over = true));
    while (!over && !done()) {
      this.#arm();
      this.#time.step();
    }
    end.cancel();
    return done();
  }

  /** Puts a datagram on the line as if the end had sent it. */
  inject(from: 'a' | 'b', datagram: Uint8Array, address: string = from): void {
    const to = from === 'a' ? this.b : this.a;
    to.handle(datagram, address, this.now);
  }

  #end(me: 'a' | 'b', other: 'a' | 'b'): UtpOptions {
    return {
      send: (datagram) => this.#carry(me, other, datagram),
      random16: () => this.random.int(65_536),
      onConnection: (socket) => {
        const end = new UtpEnd(() => this.now);
        end.socket = socket;
        this.accepted.push(end);
        return end;
      },
      maxConnections: this.#options.maxConnections,
      datagramSize: () => this.#options.datagram ?? 1_400,
    };
  }

  #carry(me: 'a' | 'b', other: 'a' | 'b', datagram: Uint8Array): void {
    const { loss = 0, duplicate = 0 } = this.#options;
    this.sent[me]++;
    this.sent[`${me}Bytes`] += datagram.length;
    this.last[me] = datagram.slice();
    if (this.cut || this.random.chance(loss)) {
      this.sent.lost++;
      return;
    }
    const copies = this.random.chance(duplicate) ? 2 : 1;
    const bytes = datagram.slice();
    for (let i = 0; i < copies; i++) {
      const at = this.#arrival(me, bytes.length);
      if (at === undefined) {
        this.sent.lost++;
        continue;
      }
      this.#time.at(at, () => {
        (other === 'a' ? this.a : this.b).handle(bytes, me, this.now);
      });
    }
  }

  #arrival(me: 'a' | 'b', size: number): number | undefined {
    const { delay = 20, reorder = 0, bandwidth, queue } = this.#options;
    const late = this.random.chance(reorder) ? this.random.int(20) : 0;
    if (bandwidth === undefined) return this.now + delay + late;
    const waiting = Math.max(0, this.#freeAt[me] - this.now) * bandwidth;
    if (queue !== undefined && waiting > queue) return undefined;
    this.deepest = Math.max(this.deepest, waiting);
    this.#freeAt[me] = Math.max(this.#freeAt[me], this.now) + size / bandwidth;
    return this.#freeAt[me] + delay + late;
  }

  /** A tick at the earliest time that either end asks for. */
  #arm(): void {
    const at = Math.max(Math.min(this.a.wakeAt, this.b.wakeAt), this.now);
    if (at >= this.#tickAt || at === Infinity) return;
    this.#tickAt = at;
    this.#time.at(at, () => {
      if (this.#tickAt === at) this.#tickAt = Infinity;
      this.a.tick(this.now);
      this.b.tick(this.now);
    });
  }
}
