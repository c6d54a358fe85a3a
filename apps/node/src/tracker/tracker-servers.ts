/**
 * The tracker's own listeners for every BitTorrent client: HTTP and UDP on one port. The protocols
 * are @dnd/tracker's; here are the sockets, and the waiting for swarms that are not known yet.
 */
import {
  HttpTracker,
  HttpTrackerConnection,
  UdpTracker,
  type TrackerCounters,
} from '@dnd/tracker';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomFillSync } from 'node:crypto';
import {
  createSocket,
  type RemoteInfo,
  type Socket as UdpSocket,
} from 'node:dgram';
import {
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { Config } from '../config/config';
import type { Part } from '../part';
import { firstFree } from '../ports';
import { AnswerMeter } from './answer-meter';
import { CatalogueSync } from './catalogue-sync';
import type { Load } from './load';
import { Swarms } from './swarms';
import { TrackerDirectory } from './tracker-directory';

const maxConnections = 4000;
const sweepPeriod = 5_000;
/** A datagram's announce: where the info-hash stands (BEP 15). */
const udpAnnounce = { length: 98, action: 1, hashAt: 16 };

@Injectable()
export class TrackerServers implements Part {
  private readonly log = new Logger('Tracker');
  private readonly http: HttpTracker;
  private readonly udp: UdpTracker;
  private readonly connections = new Map<Socket, HttpTrackerConnection>();
  private server: Server | undefined;
  private socket: UdpSocket | undefined;
  private sweeper: NodeJS.Timeout | undefined;
  private metering: NodeJS.Timeout | undefined;
  private announcesBefore = 0;
  private announcesPerSecond = 0;
  private errorsBefore = 0;
  private errorsPerMinute = 0;
  readonly meter = new AnswerMeter();

  constructor(
    @Inject(Config) private readonly config: Config,
    private readonly swarms: Swarms,
    private readonly directory: TrackerDirectory,
    private readonly catalogue: CatalogueSync,
  ) {
    const { table } = swarms;
    this.http = new HttpTracker({
      table,
      page: 'D&D BitTorrent tracker: announce at /announce, scrape at /scrape, HTTP or UDP.\n',
    });
    this.udp = new UdpTracker({
      table,
      secret: randomFillSync(new Uint32Array(4)),
    });
  }

  async start(): Promise<void> {
    await firstFree(this.config.trackerPort, '--tracker-port', (candidate) =>
      this.listen(candidate),
    );
    const { port } = this.server?.address() as AddressInfo;
    this.sweeper = setInterval(() => this.sweep(), sweepPeriod);
    this.swarms.start();
    this.metering = setInterval(() => this.everySecond(), 1000);
    this.directory.start(port, () => this.load());
    await this.catalogue.start();
    this.log.log(
      `clients announce at ${this.directory.ownUrls().join(' or ')}`,
    );
  }

  async stop(): Promise<void> {
    clearInterval(this.sweeper);
    clearInterval(this.metering);
    this.catalogue.stop();
    await this.directory.stop();
    await this.swarms.stop();
    for (const socket of this.connections.keys()) socket.destroy();
    this.server?.close();
    this.socket?.close();
  }

  load(): Load {
    const { swarms, peers, seeds } = this.swarms.table.stats;
    return {
      announcesPerSecond: this.announcesPerSecond,
      swarms,
      peers,
      seeds,
      errorsPerMinute: Math.round(this.errorsPerMinute),
    };
  }

  /** What happened so far, both protocols together. */
  counters(): TrackerCounters {
    const { http, udp } = this;
    return {
      announces: http.counters.announces + udp.counters.announces,
      scrapes: http.counters.scrapes + udp.counters.scrapes,
      malformed: http.counters.malformed + udp.counters.malformed,
      refused: http.counters.refused + udp.counters.refused,
      junk: http.counters.junk + udp.counters.junk,
    };
  }

  private everySecond(): void {
    this.meter.everySecond();
    const { announces, malformed, refused, junk } = this.counters();
    this.announcesPerSecond = announces - this.announcesBefore;
    this.announcesBefore = announces;
    const errors = malformed + refused + junk;
    this.errorsPerMinute =
      this.errorsPerMinute * (59 / 60) + errors - this.errorsBefore;
    this.errorsBefore = errors;
  }

  /** Both protocols get the same port, or neither. */
  private async listen(port: number): Promise<void> {
    const { host } = this.config;
    const server = createServer((socket) => this.accept(socket));
    server.maxConnections = maxConnections;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
    const socket = createSocket({
      type: host.includes(':') ? 'udp6' : 'udp4',
      recvBufferSize: 1 << 21,
    });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind((server.address() as AddressInfo).port, host, resolve);
      });
    } catch (error) {
      server.close();
      socket.close();
      throw error;
    }
    socket.on('message', (data, remote) => this.datagram(data, remote));
    socket.on('error', (error) => this.log.warn(`UDP: ${error.message}`));
    this.server = server;
    this.socket = socket;
  }

  private accept(socket: Socket): void {
    const connection = new HttpTrackerConnection(
      this.http,
      socket.remoteAddress ?? '0.0.0.0',
      Date.now(),
    );
    this.connections.set(socket, connection);
    socket.setNoDelay(true);
    let before: Promise<void> | undefined;
    const take = (chunk: Buffer): void => {
      if (socket.destroyed) return;
      const began = performance.now();
      connection.receive(
        chunk,
        Date.now(),
        (bytes) => socket.write(Buffer.from(bytes)) || true,
      );
      this.meter.add(performance.now() - began);
      if (connection.closing) socket.end();
    };
    socket.on('data', (chunk: Buffer) => {
      const unknown = this.unknownSwarm(chunk);
      if (!before && !unknown) return take(chunk);
      // What waits keeps its place: answers go out in the order of the questions.
      socket.pause();
      const copy = Buffer.from(chunk);
      before = Promise.all([before, unknown]).then(() => {
        before = undefined;
        take(copy);
        socket.resume();
      });
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.connections.delete(socket));
  }

  private datagram(data: Buffer, remote: RemoteInfo): void {
    const isAnnounce =
      data.length >= udpAnnounce.length &&
      data.readUInt32BE(8) === udpAnnounce.action;
    const unknown = isAnnounce
      ? this.swarms.ensure(
          data.toString('hex', udpAnnounce.hashAt, udpAnnounce.hashAt + 20),
        )
      : undefined;
    const answer = (): void => {
      const began = performance.now();
      const length = this.udp.receive(data, remote.address, Date.now());
      this.meter.add(performance.now() - began);
      if (length > 0)
        this.socket?.send(
          Buffer.from(this.udp.out.subarray(0, length)),
          remote.port,
          remote.address,
        );
    };
    if (unknown) void unknown.then(answer);
    else answer();
  }

  /** A promise to wait for when the request in `chunk` asks of a swarm that is not known here. */
  private unknownSwarm(chunk: Buffer): Promise<unknown> | undefined {
    const waits: Promise<void>[] = [];
    for (
      let at = chunk.indexOf('info_hash=');
      at >= 0 && waits.length < 100;
      at = chunk.indexOf('info_hash=', at + 10)
    ) {
      const swarm = unescaped(chunk, at + 10);
      const wait = swarm && this.swarms.ensure(swarm);
      if (wait) waits.push(wait);
    }
    return waits.length > 0 ? Promise.all(waits) : undefined;
  }

  private sweep(): void {
    const now = Date.now();
    for (const [socket, connection] of this.connections)
      if (connection.deadline < now) socket.destroy();
  }
}

/** The 20 percent-escaped bytes at `at` as hex; undefined when they are not all there. */
function unescaped(chunk: Buffer, at: number): string | undefined {
  const hash = Buffer.alloc(20);
  for (let i = 0; i < 20; i++) {
    let byte = chunk[at++];
    if (byte === 0x25) {
      byte = parseInt(chunk.toString('latin1', at, at + 2), 16);
      at += 2;
    }
    if (
      byte === undefined ||
      Number.isNaN(byte) ||
      byte === 0x26 ||
      byte === 0x20
    )
      return undefined;
    hash[i] = byte;
  }
  return hash.toString('hex');
}
