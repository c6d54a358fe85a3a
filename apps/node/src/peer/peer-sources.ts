/**
 * Where the torrents' peers come from: the ring's trackers, trackers that a torrent names itself and
 * local discovery. Each is asked at its own pace and fills the torrent's one address book; private
 * torrents are kept from those that are not their trackers (BEP 27).
 */
import type { Config } from '../config/config';
import type { IdentityFile } from '../identity';
import type { Tracker } from '../tracker/tracker';
import { Announcer } from './announcer';
import { outsideTiers, usesRing, type Entry } from './entry';
import { LocalDiscovery } from './local-discovery';
import { OutsideTrackers, type OutsideState } from './outside-trackers';
import type { SettingsDto } from './peer.dto';
import type { TorrentSession } from './torrent-session';

export interface SourcesOwner {
  readonly config: Config;
  readonly identity: IdentityFile;
  readonly tracker: Tracker;
  readonly settings: SettingsDto;
  readonly peerId: Uint8Array;
  /** Where peers are taken. */
  readonly port: number;
  readonly entries: ReadonlyMap<string, Entry>;
  now(): number;
  /** The session of a hash of 40 hex digits. */
  byHash(infoHash: string): TorrentSession | undefined;
  /** New addresses are in the books. */
  found(): void;
}

export class PeerSources {
  private readonly announcer: Announcer;
  private readonly outside: OutsideTrackers;
  private readonly discovery: LocalDiscovery;

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
  }

  /** Says good-bye everywhere. */
  async stop(): Promise<void> {
    this.discovery.stop();
    await Promise.all([this.announcer.stop(), this.outside.close()]);
  }

  /** The torrent is at work, or looks for its metadata. */
  ready(entry: Entry): void {
    const { session } = entry;
    if (usesRing(entry)) this.announcer.started(session);
    this.outside.start(session, outsideTiers(entry));
  }

  /** What may be asked for it may be less from now on. */
  gotMetadata(entry: Entry): void {
    if (!usesRing(entry)) void this.announcer.stopped(entry.session);
  }

  completed(session: TorrentSession): void {
    this.announcer.completed(session);
    this.outside.completed(session);
  }

  async leave(session: TorrentSession): Promise<void> {
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
