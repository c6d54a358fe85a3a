/**
 * Frames on Nest's TCP transport: a 32-bit little-endian length and one MessagePack value
 * (a 16 KiB buffer is 16 KiB, where JSON makes 58 KB of it). Both directions are bounded: a longer
 * frame than the bound, or a remote that does not read what it asked for, ends the connection.
 */
import { TcpSocket } from '@nestjs/microservices';
import { Packr, RESERVE_START_SPACE } from 'msgpackr';
import type { Socket } from 'node:net';

const HEADER = 4;
const packr = new Packr({
  useRecords: false,
  moreTypes: false,
  encodeUndefinedAsNil: false,
});

/** Frames of full size that may be on their way in at one time, over all connections of one class. */
const maxUnfinished = 32;

/**
 * A socket class for Nest's TCP server and client whose frames hold at most `maxFrame` bytes. What has
 * come of unfinished frames is bounded over all its connections: the one that goes beyond ends.
 */
export function frameSocket(
  maxFrame: number,
): new (socket: Socket) => TcpSocket {
  const maxQueued = 4 * maxFrame;
  let unfinished = 0;

  return class FrameSocket extends TcpSocket {
    private readonly chunks: Buffer[] = [];
    private size = 0;
    private need = -1;

    constructor(socket: Socket) {
      super(socket);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 10_000);
      socket.once('close', () => this.forget());
    }

    protected handleSend(
      message: unknown,
      callback?: (error?: Error | null) => void,
    ): void {
      // Room for the header in front of the value: one buffer, one write.
      const frame = packr.pack(message, RESERVE_START_SPACE + HEADER) as Buffer;
      const length = frame.length - HEADER;
      if (length > maxFrame) {
        const error = new Error(
          `a frame of ${length} bytes is over the bound of ${maxFrame}`,
        );
        if (callback) return callback(error);
        throw error;
      }
      frame.writeUInt32LE(length, 0);
      this.gather();
      this.socket.write(frame, callback);
      // Reading is never paused for the sake of writing: two ends that wait for each other to read stay so for ever.
      if (this.socket.writableLength > maxQueued) this.socket.destroy();
    }

    protected handleData(data: Buffer | string): void {
      const chunk = typeof data === 'string' ? Buffer.from(data) : data;
      this.chunks.push(chunk);
      this.size += chunk.length;
      unfinished += chunk.length;
      for (;;) {
        if (this.need < 0) {
          if (this.size < HEADER) return;
          this.need = this.take(HEADER).readUInt32LE(0);
          if (this.need > maxFrame) {
            // Whoever sends this cannot be trusted to read an answer; the message of the error stays here.
            return this.refuse();
          }
        }
        if (this.size < this.need) {
          if (unfinished > maxUnfinished * maxFrame) this.refuse();
          return;
        }
        const body = this.take(this.need);
        this.need = -1;
        this.deliver(body);
      }
    }

    /** What is sent until the end of this turn leaves in one write: the call to the system costs more than a frame. */
    private gather(): void {
      const { socket } = this;
      if (socket.writableCorked > 0) return;
      socket.cork();
      setImmediate(() => socket.uncork());
    }

    private refuse(): void {
      this.forget();
      this.socket.destroy();
    }

    private forget(): void {
      unfinished -= this.size;
      this.chunks.length = 0;
      this.size = 0;
    }

    private deliver(body: Buffer): void {
      let message: unknown;
      try {
        message = packr.unpack(body);
      } catch {
        this.socket.destroy();
        return;
      }
      if (typeof message === 'object' && message !== null)
        this.socket.emit('message', message);
      else this.socket.destroy();
    }

    private take(n: number): Buffer {
      this.size -= n;
      unfinished -= n;
      const first = this.chunks[0];
      if (first.length === n) {
        this.chunks.shift();
        return first;
      }
      if (first.length > n) {
        this.chunks[0] = first.subarray(n);
        return first.subarray(0, n);
      }
      const out = Buffer.allocUnsafe(n);
      let at = 0;
      while (at < n) {
        const head = this.chunks[0];
        const part = Math.min(head.length, n - at);
        head.copy(out, at, 0, part);
        at += part;
        if (part === head.length) this.chunks.shift();
        else this.chunks[0] = head.subarray(part);
      }
      return out;
    }
  };
}
