/** Local discovery (BEP 14): shouts which torrents are here, hears who else has them. Private torrents are left out by the caller. */
import { encodeLsd, LSD_HOST_V4, LSD_PORT, parseLsd } from '@dnd/tracker';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import type { Config } from '../../config/config';

/** BEP 14: a torrent every five minutes, a datagram a minute. */
const period = 300_000;
const shoutGap = 60_000;
const first = 1_000;

export class LocalDiscovery {
  private readonly cookie = randomBytes(8).toString('hex');
  private socket: Socket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private port = 0;

  constructor(
    private readonly config: Config,
    /** Torrents to shout; asked before each round. */
    private readonly torrents: () => string[],
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
      } catch {
        this.stop();
      }
    });
    socket.unref();
    this.socket = socket;
    this.timer = setTimeout(() => this.shout(), first);
  }

  stop(): void {
    clearTimeout(this.timer);
    this.socket?.close();
    this.socket = undefined;
  }

  private shout(): void {
    const datagrams = encodeLsd({
      port: this.port,
      infoHashes: this.torrents(),
      cookie: this.cookie,
    });
    const send = (at: number): void => {
      const datagram = datagrams[at];
      if (!this.socket) return;
      if (datagram)
        this.socket.send(datagram, LSD_PORT, LSD_HOST_V4, () => undefined);
      this.timer = setTimeout(
        () => (at + 1 < datagrams.length ? send(at + 1) : this.shout()),
        at + 1 < datagrams.length ? shoutGap : period,
      );
    };
    send(0);
  }
}
