/**
 * Peer connections over TCP. All of them read into one buffer: what came is used up before the next
 * read, so receiving makes no garbage however many connections there are.
 *
 * Left alone, libuv reads a fast connection 32 times before it looks at anything else: 8 MiB, for
 * milliseconds in which no write to the disk is heard to be over and none is begun. Whoever fills the
 * buffer a few times on end lets the others have their turn first.
 */
import { connect, Socket, type SocketConstructorOpts } from 'node:net';
import type { Transport, TransportEvents } from './transport';

const connectTimeOut = 10_000;
const shared = new Uint8Array(256 * 1024);
/** Full buffers on end, after which others have their turn: to stop reading and to begin again costs as much as a read. */
const readsInTurn = 8;

export class TcpTransport implements Transport {
  readonly kind = 'tcp';
  readonly lends = true;
  private socket: Socket | undefined;
  private events: TransportEvents | undefined;
  /** Full buffers since the others last had their turn. */
  private reads = 0;

  /** Dials; an address that does not answer is closed after 10 s. */
  static dial(
    host: string,
    port: number,
    localAddress: string | undefined,
  ): TcpTransport {
    const transport = new TcpTransport(host, port);
    const socket = connect({
      host,
      port,
      noDelay: true,
      ...(localAddress ? { localAddress } : {}),
      onread: transport.onread,
    });
    socket.setTimeout(connectTimeOut, () =>
      socket.destroy(new Error('no answer')),
    );
    socket.once('connect', () => {
      socket.setTimeout(0);
      transport.events?.connected();
    });
    transport.use(socket);
    return transport;
  }

  /** `accepted` by a server with `pauseOnConnect`. */
  static accept(accepted: Socket): TcpTransport {
    const transport = new TcpTransport(
      accepted.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? '',
      accepted.remotePort ?? 0,
    );
    const socket = rebuilt(accepted, transport.onread);
    socket.setNoDelay(true);
    if (socket === accepted)
      socket.on('data', (chunk: Buffer) => transport.events?.received(chunk));
    transport.use(socket);
    return transport;
  }

  private constructor(
    readonly host: string,
    readonly port: number,
  ) {}

  private readonly onread = {
    buffer: shared,
    callback: (length: number, buffer: Uint8Array): boolean => {
      this.events?.received(buffer.subarray(0, length));
      // Less than a full buffer was all there is: libuv turns to the others by itself.
      this.reads = length < buffer.length ? 0 : this.reads + 1;
      if (this.reads < readsInTurn) return true;
      this.reads = 0;
      setImmediate(this.goOn);
      return false;
    },
  };

  private readonly goOn = (): void => void this.socket?.resume();

  /** Must be called in the turn that made the transport. */
  listen(events: TransportEvents): void {
    this.events = events;
  }

  get backlog(): number {
    return this.socket?.writableLength ?? 0;
  }

  write(chunks: readonly Uint8Array[], sent?: () => void): void {
    const { socket } = this;
    if (!socket || chunks.length === 0) {
      sent?.();
      return;
    }
    const last = chunks.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(chunks[i]);
    if (sent) socket.write(chunks[last], sent);
    else socket.write(chunks[last]);
    if (last > 0) socket.uncork();
  }

  destroy(): void {
    this.socket?.destroy();
  }

  private use(socket: Socket): void {
    this.socket = socket;
    let reason = '';
    socket.on('drain', () => this.events?.writable());
    socket.on('error', (error) => (reason ||= error.message));
    socket.on('end', () => (reason ||= 'the remote closed the connection'));
    socket.on('close', () => this.events?.closed(reason));
    if (!socket.connecting) socket.resume();
  }
}

/**
 * The same connection as a socket that reads into the shared buffer. Only a socket's constructor
 * takes a read buffer, and it takes a connection that is there already by its handle; a Node whose
 * sockets have none gives the socket back as it is.
 */
function rebuilt(
  accepted: Socket,
  onread: SocketConstructorOpts['onread'],
): Socket {
  const holder = accepted as unknown as { _handle?: object | null };
  const handle = holder._handle;
  if (!handle) return accepted;
  holder._handle = null;
  return new Socket({ handle, onread } as unknown as SocketConstructorOpts);
}
