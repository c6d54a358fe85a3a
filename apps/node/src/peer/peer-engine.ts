/**
 * The peer of this node: every torrent it has, the port they share, and the loops that find peers for
 * them, report to the tracker and tell the page what changes. Which torrents there are and what is
 * wanted of them outlives a restart.
 */
import { formatMagnet, type Magnet, type Metainfo } from '@dnd/metainfo';
import {
  Disk,
  Hasher,
  PieceMemory,
  ResumeStore,
  type FileStamp,
} from '@dnd/storage';
import { TokenBucket } from '@dnd/swarm';
import {
  createPeerId,
  obfuscatedHash,
  type LocalTorrent,
  type LocalTorrents,
  type RemoteHandshake,
} from '@dnd/wire';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { Config } from '../config/config';
import { IdentityFile } from '../identity';
import type { Part } from '../part';
import { firstFree } from '../ports';
import { SeamError } from '../rpc/seam-error';
import { readMagnet, readTorrent } from '../torrent';
import { Tracker } from '../tracker/tracker';
import { Announcer } from './announcer';
import { ChangeFeed } from './change-feed';
import { LocalDiscovery } from './local-discovery';
import type { AddDownload } from './peer';
import type {
  DownloadDto,
  PeerEvent,
  PublicationDto,
  SettingsDto,
} from './peer.dto';
import {
  PeerSocket,
  type SocketOwner,
  type SocketSession,
} from './peer-socket';
import { PeerStore, type TorrentRow, type Wish } from './peer-store';
import { TorrentSession, type SessionOwner } from './torrent-session';
import { freeName } from './free-name';

const maxTorrents = 20_000;
const maxSockets = 500;
/** Dials under way at a time. */
const maxDialling = 40;
const beat = 250;
const slowBeat = 1_000;
const uploadedPeriod = 30_000;
const pieceMemory = 192 * 2 ** 20;

export interface TorrentOptions {
  files?: number[];
  sequential?: boolean;
  downloadLimit?: number;
  uploadLimit?: number;
  priorities?: number[];
  peers?: string[];
}

/** A torrent that the peer knows: its row on disk and, while it lives, its session. */
export interface Entry {
  row: TorrentRow;
  session: TorrentSession;
  options: TorrentOptions;
  queued: boolean;
}

@Injectable()
export class PeerEngine implements Part, SocketOwner, SessionOwner {
  readonly peerId = createPeerId(randomBytes(20));
  readonly entries = new Map<string, Entry>();
  readonly feed: ChangeFeed;
  readonly publications = new Map<string, PublicationDto>();
  readonly downloadBucket: TokenBucket;
  readonly uploadBucket: TokenBucket;
  settings: SettingsDto;
  readonly sockets: SocketOwner = this;
  disk!: Disk;
  hasher!: Hasher;
  port = 0;

  private readonly log = new Logger('Peer');
  private readonly store: PeerStore;
  private readonly announcer: Announcer;
  private readonly discovery: LocalDiscovery;
  private readonly changedSessions = new Set<TorrentSession>();
  private readonly connections = new Set<PeerSocket>();
  private readonly byHash = new Map<string, TorrentSession>();
  private server: Server | undefined;
  private resume: ResumeStore | undefined;
  private timers: NodeJS.Timeout[] = [];
  private savedAt = 0;

  constructor(
    @Inject(Config) readonly config: Config,
    readonly identity: IdentityFile,
    readonly tracker: Tracker,
  ) {
    this.store = new PeerStore(config.storage);
    this.settings = this.store.settings({
      name: config.name ?? hostname().slice(0, 64),
      downloadLimit: 0,
      uploadLimit: 0,
      maxActiveDownloads: 8,
      seedRatio: 0,
      seedMinutes: 0,
      encryption: 'accepted',
    });
    if (config.name) this.settings.name = config.name;
    const now = this.now();
    this.downloadBucket = new TokenBucket(
      this.settings.downloadLimit || Infinity,
      now,
    );
    this.uploadBucket = new TokenBucket(
      this.settings.uploadLimit || Infinity,
      now,
    );
    this.feed = new ChangeFeed(() => this.everything());
    this.announcer = new Announcer(this);
    this.discovery = new LocalDiscovery(config, (hash, host, port) =>
      this.discovered(hash, host, port),
    );
  }

