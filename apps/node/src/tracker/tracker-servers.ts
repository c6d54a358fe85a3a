/**
 * The tracker's own listeners for every BitTorrent client: HTTP and UDP on one port. The protocols
 * are @dnd/tracker's, the sockets HttpListener's and UdpListener's; here they are put together with
 * the swarms, the lists of what is served, and the figures.
 */
import { HttpTracker, UdpTracker, type TrackerCounters } from '@dnd/tracker';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomFillSync } from 'node:crypto';
import { BlockList, isIPv6 } from 'node:net';
import { Config } from '../config/config';
import type { Part } from '../part';
import { firstFree } from '../ports';
import { Admissions } from './admission';
import { AnswerMeter } from './answer-meter';
import { CatalogueSync } from './catalogue-sync';
import { HttpListener } from './http-listener';
import type { Load } from './load';
import { Swarms } from './swarms';
import { TrackerDirectory } from './tracker-directory';
import { UdpListener } from './udp-listener';

/** Seconds between two looks whether a list has changed. */
const renewLists = 10;

@Injectable()
export class TrackerServers implements Part {
  private readonly log = new Logger('Tracker');
  private readonly http: HttpTracker;
  private readonly udp: UdpTracker;
  private readonly admissions: Admissions;
  private seconds = 0;
  private httpListener: HttpListener | undefined;
  private udpListener: UdpListener | undefined;
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
    const { trackerAllow: allow, trackerDeny: deny } = config;
    this.admissions = new Admissions(
      { allow, deny, passkeys: config.trackerPasskeys },
      randomFillSync(new Uint32Array(2)),
    );
    const { admit } = this.admissions;
    const known = (infoHash: Uint8Array): boolean => swarms.knows(infoHash);
    const common = { table, known, ...(admit ? { admit } : {}) };
    this.http = new HttpTracker({
      ...common,
      page: 'D&D BitTorrent tracker: announce at /announce, scrape at /scrape, HTTP or UDP.\n',
    });
    this.udp = new UdpTracker({
      ...common,
      secret: randomFillSync(new Uint32Array(4)),
    });
  }

  async start(): Promise<void> {
    await firstFree(this.config.trackerPort, '--tracker-port', (candidate) =>
      this.listen(candidate),
    );
    this.swarms.start();
    this.metering = setInterval(() => this.everySecond(), 1000);
    this.directory.start(this.port, () => this.load());
    await this.catalogue.start();
    this.log.log(
      `clients announce at ${this.directory.ownUrls().join(' or ')}`,
    );
  }

  async stop(): Promise<void> {
    clearInterval(this.metering);
    this.catalogue.stop();
    await this.directory.stop();
    await this.swarms.stop();
    this.httpListener?.close();
    this.udpListener?.close();
  }

  /** Where both listen. */
  get port(): number {
    return this.httpListener?.port ?? 0;
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
    if (++this.seconds % renewLists === 0) this.admissions.renew();
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
    const { meter, swarms } = this;
    const learn = (infoHash: Uint8Array): Promise<void> =>
      swarms.learn(infoHash);
    const http = new HttpListener({
      tracker: this.http,
      meter,
      learn,
      ...(this.config.trustedProxies.length > 0
        ? { isProxy: proxyCheck(this.config.trustedProxies) }
        : {}),
    });
    const udp = new UdpListener({
      tracker: this.udp,
      meter,
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
