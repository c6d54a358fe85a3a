/** BEP 15 load: some sockets with a window of announces each; every answer is matched with its question. */
import { createSocket, type Socket } from 'node:dgram';
import {
  basePort,
  dice,
  Latencies,
  peerId,
  type LoadResult,
  type SwarmSet,
} from './swarm-set.mts';

const sockets = 16;
const magic = 0x41727101980n;
/** Milliseconds after which an announce without answer counts as lost. */
const patience = 1_000;

export interface UdpLoadOptions {
  readonly port: number;
  readonly set: SwarmSet;
  /** Announces under way per socket. */
  readonly window: number;
  readonly wanted: number;
}

/** What to announce next; undefined when it is enough. */
type Turns = () => { swarm: number; peer: number } | undefined;

class Speaker {
  readonly socket: Socket;
  private readonly packet = Buffer.alloc(98);
  private readonly sentAt: Float64Array;
  private readonly free: number[] = [];
  private connected: (() => void) | undefined;
  private renewing: NodeJS.Timeout | undefined;
  answers = 0;
  bad = 0;
  lost = 0;
  peers = 0;

  private readonly options: UdpLoadOptions;
  private readonly next: Turns;
  private readonly latencies: Latencies;

  constructor(options: UdpLoadOptions, next: Turns, latencies: Latencies) {
    this.options = options;
    this.next = next;
    this.latencies = latencies;
    this.sentAt = new Float64Array(options.window);
    for (let i = 0; i < options.window; i++) this.free.push(i);
    this.socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
    this.socket.on('message', (data) => this.receive(data));
  }

  async connect(): Promise<void> {
    await new Promise<void>((resolve) =>
      this.socket.connect(this.options.port, '127.0.0.1', resolve),
    );
    this.packet.writeUInt32BE(1, 8);
    await new Promise<void>((resolve, reject) => {
      this.connected = resolve;
      setTimeout(
        () => reject(new Error('no answer to connect')),
        5_000,
      ).unref();
      this.renew();
    });
    this.renewing = setInterval(() => this.renew(), 45_000);
  }

  close(): void {
    clearInterval(this.renewing);
    this.socket.close();
  }

  /** Connection ids are good for two minutes. */
  private renew(): void {
    const packet = Buffer.alloc(16);
    packet.writeBigUInt64BE(magic, 0);
    this.socket.send(packet);
  }

  /** Fills the window. */
  fill(): void {
    while (this.free.length > 0) {
      const turn = this.next();
      if (!turn) return;
      this.send(this.free.pop() as number, turn.swarm, turn.peer);
    }
  }

  get busy(): boolean {
    return this.free.length < this.options.window;
  }

  /** Gives up what has waited too long. */
  giveUp(now: number): void {
    this.sentAt.forEach((at, slot) => {
      if (at === 0 || now - at < patience) return;
      this.sentAt[slot] = 0;
      this.lost++;
      this.free.push(slot);
    });
  }

  private send(slot: number, swarm: number, peer: number): void {
    const { set, wanted } = this.options;
    const packet = Buffer.from(this.packet);
    packet.writeUInt32BE(slot + 1, 12);
    set.hashes[swarm].copy(packet, 16);
    packet.write(peerId(peer), 36, 'latin1');
    // A seed is told of no seeds: leechers, so that every answer is as long.
    packet.writeUInt32BE(1, 68);
    packet.writeUInt32BE(peer + 1, 88);
    packet.writeInt32BE(wanted, 92);
    packet.writeUInt16BE(basePort + peer, 96);
    this.sentAt[slot] = performance.now();
    this.socket.send(packet);
  }

  private receive(data: Buffer): void {
    const action = data.readUInt32BE(0);
    if (action === 0) {
      data.copy(this.packet, 0, 8, 16);
      this.connected?.();
      return;
    }
    const slot = data.readUInt32BE(4) - 1;
    const now = performance.now();
    if (!this.sentAt[slot]) return;
    this.latencies.add(now - this.sentAt[slot]);
    this.sentAt[slot] = 0;
    this.free.push(slot);
    if (action === 1 && data.length >= 20 && (data.length - 20) % 6 === 0) {
      this.answers++;
      this.peers += (data.length - 20) / 6;
      this.check(data);
    } else this.bad++;
    this.fill();
  }

  private check(data: Buffer): void {
    const { peers } = this.options.set;
    for (let at = 24; at < data.length; at += 6) {
      const port = data.readUInt16BE(at);
      if (port >= basePort && port < basePort + peers) continue;
      this.bad++;
      return;
    }
  }
}

async function run(options: UdpLoadOptions, next: Turns): Promise<LoadResult> {
  const latencies = new Latencies();
  const speakers = Array.from(
    { length: sockets },
    () => new Speaker(options, next, latencies),
  );
  await Promise.all(speakers.map((speaker) => speaker.connect()));
  const began = performance.now();
  for (const speaker of speakers) speaker.fill();
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const now = performance.now();
      for (const speaker of speakers) {
        speaker.giveUp(now);
        speaker.fill();
      }
      if (speakers.some(({ busy }) => busy)) return;
      clearInterval(timer);
      resolve();
    }, 100);
  });
  const seconds = (performance.now() - began) / 1000;
  for (const speaker of speakers) speaker.close();
  const sum = (of: (speaker: Speaker) => number): number =>
    speakers.reduce((total, speaker) => total + of(speaker), 0);
  const answers = sum((speaker) => speaker.answers);
  return {
    answers,
    bad: sum((speaker) => speaker.bad),
    lost: sum((speaker) => speaker.lost),
    peersPerAnswer: sum((speaker) => speaker.peers) / answers,
    seconds,
    p50: latencies.at(0.5),
    p99: latencies.at(0.99),
  };
}

/** Announces every peer of every swarm once. */
export function populate(options: UdpLoadOptions): Promise<LoadResult> {
  const { hashes, peers } = options.set;
  let at = 0;
  return run({ ...options, wanted: 1 }, () => {
    if (at >= hashes.length * peers) return undefined;
    const swarm = Math.floor(at / peers);
    return { swarm, peer: at++ % peers };
  });
}

/** Announces random peers of random swarms for so many seconds. */
export function announceOverUdp(
  options: UdpLoadOptions,
  seconds: number,
): Promise<LoadResult> {
  const { hashes, peers } = options.set;
  const draw = dice(0x5eed);
  const until = performance.now() + seconds * 1000;
  return run(options, () =>
    performance.now() < until
      ? { swarm: draw(hashes.length), peer: draw(peers) }
      : undefined,
  );
}