  async start(): Promise<void> {
    await rm(join(this.config.storage, '.node', 'incoming'), {
      recursive: true,
      force: true,
    });
    this.hasher = new Hasher({
      workerUrl: new URL('./hash-worker.mjs', import.meta.url),
      threads: 2,
    });
    this.resume = ResumeStore.open(
      join(this.config.storage, '.node', 'resume.db'),
    );
    for (const damage of this.resume.lost) this.log.warn(damage);
    this.disk = new Disk({
      hasher: this.hasher,
      resume: this.resume,
      memory: new PieceMemory({ limit: pieceMemory }),
    });
    await firstFree(this.config.peerPort, '--peer-port', (port) =>
      this.listen(port),
    );
    for (const row of this.store.torrents()) this.restore(row);
    this.discovery.torrents = () =>
      [...this.entries.values()]
        .filter(({ session }) => session.takesConnections && !session.isPrivate)
        .map(({ session }) => session.id);
    this.discovery.start(this.port);
    this.announcer.start();
    this.timers = [
      setInterval(() => this.tellChanges(), beat),
      setInterval(() => this.everySecond(), slowBeat),
    ];
    this.startWanted();
  }

  async stop(): Promise<void> {
    for (const timer of this.timers) clearInterval(timer);
    this.discovery.stop();
    await this.announcer.stop();
    this.server?.close();
    this.saveUploaded();
    await Promise.all(
      [...this.entries.values()].map(({ session }) => session.stop()),
    );
    for (const socket of [...this.connections])
      socket.close('the node is stopping');
    await this.disk.close();
    await this.hasher.close();
    this.resume?.close();
    this.store.close();
    this.feed.close();
  }

