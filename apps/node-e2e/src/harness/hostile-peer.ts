/** Peers that no client should have to meet: a seed whose every block is wrong, and talkers of junk. BEP 3 by hand. */
import { createHash, randomBytes } from 'node:crypto';
import { connect, createServer, type Server, type Socket } from 'node:net';

const handshakeLength = 68;
const protocol = Buffer.from('\x13BitTorrent protocol', 'latin1');
const id = { unchoke: 1, bitfield: 5, request: 6, piece: 7 };

export function handshake(infoHash: string): Buffer {
  return Buffer.concat([
    protocol,
    Buffer.alloc(8),
    Buffer.from(infoHash, 'hex'),
    Buffer.from('-XX0001-'),
    randomBytes(12),
  ]);
}

export function message(type: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(1 + payload.length);
  head[4] = type;
  return Buffer.concat([head, payload]);
}

/** Claims to have every piece and sends blocks of the right size with the wrong bytes. */
export class CorruptSeed {
  blocksSent = 0;
  readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    private readonly infoHash: string,
    private readonly pieceCount: number,
  ) {}

  static listen(infoHash: string, pieceCount: number): Promise<CorruptSeed> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => seed.accept(socket));
      const seed = new CorruptSeed(server, infoHash, pieceCount);
      server.once('error', reject);
      server.listen(0, '127.0.0.1', () => resolve(seed));
    });
  }

  get address(): string {
    const { port } = this.server.address() as { port: number };
    return `127.0.0.1:${port}`;
  }

  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
  }

  private accept(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    let input: Buffer = Buffer.alloc(0);
    let greeted = false;
    socket.on('data', (chunk) => {
      input = Buffer.concat([input, chunk]);
      if (!greeted && input.length >= handshakeLength) {
        greeted = true;
        input = input.subarray(handshakeLength);
        this.greet(socket);
      }
      while (greeted && input.length >= 4) {
        const end = 4 + input.readUInt32BE(0);
        if (input.length < end) return;
        this.answer(socket, input.subarray(4, end));
        input = input.subarray(end);
      }
    });
  }

  private greet(socket: Socket): void {
    const field = Buffer.alloc(Math.ceil(this.pieceCount / 8));
    for (let piece = 0; piece < this.pieceCount; piece++)
      field[piece >> 3] |= 0x80 >> (piece & 7);
    socket.write(handshake(this.infoHash));
    socket.write(message(id.bitfield, field));
    socket.write(message(id.unchoke, Buffer.alloc(0)));
  }

  private answer(socket: Socket, body: Buffer): void {
    if (body[0] !== id.request) return;
    const length = body.readUInt32BE(9);
    const payload = Buffer.alloc(8 + length, 0x5a);
    body.copy(payload, 0, 1, 9);
    this.blocksSent++;
    socket.write(message(id.piece, payload));
  }
}

/** Says this on a connection and resolves when the other end has closed it. */
export function sayUntilClosed(
  port: number,
  ...bytes: readonly Uint8Array[]
): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      for (const part of bytes) socket.write(part);
    });
    socket.on('error', () => undefined);
    socket.on('data', () => undefined);
    socket.on('close', () => resolve());
  });
}

/** Bytes that are the same in every run. */
export const junk = (seed: string, length: number): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(length / 64) }, (_, i) =>
      createHash('sha512').update(`${seed}${i}`).digest(),
    ),
  ).subarray(0, length);
