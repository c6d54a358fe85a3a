/**
 * The live trackers of the ring. They know each other as the peers of one well-known swarm, whose
 * entries last a minute and are renewed three times in it; so a tracker that dies is soon left out of
 * the .torrent files that are handed out. What an entry has for a peer id tells how busy the tracker is.
 */
import { packPeers, packPuts, unpackAnswers, unpackPeers } from '@dnd/records';
import { formatAddress, parseAddress } from '@dnd/tracker';
import { Inject, Injectable } from '@nestjs/common';
import { every } from '../beat';
import { Config } from '../config/config';
import { Dht } from '../dht/dht';
import { decodeLoad, encodeLoad, noLoad, type Load } from './load';
import { trackersSwarm } from './places';

const period = 15_000;
const life = 45_000;
/** Trackers named in one .torrent. */
const named = 6;
const GONE = 2;

@Injectable()
export class TrackerDirectory {
  private port = 0;
  private others: { readonly host: string; readonly load: Load }[] = [];
  private load: () => Promise<Load> = () => Promise.resolve(noLoad);
  private endRenewing = (): void => undefined;

  constructor(
    @Inject(Config) private readonly config: Config,
    private readonly dht: Dht,
  ) {}

  /** `load` is asked before each renewal. */
  start(port: number, load: () => Promise<Load>): void {
    this.port = port;
    this.load = load;
    void this.renew(life);
    this.endRenewing = every(period, () => void this.renew(life));
  }

  async stop(): Promise<void> {
    this.endRenewing();
    await this.renew(life, GONE);
  }

  /** BEP 12 tiers: the HTTP addresses of live trackers, this one first, then their UDP addresses. */
  tiers(): string[][] {
    return tiersOf([this.own(), ...this.hosts()].slice(0, named));
  }

  /** The same without this one; undefined where it is alone. */
  otherTiers(): string[][] | undefined {
    const hosts = this.hosts().slice(0, named);
    return hosts.length > 0 ? tiersOf(hosts) : undefined;
  }

  ownUrls(): string[] {
    return [`http://${this.own()}/announce`, `udp://${this.own()}`];
  }

  /** The other live trackers. */
  known(): readonly { readonly host: string; readonly load: Load }[] {
    return this.others;
  }

  own(): string {
    const { advertise } = this.config;
    return `${advertise.includes(':') ? `[${advertise}]` : advertise}:${this.port}`;
  }

  private hosts(): string[] {
    return this.others.map(({ host }) => host);
  }

  private async renew(ttl: number, flags = 0): Promise<void> {
    const address = new Uint8Array(16);
    const length = parseAddress(this.config.advertise, address);
    const id = encodeLoad(await this.load());
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
      const told = {
        swarm: trackersSwarm(this.config.ring),
        want: 50,
        seeds: true,
        completed: 0,
        peers: packPeers(peers),
      };
      const [state] = unpackAnswers(await this.dht.swarms(packPuts([told])));
      if (!state) return;
      this.others = unpackPeers(state.peers)
        .filter((peer) => !(peer.flags & GONE))
        .map((peer) => {
          const host = formatAddress(
            peer.address,
            0,
            peer.address.length === 4 ? 4 : 16,
          );
          const shown = peer.address.length === 4 ? host : `[${host}]`;
          return { host: `${shown}:${peer.port}`, load: decodeLoad(peer.id) };
        })
        .filter(({ host }) => host !== this.own());
    } catch {
      // Asked again at the next turn; until then the last answer stands.
    }
  }
}

const tiersOf = (hosts: readonly string[]): string[][] => [
  hosts.map((host) => `http://${host}/announce`),
  hosts.map((host) => `udp://${host}/announce`),
];
