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

const host = '127.0.0.1';
/** What waits before the line of a bounded rate, milliseconds: a router's buffer. */
const bufferTime = 100;
/** On a line without a bound. */
const mostUnderWay = 64 * 1024 * 1024;

/** One direction of a line: delivers in order, each no earlier than the line allows. */
class Way<T> {
  private readonly queue: { readonly due: number; readonly what: T }[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** When the last byte has left. */
  private left = 0;
  private bytes = 0;

  private readonly line: Line;
  private readonly sizeOf: (what: T) => number;
  private readonly deliver: (what: T) => void;

  constructor(
    line: Line,
    sizeOf: (what: T) => number,
    deliver: (what: T) => void,
  ) {
    this.line = line;
    this.sizeOf = sizeOf;
    this.deliver = deliver;
  }

  get isFull(): boolean {
    const { rate, roundTrip } = this.line;
    const most = ((roundTrip / 2 + bufferTime) / 1_000) * rate;
    return this.bytes > Math.min(most, mostUnderWay);
  }

  send(what: T): void {
    const now = performance.now();
    const { rate, roundTrip } = this.line;
    const size = this.sizeOf(what);
    this.left = Math.max(this.left, now) + (size / rate) * 1_000;
    this.queue.push({ due: this.left + roundTrip / 2, what });
    this.bytes += size;
    this.timer ??= setTimeout(() => this.arrive(), roundTrip / 2);
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
  const one = (from: Socket, to: Socket): void => {
    const way = new Way<Buffer | undefined>(
      line,
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
    one(near, far);
    one(far, near);
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
  const front = createSocket('udp4');
  /** By the port of who talks to the target. */
  const backs = new Map<number, UdpSocket>();
  const way = (deliver: (bytes: Buffer) => void) => {
    const own = new Way<Buffer>(line, ({ length }) => length, deliver);
    return (bytes: Buffer): void => {
      if (!own.isFull && Math.random() >= line.loss) own.send(bytes);
    };
  };
  const newBack = (client: number) => {
    const back = createSocket('udp4');
    back.bind(0, host);
    back.on(
      'message',
      way((bytes) => front.send(bytes, client, host)),
    );
    backs.set(client, back);
    return way((bytes) => back.send(bytes, target, host));
  };
  const forth = new Map<number, (bytes: Buffer) => void>();
  front.on('message', (bytes, { port }) => {
    let send = forth.get(port);
    if (!send) forth.set(port, (send = newBack(port)));
    send(bytes);
  });
  const port = await new Promise<number>((resolve, reject) => {
    front.once('error', reject);
    front.bind(0, host, () => resolve(front.address().port));
  });
  return {
    port,
    close() {
      front.close();
      for (const back of backs.values()) back.close();
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
