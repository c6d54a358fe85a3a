/**
 * Lines on this machine: a port that stands for another one, whose bytes arrive some time later and no
 * faster than the line is. Loopback has neither.
 */
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, createServer, type Socket } from 'node:net';

export interface Line {
  /** Milliseconds there and back. */
  readonly roundTrip: number;
  /** Bytes a second either way; Infinity for as many as the machine can. */
  readonly rate: number;
  /** 0 to 1, of datagrams either way; what TCP loses it sends again by itself, here it loses nothing. */
  readonly loss: number;
}

export interface Relay {
  readonly port: number;
  close(): void;
}

/** Who talks to a UDP relay. */
interface Client {
  readonly far: UdpSocket;
  readonly forth: Way<Buffer>;
  readonly back: Way<Buffer>;
}

const host = '127.0.0.1';
/** What waits before the line of a bounded rate, milliseconds: a router's buffer. */
const bufferTime = 100;
/** On a line without a bound. */
const mostUnderWay = 64 * 1024 * 1024;
/** Of a UDP socket: what is lost is to be lost by the line, not for want of our time. */
const bufferSize = 4 * 1024 * 1024;
const udpSocket = (): UdpSocket =>
  createSocket({
    type: 'udp4',
    recvBufferSize: bufferSize,
    sendBufferSize: bufferSize,
  });

/** One direction of a line, which all connections share. */
class Direction {
  private readonly rate: number;
  /** When the last byte so far will have left. */
  private free = 0;

  constructor({ rate }: Line) {
    this.rate = rate;
  }

  /** When so many bytes more will have left. */
  take(bytes: number): number {
    this.free = Math.max(this.free, performance.now());
    this.free += (bytes / this.rate) * 1_000;
    return this.free;
  }
}

/** What one connection sends in a direction: delivered in order, and no earlier than the line allows. */
class Way<T> {
  private readonly queue: { readonly due: number; readonly what: T }[] = [];
  private timer: NodeJS.Timeout | undefined;
  private bytes = 0;

  private readonly line: Line;
  private readonly direction: Direction;
  private readonly sizeOf: (what: T) => number;
  private readonly deliver: (what: T) => void;

  constructor(
    line: Line,
    direction: Direction,
    sizeOf: (what: T) => number,
    deliver: (what: T) => void,
  ) {
    this.line = line;
    this.direction = direction;
    this.sizeOf = sizeOf;
    this.deliver = deliver;
  }

  get isFull(): boolean {
    const { rate, roundTrip } = this.line;
    const most = ((roundTrip / 2 + bufferTime) / 1_000) * rate;
    return this.bytes > Math.min(most, mostUnderWay);
  }

  send(what: T): void {
    const size = this.sizeOf(what);
    const way = this.line.roundTrip / 2;
    this.queue.push({ due: this.direction.take(size) + way, what });
    this.bytes += size;
    this.timer ??= setTimeout(() => this.arrive(), way);
  }

  end(): void {
    clearTimeout(this.timer);
  }

  private arrive(): void {
    const now = performance.now();
    let count = 0;
    for (const { due, what } of this.queue) {
      if (due > now) break;
      count++;
      this.bytes -= this.sizeOf(what);
      this.deliver(what);
    }
    this.queue.splice(0, count);
    this.timer = undefined;
    if (this.queue.length === 0) return;
    const wait = Math.max(1, this.queue[0].due - now);
    this.timer = setTimeout(() => this.arrive(), wait);
  }
}

/** TCP to `target`. */
export async function relayTcp(target: number, line: Line): Promise<Relay> {
  const sockets = new Set<Socket>();
  const [forth, back] = [new Direction(line), new Direction(line)];
  const one = (from: Socket, to: Socket, direction: Direction): void => {
    const way = new Way<Buffer | undefined>(
      line,
      direction,
      (bytes) => bytes?.length ?? 0,
      (bytes) => {
        if (bytes === undefined) to.end();
        else to.write(bytes);
        if (!way.isFull) from.resume();
      },
    );
    from.on('data', (bytes: Buffer) => {
      way.send(bytes);
      if (way.isFull) from.pause();
    });
    from.once('end', () => way.send(undefined));
    from.on('error', () => to.destroy());
    from.once('close', () => {
      sockets.delete(from);
      if (from.readableEnded) return;
      way.end();
      to.destroy();
    });
    sockets.add(from.setNoDelay(true));
  };
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port: target, host, allowHalfOpen: true });
    one(near, far, forth);
    one(far, near, back);
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, host, () => resolve(portOf(server.address())));
  });
  return {
    port,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** UDP to `target`; there is no TCP on it, so whoever is told of it has to use uTP. */
export async function relayUdp(target: number, line: Line): Promise<Relay> {
  const front = udpSocket();
  /** By the port of who talks to the target. */
  const clients = new Map<number, Client>();
  const [forth, back] = [new Direction(line), new Direction(line)];
  const way = (direction: Direction, deliver: (bytes: Buffer) => void) =>
    new Way<Buffer>(line, direction, ({ length }) => length, deliver);
  /** A full router drops, too. */
  const send = (bytes: Buffer, along: Way<Buffer>): void => {
    if (!along.isFull && Math.random() >= line.loss) along.send(bytes);
  };
  const clientAt = (port: number): Client => {
    const far = udpSocket();
    const client = {
      far,
      forth: way(forth, (bytes) => far.send(bytes, target, host)),
      back: way(back, (bytes) => front.send(bytes, port, host)),
    };
    far.bind(0, host);
    far.on('message', (bytes) => send(bytes, client.back));
    return client;
  };
  front.on('message', (bytes, { port }) => {
    let client = clients.get(port);
    if (!client) clients.set(port, (client = clientAt(port)));
    send(bytes, client.forth);
  });
  const port = await new Promise<number>((resolve, reject) => {
    front.once('error', reject);
    front.bind(0, host, () => resolve(front.address().port));
  });
  return {
    port,
    close() {
      front.close();
      for (const client of clients.values()) {
        client.far.close();
        client.forth.end();
        client.back.end();
      }
    },
  };
}

function portOf(
  address: ReturnType<ReturnType<typeof createServer>['address']>,
) {
  if (address === null || typeof address === 'string')
    throw new Error('not listening on a port');
  return address.port;
}
