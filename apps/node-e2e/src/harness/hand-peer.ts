/** A peer written by hand over a real socket: says exactly what a test has it say, and notes every message it gets. BEP 3, 6, 10. */
import {
  decodePrefix,
  encode,
  Encoded,
  type BencodeValue,
  type Encodable,
} from '@dnd/bencode';
import { createHash, randomBytes } from 'node:crypto';
import {
  connect,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';

export const Id = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
  hashRequest: 21,
  hashes: 22,
  hashReject: 23,
} as const;

export interface Frame {
  /** -1 for a keep-alive. */
  readonly id: number;
  readonly payload: Buffer;
}

export interface Hello {
  readonly infoHash: string;
  readonly fast?: boolean;
  readonly extensions?: boolean;
  readonly v2?: boolean;
  readonly peerId?: Buffer;
  /** Beside the known ones. */
  readonly reserved?: Buffer;
}

const protocol = Buffer.from('\x13BitTorrent protocol', 'latin1');
const helloLength = 68;

export function hello(options: Hello): Buffer {
  const reserved = Buffer.from(options.reserved ?? Buffer.alloc(8));
  if (options.extensions) reserved[5] |= 0x10;
  if (options.fast) reserved[7] |= 0x04;
  if (options.v2) reserved[7] |= 0x10;
  return Buffer.concat([
    protocol,
    reserved,
    Buffer.from(options.infoHash, 'hex'),
    options.peerId ?? newPeerId(),
  ]);
}

export const newPeerId = (): Buffer =>
  Buffer.concat([Buffer.from('-XX0001-'), randomBytes(12)]);

/** Numbers are written as four bytes each. */
export function frame(id: number, ...parts: (number | Uint8Array)[]): Buffer {
  const body = Buffer.concat([
    Buffer.from([id]),
    ...parts.map((part) => (typeof part === 'number' ? word(part) : part)),
  ]);
  return Buffer.concat([word(body.length), body]);
}

export const word = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};

export const extended = (
  id: number,
  ...parts: (Encodable | Buffer)[]
): Buffer =>
  frame(
    Id.extended,
    Buffer.from([id]),
    ...parts.map((part) =>
      Buffer.isBuffer(part) ? part : Buffer.from(encode(part)),
    ),
  );

export class HandPeer {
  readonly frames: Frame[] = [];
  /** What came before the first message: the remote's handshake, or less. */
  greeting: Buffer = Buffer.alloc(0);
  readonly closed: Promise<void>;
  isClosed = false;
  private rest: Buffer = Buffer.alloc(0);
  private waiting: (() => void)[] = [];
  private read = 0;

  constructor(readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => this.take(chunk));
    this.closed = new Promise((resolve) =>
      socket.on('close', () => {
        this.isClosed = true;
        this.wake();
        resolve();
      }),
    );
  }

  /** A connection on which nothing has been said. */
  static dial(port: number, host = '127.0.0.1'): HandPeer {
    return new HandPeer(connect(port, host));
  }

  /** A connection whose handshake has been answered. */
  static async meet(
    port: number,
    options: Hello,
    host?: string,
  ): Promise<HandPeer> {
    const peer = HandPeer.dial(port, host);
    peer.say(hello(options));
    await peer.greeted();
    return peer;
  }

  say(...bytes: Uint8Array[]): this {
    if (!this.socket.destroyed) this.socket.write(Buffer.concat(bytes));
    return this;
  }

  /** Rejects when the connection ends before. */
  async greeted(): Promise<Buffer> {
    await this.until(() => this.greeting.length === helloLength);
    return this.greeting;
  }

  get peerId(): Buffer {
    return this.greeting.subarray(48);
  }

  /** The next frame not handed out yet that is wanted; frames before it are passed over. */
  async next(wanted: number | ((frame: Frame) => boolean)): Promise<Frame> {
    const is =
      typeof wanted === 'number' ? ({ id }: Frame) => id === wanted : wanted;
    let found: Frame | undefined;
    await this.until(() => {
      while (!found && this.read < this.frames.length) {
        const each = this.frames[this.read++];
        if (is(each)) found = each;
      }
      return found !== undefined;
    });
    return found as Frame;
  }

  /** Asks something that is answered in order, so that everything said before has been acted on. Needs an extension handshake with `metadata` as ours. */
  async settled(): Promise<void> {
    const marker = 1_000_000 + Math.floor(Math.random() * 1_000_000);
    const { m } = await this.theirs();
    this.say(
      extended(m.get('ut_metadata') as number, { msg_type: 0, piece: marker }),
    );
    await this.next(
      ({ id, payload }) =>
        id === Id.extended &&
        payload[0] === ourMetadataId &&
        (
          decodePrefix(payload.subarray(1)).value as Map<string, BencodeValue>
        ).get('piece') === marker,
    );
  }

  private their:
    | { m: Map<string, BencodeValue>; all: Map<string, BencodeValue> }
    | undefined;

  /** Their extension handshake. */
  async theirs(): Promise<{
    m: Map<string, BencodeValue>;
    all: Map<string, BencodeValue>;
  }> {
    if (this.their) return this.their;
    const is = ({ id, payload }: Frame) =>
      id === Id.extended && payload[0] === 0;
    await this.until(() => this.frames.some(is));
    const { payload } = this.frames.find(is) as Frame;
    const all = decodePrefix(payload.subarray(1)).value as Map<
      string,
      BencodeValue
    >;
    return (this.their = { all, m: all.get('m') as Map<string, BencodeValue> });
  }

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.isClosed)
        throw new Error(
          `closed after ${this.greeting.length} bytes of handshake and frames ${this.frames.map(({ id }) => id).join(' ')}`,
        );
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    }
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  end(): void {
    this.socket.destroy();
  }

  private take(chunk: Buffer): void {
    this.rest =
      this.rest.length > 0 ? Buffer.concat([this.rest, chunk]) : chunk;
    if (this.greeting.length < helloLength) {
      const more = this.rest.subarray(0, helloLength - this.greeting.length);
      this.greeting = Buffer.concat([this.greeting, more]);
      this.rest = this.rest.subarray(more.length);
    }
    while (this.rest.length >= 4) {
      const end = 4 + this.rest.readUInt32BE(0);
      if (this.rest.length < end) break;
      const body = this.rest.subarray(4, end);
      this.frames.push({
        id: body.length > 0 ? body[0] : -1,
        payload: Buffer.from(body.subarray(1)),
      });
      this.rest = this.rest.subarray(end);
    }
    this.wake();
  }

  private wake(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }
}

