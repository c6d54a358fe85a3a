/**
 * One torrent from the moment it is added: its phases, its connections, its address book. What it does
 * at work is in ActiveTorrent, how a magnet link becomes a torrent in MetadataFetch; what is wanted of
 * it, and for how long, is its owner's.
 *
 * Starting, stopping, checking and deleting may be asked for at any moment and in any order: they
 * happen one after another, and a stop cuts short what is under way.
 */
import type { Bitfield, Metainfo } from '@dnd/metainfo';
import type { StorageError, TorrentStorage } from '@dnd/storage';
import type {
  DisconnectReason,
  PeerAddress,
  Swarm,
  SwarmPeer,
} from '@dnd/swarm';
import type { HashRange, LocalTorrent, RemoteExtensions } from '@dnd/wire';
import {
  ActiveTorrent,
  tellExtensions,
  type ActiveOwner,
} from './active-torrent';
import { Arrivals } from './arrivals';
import { words } from './error-words';
import { HashServer } from './hash-server';
import { MetadataFetch, type MetadataOwner } from './metadata-fetch';
import type { DownloadState } from '../dto/download.dto';
import type { PeerSocket, SocketSession } from '../connections/peer-socket';
import type { SessionOptions, SessionOwner } from './session-owner';
import { TorrentContent } from './torrent-content';
import { TorrentLog } from './torrent-log';
import {
  maxConnections,
  TorrentPeers,
  type TorrentPeersOwner,
} from './torrent-peers';
import { verifiedBytes, verifiedBytesOf, verifiedFrom } from './verified-bytes';
import { TransferLimits } from './transfer-limits';
import { Turns } from './turns';
import { WebSeeds } from '../web-seeds/web-seeds';

/** A seed waits to be asked rather than asks. */
const maxSeedConnections = 30;

type Phase = 'stopped' | 'metadata' | 'checking' | 'active' | 'failed';

