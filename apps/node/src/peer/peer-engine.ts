/**
 * The peer of this node: every torrent it has and what is wanted of each, which outlives a restart; and
 * the loops that keep them going. How a torrent works is in TorrentSession, how peers are reached in
 * Connections, how they are found in PeerSources.
 */
import { formatMagnet, type Magnet, type Metainfo } from '@dnd/metainfo';
import {
  Disk,
  Hasher,
  PieceMemory,
  ResumeStore,
  type FileStamp,
} from '@dnd/storage';
import type { PeerAddress, TokenBucket } from '@dnd/swarm';
import { createPeerId, PIECE_HEADER } from '@dnd/wire';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Config } from '../config/config';
import { IdentityFile } from '../identity';
import type { Part } from '../part';
import { firstFree } from '../ports';
import { SeamError } from '../rpc/seam-error';
import { readMagnet, readTorrent } from '../torrent';
import { Tracker } from '../tracker/tracker';
import { ChangeFeed } from './change-feed';
import { Connections, type ConnectionsOwner } from './connections/connections';
import { showDownload } from './entries/download-view';
import { selectFiles, type Entry, type TorrentOptions } from './entries/entry';
import { freeName } from './entries/free-name';
import type { AddDownload, PeerEvent } from './peer';
import type { DownloadDto } from './dto/download.dto';
import type { PublicationDto } from './dto/publication.dto';
import type { SettingsDto } from './dto/settings.dto';
import { PeerSettings } from './settings/peer-settings';
import { PeerSources, type SourcesOwner } from './sources/peer-sources';
import { PeerStore, type TorrentRow, type Wish } from './entries/peer-store';
import { readWanted, type Wanted } from './entries/read-wanted';
import { atGoal } from './entries/seeding-goals';
import { TorrentQueue } from './entries/torrent-queue';
import type { SessionOwner } from './torrent/session-owner';
import { TorrentSession } from './torrent/torrent-session';

const maxTorrents = 20_000;
const beat = 250;
const slowBeat = 1_000;
const uploadedPeriod = 30_000;
/** Files looked at each second, of one torrent after another. */
const looksAtOnce = 4;
const pieceMemory = 192 * 2 ** 20;