/** What is ut_metadata to us in `ourExtensions`. */
export const ourMetadataId = 3;
export const ourExtensions = extended(0, {
  m: { lt_donthave: 9, ut_metadata: ourMetadataId, ut_pex: 5 },
});

/** Takes connections of nodes that dial it. */
export class HandListener {
  private readonly waiting: ((peer: HandPeer) => void)[] = [];
  private readonly come: HandPeer[] = [];
  readonly peers: HandPeer[] = [];

  private constructor(private readonly server: Server) {}

  static listen(host = '127.0.0.1'): Promise<HandListener> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => {
        const peer = new HandPeer(socket);
        listener.peers.push(peer);
        const wait = listener.waiting.shift();
        if (wait) wait(peer);
        else listener.come.push(peer);
      });
      const listener = new HandListener(server);
      server.once('error', reject);
      server.listen(0, host, () => resolve(listener));
    });
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** The next connection, its handshake read and not answered. */
  async accepted(): Promise<HandPeer> {
    const peer =
      this.come.shift() ??
      (await new Promise<HandPeer>((resolve) => this.waiting.push(resolve)));
    await peer.greeted();
    return peer;
  }

  close(): void {
    this.server.close();
    for (const peer of this.peers) peer.end();
  }
}

export interface HandFile {
  readonly path: readonly string[];
  readonly content: Buffer;
}

/** A v1 torrent, made without the program: of one file, or of a folder where `content` is a list. */
export class HandTorrent {
  readonly content: Buffer;
  readonly info: Buffer;
  readonly infoHash: string;
  readonly torrent: Buffer;
  readonly pieceCount: number;

  /** `outer`: keys beside `info`. */
  constructor(
    name: string,
    files: Buffer | readonly HandFile[],
    readonly pieceLength: number,
    more: Record<string, Encodable> = {},
    outer: Record<string, Encodable> = {},
  ) {
    const content = Buffer.isBuffer(files)
      ? files
      : Buffer.concat(files.map((file) => file.content));
    this.content = content;
    const pieces: Buffer[] = [];
    for (let at = 0; at < content.length; at += pieceLength)
      pieces.push(
        createHash('sha1')
          .update(content.subarray(at, at + pieceLength))
          .digest(),
      );
    this.pieceCount = pieces.length;
    this.info = Buffer.from(
      encode({
        ...(Buffer.isBuffer(files)
          ? { length: content.length }
          : {
              files: files.map(({ path, content: { length } }) => ({
                length,
                path: [...path],
              })),
            }),
        name,
        'piece length': pieceLength,
        pieces: Buffer.concat(pieces),
        ...more,
      }),
    );
    this.infoHash = createHash('sha1').update(this.info).digest('hex');
    this.torrent = Buffer.from(
      encode({ ...outer, info: new Encoded(this.info) }),
    );
  }

  block(index: number, begin: number, length: number): Buffer {
    const at = index * this.pieceLength + begin;
    return this.content.subarray(at, at + length);
  }

  /** The answer to a request. */
  piece({ payload }: Frame): Buffer {
    const [index, begin, length] = [0, 4, 8].map((at) =>
      payload.readUInt32BE(at),
    );
    return frame(Id.piece, index, begin, this.block(index, begin, length));
  }
}
