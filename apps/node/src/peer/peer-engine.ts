/**
 * The peer of this node: puts its parts together, carries facts from one to the other, and keeps the
 * loops that have them go on. Which torrents there are and what is wanted of them is in Entries, how one
 * works in TorrentSession, how peers are reached in Connections, how they are found in PeerSources.
 */
import { formatMagnet, type Metainfo } from '@dnd/metainfo';
import { Disk, Hasher, PieceMemory, ResumeStore } from '@dnd/storage';
import type { PeerAddress, TokenBucket } from '@dnd/swarm';
import { createPeerId, PIECE_HEADER } from '@dnd/wire';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beat, every } from '../beat';
import { Config } from '../config/config';
import { IdentityFile } from '../identity';
import type { Part } from '../part';
import { firstFree } from '../ports';
import { Tracker } from '../tracker/tracker';
import { ChangeFeed } from './change-feed';
import { Connections, type ConnectionsOwner } from './connections/connections';
import { showDownload } from './entries/download-view';
import { Entries, type EntriesOwner } from './entries/entries';
import type { Entry } from './entries/entry';
import { PeerStore } from './entries/peer-store';
import type { PeerEvent } from './peer';
import type { DownloadDto } from './dto/download.dto';
import type { PublicationDto } from './dto/publication.dto';
import type { SettingsDto } from './dto/settings.dto';
import { PeerSettings } from './settings/peer-settings';
import { PeerSources, type SourcesOwner } from './sources/peer-sources';
import type { SessionOptions, SessionOwner } from './torrent/session-owner';
import { TorrentSession } from './torrent/torrent-session';

const pieceMemory = 192 * 2 ** 20;

