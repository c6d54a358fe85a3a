/** uTP (BEP 29) on the UDP port beside the TCP one: the machine of @dnd/wire bound to the port's datagrams and one timer. */
import { keyOf } from '@dnd/swarm';
import { UtpMultiplexer, type UtpEvents, type UtpSocket } from '@dnd/wire';
import { randomInt } from 'node:crypto';
import type { Transport, TransportEvents } from './transport';
import type { UdpPort } from './udp-port';

export interface UtpPortOwner {
  now(): number;
  /** Somebody has connected; undefined refuses. */
  accepted(transport: UtpTransport): TransportEvents | undefined;
}

export class UtpPort {
  private readonly multiplexer: UtpMultiplexer;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Infinity;

  constructor(
    private readonly owner: UtpPortOwner,
    private readonly port: Pick<UdpPort, 'send'>,
  ) {
    this.multiplexer = new UtpMultiplexer({
      send: (datagram, address) => this.send(datagram, address),
      random16: () => randomInt(65_536),
      onConnection: (socket) => this.introduce(socket),
    });
  }

  received(datagram: Uint8Array, host: string, port: number): void {
    this.multiplexer.handle(datagram, keyOf({ host, port }), this.owner.now());
    this.schedule();
  }

  /** Undefined when there are too many connections. */
  dial(host: string, port: number): UtpTransport | undefined {
    const transport = new UtpTransport(this, host, port);
    const socket = this.multiplexer.connect(
      keyOf({ host, port }),
      transport,
      this.owner.now(),
    );
    if (!socket) return undefined;
    transport.socket = socket;
    this.schedule();
    return transport;
  }

  close(): void {
    this.multiplexer.close(this.owner.now());
    clearTimeout(this.timer);
  }

  now(): number {
    return this.owner.now();
  }

  /** Must follow every call of the multiplexer or its sockets. */
  schedule(): void {
    const at = this.multiplexer.wakeAt;
    if (at >= this.timerAt || at === Infinity) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(
      () => {
        this.timerAt = Infinity;
        this.multiplexer.tick(this.owner.now());
        this.schedule();
      },
      Math.max(1, at - this.owner.now()),
    );
  }

  private introduce(socket: UtpSocket): UtpEvents | undefined {
    const [host, port] = parts(socket.address);
    const transport = new UtpTransport(this, host, port);
    transport.socket = socket;
    const events = this.owner.accepted(transport);
    if (!events) return undefined;
    transport.listen(events);
    return transport;
  }

  private send(datagram: Uint8Array, address: string): void {
    const [host, port] = parts(address);
    this.port.send(datagram, host, port);
  }
}

export class UtpTransport implements Transport, UtpEvents {
  readonly kind = 'utp';
  readonly lends = false;
  socket: UtpSocket | undefined;
  private events: TransportEvents | undefined;

  constructor(
    private readonly owner: UtpPort,
    readonly host: string,
    readonly port: number,
  ) {}

  /** Must be called in the turn that made the transport. */
  listen(events: TransportEvents): void {
    this.events = events;
  }

  get backlog(): number {
    return this.socket?.waiting ?? 0;
  }

  write(chunks: readonly Uint8Array[]): void {
    this.socket?.write(chunks, this.owner.now());
    this.owner.schedule();
  }

  destroy(): void {
    this.socket?.destroy(this.owner.now());
  }

  onConnect(): void {
    this.events?.connected();
  }

  onData(bytes: Uint8Array): void {
    this.events?.received(bytes);
  }

  onWritable(): void {
    this.events?.writable();
  }

  onEnd(): void {
    this.destroy();
  }

  onClose(error: Error | undefined): void {
    this.events?.closed(error?.message ?? 'the remote closed the connection');
  }
}

function parts(address: string): [host: string, port: number] {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[|\]$/g, '');
  return [host, Number(address.slice(colon + 1))];
}