  now(): number {
    return performance.now();
  }

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
    const { metainfo, torrent, magnet } = await this.wanted(download);
    const id = metainfo?.id ?? (magnet as Magnet).id;
    const known = this.entries.get(id);
    if (
      known &&
      (known.row.wish === 'cancelled' || known.row.wish === 'failed')
    ) {
      this.wish(known, 'run');
      return known;
    }
    if (known)
      throw new SeamError('conflict', `${known.row.name} is here already`);
    if (this.entries.size >= maxTorrents)
      throw new SeamError(
        'too-large',
        `this node has ${maxTorrents} torrents; remove some first`,
      );
    const options: TorrentOptions = {
      ...(download.files
        ? { files: download.files }
        : magnet?.selectedFiles
          ? { files: [...magnet.selectedFiles] }
          : {}),
      ...(download.sequential ? { sequential: true } : {}),
      ...(download.peers ? { peers: download.peers } : {}),
    };
    if (metainfo) this.selectFiles(options, metainfo);
    const row: TorrentRow = {
      id,
      name: metainfo?.name ?? magnet?.name?.slice(0, 255) ?? id,
      torrent: torrent ?? null,
      magnet: download.magnet ?? null,
      wish: 'run',
      reason: null,
      published: false,
      root: null,
      local_name: null,
      torrent_file: null,
      options: JSON.stringify(options),
      uploaded: 0,
      added_at: Date.now(),
      completed_at: null,
      announced: false,
    };
    const entry = this.create(row, metainfo);
    for (const peer of magnet?.peers ?? [])
      entry.session.book.add(peer.host, peer.port, 'manual');
    if (metainfo) await this.saveTorrentFile(entry);
    this.save(entry);
    this.startWanted();
    return entry;
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
    this.store.save({
      ...entry.row,
      uploaded: entry.session.uploadedBytes,
      options: JSON.stringify(entry.options),
    });
  }

  async remove(entry: Entry, data: boolean): Promise<void> {
    const { session, row } = entry;
    if (data && !row.root) await session.remove();
    else await session.stop();
    await this.announcer.stopped(session);
    if (row.torrent_file)
      await rm(join(this.config.storage, row.torrent_file), { force: true });
    this.resume?.remove(session.id);
    this.entries.delete(session.id);
    this.unlist(session);
    this.store.remove(session.id);
    this.feed.push({ type: 'download-removed', data: { id: session.id } });
    this.startWanted();
  }

  /** Ends a download: what there is of it is deleted, the entry stays. */
  async cancel(entry: Entry): Promise<void> {
    if (entry.session.complete)
      throw new SeamError(
        'conflict',
        `${entry.row.name} is complete: remove it instead`,
      );
    await entry.session.remove();
    await this.announcer.stopped(entry.session);
    entry.row = { ...entry.row, completed_at: null };
    this.wish(entry, 'cancelled');
  }

  async pause(entry: Entry): Promise<void> {
    this.wish(entry, 'pause');
    await entry.session.stop();
    await this.announcer.stopped(entry.session);
    this.changed(entry.session);
    this.startWanted();
  }

  // --- SessionOwner ---

  changed(session: TorrentSession): void {
    this.changedSessions.add(session);
  }

  gotMetadata(session: TorrentSession, torrent: Uint8Array): void {
    const entry = this.entries.get(session.id);
    const { metainfo } = session;
    if (!entry || !metainfo) return;
    entry.row = { ...entry.row, torrent, name: metainfo.name };
    this.selectFiles(entry.options, metainfo);
    if (entry.options.priorities)
      session.priorities = Uint8Array.from(entry.options.priorities);
    void this.saveTorrentFile(entry).then(() => this.save(entry));
  }

  finished(session: TorrentSession): void {
    const entry = this.entries.get(session.id);
    if (!entry) return;
    if (entry.row.completed_at === null) {
      entry.row = { ...entry.row, completed_at: Date.now() };
      this.save(entry);
      this.announcer.completed(session);
      this.log.log(`${entry.row.name} is complete`);
    }
    this.changed(session);
    this.startWanted();
  }

  failed(session: TorrentSession, reason: string): void {
    const entry = this.entries.get(session.id);
    if (entry) this.wish(entry, 'failed', reason);
    this.log.warn(`${session.name}: ${reason}`);
  }

  // --- SocketOwner ---

  get encryption(): SettingsDto['encryption'] {
    return this.settings.encryption;
  }

  readonly torrents: LocalTorrents = {
    find: (infoHash: Uint8Array): LocalTorrent | undefined => {
      const session = this.byHash.get(Buffer.from(infoHash).toString('hex'));
      return session?.takesConnections ? session.local : undefined;
    },
    findObfuscated: (hash: Uint8Array): Uint8Array | undefined => {
      for (const [name, session] of this.byHash) {
        const infoHash = Buffer.from(name, 'hex');
        if (
          session.takesConnections &&
          Buffer.from(obfuscatedHash(infoHash)).equals(hash)
        )
          return infoHash;
      }
      return undefined;
    },
  };

  joined(
    socket: PeerSocket,
    remote: RemoteHandshake,
  ): SocketSession | undefined {
    const hash =
      remote.torrent.infoHashV1 ?? remote.torrent.infoHashV2?.subarray(0, 20);
    const session = hash && this.byHash.get(Buffer.from(hash).toString('hex'));
    if (!session?.takesConnections || session.book.isBanned(socket.host))
      return undefined;
    for (const other of session.sockets) {
      if (
        other.remote &&
        Buffer.compare(other.remote.peerId, remote.peerId) === 0
      )
        return undefined;
    }
    return session;
  }

  closed(socket: PeerSocket): void {
    this.connections.delete(socket);
    const session = socket.session as TorrentSession | undefined;
    session?.gone(socket);
    for (const { session: each } of socket.incoming
      ? []
      : this.entries.values()) {
      const candidate = each.book.get(socket.address);
      if (!candidate?.connected || (session && session !== each)) continue;
      if (session) each.book.left(candidate, this.now());
      else each.book.failed(candidate, this.now());
    }
  }

  /** Resolves once the tracker knows this client. */
  whenRegistered(): Promise<void> {
    return this.announcer.whenRegistered();
  }

  announceStatus(session: TorrentSession): ReturnType<Announcer['status']> {
    return this.announcer.status(session);
  }

  // --- settings ---

  changeSettings(change: Partial<SettingsDto>): SettingsDto {
    this.settings = { ...this.settings, ...change };
    this.store.saveSettings(this.settings);
    const now = this.now();
    this.downloadBucket.setRate(this.settings.downloadLimit || Infinity, now);
    this.uploadBucket.setRate(this.settings.uploadLimit || Infinity, now);
    this.startWanted();
    return this.settings;
  }

  // --- how it is shown ---

  show(entry: Entry): DownloadDto {
    const { session, row, queued } = entry;
    const { swarm, metainfo } = session;
    const size = metainfo?.size ?? 0;
    const completedBytes = session.completedBytes;
    const downloadRate = Math.round(swarm?.down.rate ?? 0);
    const state =
      row.wish === 'cancelled' || row.wish === 'failed'
        ? row.wish
        : row.wish === 'pause'
          ? session.complete
            ? 'completed'
            : 'paused'
          : queued
            ? 'queued'
            : session.phase === 'stopped'
              ? 'checking' // It is wanted and about to start.
              : session.state;
    const active = state === 'downloading';
    const reason =
      row.reason ?? session.reason ?? this.waitingFor(session, state);
    let seeds = 0;
    for (const peer of swarm?.peers ?? []) if (peer.seed) seeds++;
    return {
      id: session.id,
      infoHash: session.id,
      name: row.name,
      size,
      files: metainfo?.files.filter(({ pad }) => !pad).length ?? 0,
      state,
      ...(reason ? { reason } : {}),
      completedBytes:
        state === 'checking'
          ? Math.round(size * session.checked)
          : completedBytes,
      downloadRate: active ? downloadRate : 0,
      uploadRate: Math.round(swarm?.up.rate ?? 0),
      uploadedBytes: session.uploadedBytes,
      peers: session.sockets.size,
      seeds,
      ...(active && downloadRate > 0
        ? { eta: Math.ceil((size - completedBytes) / downloadRate) }
        : {}),
      addedAt: new Date(row.added_at).toISOString(),
      ...(row.completed_at === null
        ? {}
        : { completedAt: new Date(row.completed_at).toISOString() }),
      published: row.published,
      sequential: session.sequential,
      downloadLimit: session.limits.download,
      uploadLimit: session.limits.upload,
    };
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

  private waitingFor(
    session: TorrentSession,
    state: string,
  ): string | undefined {
    if (state === 'queued')
      return `waits for one of ${this.settings.maxActiveDownloads} active downloads to end`;
    if (state === 'fetching-metadata' && session.sockets.size === 0)
      return 'looking for a peer that knows this torrent';
    if (state === 'downloading' && session.sockets.size === 0)
      return 'waiting for peers';
    return undefined;
  }

  // --- parts ---

  private async wanted(
    download: AddDownload,
  ): Promise<{ metainfo?: Metainfo; torrent?: Uint8Array; magnet?: Magnet }> {
    const given = [download.infoHash, download.magnet, download.torrent].filter(
      (value) => value !== undefined,
    ).length;
    if (given !== 1)
      throw new SeamError(
        'bad-input',
        'give one of infoHash, magnet and torrent',
      );
    if (download.torrent) {
      return {
        metainfo: readTorrent(download.torrent),
        torrent: download.torrent,
      };
    }
    if (download.magnet) {
      const magnet = readMagnet(download.magnet);
      // What is in the catalogue needs no peers to tell its metadata.
      const torrent = await this.tracker
        .torrent(magnet.id)
        .catch(() => undefined);
      return torrent
        ? { metainfo: readTorrent(torrent), torrent, magnet }
        : { magnet };
    }
    const torrent = await this.tracker.torrent(
      (download.infoHash as string).toLowerCase(),
    );
    return { metainfo: readTorrent(torrent), torrent };
  }

  private selectFiles(options: TorrentOptions, metainfo: Metainfo): void {
    const { files } = options;
    if (!files || options.priorities) return;
    const wanted = new Set(files);
    options.priorities = metainfo.files.map((_, index) =>
      wanted.has(index) ? 4 : 0,
    );
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
        downloadLimit: options.downloadLimit ?? 0,
        uploadLimit: options.uploadLimit ?? 0,
      },
      this,
    );
    session.uploadedBefore = row.uploaded;
    for (const peer of options.peers ?? []) {
      const match = /^\[?(.+?)\]?:(\d+)$/.exec(peer);
      if (match) session.book.add(match[1], Number(match[2]), 'manual');
    }
    const entry: Entry = { row, session, options, queued: false };
    this.entries.set(row.id, entry);
    this.list(session);
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

  /** Starts what should run and may, queues the rest, stops what should not run. */
  private startWanted(): void {
    let running = 0;
    for (const entry of this.entries.values()) {
      const { session, row } = entry;
      if (row.wish !== 'run') continue;
      const seeding = row.completed_at !== null;
      const queued = !seeding && running >= this.settings.maxActiveDownloads;
      if (!seeding && !queued) running++;
      if (queued !== entry.queued) {
        entry.queued = queued;
        this.changed(session);
      }
      if (queued) {
        if (session.phase === 'active' || session.phase === 'metadata')
          void session.stop();
      } else if (session.phase === 'stopped' || session.phase === 'failed') {
        void session.start().then(() => this.announcer.started(session));
      }
    }
  }

  private list(session: TorrentSession): void {
    const { infoHashV1, infoHashV2 } = session.local;
    for (const hash of [infoHashV1, infoHashV2?.subarray(0, 20)])
      if (hash) this.byHash.set(Buffer.from(hash).toString('hex'), session);
  }

  private unlist(session: TorrentSession): void {
    for (const [hash, each] of this.byHash)
      if (each === session) this.byHash.delete(hash);
  }

  /** The .torrent beside the content, so that other programs can take it from the folder. */
  private async saveTorrentFile(entry: Entry): Promise<void> {
    const { row } = entry;
    if (!row.torrent || row.torrent_file) return;
    const name = await freeName(this.config.storage, `${row.name}.torrent`);
    try {
      await writeFile(join(this.config.storage, name), row.torrent, {
        flag: 'wx',
      });
      entry.row = { ...entry.row, torrent_file: name };
    } catch (error) {
      this.log.warn(`${name} was not written: ${(error as Error).message}`);
    }
  }

  private async listen(port: number): Promise<void> {
    const server = createServer((socket) => {
      if (this.connections.size >= maxSockets) socket.destroy();
      else this.connections.add(PeerSocket.accept(this, socket));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, this.config.host, resolve);
    });
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  private discovered(hash: string, host: string, port: number): void {
    const session = this.byHash.get(hash);
    if (session && !session.isPrivate) session.book.add(host, port, 'lsd');
  }

  private everySecond(): void {
    const now = this.now();
    for (const socket of this.connections) socket.tick(now);
    this.dial(now);
    for (const { session } of this.entries.values()) {
      if (session.sockets.size === 0) continue;
      session.pexTick(now);
      this.changed(session);
    }
    this.stopAtGoals();
    if (now - this.savedAt > uploadedPeriod) this.saveUploaded();
  }

  private dial(now: number): void {
    let dialling = 0;
    for (const socket of this.connections)
      if (!socket.incoming && !socket.remote) dialling++;
    for (const { session, row, queued } of this.entries.values()) {
      if (row.wish !== 'run' || queued) continue;
      while (
        session.wantsConnections &&
        dialling < maxDialling &&
        this.connections.size < maxSockets
      ) {
        const candidate = session.book.next(now, true);
        if (!candidate) break;
        candidate.connected = true;
        if (candidate.port === this.port && this.isOwn(candidate.host)) {
          candidate.banned = true;
          continue;
        }
        // Who takes no plain handshake may take an encrypted one, and the other way round.
        const swap = candidate.failures % 2 === 1;
        const { encryption } = this.settings;
        const policy =
          encryption === 'accepted' && swap
            ? 'preferred'
            : encryption === 'preferred' && swap
              ? 'accepted'
              : encryption;
        this.connections.add(
          PeerSocket.dial(
            this,
            candidate.host,
            candidate.port,
            candidate.source,
            session.local,
            policy,
          ),
        );
        dialling++;
      }
    }
  }

  private isOwn(host: string): boolean {
    return (
      host === this.config.advertise ||
      host === this.config.host ||
      (this.config.host === '0.0.0.0' && host.startsWith('127.'))
    );
  }

  /** Seeding goals: whichever is reached first. */
  private stopAtGoals(): void {
    const { seedRatio, seedMinutes } = this.settings;
    if (seedRatio === 0 && seedMinutes === 0) return;
    for (const entry of this.entries.values()) {
      const { row, session } = entry;
      if (
        row.wish !== 'run' ||
        row.published ||
        row.completed_at === null ||
        session.phase !== 'active'
      )
        continue;
      const ratio =
        session.uploadedBytes / Math.max(1, session.metainfo?.size ?? 1);
      const minutes = (Date.now() - row.completed_at) / 60_000;
      if (
        (seedRatio > 0 && ratio >= seedRatio) ||
        (seedMinutes > 0 && minutes >= seedMinutes)
      )
        void this.pause(entry);
    }
  }

  private saveUploaded(): void {
    this.savedAt = this.now();
    for (const { row, session } of this.entries.values()) {
      if (session.uploadedBytes !== row.uploaded)
        this.store.saveUploaded(session.id, session.uploadedBytes);
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