@Injectable()
export class PeerEngine
  implements Part, SessionOwner, ConnectionsOwner, SourcesOwner
{
  readonly peerId = createPeerId(randomBytes(20));
  readonly entries = new Map<string, Entry>();
  readonly feed: ChangeFeed;
  readonly publications = new Map<string, PublicationDto>();
  readonly connections: Connections;
  readonly sources: PeerSources;
  disk!: Disk;
  hasher!: Hasher;

  private readonly log = new Logger('Peer');
  readonly store: PeerStore;
  private readonly wanted: PeerSettings;
  private readonly queue = new TorrentQueue();
  private readonly changedSessions = new Set<TorrentSession>();
  private resume: ResumeStore | undefined;
  private timers: NodeJS.Timeout[] = [];
  private savedAt = 0;
  /** Whose turn it is to be looked at on the disk. */
  private looking: MapIterator<Entry> | undefined;

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
    for (const words of this.store.lost) this.log.warn(words);
    for (const row of this.store.torrents()) this.restore(row);
    this.sources.start();
    this.timers = [
      setInterval(() => this.tellChanges(), beat),
      setInterval(() => this.everySecond(), slowBeat),
    ];
    this.startWanted();
  }

  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    await this.sources.stop();
    this.saveUploaded();
    this.connections.close();
    await Promise.all(
      [...this.entries.values()].map(({ session }) => session.stop()),
    );
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

  /** Throws SeamError `not-found`. */
  entry(id: string): Entry {
    const entry = this.entries.get(id);
    if (!entry)
      throw new SeamError(
        'not-found',
        `there is no download ${id} on this node`,
      );
    return entry;
  }

  // --- torrents ---

  /** Adds a download and starts it (or queues it). */
  async add(download: AddDownload): Promise<Entry> {
    const wanted = await readWanted(download, this.tracker);
    const known = this.known(wanted);
    if (known && known.row.wish !== 'cancelled' && known.row.wish !== 'failed')
      throw new SeamError('conflict', `${known.row.name} is here already`);
    if (known) {
      this.wish(known, 'run');
      return known;
    }
    if (this.entries.size >= maxTorrents)
      throw new SeamError(
        'too-large',
        `this node has ${maxTorrents} torrents; remove some first`,
      );
    const { metainfo, magnet, torrent } = wanted;
    const options: TorrentOptions = {
      ...(download.files
        ? { files: download.files }
        : magnet?.selectedFiles
          ? { files: [...magnet.selectedFiles] }
          : {}),
      ...(download.sequential ? { sequential: true } : {}),
      ...(download.peers ? { peers: download.peers } : {}),
      ...(wanted.ring ? { ring: true } : {}),
    };
    if (metainfo) selectFiles(options, metainfo);
    const id = metainfo?.id ?? (magnet as Magnet).id;
    const row: TorrentRow = {
      id,
      name: metainfo?.name ?? magnet?.name?.slice(0, 255) ?? id,
      torrent: torrent ?? null,
      magnet: download.magnet ?? null,
      wish: 'run',
      reason: null,
      published: false,
      root: download.folder ?? null,
      local_name:
        metainfo && !download.folder
          ? await this.localName(metainfo.name)
          : null,
      torrent_file: null,
      options: JSON.stringify(options),
      uploaded: 0,
      added_at: Date.now(),
      completed_at: null,
      announced: false,
    };
    const entry = this.create(row, metainfo);
    for (const peer of magnet?.peers ?? [])
      entry.session.peers.book.add(peer, 'manual');
    if (metainfo) await this.saveTorrentFile(entry);
    this.save(entry);
    this.startWanted();
    return entry;
  }

  /** Whether a torrent of this node has, or will have, this name in Storage. */
  holdsName(name: string): boolean {
    for (const { row } of this.entries.values())
      if (!row.root && (row.local_name ?? row.name) === name) return true;
    return false;
  }

  /** Another name where this one is taken by a torrent of ours or is that of the node's own folder. Files that were there before are looked at for what they hold. */
  private async localName(name: string): Promise<string | null> {
    if (/^\.node$/i.test(name)) name = `_${name}`;
    else if (!this.holdsName(name)) return null;
    return freeName(this.config.storage, name, (each) => this.holdsName(each));
  }

  /** A torrent of this node's own making, whose content lies where `row` says. */
  async adopt(
    row: TorrentRow,
    metainfo: Metainfo,
    created: readonly (FileStamp | undefined)[],
  ): Promise<Entry> {
    const entry = this.create(row, metainfo, created);
    await this.saveTorrentFile(entry);
    this.save(entry);
    this.startWanted();
    return entry;
  }

  wish(entry: Entry, wish: Wish, reason: string | null = null): void {
    entry.row = { ...entry.row, wish, reason };
    this.save(entry);
    this.changed(entry.session);
    this.startWanted();
  }

  save(entry: Entry): void {
    // It may have been removed while something of it was still going on.
    if (this.entries.get(entry.row.id) !== entry) return;
    this.store.save({
      ...entry.row,
      uploaded: entry.session.uploadedBytes,
      options: JSON.stringify(entry.options),
    });
  }

  async remove(entry: Entry, data: boolean): Promise<void> {
    const { session } = entry;
    // Nothing may start it again meanwhile.
    entry.row = { ...entry.row, wish: 'pause' };
    void this.sources.leave(session);
    if (data && !entry.row.root) await session.remove();
    else await session.stop();
    const { torrent_file: file } = entry.row;
    if (file) await rm(join(this.config.storage, file), { force: true });
    if (session.metainfo) this.resume?.remove(session.metainfo.id);
    if (this.entries.get(session.id) !== entry) return;
    this.entries.delete(session.id);
    this.connections.unlist(session);
    this.queue.forget(entry);
    this.changedSessions.delete(session);
    this.store.remove(session.id);
    this.feed.push({ type: 'download-removed', data: { id: session.id } });
    this.startWanted();
  }

  /** Ends a download: what there is of it is deleted, the entry stays. */
  async cancel(entry: Entry): Promise<void> {
    const { session } = entry;
    if (entry.row.completed_at !== null && session.complete)
      throw new SeamError(
        'conflict',
        `${entry.row.name} is complete: remove it instead`,
      );
    entry.row = { ...entry.row, completed_at: null };
    this.wish(entry, 'cancelled');
    void this.sources.leave(session);
    // What lies in a folder of the owner's own stays there.
    if (entry.row.root) await session.stop();
    else await session.remove();
    this.changed(session);
    this.startWanted();
  }

  async pause(entry: Entry): Promise<void> {
    this.wish(entry, 'pause');
    void this.sources.leave(entry.session);
    await entry.session.stop();
    this.changed(entry.session);
    this.startWanted();
  }

  /** Peers given by hand: `host:port` each. */
  addPeers(entry: Entry, peers: readonly string[]): void {
    for (const peer of peers) {
      const match = /^\[?(.+?)\]?:(\d+)$/.exec(peer);
      if (!match) continue;
      const address = { host: match[1], port: Number(match[2]) };
      entry.session.peers.book.add(address, 'manual');
    }
    this.found();
  }

  // --- SessionOwner ---

  changed(session: TorrentSession): void {
    this.changedSessions.add(session);
  }

  ready(session: TorrentSession): void {
    const entry = this.entries.get(session.id);
    if (!entry) return;
    this.sources.ready(entry);
    this.connections.dialSoon();
  }

  gotMetadata(session: TorrentSession, torrent: Uint8Array): void {
    const entry = this.entries.get(session.id);
    const { metainfo } = session;
    if (!entry || !metainfo) return;
    const twin = this.connections.list(session);
    if (twin) {
      const { name } = metainfo;
      return session.failed(new Error(`${name} is here already as ${twin.id}`));
    }
    entry.row = { ...entry.row, torrent, name: metainfo.name };
    selectFiles(entry.options, metainfo);
    if (entry.options.priorities)
      session.priorities = Uint8Array.from(entry.options.priorities);
    this.sources.gotMetadata(entry);
    void this.saveTorrentFile(entry).then(() => this.save(entry));
  }

  finished(session: TorrentSession): void {
    const entry = this.entries.get(session.id);
    if (!entry) return;
    if (entry.row.completed_at === null) {
      entry.row = { ...entry.row, completed_at: Date.now() };
      this.save(entry);
      this.log.log(`${entry.row.name} is complete`);
      this.queue.forget(entry);
      if (session.downloadedBytes > 0) this.sources.completed(session);
      this.startWanted();
    }
    this.changed(session);
  }

  failed(session: TorrentSession, reason: string): void {
    const entry = this.entries.get(session.id);
    this.log.warn(`${session.name}: ${reason}`);
    void this.sources.leave(session);
    if (entry && entry.row.wish === 'run') this.wish(entry, 'failed', reason);
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
    if (host === '0.0.0.0') hosts.add('127.0.0.1');
    return hosts;
  }

  heardOfNode(host: string, port: number): void {
    this.sources.heardOfNode(host, port);
  }

  dhtDatagram(datagram: Buffer, host: string, port: number): void {
    this.sources.dhtDatagram(datagram, host, port);
  }

  *running(): Generator<TorrentSession> {
    for (const { row, queued, session } of this.entries.values())
      if (row.wish === 'run' && !queued) yield session;
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
    this.startWanted(true);
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

  // --- parts ---

  /** The entry of the same torrent, by whichever of its hashes. */
  private known({ metainfo, magnet }: Wanted): Entry | undefined {
    const { infoHashV1, infoHashV2 } = metainfo ?? (magnet as Magnet);
    for (const hash of [infoHashV1, infoHashV2?.subarray(0, 20)]) {
      const name = hash && Buffer.from(hash).toString('hex');
      const session = name && this.connections.session(name);
      if (session) return this.entries.get(session.id);
    }
    return undefined;
  }

  private create(
    row: TorrentRow,
    metainfo: Metainfo | undefined,
    created?: readonly (FileStamp | undefined)[],
  ): Entry {
    const options = JSON.parse(row.options) as TorrentOptions;
    const session = new TorrentSession(
      {
        id: row.id,
        metainfo,
        magnet: row.magnet ? readMagnet(row.magnet) : undefined,
        root: row.root ?? this.config.storage,
        localName: row.local_name ?? undefined,
        ...(created ? { created } : {}),
        ...(options.priorities ? { priorities: options.priorities } : {}),
        sequential: options.sequential ?? false,
        superSeeding: options.superSeeding ?? false,
        downloadLimit: options.downloadLimit ?? 0,
        uploadLimit: options.uploadLimit ?? 0,
      },
      this,
    );
    session.uploadedBefore = row.uploaded;
    const entry: Entry = { row, session, options, queued: false };
    this.entries.set(row.id, entry);
    this.connections.list(session);
    this.addPeers(entry, options.peers ?? []);
    this.changed(session);
    return entry;
  }

  private restore(row: TorrentRow): void {
    try {
      this.create(row, row.torrent ? readTorrent(row.torrent) : undefined);
    } catch (error) {
      this.log.warn(
        `${row.name} cannot be read back and is left out: ${(error as Error).message}`,
      );
    }
  }

  /** Starts what should run and may, and has the rest wait. */
  private startWanted(strict = false): void {
    const entries = [...this.entries.values()];
    const { begin, wait } = this.queue.plan(
      entries,
      this.settings.maxActiveDownloads,
      this.now(),
      strict,
    );
    for (const entry of wait) {
      if (entry.queued) continue;
      entry.queued = true;
      this.changed(entry.session);
      void this.sources.leave(entry.session);
      void entry.session.stop();
    }
    for (const entry of begin) {
      entry.queued = false;
      void entry.session.start();
    }
  }

  /** The .torrent beside the content, so that other programs can take it from the folder. */
  private async saveTorrentFile(entry: Entry): Promise<void> {
    const { row } = entry;
    if (!row.torrent || row.torrent_file) return;
    const name = await freeName(this.config.storage, `${row.name}.torrent`);
    try {
      const path = join(this.config.storage, name);
      await writeFile(path, row.torrent, { flag: 'wx' });
      entry.row = { ...entry.row, torrent_file: name };
    } catch (error) {
      this.log.warn(`${name} was not written: ${(error as Error).message}`);
    }
  }

  private everySecond(): void {
    const now = this.now();
    this.wanted.tick(now, new Date());
    this.connections.everySecond();
    this.sources.tick();
    // Of a long list most are complete and connected with nobody: time alone changes nothing of them.
    const unfinished: Entry[] = [];
    for (const entry of this.entries.values()) {
      const { row, session } = entry;
      if (row.completed_at === null) unfinished.push(entry);
      if (session.peers.sockets.size === 0) continue;
      session.peers.tick();
      this.changed(session);
    }
    if (this.disk.memory.used === 0) this.disk.memory.trim();
    this.lookAtDisk();
    if (unfinished.length > 0) {
      this.queue.watch(unfinished, now);
      this.startWanted();
    }
    for (const entry of atGoal(
      this.entries.values(),
      this.settings,
      Date.now(),
    ))
      void this.pause(entry);
    if (now - this.savedAt > uploadedPeriod) this.saveUploaded();
  }

  /** Files that somebody else has changed are noticed though nobody reads them. */
  private lookAtDisk(): void {
    for (let looks = 0; looks < looksAtOnce; looks++) {
      this.looking ??= this.entries.values();
      const { value } = this.looking.next();
      if (value) value.session.lookAtFile();
      else this.looking = undefined;
    }
  }

  private saveUploaded(): void {
    this.savedAt = this.now();
    for (const entry of this.entries.values()) {
      const { uploadedBytes, id } = entry.session;
      if (uploadedBytes === entry.row.uploaded) continue;
      entry.row = { ...entry.row, uploaded: uploadedBytes };
      this.store.saveUploaded(id, uploadedBytes);
    }
  }

  private tellChanges(): void {
    for (const session of this.changedSessions) {
      const entry = this.entries.get(session.id);
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