@Injectable()
export class PeerEngine
  implements Part, EntriesOwner, SessionOwner, ConnectionsOwner, SourcesOwner
{
  readonly peerId = createPeerId(randomBytes(20));
  readonly entries: Entries;
  readonly feed: ChangeFeed;
  readonly publications = new Map<string, PublicationDto>();
  readonly connections: Connections;
  readonly sources: PeerSources;
  disk!: Disk;
  hasher!: Hasher;

  private readonly log = new Logger('Peer');
  readonly store: PeerStore;
  private readonly wanted: PeerSettings;
  private readonly changedSessions = new Set<TorrentSession>();
  private resume: ResumeStore | undefined;
  private ends: (() => void)[] = [];

  constructor(
    @Inject(Config) readonly config: Config,
    readonly identity: IdentityFile,
    readonly tracker: Tracker,
  ) {
    this.store = new PeerStore(config.storage);
    this.wanted = new PeerSettings(
      this.store,
      config.name,
      this.now(),
      new Date(),
    );
    this.entries = new Entries(this.store, this);
    this.feed = new ChangeFeed(() => this.everything());
    this.connections = new Connections(this);
    this.sources = new PeerSources(this);
  }

  async start(): Promise<void> {
    const inner = join(this.config.storage, '.node');
    await rm(join(inner, 'incoming'), { recursive: true, force: true });
    this.hasher = new Hasher({
      workerUrl: new URL('./hash-worker.mjs', import.meta.url),
      threads: 2,
    });
    this.resume = ResumeStore.open(join(inner, 'resume.db'));
    for (const damage of this.resume.lost) this.log.warn(damage);
    this.disk = new Disk({
      hasher: this.hasher,
      resume: this.resume,
      memory: new PieceMemory({ limit: pieceMemory }),
      blockGap: PIECE_HEADER,
    });
    await firstFree(this.config.peerPort, '--peer-port', (port) =>
      this.connections.listen(port),
    );
    this.entries.restore();
    this.sources.start();
    this.ends = [
      every(beat, () => this.tellChanges()),
      every(1_000, () => this.everySecond()),
    ];
    this.entries.startWanted();
  }

  async stop(): Promise<void> {
    for (const end of this.ends) end();
    await this.sources.stop();
    this.connections.close();
    await this.entries.stop();
    await this.disk.close();
    await this.hasher.close();
    this.resume?.close();
    this.store.close();
    this.feed.close();
  }

  get port(): number {
    return this.connections.port;
  }

  now(): number {
    return performance.now();
  }

  // --- EntriesOwner ---

  get storage(): string {
    return this.config.storage;
  }

  session(options: SessionOptions): TorrentSession {
    return new TorrentSession(options, this);
  }

  list(session: TorrentSession): void {
    this.connections.list(session);
  }

  unlist(session: TorrentSession): void {
    this.connections.unlist(session);
  }

  leave(session: TorrentSession): void {
    void this.sources.leave(session);
  }

  removed(session: TorrentSession): void {
    if (session.metainfo) this.resume?.remove(session.metainfo.id);
    this.changedSessions.delete(session);
    this.feed.push({ type: 'download-removed', data: { id: session.id } });
  }

  // --- SessionOwner ---

  changed(session: TorrentSession): void {
    this.changedSessions.add(session);
  }

  ready(session: TorrentSession): void {
    const entry = this.entries.find(session.id);
    if (!entry) return;
    this.sources.ready(entry);
    this.connections.dialSoon();
  }

  gotMetadata(session: TorrentSession, torrent: Uint8Array): void {
    const entry = this.entries.find(session.id);
    const { metainfo } = session;
    if (!entry || !metainfo) return;
    const twin = this.connections.list(session);
    if (twin) {
      const { name } = metainfo;
      return session.failed(new Error(`${name} is here already as ${twin.id}`));
    }
    this.entries.gotMetadata(entry, metainfo, torrent);
    this.sources.gotMetadata(entry);
  }

  finished(session: TorrentSession): void {
    const entry = this.entries.find(session.id);
    if (!entry) return;
    const isNew = this.entries.completed(entry);
    // Whoever has chosen files and got them is no new seed.
    if (isNew && session.downloadedBytes > 0 && session.left === 0)
      this.sources.completed(session);
    this.changed(session);
  }

  failed(session: TorrentSession, reason: string): void {
    const entry = this.entries.find(session.id);
    this.log.warn(`${session.name}: ${reason}`);
    this.leave(session);
    if (entry && entry.row.wish === 'run')
      this.entries.wish(entry, 'failed', reason);
  }

  memoryFreed(session: TorrentSession): void {
    for (const { session: other } of this.entries.values())
      if (other !== session && other.active?.starved)
        other.active.memoryFreed();
  }

  isUnlimited(host: string): boolean {
    return this.wanted.isUnlimited(host);
  }

  get downloadBucket(): TokenBucket {
    return this.wanted.down;
  }

  get uploadBucket(): TokenBucket {
    return this.wanted.up;
  }

  isOwn(address: PeerAddress): boolean {
    return this.connections.isOwn(address);
  }

  stopDialling(session: TorrentSession): void {
    this.connections.stopDialling(session);
  }

  get ownAddress(): PeerAddress {
    return { host: this.config.advertise, port: this.port };
  }

  punch(session: TorrentSession, address: PeerAddress): void {
    this.connections.punch(session, address);
  }

  // --- ConnectionsOwner, SourcesOwner ---

  get host(): string {
    return this.config.host;
  }

  get encryption(): SettingsDto['encryption'] {
    return this.settings.encryption;
  }

  get utpWanted(): boolean {
    return this.settings.utp;
  }

  get usesDht(): boolean {
    return this.sources.usesDht;
  }

  sendDatagram(datagram: Uint8Array, host: string, port: number): void {
    this.connections.udp.send(datagram, host, port);
  }

  get ownHosts(): ReadonlySet<string> {
    const { advertise, host } = this.config;
    const hosts = new Set([advertise, host]);
    if (host === '0.0.0.0' || host === '::') hosts.add('127.0.0.1');
    if (host === '::') hosts.add('::1');
    return hosts;
  }

  heardOfNode(host: string, port: number): void {
    this.sources.heardOfNode(host, port);
  }

  dhtDatagram(datagram: Buffer, host: string, port: number): void {
    this.sources.dhtDatagram(datagram, host, port);
  }

  running(): Iterable<TorrentSession> {
    return this.entries.running();
  }

  /** New addresses are in the books. */
  found(): void {
    this.connections.dialSoon();
  }

  byHash(infoHash: string): TorrentSession | undefined {
    return this.connections.session(infoHash);
  }

  // --- settings ---

  get settings(): SettingsDto {
    return this.wanted.all;
  }

  changeSettings(change: Partial<SettingsDto>): SettingsDto {
    this.wanted.change(change, this.now(), new Date());
    for (const { session } of this.entries.values()) session.limitsChanged();
    this.entries.startWanted(true);
    return this.settings;
  }

  // --- how it is shown ---

  show(entry: Entry): DownloadDto {
    return showDownload(entry, this.settings);
  }

  magnetOf(metainfo: Metainfo): string {
    const { infoHashV1, infoHashV2, name } = metainfo;
    return formatMagnet({
      ...(infoHashV1 ? { infoHashV1 } : {}),
      ...(infoHashV2 ? { infoHashV2 } : {}),
      name,
    });
  }

  showPublication(publication: PublicationDto): void {
    this.publications.set(publication.id, publication);
    if (this.publications.size > 1000)
      this.publications.delete(this.publications.keys().next().value as string);
    this.feed.push({ type: 'publication', data: { ...publication } });
  }

  // --- time ---

  private everySecond(): void {
    const now = this.now();
    this.wanted.tick(now, new Date());
    this.connections.everySecond();
    this.sources.tick();
    this.entries.everySecond(now);
    if (this.disk.memory.used === 0) this.disk.memory.trim();
  }

  private tellChanges(): void {
    for (const session of this.changedSessions) {
      const entry = this.entries.find(session.id);
      if (entry) this.feed.push({ type: 'download', data: this.show(entry) });
    }
    this.changedSessions.clear();
  }

  private everything(): PeerEvent[] {
    return [
      ...[...this.entries.values()].map((entry): PeerEvent => ({
        type: 'download',
        data: this.show(entry),
      })),
      ...[...this.publications.values()].map((data): PeerEvent => ({
        type: 'publication',
        data,
      })),
    ];
  }
}
