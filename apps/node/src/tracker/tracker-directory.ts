/**
 * The live trackers of the ring. They know each other as the peers of one well-known swarm, whose
 * entries last a minute and are renewed three times in it; so a tracker that dies is soon left out of
 * the .torrent files that are handed out.
 */
import { packPeers, unpackPeers } from '@dnd/records';
import { formatAddress, parseAddress } from '@dnd/tracker';
import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { Config } from '../config/config';
import { Dht } from '../dht/dht';
import { trackersSwarm } from './places';

const period = 15_000;
const life = 45_000;
/** Trackers named in one .torrent. */
const named = 6;
const GONE = 2;

@Injectable()
export class TrackerDirectory {
  private port = 0;
  private others: string[] = [];
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(Config) private readonly config: Config,
    private readonly dht: Dht,
  ) {}

  start(port: number): void {
    this.port = port;
    void this.renew(life);
    this.timer = setInterval(() => void this.renew(life), period);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.renew(life, GONE);
  }

  /** BEP 12 tiers: the HTTP addresses of live trackers, this one first, then their UDP addresses. */
  tiers(): string[][] {
    const hosts = [this.own(), ...this.others].slice(0, named);
    return [
      hosts.map((host) => `http://${host}/announce`),
      hosts.map((host) => `udp://${host}/announce`),
    ];
  }

  ownUrls(): string[] {
    return [`http://${this.own()}/announce`, `udp://${this.own()}`];
  }

  private own(): string {
    const { advertise } = this.config;
    return `${advertise.includes(':') ? `[${advertise}]` : advertise}:${this.port}`;
  }

  private async renew(ttl: number, flags = 0): Promise<void> {
    const address = new Uint8Array(16);
    const length = parseAddress(this.config.advertise, address);
    const id = createHash('sha1').update(this.own()).digest();
    const peers =
      length === 0
        ? []
        : [
            {
              address: address.subarray(0, length),
              port: this.port,
              id,
              flags,
              ttl,
            },
          ];
    try {
      const [state] = await this.dht.swarms([
        {
          swarm: trackersSwarm(this.config.ring),
          peers: packPeers(peers),
          want: 50,
          completed: 0,
        },
      ]);
      if (!state) return;
      this.others = unpackPeers(state.peers)
        .filter((peer) => !(peer.flags & GONE))
        .map((peer) => {
          const host = formatAddress(
            peer.address,
            0,
            peer.address.length === 4 ? 4 : 16,
          );
          return `${peer.address.length === 4 ? host : `[${host}]`}:${peer.port}`;
        })
        .filter((host) => host !== this.own());
    } catch {
      // Asked again at the next turn; until then the last answer stands.
    }
  }
}
