/** Calls a node's dht seam as its tracker does: frames of a 32-bit little-endian length and one MessagePack value. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Packr } from 'msgpackr';

const packr = new Packr({
  useRecords: false,
  moreTypes: false,
  encodeUndefinedAsNil: false,
});

type Waiting = { resolve(value: unknown): void; reject(error: Error): void };

export class SeamClient {
  private readonly socket: Socket;
  private readonly waiting = new Map<string, Waiting>();
  private input: Buffer = Buffer.alloc(0);
  private nextId = 1;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (data: Buffer) => this.read(data));
    socket.on('close', () => {
      for (const { reject } of this.waiting.values())
        reject(new Error('the connection ended'));
    });
  }

  static async open(port: number): Promise<SeamClient> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return new SeamClient(socket);
  }

  /** Rejects when the node says that it failed. */
  call(pattern: string, args: readonly unknown[]): Promise<unknown> {
    const id = String(this.nextId++);
    const body = packr.pack({ pattern, data: args, id });
    const head = Buffer.alloc(4);
    head.writeUInt32LE(body.length);
    this.socket.write(Buffer.concat([head, body]));
    return new Promise((resolve, reject) =>
      this.waiting.set(id, { resolve, reject }),
    );
  }

  close(): void {
    this.socket.destroy();
  }

  private read(data: Buffer): void {
    this.input =
      this.input.length > 0 ? Buffer.concat([this.input, data]) : data;
    while (this.input.length >= 4) {
      const length = this.input.readUInt32LE(0);
      if (this.input.length < 4 + length) return;
      const answer = packr.unpack(this.input.subarray(4, 4 + length)) as {
        id: string;
        response?: unknown;
        err?: { message?: string };
      };
      this.input = this.input.subarray(4 + length);
      const waiting = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      if (answer.err) waiting?.reject(new Error(JSON.stringify(answer.err)));
      else waiting?.resolve(answer.response);
    }
  }
}