export class TorrentSession
  implements SocketSession, ActiveOwner, MetadataOwner, TorrentPeersOwner
{
  readonly peers: TorrentPeers;
  readonly log = new TorrentLog();
  metainfo: Metainfo | undefined;
  active: ActiveTorrent | undefined;
  phase: Phase = 'stopped';
  /** Why it waits, in words. */
  reason: string | undefined;
  /** 0 to 1 while checking. */
  checked = 0;
  /** Bytes up and down in earlier runs of the swarm. */
  uploadedBefore = 0;
  downloadedBefore = 0;
  priorities: Uint8Array | undefined;
  sequential: boolean;
  superSeeding: boolean;
  private readonly content: TorrentContent;
  readonly limits: TransferLimits;
  /** While the torrent is at work and has some. */
  webSeeds: WebSeeds | undefined;
  fetching: MetadataFetch | undefined;
  private hashServer: HashServer | undefined;
  private lookedAt = -1;
  private readonly arrivals = new Arrivals();
  private running = false;
  private abort = new AbortController();
  private readonly turns = new Turns();

  constructor(
    readonly options: SessionOptions,
    private readonly owner: SessionOwner,
  ) {
    this.metainfo = options.metainfo;
    this.sequential = options.sequential;
    this.superSeeding = options.superSeeding;
    this.peers = new TorrentPeers(this);
    this.content = new TorrentContent(
      { ...options, disk: owner.disk },
      {
        checking: (share) => {
          this.checked = share;
          owner.changed(this);
        },
        lost: (pieces, error) => this.lost(pieces, error),
        fault: (error) => this.fault(error),
      },
    );
    const { downloadLimit, uploadLimit } = options;
    this.limits = new TransferLimits(downloadLimit, uploadLimit, owner.now());
    if (options.priorities)
      this.priorities = Uint8Array.from(options.priorities);
  }

  get id(): string {
    return this.options.id;
  }

  get name(): string {
    return this.metainfo?.name ?? this.options.magnet?.name ?? this.id;
  }

  get swarm(): Swarm | undefined {
    return this.active?.swarm;
  }

  /** Open while the session is at work; afterwards it still tells what there is. */
  get storage(): TorrentStorage | undefined {
    return this.content.storage;
  }

  get swarmPeers(): Iterable<SwarmPeer> {
    return this.swarm?.peers ?? [];
  }

  /** Verified pieces, as far as they are known. */
  get have(): Bitfield | undefined {
    return this.content.have(this.metainfo);
  }

  /** Everything wanted is verified. */
  get complete(): boolean {
    return this.active?.complete ?? this.have?.complete ?? false;
  }

  get state(): DownloadState {
    switch (this.phase) {
      case 'stopped':
        return 'paused';
      case 'metadata':
        return 'fetching-metadata';
      case 'checking':
        return 'checking';
      case 'active':
        if (this.active?.isWaiting) return 'paused';
        return this.complete ? 'seeding' : 'downloading';
      case 'failed':
        return 'failed';
    }
  }

  get completedBytes(): number {
    const { metainfo, have } = this;
    return metainfo && have ? verifiedBytes(metainfo, have) : 0;
  }

  /** Verified bytes of one file. */
  completedOf(fileIndex: number): number {
    const { metainfo, have, storage } = this;
    return metainfo && have
      ? verifiedBytesOf(metainfo, have, fileIndex, storage?.layout)
      : 0;
  }

  get uploadedBytes(): number {
    return this.uploadedBefore + (this.swarm?.up.total ?? 0);
  }

  get downloadedBytes(): number {
    return this.downloadedBefore + (this.swarm?.down.total ?? 0);
  }

  /** Bytes still to come, for trackers; some when they cannot be known. */
  get left(): number {
    return this.metainfo ? this.metainfo.size - this.completedBytes : 1;
  }

  /** It wants no more, though it lacks something (BEP 21). */
  get isPartialSeed(): boolean {
    return this.complete && this.left > 0;
  }

  get isPrivate(): boolean {
    return this.metainfo?.private ?? false;
  }

  /** What the connections say of the torrent. */
  get local(): LocalTorrent {
    const { metainfo } = this;
    const source = metainfo ?? this.options.magnet;
    return {
      ...(source?.infoHashV1 ? { infoHashV1: source.infoHashV1 } : {}),
      ...(source?.infoHashV2 ? { infoHashV2: source.infoHashV2 } : {}),
      ...(metainfo
        ? { infoBytes: metainfo.infoBytes, private: metainfo.private }
        : {}),
      uploadOnly: this.phase === 'active' && this.complete,
    };
  }

  // --- life ---

  /** Begins or goes on. Resolves when it is at work, has failed, or was stopped again. */
  start(): Promise<unknown> {
    if (this.running) return this.turns.through;
    this.running = true;
    this.log.add('started');
    this.abort = new AbortController();
    this.reason = undefined;
    this.phase = this.metainfo ? 'checking' : 'metadata';
    this.checked = 0;
    return this.inRun((signal) =>
      this.metainfo ? this.open(this.metainfo, signal) : this.fetch(),
    );
  }

  /** Closes connections and files; resume data is on the disk when it resolves. */
  stop(): Promise<unknown> {
    if (this.running) this.log.add('stopped');
    if (this.phase !== 'failed') this.phase = 'stopped';
    this.halt('the torrent is stopped');
    return this.close();
  }

  /** Stops and deletes all that the torrent has on the disk. */
  async remove(): Promise<void> {
    await this.stop();
    const { metainfo } = this;
    if (!metainfo) return;
    await this.turns.take(() => this.content.remove(metainfo));
  }

  /** Looks at everything on the disk again, or (`all` false) at what has been found changed. */
  recheck(all = true): void {
    const { storage, metainfo } = this;
    if (this.phase !== 'active' || !storage || !metainfo) return;
    this.deactivate('the torrent is checked');
    this.phase = 'checking';
    this.log.add('checking');
    void this.inRun(async (signal) => {
      await this.content.check(storage, all, signal);
      if (!signal.aborted) this.activate(metainfo, storage);
    });
  }

  /** Work of the present run, in its turn; an error ends the run, unless it was stopped anyway. */
  private inRun(
    work: (signal: AbortSignal) => Promise<void> | void,
  ): Promise<void> {
    const { signal } = this.abort;
    return this.turns.take(async () => {
      if (signal.aborted) return;
      try {
        await work(signal);
      } catch (error) {
        if (!signal.aborted) this.failed(error);
      }
    });
  }

  private async open(metainfo: Metainfo, signal: AbortSignal): Promise<void> {
    this.phase = 'checking';
    this.checked = 0;
    const storage = await this.content.open(metainfo);
    if (signal.aborted) return;
    this.reason = this.content.notice(metainfo) ?? this.reason;
    if (storage.needsCheck) {
      this.log.add('checking');
      await this.content.check(storage, false, signal);
    }
    if (!signal.aborted) this.activate(metainfo, storage);
  }

  private activate(metainfo: Metainfo, storage: TorrentStorage): void {
    const { owner } = this;
    this.phase = 'active';
    const wasComplete = storage.have.complete;
    this.log.add('working', `${storage.have.count} / ${metainfo.pieceCount}`);
    this.hashServer = metainfo.infoHashV2
      ? new HashServer(metainfo, storage)
      : undefined;
    this.active = new ActiveTorrent({
      metainfo,
      storage,
      owner: this,
      priorities: this.priorities,
      settings: {
        sequential: this.sequential,
        superSeeding: this.superSeeding,
      },
      uploadLimits: [this.limits.up, owner.uploadBucket],
      downloadLimits: [this.limits.down, owner.downloadBucket],
      free: () => owner.disk.fs.free(this.options.root),
    });
    for (const socket of this.peers.sockets) this.active.join(socket);
    if (metainfo.webSeeds.length > 0)
      this.webSeeds = new WebSeeds(metainfo, storage.layout, this.active, () =>
        owner.now(),
      );
    this.active.settle();
    if (!this.complete) this.peers.book.revive();
    owner.ready(this);
    owner.changed(this);
    if (wasComplete) owner.finished(this);
    else if (this.complete) this.active.finished();
  }

  private deactivate(reason: string): void {
    this.owner.stopDialling(this);
    this.peers.closeAll(reason);
    this.webSeeds?.end();
    this.webSeeds = undefined;
    this.active?.end();
    this.uploadedBefore += this.swarm?.up.total ?? 0;
    this.downloadedBefore += this.swarm?.down.total ?? 0;
    this.active = undefined;
    this.hashServer = undefined;
  }

  /** Ends the present run at once; files are closed by `close`. */
  private halt(reason: string): void {
    this.running = false;
    this.abort.abort();
    this.fetching?.end();
    this.fetching = undefined;
    this.deactivate(reason);
    this.arrivals.tell();
    this.owner.changed(this);
  }

  private close(): Promise<void> {
    return this.turns.take(() => this.content.close());
  }

  failed(error: unknown): void {
    const reason = words(error);
    this.phase = 'failed';
    this.reason = reason;
    this.log.add('failed', reason);
    this.halt(reason);
    void this.close();
    this.owner.failed(this, reason);
  }

  // --- wishes ---

  setLimits(download: number | undefined, upload: number | undefined): void {
    this.limits.set(download, upload, this.owner.now());
    this.settle();
  }

  /** The limits for all torrents, or whom they hold for, have changed. */
  limitsChanged(): void {
    this.active?.limitsChanged();
  }

  setSequential(on: boolean): void {
    this.sequential = on;
    this.active?.setSequential(on);
  }

  setSuperSeeding(on: boolean): void {
    if (this.superSeeding === on) return;
    this.superSeeding = on;
    this.swarm?.setSuperSeeding(on);
    // Whoever has been told of all pieces cannot be shown one at a time, and the other way round.
    if (this.complete) this.peers.closeAll('super-seeding begins or ends');
  }

  setPriorities(changes: readonly { index: number; priority: number }[]): void {
    const { metainfo } = this;
    if (!metainfo) return;
    this.priorities ??= new Uint8Array(metainfo.files.length).fill(4);
    for (const { index, priority } of changes)
      if (index < this.priorities.length) this.priorities[index] = priority;
    const wasComplete = this.complete;
    this.active?.setPriorities(this.priorities);
    if (wasComplete && !this.complete) this.seek();
    this.owner.changed(this);
  }

  /** There is something to ask for again: whoever was let go of for having no more is asked. */
  private seek(): void {
    this.peers.book.revive();
    this.webSeeds?.revive();
  }

  /** Bytes that are verified from `offset` of a file on; 0 until some are there or `patience` is over. The swarm is asked for them first. */
  async available(
    fileIndex: number,
    offset: number,
    patience: number,
  ): Promise<number> {
    const { metainfo } = this;
    if (!metainfo) return 0;
    const file = metainfo.files[fileIndex];
    const until = this.owner.now() + patience;
    for (;;) {
      const now = this.owner.now();
      const start = file.offset + offset;
      const left = file.length - offset;
      const count = this.storage
        ? verifiedFrom(metainfo, this.storage.have, start, left)
        : 0;
      if (this.active && !this.complete) {
        const { windows } = this.active;
        windows.reads(start, start + left, now);
        this.settle();
      }
      if (count > 0 || now >= until || !this.running) return count;
      await this.arrivals.next(until - now);
    }
  }

  /** Looks at the next of its files on the disk, for those that nobody reads. */
  lookAtFile(): void {
    const count = this.metainfo?.files.length ?? 0;
    if (this.phase !== 'active' || count === 0) return;
    this.lookedAt = (this.lookedAt + 1) % count;
    void this.storage?.look(this.lookedAt).catch(() => undefined);
  }

  // --- connections ---

  get wantsConnections(): boolean {
    const { count } = this.peers;
    if (this.phase === 'metadata') return count < maxConnections;
    if (this.phase !== 'active') return false;
    return count < (this.complete ? maxSeedConnections : maxConnections);
  }

  get takesConnections(): boolean {
    return this.phase === 'metadata' || this.phase === 'active';
  }

  established(socket: PeerSocket): void {
    this.peers.established(socket);
    this.active?.join(socket);
    this.fetching?.joined(socket);
  }

  gone(socket: PeerSocket): void {
    if (!this.peers.gone(socket)) return;
    this.fetching?.gone(socket);
    this.active?.gone(socket);
    this.owner.changed(this);
  }

  extended(socket: PeerSocket, remote: RemoteExtensions): void {
    if (!this.peers.extended(socket, remote)) return;
    tellExtensions(socket);
    this.fetching?.extended(socket, remote.metadataSize);
  }

  at(now: number): void {
    this.active?.swarm.at(now);
  }

  settle(): void {
    this.active?.settle();
  }

  isOwn(address: PeerAddress): boolean {
    return this.owner.isOwn(address);
  }

  get ownAddress(): PeerAddress {
    return this.owner.ownAddress;
  }

  punch(address: PeerAddress): void {
    if (this.wantsConnections) this.owner.punch(this, address);
  }

  // --- hashes of v2 ---

  hashRequested(socket: PeerSocket, range: HashRange): void {
    const { commands } = socket.connection;
    if (!this.hashServer) return commands.hashReject(range);
    void this.hashServer.answer(range).then((hashes) => {
      if (socket.isClosed) return;
      if (hashes) commands.hashes(range, hashes);
      else commands.hashReject(range);
    });
  }

  // --- metadata ---

  private fetch(): void {
    const { magnet } = this.options;
    if (!magnet) return;
    this.phase = 'metadata';
    this.fetching = new MetadataFetch(magnet, this);
    this.owner.ready(this);
    this.owner.changed(this);
  }

  liar(socket: PeerSocket): void {
    this.log.add('banned', socket.address);
    this.peers.ban(socket);
    socket.close('it sent false metadata');
  }

  fetched(metainfo: Metainfo, torrent: Uint8Array): void {
    this.fetching = undefined;
    this.metainfo = metainfo;
    if (metainfo.private) {
      this.owner.stopDialling(this);
      this.peers.becamePrivate();
    }
    this.log.add('metadata', metainfo.name);
    this.owner.gotMetadata(this, torrent);
    void this.inRun((signal) => this.open(metainfo, signal));
  }

  // --- what the torrent at work says ---

  now(): number {
    return this.owner.now();
  }

  changed(): void {
    this.owner.changed(this);
  }

  isUnlimited(host: string): boolean {
    return this.owner.isUnlimited(host);
  }

  pieceDone(): void {
    if (!this.complete && !this.active?.isWaiting) this.reason = undefined;
    this.owner.memoryFreed(this);
    this.owner.changed(this);
    this.arrivals.tell();
  }

  disconnect(socket: PeerSocket, reason: DisconnectReason, ban: boolean): void {
    if (ban) {
      this.log.add('banned', socket.address);
      this.peers.ban(socket);
    }
    socket.close(reason);
  }

  dismissed(peer: SwarmPeer, _reason: DisconnectReason, ban: boolean): void {
    this.webSeeds?.dismissed(peer, ban);
  }

  corrupt(piece: number): void {
    this.log.add('corrupt', String(piece));
  }

  finished(): void {
    this.reason = undefined;
    this.log.add('complete');
    this.owner.finished(this);
    this.owner.changed(this);
  }

  waits(error: StorageError | undefined): void {
    this.reason = error && words(error);
    if (this.reason) this.log.add('waiting', this.reason);
    this.owner.changed(this);
  }

  /** What was had is not there any more, or not what it was. */
  private lost(pieces: readonly number[], error: StorageError): void {
    this.reason = words(error);
    this.log.add('lost', this.reason);
    this.active?.lost(pieces);
    this.owner.changed(this);
    // In the middle of a call of the storage it cannot be asked for more.
    setImmediate(() => {
      if (this.storage?.needsCheck) this.recheck(false);
      else if (!this.complete) this.seek();
    });
  }

  private fault(error: StorageError): void {
    if (error.code === 'closed' || error.code === 'aborted') return;
    this.reason = words(error);
    this.owner.changed(this);
  }
}
