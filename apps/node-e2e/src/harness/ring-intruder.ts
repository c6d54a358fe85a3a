/**
 * Who speaks to a node's ring listener without being a node: with the secret or without, in frames or in
 * junk. Frames are a 32-bit little-endian length and one MessagePack value, in TLS 1.3 with a pre-shared
 * key where the ring has a secret.
 */
import { Packr } from 'msgpackr';
import { hkdfSync } from 'node:crypto';
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const packr = new Packr({ useRecords: false });

export interface Entrance {
  readonly port: number;
  /** Absent: no encryption. */
  readonly secret?: string;
  readonly ring: string;
}

export class RingIntruder {
  /** Resolves when the connection has ended, whoever ended it. */
  readonly ended: Promise<void>;
  private input: Buffer = Buffer.alloc(0);
  private readonly waiting = new Map<string, (answer: unknown) => void>();
  private nextId = 1;

  private constructor(private readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => this.read(data));
    this.ended = new Promise((resolve) =>
      socket.once('close', () => {
        for (const done of this.waiting.values()) done(undefined);
        resolve();
      }),
    );
  }

  /** Resolves when the connection stands, or has been refused. */
  static async enter({ port, secret, ring }: Entrance): Promise<RingIntruder> {
    const where = { port, host: '127.0.0.1' };
    if (secret === undefined) {
      const socket = connectPlain(where);
      const intruder = new RingIntruder(socket);
      await intruder.begun('connect');
      return intruder;
    }
    const key = hkdfSync(
      'sha256',
      secret,
      'dnd-bittorrent',
      `ring:${ring}`,
      32,
    );
    const socket = connectTls({
      ...where,
      minVersion: 'TLSv1.3',
      ciphers: 'TLS_AES_128_GCM_SHA256',
      pskCallback: () => ({ identity: 'dnd', psk: Buffer.from(key) }),
      checkServerIdentity: () => undefined,
    });
    const intruder = new RingIntruder(socket);
    await intruder.begun('secureConnect');
    return intruder;
  }

  /** The answer to a message, undefined when the connection ended instead. */
  ask(pattern: string, data: unknown): Promise<unknown> {
    const id = String(this.nextId++);
    const answer = new Promise((resolve) => this.waiting.set(id, resolve));
    this.say(frameOf({ pattern, data, id }));
    return answer;
  }

  say(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  close(): void {
    this.socket.destroy();
  }

  private begun(event: 'connect' | 'secureConnect'): Promise<void> {
    const connected = new Promise<void>((resolve) =>
      this.socket.once(event, resolve),
    );
    return Promise.race([connected, this.ended]);
  }

  private read(data: Buffer): void {
    this.input = Buffer.concat([this.input, data]);
    while (this.input.length >= 4) {
      const length = this.input.readUInt32LE(0);
      if (this.input.length < 4 + length) return;
      const { id, response } = packr.unpack(
        this.input.subarray(4, 4 + length),
      ) as { id: string; response?: unknown };
      this.input = this.input.subarray(4 + length);
      this.waiting.get(id)?.(response);
      this.waiting.delete(id);
    }
  }
}

export function frameOf(value: unknown): Buffer {
  const body = packr.pack(value);
  return Buffer.concat([lengthOf(body.length), body]);
}

export function lengthOf(bytes: number): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(bytes);
  return head;
}
