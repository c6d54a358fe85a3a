/**
 * Where the torrents' peers come from: the ring's trackers, trackers that a torrent names itself, the
 * mainline DHT and local discovery. Each is asked at its own pace and fills the torrent's one address book; private
 * torrents are kept from those that are not their trackers (BEP 27).
 */
import type { Config } from '../../config/config';
import type { IdentityFile } from '../../identity';
import type { Tracker } from '../../tracker/tracker';
import { Announcer } from './announcer';
import { outsideTiers, usesRing, type Entry } from '../entries/entry';
import { LocalDiscovery } from './local-discovery';
import { OutsideTrackers, type OutsideState } from './outside-trackers';
import { MainlineDht, type DhtState } from './mainline/mainline-dht';
import type { SettingsDto } from '../dto/settings.dto';
import type { PeerStore } from '../entries/peer-store';
import { readDhtMemory } from './mainline/dht-memory';
import type { TorrentSession } from '../torrent/torrent-session';

export interface SourcesOwner {
  readonly config: Config;
  readonly identity: IdentityFile;
  readonly tracker: Tracker;
  readonly store: PeerStore;
  readonly settings: SettingsDto;
  readonly peerId: Uint8Array;
  /** Where peers are taken. */
  readonly port: number;
  readonly entries: { values(): Iterable<Entry> };
  now(): number;
  sendDatagram(datagram: Uint8Array, host: string, port: number): void;
  /** The session of a hash of 40 hex digits. */
  byHash(infoHash: string): TorrentSession | undefined;
  /** New addresses are in the books. */
  found(): void;
}

/** Under which the nodes of the DHT are kept, and how often, milliseconds. */
const dhtMemory = 'mainline-dht';
const keepPeriod = 300_000;

export class PeerSources {
  private readonly announcer: Announcer;
  private readonly outside: OutsideTrackers;
  private readonly discovery: LocalDiscovery;
  private dht: MainlineDht | undefined;
  private dhtKeptAt = 0;

  constructor(private readonly owner: SourcesOwner) {
    this.announcer = new Announcer(owner);
    this.outside = new OutsideTrackers(owner);
    this.discovery = new LocalDiscovery(
      owner.config,
      () => this.shouted(),
      (hash, host, port) => this.discovered(hash, host, port),
    );
  }

  /** Once connections are taken. */
  start(): void {
    this.discovery.start(this.owner.port);
    this.announcer.start();
    this.joinDht();
  }

  /** Says good-bye everywhere. */
  async stop(): Promise<void> {
    this.discovery.stop();
    this.keepDht();
    await Promise.all([
      this.announcer.stop(),
      this.outside.close(),
      this.dht?.stop(),
    ]);
  }

  /** The torrent is at work, or looks for its metadata. */
  ready(entry: Entry): void {
    const { session } = entry;
    if (usesRing(entry)) this.announcer.started(session);
    this.outside.start(session, outsideTiers(entry));
    this.dht?.started(session);
    this.discovery.added();
  }

  /** What may be asked for it may be less from now on. */
  gotMetadata(entry: Entry): void {
    const { session } = entry;
    if (!usesRing(entry)) void this.announcer.stopped(session);
    if (session.isPrivate) this.dht?.stopped(session);
  }

  completed(session: TorrentSession): void {
    this.announcer.completed(session);
    this.outside.completed(session);
  }

  async leave(session: TorrentSession): Promise<void> {
    this.dht?.stopped(session);
    await Promise.all([
      this.announcer.stopped(session),
      this.outside.stop(session),
    ]);
  }

  /** Tells the ring's tracker of a seed at once, so that whoever asks next is given its address. */
  seed(session: TorrentSession): Promise<void> {
    return this.announcer.seed(session);
  }

  /** Resolves once the ring's tracker knows this client. */
  whenRegistered(): Promise<void> {
    return this.announcer.whenRegistered();
  }

  ringState(session: TorrentSession): ReturnType<Announcer['status']> {
    return this.announcer.status(session);
  }

  trackerStates(session: TorrentSession): readonly OutsideState[] {
    return this.outside.states(session);
  }

  get usesDht(): boolean {
    return this.dht !== undefined;
  }

  dhtState(session: TorrentSession): Readonly<DhtState> | undefined {
    return this.dht?.stateOf(session);
  }

  /** Nodes of the mainline DHT that are known; undefined while it is off. */
  get dhtNodes(): number | undefined {
    return this.dht?.nodeCount;
  }

  /** A peer says that it has a node of the mainline DHT. */
  heardOfNode(host: string, port: number): void {
    this.dht?.heardOfNode(host, port);
  }

  dhtDatagram(datagram: Buffer, host: string, port: number): void {
    this.dht?.received(datagram, host, port);
  }

  /** To be called every second or so. */
  tick(): void {
    this.discovery.tick(this.owner.now());
    this.dht?.tick();
    if (this.owner.now() - this.dhtKeptAt > keepPeriod) this.keepDht();
  }

  private joinDht(): void {
    const { owner } = this;
    const { mainlineDht, dhtBootstrap } = owner.config;
    if (!mainlineDht) return;
    this.dhtKeptAt = owner.now();
    this.dht = new MainlineDht(
      {
        port: owner.port,
        now: () => owner.now(),
        send: (datagram, host, port) =>
          owner.sendDatagram(datagram, host, port),
        byHash: (infoHash) => owner.byHash(infoHash),
        found: () => owner.found(),
      },
      readDhtMemory(owner.store.recall(dhtMemory)),
      dhtBootstrap,
    );
  }

  private keepDht(): void {
    if (!this.dht) return;
    this.dhtKeptAt = this.owner.now();
    this.owner.store.keep(dhtMemory, JSON.stringify(this.dht.memory));
  }

  private shouted(): string[] {
    return [...this.owner.entries.values()]
      .filter(({ session }) => session.takesConnections && !session.isPrivate)
      .map(({ session }) => session.id);
  }

  private discovered(hash: string, host: string, port: number): void {
    const session = this.owner.byHash(hash);
    if (!session || session.isPrivate) return;
    if (session.peers.book.add({ host, port }, 'lsd')) this.owner.found();
  }
}
