/** Clients for specs that say exactly the bytes they are told to, over real sockets. */
import { asBytes, asNumber, asText, decodeDictionary } from '@dnd/bencode';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { connect, isIPv6, type Socket } from 'node:net';
import { once } from 'node:events';

export const hashOf = (n: number): Buffer => Buffer.alloc(20, n);
export const idOf = (n: number): Buffer =>
  Buffer.from(`-TT0001-${String(n).padStart(12, '0')}`);

export const escaped = (bytes: Uint8Array): string =>
  [...bytes].map((b) => `%${b.toString(16).padStart(2, '0')}`).join('');

/** The path of an announce; `query` replaces or adds parameters, undefined leaves one out. */
export function announcePath(
  hash: Uint8Array,
  port: number,
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const all = {
    info_hash: escaped(hash),
    peer_id: escaped(idOf(port)),
    port,
    uploaded: 0,
    downloaded: 0,
    left: 1,
    compact: 1,
    ...query,
  };
  const text = Object.entries(all)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
  return `/announce?${text}`;
}

export const get = (path: string, ...headers: string[]): string =>
  ['GET ' + path + ' HTTP/1.1', 'Host: tracker', ...headers, '', ''].join(
    '\r\n',
  );

export interface HttpAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: Buffer;
}

/** One connection: send what you like, take answers one by one. */
export class RawHttp {
  ended = false;
  private bytes = Buffer.alloc(0);
  private wake: (() => void) | undefined;

  private constructor(readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.bytes = Buffer.concat([this.bytes, chunk]);
      this.wake?.();
    });
    const end = (): void => {
      this.ended = true;
      this.wake?.();
    };
    socket.on('close', end);
    socket.on('end', end);
    socket.on('error', end);
  }

  static async open(port: number, host = '127.0.0.1'): Promise<RawHttp> {
    const socket = connect(port, host);
    await once(socket, 'connect');
    return new RawHttp(socket);
  }

  send(bytes: string | Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  /** The next whole answer; undefined where the connection ended without one. */
  async answer(): Promise<HttpAnswer | undefined> {
    for (;;) {
      const answer = this.take();
      if (answer || this.ended) return answer;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  close(): void {
    this.socket.destroy();
  }

  private take(): HttpAnswer | undefined {
    const end = this.bytes.indexOf('\r\n\r\n') + 4;
    if (end < 4) return undefined;
    const head = this.bytes.toString('latin1', 0, end);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.bytes.length < end + length) return undefined;
    const body = this.bytes.subarray(end, end + length);
    this.bytes = this.bytes.subarray(end + length);
    return { status: Number(head.split(' ')[1]), head, body };
  }
}

export interface Announced {
  readonly failure: string | undefined;
  readonly ports: number[];
  readonly hosts: string[];
  readonly complete: number;
  readonly incomplete: number;
  readonly downloaded: number;
  readonly interval: number;
}

/** An announce by a connection of its own. */
export async function announceHttp(
  port: number,
  path: string,
  ...headers: string[]
): Promise<Announced> {
  const http = await RawHttp.open(port);
  http.send(get(path, 'Connection: close', ...headers));
  const answer = await http.answer();
  http.close();
  if (!answer) throw new Error('no answer');
  return readAnnounced(answer);
}

export function readAnnounced({ status, body }: HttpAnswer): Announced {
  if (status !== 200) throw new Error(`status ${status}`);
  const { dictionary } = decodeDictionary(body);
  const peers = Buffer.from(asBytes(dictionary.get('peers')) ?? []);
  const count = (name: string): number =>
    Number(asNumber(dictionary.get(name)) ?? 0);
  return {
    failure: asText(dictionary.get('failure reason')),
    ports: portsIn(peers),
    hosts: Array.from({ length: peers.length / 6 }, (_, i) =>
      peers.subarray(6 * i, 6 * i + 4).join('.'),
    ),
    complete: count('complete'),
    incomplete: count('incomplete'),
    downloaded: count('downloaded'),
    interval: count('interval'),
  };
}

const portsIn = (peers: Buffer): number[] =>
  Array.from({ length: Math.floor(peers.length / 6) }, (_, i) =>
    peers.readUInt16BE(6 * i + 4),
  ).sort((a, b) => a - b);

const magic = 0x41727101980n;

/** A UDP client of BEP 15. */
export class RawUdp {
  id: Buffer = Buffer.alloc(8);
  private readonly received: Buffer[] = [];
  private wake: (() => void) | undefined;

  private constructor(readonly socket: UdpSocket) {
    socket.on('message', (data) => {
      this.received.push(data);
      this.wake?.();
    });
  }

  /** Asks from the address `from`. */
  static async open(
    port: number,
    { host = '127.0.0.1', from }: { host?: string; from?: string } = {},
  ): Promise<RawUdp> {
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    socket.bind(0, from ?? host);
    await once(socket, 'listening');
    socket.connect(port, host);
    await once(socket, 'connect');
    const udp = new RawUdp(socket);
    udp.send(connectPacket());
    udp.id = (await udp.answer()).subarray(8, 16);
    return udp;
  }

  send(bytes: Uint8Array): void {
    this.socket.send(bytes);
  }

  async answer(): Promise<Buffer> {
    for (;;) {
      const data = this.received.shift();
      if (data) return data;
      await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }

  /** Sends, then a connect, and gives what came before the answer to that: how silence is told from slowness. */
  async answersTo(...packets: readonly Uint8Array[]): Promise<Buffer[]> {
    for (const packet of packets) this.send(packet);
    this.send(connectPacket(0xfeed));
    const answers: Buffer[] = [];
    for (;;) {
      const answer = await this.answer();
      if (answer.readUInt32BE(4) === 0xfeed) return answers;
      answers.push(answer);
    }
  }

  announce(
    hash: Uint8Array,
    port: number,
    { event = 0, left = 1, want = -1, id = idOf(port), ip = 0 } = {},
  ): Buffer {
    const packet = Buffer.alloc(98);
    this.id.copy(packet);
    packet.writeUInt32BE(1, 8);
    packet.writeUInt32BE(port + 1, 12);
    packet.set(hash, 16);
    packet.set(id, 36);
    packet.writeBigUInt64BE(BigInt(left), 64);
    packet.writeUInt32BE(event, 80);
    packet.writeUInt32BE(ip, 84);
    packet.writeInt32BE(want, 92);
    packet.writeUInt16BE(port, 96);
    return packet;
  }

  scrape(hashes: readonly Uint8Array[]): Buffer {
    const packet = Buffer.alloc(16);
    this.id.copy(packet);
    packet.writeUInt32BE(2, 8);
    packet.writeUInt32BE(99, 12);
    return Buffer.concat([packet, ...hashes]);
  }

  close(): void {
    this.socket.close();
  }
}

export function connectPacket(transaction = 7): Buffer {
  const packet = Buffer.alloc(16);
  packet.writeBigUInt64BE(magic, 0);
  packet.writeUInt32BE(transaction, 12);
  return packet;
}

/** What a UDP announce was answered with. */
export function readUdpAnnounce(answer: Buffer): {
  action: number;
  leechers: number;
  seeders: number;
  ports: number[];
} {
  const action = answer.readUInt32BE(0);
  if (action !== 1) return { action, leechers: 0, seeders: 0, ports: [] };
  return {
    action,
    leechers: answer.readUInt32BE(12),
    seeders: answer.readUInt32BE(16),
    ports: portsIn(answer.subarray(20)),
  };
}
