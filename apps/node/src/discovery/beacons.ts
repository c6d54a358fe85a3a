/**
 * The multicast socket of a process: says this node's beacon, hears those of others. Nodes that run no
 * ring of their own only listen, to learn where trackers are.
 */
import { Inject, Injectable, Logger } from '@nestjs/common';
import { createSocket, type Socket } from 'node:dgram';
import { Config } from '../config/config';
import type { Endpoint } from '../rpc/seam';
import { BeaconCodec, type Beacon } from './beacon';
import { Replays } from './replays';

/** A tracker that has been silent for so long is no longer offered, milliseconds. */
const silence = 30_000;
const maxTrackers = 64;

@Injectable()
export class Beacons {
  private readonly log = new Logger('Discovery');
  private readonly codec: BeaconCodec;
  private readonly heard = new Map<
    string,
    { readonly endpoint: Endpoint; readonly at: number }
  >();
  private readonly listeners = new Set<(beacon: Beacon) => void>();
  private socket: Socket | undefined;
  private complained = false;
  private readonly replays = new Replays();
  private saidAt = 0;

  constructor(@Inject(Config) private readonly config: Config) {
    this.codec = new BeaconCodec(config.ring, config.secret);
  }

  /** Joins the group. Where there is no multicast it says so once, and the node goes on without. */
  async start(): Promise<void> {
    const group = this.config.multicast;
    if (!group) return;
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    this.socket = socket;
    socket.on('message', (data) => this.receive(data));
    try {
      await new Promise<void>((resolve, reject) => {
        socket.once('error', reject);
        socket.bind(group.port, resolve);
      });
      socket.on('error', (error) =>
        this.log.warn(`multicast: ${error.message}`),
      );
      socket.addMembership(group.host, this.config.interface);
      socket.setMulticastInterface(this.config.interface);
      socket.setMulticastLoopback(true);
      socket.setMulticastTTL(1);
      socket.unref();
    } catch (error) {
      this.log.warn(
        `no multicast on ${this.config.interface} (${(error as Error).message}): name a node of the ring with --join HOST:PORT`,
      );
      this.stop();
    }
  }

  stop(): void {
    this.socket?.close();
    this.socket = undefined;
  }

  /** Calls `listener` for every beacon of this ring, our own included. */
  onBeacon(listener: (beacon: Beacon) => void): void {
    this.listeners.add(listener);
  }

  say(beacon: Beacon): void {
    const group = this.config.multicast;
    if (!group || !this.socket) return;
    this.saidAt = Math.max(this.saidAt + 1, Date.now());
    this.socket.send(
      this.codec.encode(beacon, this.saidAt),
      group.port,
      group.host,
      (error) => {
        if (error && !this.complained)
          this.log.warn(`multicast: ${error.message}`);
        if (error) this.complained = true;
      },
    );
  }

  /** Trackers whose seam this process can reach, the most recently heard first. */
  trackers(): readonly Endpoint[] {
    const oldest = performance.now() - silence;
    return [...this.heard.values()]
      .filter(({ at }) => at >= oldest)
      .sort((a, b) => b.at - a.at)
      .map(({ endpoint }) => endpoint);
  }

  private receive(data: Buffer): void {
    const beacon = this.codec.decode(data, Date.now());
    if (beacon === undefined) return;
    if (beacon === 'forged') {
      if (!this.complained)
        this.log.warn(
          'a node of this ring has another secret and is not heard (said once)',
        );
      this.complained = true;
      return;
    }
    if (!this.replays.isNew(beacon, Date.now())) return;
    if (beacon.seamPort > 0)
      this.remember({ host: beacon.beacon.node.host, port: beacon.seamPort });
    for (const listener of this.listeners) listener(beacon);
  }

  private remember(endpoint: Endpoint): void {
    const name = `${endpoint.host}:${endpoint.port}`;
    this.heard.delete(name);
    this.heard.set(name, { endpoint, at: performance.now() });
    if (this.heard.size > maxTrackers)
      this.heard.delete(this.heard.keys().next().value as string);
  }
}
