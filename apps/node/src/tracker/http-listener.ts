/**
 * The tracker's HTTP side: sockets for @dnd/tracker's connections. Bytes go to the connection as they
 * come, its answers out in one write a chunk. A connection whose request waits for its swarm, or
 * whose reader is slow, is not read from meanwhile.
 */
import { HttpTrackerConnection, type HttpTracker } from '@dnd/tracker';
import {
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { every } from '../beat';
import type { AnswerMeter } from './answer-meter';

const maxConnections = 4_000;
/** Bytes of answers that a reader may leave lying. */
const maxUnread = 256 * 1024;
const sweepPeriod = 5_000;

export interface HttpListenerOptions {
  readonly tracker: HttpTracker;
  readonly meter: AnswerMeter;
  /** Milliseconds by a clock that is never set back. */
  readonly now: () => number;
  /** Resolves when a swarm that is not known yet was asked about. */
  readonly learn: (infoHash: Uint8Array) => Promise<void>;
  /** Is it a proxy whose X-Forwarded-For is believed? */
  readonly isProxy?: (address: string) => boolean;
}

export class HttpListener {
  private readonly server: Server;
  /**
   * By slots that are used again, and not a Set: thousands come and go a second, a Set lays out its table
   * anew all the time, and each old table keeps alive whoever stood in it until the whole heap is looked
   * through.
   */
  private readonly clients: (Client | undefined)[] = [];
  private readonly freeSlots: number[] = [];
  private endSweeping = (): void => undefined;

  constructor(private readonly options: HttpListenerOptions) {
    this.server = createServer((socket) => this.accept(socket));
    this.server.maxConnections = maxConnections;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async listen(port: number, host: string): Promise<void> {
    const { server } = this;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host, backlog: 1024 }, resolve);
    });
    server.on('error', () => undefined);
    this.endSweeping = every(sweepPeriod, () => this.sweep());
  }

  close(): void {
    this.endSweeping();
    this.server.close();
    for (const client of this.clients) client?.socket.destroy();
  }

  private accept(socket: Socket): void {
    const remote = socket.remoteAddress;
    // Gone before it was looked at.
    if (remote === undefined) return void socket.destroy();
    const slot = this.freeSlots.pop() ?? this.clients.length;
    this.clients[slot] = new Client(socket, remote, this.options);
    // Only once, and `once` would cost as much again as what it calls.
    socket.on('close', () => {
      this.clients[slot] = undefined;
      this.freeSlots.push(slot);
    });
  }

  private sweep(): void {
    const now = this.options.now();
    for (const client of this.clients)
      if (client && client.connection.deadline < now) client.socket.destroy();
  }
}

class Client {
  readonly connection: HttpTrackerConnection;
  private requests = 0;
  private junk = 0;
  private readonly sink = (bytes: Uint8Array): boolean => {
    this.socket.write(bytes);
    // Else it still stands in the tracker's buffer.
    return this.socket.writableLength === 0;
  };

  constructor(
    readonly socket: Socket,
    remote: string,
    private readonly options: HttpListenerOptions,
  ) {
    const proxied = options.isProxy?.(remote) ?? false;
    this.connection = new HttpTrackerConnection(
      options.tracker,
      remote,
      options.now(),
      proxied,
    );
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', () => socket.destroy());
  }

  private receive(chunk: Buffer): void {
    // Whoever asks once has its answer without it.
    if (++this.requests === 2) this.socket.setNoDelay(true);
    const began = this.options.meter.begin();
    this.junk = this.options.tracker.counters.junk;
    this.connection.receive(chunk, this.options.now(), this.sink);
    this.options.meter.end(began);
    this.goOn();
  }

  private goOn(): void {
    const { connection, socket } = this;
    if (connection.closing) this.finish();
    else if (connection.waitsFor.length > 0) void this.wait();
    else if (socket.writableLength > maxUnread) {
      socket.pause();
      socket.once('drain', () => socket.resume());
    }
  }

  /** More than one swarm may be waited for in turn: requests that came together are answered in their order. */
  private async wait(): Promise<void> {
    const { connection, socket } = this;
    socket.pause();
    while (connection.waitsFor.length > 0 && !socket.destroyed) {
      await Promise.all(connection.waitsFor.map(this.options.learn));
      if (socket.destroyed) return;
      connection.resume(this.options.now(), this.sink);
    }
    socket.resume();
    this.goOn();
  }

  private finish(): void {
    const { socket } = this;
    if (socket.writableEnded) return;
    // Whoever is refused may still be sending: closed at once, he would not see why.
    if (this.options.tracker.counters.junk > this.junk) socket.end();
    else if (socket.writableLength === 0) socket.destroy();
    else socket.destroySoon();
  }
}
