/** Local discovery (BEP 14): shouts which torrents are here, hears who else has them. Private torrents are left out by the caller. */
import {
  encodeLsd,
  LSD_HOST_V4,
  LSD_PORT,
  LsdPace,
  parseLsd,
} from '@dnd/tracker';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { Config } from '../../config/config';

export class LocalDiscovery {
  private readonly cookie = randomBytes(8).toString('hex');
  private readonly pace = new LsdPace();
  private socket: Socket | undefined;
  private isReady = false;
  private port = 0;

  constructor(
    private readonly config: Config,
    /** Torrents to shout. */
    private readonly torrents: () => Iterable<string>,
    private readonly found: (
      infoHash: string,
      host: string,
      port: number,
    ) => void,
  ) {}

  start(port: number): void {
    if (!this.config.lsd) return;
    this.port = port;
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    socket.on('error', () => this.stop());
    socket.on('message', (data, { address }) => {
      const heard = parseLsd(data, this.cookie);
      for (const infoHash of heard?.infoHashes ?? [])
        this.found(infoHash, address, heard?.port ?? 0);
    });
    socket.bind(LSD_PORT, () => {
      try {
        socket.addMembership(LSD_HOST_V4, this.config.interface);
        socket.setMulticastInterface(this.config.interface);
        socket.setMulticastLoopback(true);
        socket.setMulticastTTL(1);
        this.isReady = true;
      } catch {
        this.stop();
      }
    });
    socket.unref();
    this.socket = socket;
  }

  stop(): void {
    this.isReady = false;
    this.socket?.close();
    this.socket = undefined;
  }

  /** There may be a torrent that has not been shouted yet. */
  added(): void {
    this.pace.added();
  }

  /** To be called every second or so. */
  tick(now: number): void {
    if (!this.isReady) return;
    const infoHashes = this.pace.next(this.torrents, now);
    if (infoHashes.length === 0) return;
    const { port, cookie } = this;
    for (const datagram of encodeLsd({ port, infoHashes, cookie }))
      this.socket?.send(datagram, LSD_PORT, LSD_HOST_V4, () => undefined);
  }
}
