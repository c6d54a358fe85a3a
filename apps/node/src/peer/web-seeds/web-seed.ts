/**
 * One web seed (BEP 19, GetRight style) as a peer of the swarm: requests for blocks that lie side by
 * side become one HTTP range request, its answer's bytes become blocks as they come. Two requests at a
 * time, each on a connection that is kept: while one is answered the next is on its way.
 */
import { Bitfield, type FileLayout, type Metainfo } from '@dnd/metainfo';
import type { Swarm, SwarmPeer } from '@dnd/swarm';
import { BLOCK_SIZE, type PeerCommands } from '@dnd/wire';
import { WebSeedError, WebSeedLine } from './web-seed-line';

export interface WebSeedOwner {
  readonly swarm: Swarm;
  now(): number;
  settle(): void;
  /** A range came whole. */
  worked(): void;
  /** It is of no use at present, or `forGood`; `rest`: milliseconds that it asked to be left alone. */
  failed(message: string, forGood: boolean, rest: number): void;
}

interface Request {
  readonly piece: number;
  readonly begin: number;
  readonly length: number;
}

/** Bytes asked for at once. */
const longestRun = 4 * 1024 * 1024;
const lineCount = 2;
/** What waits for its request here costs nobody anything, and long ranges keep the lines full. */
const aheadSeconds = 1;
/** Bytes that are worth a second request beside the first. */
const worthASecond = 1024 * 1024;
const queueLimit = 2_000;

export class WebSeed implements PeerCommands {
  readonly fast = true;
  readonly peer: SwarmPeer;
  private readonly queue: Request[] = [];
  private readonly lines: readonly WebSeedLine[];
  /** Lines that nothing is fetched over; the one used last comes first. */
  private readonly free: WebSeedLine[];
  private starting = false;
  private ended = false;

  constructor(
    url: string,
    metainfo: Metainfo,
    private readonly layout: FileLayout,
    private readonly owner: WebSeedOwner,
    /** Milliseconds without a byte after which it is given up. */
    silence = 20_000,
  ) {
    this.lines = Array.from(
      { length: lineCount },
      () => new WebSeedLine(url, metainfo, layout, silence),
    );
    this.free = [...this.lines];
    const { swarm } = owner;
    swarm.at(owner.now());
    this.peer = swarm.addPeer(this, {
      address: url,
      incoming: false,
      aheadSeconds,
    });
    this.peer.extended({ reqq: queueLimit, uploadOnly: true });
    this.peer.onBitfield(Bitfield.full(metainfo.pieceCount));
    this.peer.onUnchoke();
  }

  get busy(): boolean {
    return this.starting || this.free.length < lineCount;
  }

  end(): void {
    this.ended = true;
    for (const line of this.lines) line.end();
  }

  // --- what the swarm says to it ---

  request(piece: number, begin: number, length: number): void {
    this.queue.push({ piece, begin, length });
    if (this.starting || this.free.length === 0) return;
    this.starting = true;
    // After the swarm's present step all that it wants is in the queue.
    queueMicrotask(() => this.start());
  }

  cancel(piece: number, begin: number, length: number): void {
    const at = this.queue.findIndex(
      (each) => each.piece === piece && each.begin === begin,
    );
    if (at < 0) return;
    this.queue.splice(at, 1);
    queueMicrotask(() => {
      if (!this.ended) this.peer.onReject(piece, begin, length);
    });
  }

  choke(): void {
    // It asks for nothing.
  }
  unchoke(): void {
    // Likewise.
  }
  interested(): void {
    // It serves everybody.
  }
  notInterested(): void {
    // Likewise.
  }
  have(): void {
    // It has everything itself.
  }
  bitfield(): void {
    // Likewise.
  }
  reject(): void {
    // It has requested nothing.
  }
  allowedFast(): void {
    // Likewise.
  }
  suggest(): void {
    // Likewise.
  }
  dontHave(): void {
    // Likewise.
  }
  keepAlive(): void {
    // The request itself tells whether it is there.
  }

  // --- asking ---

  private start(): void {
    this.starting = false;
    while (!this.ended && this.isWorthALine()) {
      const line = this.free.pop();
      if (!line) return;
      void this.run(line);
    }
  }

  private isWorthALine(): boolean {
    const waiting = this.queue.reduce((sum, { length }) => sum + length, 0);
    return waiting >= (this.free.length === lineCount ? 1 : worthASecond);
  }

  private async run(line: WebSeedLine): Promise<void> {
    try {
      while (this.queue.length > 0 && !this.ended) {
        await this.fetchRun(line, this.nextRun());
        if (!this.ended) this.owner.worked();
      }
    } catch (error) {
      if (this.ended) return;
      const known = error instanceof WebSeedError;
      this.owner.failed(
        (error as Error).message,
        known && error.forGood,
        known ? error.rest : 0,
      );
    } finally {
      this.free.push(line);
    }
  }

  /** The first request and those that go on where the one before ends. */
  private nextRun(): Request[] {
    const { queue } = this;
    let count = 1;
    let bytes = queue[0].length;
    let end = this.offsetOf(queue[0]) + bytes;
    while (
      count < queue.length &&
      this.offsetOf(queue[count]) === end &&
      bytes + queue[count].length <= longestRun
    ) {
      end += queue[count].length;
      bytes += queue[count].length;
      count++;
    }
    return queue.splice(0, count);
  }

  private offsetOf({ piece, begin }: Request): number {
    return this.layout.pieceOffset(piece) + begin;
  }

  private async fetchRun(
    line: WebSeedLine,
    run: readonly Request[],
  ): Promise<void> {
    const length = run.reduce((sum, each) => sum + each.length, 0);
    const writer = new BlockWriter(run, this.peer, this.owner);
    await line.fetch(this.offsetOf(run[0]), length, (bytes) =>
      writer.write(bytes),
    );
  }
}

/** Puts a run's bytes into its blocks' places as they come, whole blocks only: those of another run come in between. */
class BlockWriter {
  private index = 0;
  private fill = 0;
  private readonly begun = new Uint8Array(BLOCK_SIZE);

  constructor(
    private readonly run: readonly Request[],
    private readonly peer: SwarmPeer,
    private readonly owner: WebSeedOwner,
  ) {}

  write(bytes: Uint8Array): void {
    this.owner.swarm.at(this.owner.now());
    for (let at = 0; at < bytes.length && this.index < this.run.length;) {
      const { length } = this.run[this.index];
      const part = bytes.subarray(at, at + length - this.fill);
      at += part.length;
      if (part.length === length) this.put(part);
      else {
        this.begun.set(part, this.fill);
        this.fill += part.length;
        if (this.fill === length) this.put(this.begun.subarray(0, length));
      }
    }
    this.owner.settle();
  }

  private put(block: Uint8Array): void {
    const { piece, begin, length } = this.run[this.index++];
    this.fill = 0;
    const target = this.peer.blockTarget(piece, begin, length);
    if (!target) return;
    target.set(block);
    this.peer.onBlock();
  }
}
