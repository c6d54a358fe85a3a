/**
 * The tracker's own listeners for every BitTorrent client: HTTP and UDP on one port. The protocols
 * are @dnd/tracker's, the sockets HttpListener's and UdpListener's; here they are put together with
 * the swarms, the lists of what is served, and the figures.
 */
import { HttpTracker, UdpTracker, type TrackerCounters } from '@dnd/tracker';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomFillSync } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import { every } from '../beat';
import { Config } from '../config/config';
import type { Part } from '../part';
import { firstFree } from '../ports';
import { Admissions } from './admission';
import { AnswerMeter } from './answer-meter';
import { CatalogueCounts } from './catalogue-counts';
import { CatalogueSync } from './catalogue-sync';
import { HttpListener } from './http-listener';
import type { Load } from './load';
import { Swarms } from './swarms';
import { TrackerDirectory } from './tracker-directory';
import { UdpListener } from './udp-listener';

const page =
  'D&D BitTorrent tracker: announce at /announce, scrape at /scrape, HTTP or UDP.\n';
/** Seconds between two looks whether a list has changed. */
const renewLists = 10;

const kinds = [
  'announces',
  'scrapes',
  'malformed',
  'refused',
  'junk',
] as const satisfies readonly (keyof TrackerCounters)[];
const isError = (kind: keyof TrackerCounters): boolean =>
  kind !== 'announces' && kind !== 'scrapes';
const noCounts = (): TrackerCounters => ({
  announces: 0,
  scrapes: 0,
  malformed: 0,
  refused: 0,
  junk: 0,
});

interface Protocols {
  readonly http: HttpTracker;
  readonly udp: UdpTracker;
}

@Injectable()
export class TrackerServers implements Part {
  private readonly log = new Logger('Tracker');
  private protocols: Protocols | undefined;
  private admissions: Admissions | undefined;
  private seconds = 0;
  private httpListener: HttpListener | undefined;
  private udpListener: UdpListener | undefined;
  private endMetering = (): void => undefined;
  private before: TrackerCounters = noCounts();
  /** What happened in the last second; errors in the last minute, the latest counting most. */
  private readonly rates: TrackerCounters = noCounts();
  readonly meter = new AnswerMeter();

  constructor(
    @Inject(Config) private readonly config: Config,
    private readonly swarms: Swarms,
    private readonly directory: TrackerDirectory,
    private readonly catalogue: CatalogueSync,
    private readonly counts: CatalogueCounts,
  ) {}

  /** Throws ConfigError for a list that cannot be read and a port that cannot be had. */
  async start(): Promise<void> {
    this.protocols = this.makeProtocols();
    await firstFree(this.config.trackerPort, '--tracker-port', (candidate) =>
      this.listen(candidate),
    );
    this.swarms.start();
    this.endMetering = every(1_000, () => this.everySecond());
    this.directory.start(this.port, () => this.load());
    this.catalogue.start();
    this.counts.start();
    this.log.log(
      `clients announce at ${this.directory.ownUrls().join(' or ')}`,
    );
  }

  async stop(): Promise<void> {
    this.endMetering();
    this.httpListener?.close();
    this.udpListener?.close();
    this.counts.stop();
    this.catalogue.stop();
    await this.directory.stop();
    await this.swarms.stop();
  }

  /** Where both listen. */
  get port(): number {
    return this.httpListener?.port ?? 0;
  }

  async load(): Promise<Load> {
    const { announces, scrapes, malformed, refused, junk } = this.rates;
    return {
      announcesPerSecond: announces,
      scrapesPerSecond: scrapes,
      ...(await this.swarms.own()),
      p50: this.meter.percentile(0.5),
      p99: this.meter.percentile(0.99),
      malformed: Math.round(malformed),
      refused: Math.round(refused),
      junk: Math.round(junk),
    };
  }

  /** Swarms and peers that answers are made from. */
  known(): { swarms: number; peers: number; seeds: number } {
    const { swarms, peers, seeds } = this.swarms.table.stats;
    return { swarms, peers, seeds };
  }

  /** What happened so far, both protocols together. */
  counters(): TrackerCounters {
    const sum = noCounts();
    for (const { counters } of Object.values(this.protocols ?? {}))
      for (const kind of kinds) sum[kind] += counters[kind];
    return sum;
  }

  private everySecond(): void {
    if (++this.seconds % renewLists === 0) this.admissions?.renew();
    this.meter.everySecond();
    const counters = this.counters();
    for (const kind of kinds) {
      const kept = isError(kind) ? this.rates[kind] * (59 / 60) : 0;
      this.rates[kind] = kept + counters[kind] - this.before[kind];
    }
    this.before = counters;
  }

  private makeProtocols(): Protocols {
    const { swarms, config } = this;
    const seed = randomFillSync(new Uint32Array(6));
    this.admissions = new Admissions(
      {
        allow: config.trackerAllow,
        deny: config.trackerDeny,
        passkeys: config.trackerPasskeys,
      },
      seed.subarray(4),
    );
    const { admit } = this.admissions;
    const common = {
      table: swarms.table,
      known: (infoHash: Uint8Array) => swarms.knows(infoHash),
      ...(admit ? { admit } : {}),
    };
    return {
      http: new HttpTracker({
        ...common,
        page,
        // Where passkeys are asked for, the others' addresses are of no use without one.
        ...(config.trackerPasskeys
          ? {}
          : { trackers: () => this.directory.otherTiers() }),
      }),
      udp: new UdpTracker({ ...common, secret: seed.subarray(0, 4) }),
    };
  }

  /** Both protocols get the same port, or neither. */
  private async listen(port: number): Promise<void> {
    const { host } = this.config;
    const { meter, swarms, protocols } = this;
    if (!protocols) return;
    const learn = (infoHash: Uint8Array): Promise<void> =>
      swarms.learn(infoHash);
    const http = new HttpListener({
      tracker: protocols.http,
      meter,
      now: swarms.clock.now,
      learn,
      ...(this.config.trustedProxies.length > 0
        ? { isProxy: proxyCheck(this.config.trustedProxies) }
        : {}),
    });
    const udp = new UdpListener({
      tracker: protocols.udp,
      meter,
      now: swarms.clock.now,
      learn,
      warn: (message) => this.log.warn(message),
    });
    await http.listen(port, host);
    try {
      await udp.bind(http.port, host);
    } catch (error) {
      http.close();
      throw error;
    }
    this.httpListener = http;
    this.udpListener = udp;
  }
}

/** Is an address one of these addresses and subnets? */
function proxyCheck(proxies: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const proxy of proxies) {
    const [address, prefix] = proxy.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
    return list.check(plain, isIPv6(plain) ? 'ipv6' : 'ipv4');
  };
}
