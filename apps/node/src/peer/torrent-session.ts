/**
 * One torrent from the moment it is added: its phases, its connections, its address book. What it does
 * at work is in ActiveTorrent, how a magnet link becomes a torrent in MetadataFetch; what is wanted of
 * it, and for how long, is its owner's.
 *
 * Starting, stopping, checking and deleting may be asked for at any moment and in any order: they
 * happen one after another, and a stop cuts short what is under way.
 */
import {
  Bitfield,
  FileLayout,
  type Magnet,
  type Metainfo,
} from '@dnd/metainfo';
import {
  StorageError,
  TorrentStorage,
  type Disk,
  type FileStamp,
} from '@dnd/storage';
import {
  keyOf,
  leastUseful,
  PeerBook,
  TokenBucket,
  type DisconnectReason,
  type PeerAddress,
  type PeerSource,
  type Swarm,
  type SwarmPeer,
} from '@dnd/swarm';
import { formatAddress, parseAddress } from '@dnd/tracker';
import {
  PexFlag,
  PexState,
  type HashRange,
  type HolepunchMessage,
  type LocalTorrent,
  type PexMessage,
  type PexPeer,
  type RemoteExtensions,
} from '@dnd/wire';
import {
  ActiveTorrent,
  tellExtensions,
  type ActiveOwner,
} from './active-torrent';
import { words } from './error-words';
import { HashServer } from './hash-server';
import { MetadataFetch, type MetadataOwner } from './metadata-fetch';
import type { DownloadState } from './peer.dto';
import type { PeerSocket, SocketSession } from './peer-socket';
import { WebSeeds } from './web-seeds';

export interface SessionOptions {
  readonly id: string;
  readonly metainfo: Metainfo | undefined;
  readonly magnet: Magnet | undefined;
  /** Folder that holds the content. */
  readonly root: string;
  readonly localName: string | undefined;
  /** Files as they were when the torrent was made of them. */
  readonly created?: readonly (FileStamp | undefined)[];
  /** 0 to 7 by file; all 4 when absent. */
  readonly priorities?: readonly number[];
  readonly sequential: boolean;
  readonly superSeeding: boolean;
  readonly downloadLimit: number;
  readonly uploadLimit: number;
}

/** What the session needs of its engine. */
export interface SessionOwner {
  readonly disk: Disk;
  readonly downloadBucket: TokenBucket;
  readonly uploadBucket: TokenBucket;
  now(): number;
  /** The limits do not hold for this address. */
  isUnlimited(host: string): boolean;
  /** Something that is shown has changed. */
  changed(session: TorrentSession): void;
  /** It is at work: connections may be made. */
  ready(session: TorrentSession): void;
  /** The magnet link's metadata is here, as a .torrent. */
  gotMetadata(session: TorrentSession, torrent: Uint8Array): void;
  /** Everything wanted is there and durable. */
  finished(session: TorrentSession): void;
  /** It cannot go on by itself. */
  failed(session: TorrentSession, reason: string): void;
  /** A piece's memory has been given back. */
  memoryFreed(session: TorrentSession): void;
}

export const maxConnections = 60;
/** Requests out to one peer: 8 MiB, which fill 80 MB/s over 100 ms. */
const mostRequests = 512;
/** A seed waits to be asked rather than asks. */
const maxSeedConnections = 30;
/** What a private torrent believes (BEP 27). */
const privateSources: ReadonlySet<PeerSource> = new Set<PeerSource>([
  'tracker',
  'manual',
  'incoming',
]);

type Phase = 'stopped' | 'metadata' | 'checking' | 'active' | 'failed';

export class TorrentSession
  implements SocketSession, ActiveOwner, MetadataOwner
{
  book: PeerBook;
  readonly sockets = new Set<PeerSocket>();
  /** Addresses being dialled. */
  readonly dialling = new Set<string>();
  metainfo: Metainfo | undefined;
  /** Open while the session is at work; afterwards it still tells what there is. */
  storage: TorrentStorage | undefined;
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
  private readonly pex = new Map<PeerSocket, PexState>();
  private readonly downloadBucket: TokenBucket;
  private readonly uploadBucket: TokenBucket;
  /** While the torrent is at work and has some. */
  webSeeds: WebSeeds | undefined;
  private fetching: MetadataFetch | undefined;
  private hashServer: HashServer | undefined;
  private waiters: (() => void)[] = [];
  private running = false;
  private abort = new AbortController();
  private turn: Promise<unknown> = Promise.resolve();
  /** What the resume data says, for a torrent that has not been opened. */
  private remembered: Bitfield | undefined;
  private recalled = false;

  constructor(
    readonly options: SessionOptions,
    private readonly owner: SessionOwner,
  ) {
    this.metainfo = options.metainfo;
    this.sequential = options.sequential;
    this.superSeeding = options.superSeeding;
    this.book = this.newBook();
    const now = owner.now();
    const { downloadLimit, uploadLimit } = options;
    this.downloadBucket = new TokenBucket(downloadLimit || Infinity, now);
    this.uploadBucket = new TokenBucket(uploadLimit || Infinity, now);
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

  /** Verified pieces, as far as they are known. */
  get have(): Bitfield | undefined {
    return this.storage?.have ?? this.recall();
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

  /** Verified bytes of content, pads left out as far as the last piece tells. */
  get completedBytes(): number {
    const { metainfo, have } = this;
    if (!metainfo || !have || have.count === 0) return 0;
    if (have.complete) return metainfo.size;
    const last = metainfo.pieceCount - 1;
    const short = have.has(last)
      ? metainfo.pieceCount * metainfo.pieceLength - metainfo.length
      : 0;
    return Math.min(metainfo.size, have.count * metainfo.pieceLength - short);
  }

  /** Verified bytes of one file. */
  completedOf(fileIndex: number): number {
    const { metainfo, have } = this;
    if (!metainfo || !have) return 0;
    const { offset, length } = metainfo.files[fileIndex];
    if (have.complete || length === 0) return length;
    const layout = this.storage?.layout ?? new FileLayout(metainfo);
    const { first, end } = layout.piecesOf(fileIndex);
    let count = 0;
    for (let piece = first; piece < end; piece++) {
      if (!have.has(piece)) continue;
      const start = piece * metainfo.pieceLength;
      count +=
        Math.min(start + metainfo.pieceLength, offset + length) -
        Math.max(start, offset);
    }
    return count;
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
    if (this.running) return this.turn;
    this.running = true;
    this.abort = new AbortController();
    this.reason = undefined;
    this.phase = this.metainfo ? 'checking' : 'metadata';
    this.checked = 0;
    const { signal } = this.abort;
    return this.inTurn(signal, () =>
      this.metainfo ? this.open(this.metainfo, signal) : this.fetch(),
    );
  }

  /** Closes connections and files; resume data is on the disk when it resolves. */
  stop(): Promise<unknown> {
    if (this.phase !== 'failed') this.phase = 'stopped';
    this.halt('the torrent is stopped');
    return this.close();
  }

  /** Stops and deletes all that the torrent has on the disk. */
  async remove(): Promise<void> {
    await this.stop();
    const { metainfo } = this;
    if (!metainfo) return;
    await this.inTurn(undefined, async () => {
      const storage = this.storage ?? (await this.openStorage(metainfo));
      this.storage = undefined;
      this.remembered = undefined;
      await storage.remove();
    });
  }

  /** Looks at everything on the disk again, or (`all` false) at what has been found changed. */
  recheck(all = true): void {
    const { storage, metainfo } = this;
    if (this.phase !== 'active' || !storage || !metainfo) return;
    this.deactivate('the torrent is checked');
    this.phase = 'checking';
    const { signal } = this.abort;
    void this.inTurn(signal, async () => {
      await this.check(storage, all, signal);
      if (!signal.aborted) this.activate(metainfo, storage);
    });
  }

  /** One piece of work after another; an error ends the session's run, unless it was stopped anyway. */
  private inTurn(
    signal: AbortSignal | undefined,
    work: () => Promise<void> | void,
  ): Promise<void> {
    const run = this.turn.then(async () => {
      if (signal?.aborted) return;
      try {
        await work();
      } catch (error) {
        if (!signal) throw error;
        if (!signal.aborted) this.failed(error);
      }
    });
    this.turn = run.catch(() => undefined);
    return run;
  }

  private async open(metainfo: Metainfo, signal: AbortSignal): Promise<void> {
    this.phase = 'checking';
    this.checked = 0;
    const storage = await this.openStorage(metainfo);
    this.storage = storage;
    if (signal.aborted) return;
    const [notice] = storage.notices;
    if (notice) {
      const path = metainfo.files[notice.fileIndex].path.join('/');
      this.reason = `${path} ${notice.code === 'missing' ? 'is gone' : 'was changed'}`;
    }
    if (storage.needsCheck) await this.check(storage, false, signal);
    if (!signal.aborted) this.activate(metainfo, storage);
  }

  private openStorage(metainfo: Metainfo): Promise<TorrentStorage> {
    const { root, localName, created } = this.options;
    return TorrentStorage.open({
      metainfo,
      root,
      disk: this.owner.disk,
      ...(localName ? { name: localName } : {}),
      ...(created && !this.storage ? { created } : {}),
      onLost: (pieces, error) => this.lost(pieces, error),
      onFault: (error) => this.fault(error),
    });
  }

  private async check(
    storage: TorrentStorage,
    all: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    this.checked = 0;
    this.owner.changed(this);
    await storage.check({
      all,
      signal,
      onProgress: (done, total) => {
        this.checked = done / total;
        this.owner.changed(this);
      },
    });
  }

  private activate(metainfo: Metainfo, storage: TorrentStorage): void {
    const { owner } = this;
    this.phase = 'active';
    const wasComplete = storage.have.complete;
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
        maxRequests: mostRequests,
        superSeeding: this.superSeeding,
      },
      uploadLimits: [this.uploadBucket, owner.uploadBucket],
      downloadLimits: [this.downloadBucket, owner.downloadBucket],
      free: () => owner.disk.fs.free(this.options.root),
    });
    for (const socket of this.sockets) this.active.join(socket);
    if (metainfo.webSeeds.length > 0 && !this.complete)
      this.webSeeds = new WebSeeds(metainfo, storage.layout, this.active, () =>
        owner.now(),
      );
    this.active.settle();
    owner.ready(this);
    owner.changed(this);
    if (wasComplete) owner.finished(this);
    else if (this.complete) this.active.finished();
  }

  private deactivate(reason: string): void {
    for (const socket of [...this.sockets]) socket.close(reason);
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
    this.wake();
    this.owner.changed(this);
  }

  private close(): Promise<void> {
    return this.inTurn(undefined, async () => {
      // Whoever stops has no use for errors of the last writes: what was not written comes again.
      await this.storage?.close().catch(() => undefined);
    });
  }

  failed(error: unknown): void {
    const reason = words(error);
    this.phase = 'failed';
    this.reason = reason;
    this.halt(reason);
    void this.close();
    this.owner.failed(this, reason);
  }

  /** The resume data of a torrent that is not open. */
  private recall(): Bitfield | undefined {
    const { metainfo } = this;
    if (!metainfo || this.recalled) return this.remembered;
    this.recalled = true;
    const pieces = this.owner.disk.resume?.get(metainfo.id)?.pieces;
    this.remembered =
      pieces && Bitfield.fromWire(pieces.slice(), metainfo.pieceCount);
    return this.remembered;
  }

  // --- wishes ---

  setLimits(download: number | undefined, upload: number | undefined): void {
    const now = this.owner.now();
    if (download !== undefined)
      this.downloadBucket.setRate(download || Infinity, now);
    if (upload !== undefined)
      this.uploadBucket.setRate(upload || Infinity, now);
    this.settle();
  }

  get limits(): { readonly download: number; readonly upload: number } {
    const of = (bucket: TokenBucket): number =>
      bucket.limited ? bucket.rate : 0;
    return { download: of(this.downloadBucket), upload: of(this.uploadBucket) };
  }

  setSequential(on: boolean): void {
    this.sequential = on;
    this.active?.setSequential(on);
  }

  setPriorities(changes: readonly { index: number; priority: number }[]): void {
    const { metainfo } = this;
    if (!metainfo) return;
    this.priorities ??= new Uint8Array(metainfo.files.length).fill(4);
    for (const { index, priority } of changes)
      if (index < this.priorities.length) this.priorities[index] = priority;
    this.active?.setPriorities(this.priorities);
    this.owner.changed(this);
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
      const count = this.verifiedFrom(
        metainfo,
        file.offset + offset,
        file.length - offset,
      );
      if (this.active && !this.complete) {
        const { windows } = this.active;
        windows.reads(file.offset + offset, file.offset + file.length, now);
        this.settle();
      }
      if (count > 0 || now >= until || !this.running) return count;
      await this.somethingNew(until - now);
    }
  }

  private verifiedFrom(
    { pieceLength }: Metainfo,
    offset: number,
    length: number,
  ): number {
    const { storage } = this;
    if (!storage) return 0;
    let end = offset;
    while (
      end < offset + length &&
      storage.have.has(Math.floor(end / pieceLength))
    )
      end = (Math.floor(end / pieceLength) + 1) * pieceLength;
    return Math.min(length, end - offset);
  }

  /** Resolves when a piece has come, the session has stopped, or the time is over. */
  private somethingNew(patience: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, patience);
      this.waiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  private wake(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  // --- connections ---

  private newBook(): PeerBook {
    return new PeerBook({
      random: Math.random,
      ...(this.isPrivate ? { sources: privateSources } : {}),
    });
  }

  get wantsConnections(): boolean {
    const count = this.sockets.size + this.dialling.size;
    if (this.phase === 'metadata') return count < maxConnections;
    if (this.phase !== 'active') return false;
    return count < (this.complete ? maxSeedConnections : maxConnections);
  }

  get takesConnections(): boolean {
    return this.phase === 'metadata' || this.phase === 'active';
  }

  /** False when all places are taken by connections that are of use. */
  makeRoom(): boolean {
    if (this.sockets.size < maxConnections) return true;
    const peers = this.swarm?.peers ?? [];
    const least = leastUseful(peers, this.owner.now());
    for (const socket of this.sockets)
      if (least && socket.swarmPeer === least) {
        socket.close('somebody else may be of more use');
        return true;
      }
    return false;
  }

  /** Already connected to whoever takes connections there, or about to be. */
  knows(address: PeerAddress): boolean {
    const key = keyOf(address);
    if (this.dialling.has(key)) return true;
    for (const { listens } of this.sockets)
      if (listens && keyOf(listens) === key) return true;
    return false;
  }

  established(socket: PeerSocket): void {
    this.sockets.add(socket);
    if (!this.isPrivate) this.pex.set(socket, new PexState());
    if (socket.listens) this.book.connected(socket.listens);
    this.active?.join(socket);
    this.fetching?.joined(socket);
  }

  gone(socket: PeerSocket): void {
    if (!this.sockets.delete(socket)) return;
    this.pex.delete(socket);
    this.fetching?.gone(socket);
    this.active?.gone(socket);
    const { listens, closeReason } = socket;
    const pointless =
      closeReason === 'both-complete' || closeReason === 'connected twice';
    if (listens && !this.knows(listens))
      this.book.disconnected(listens, this.owner.now(), pointless);
    this.owner.changed(this);
  }

  extended(socket: PeerSocket, remote: RemoteExtensions): void {
    if (socket.incoming && remote.port && !socket.listens) {
      const address = { host: socket.host, port: remote.port };
      if (this.book.isBanned(address)) return socket.close('it is banned');
      socket.listens = address;
      this.book.add(address, 'incoming');
      this.book.connected(address);
    }
    tellExtensions(socket);
    this.fetching?.extended(socket, remote.metadataSize);
  }

  settle(): void {
    this.active?.settle();
  }

  /** A host that is a machine of its own is banned whole; on this machine, where many peers live, only the one. */
  private ban(socket: PeerSocket): void {
    const { host, listens } = socket;
    if (!isLocal(host)) this.book.ban(host);
    else if (listens) this.book.ban(host, listens.port);
  }

  // --- peer exchange ---

  pexHeard(socket: PeerSocket, message: PexMessage): void {
    const verdict = this.pex.get(socket)?.heard(this.owner.now());
    if (verdict === 'close') return socket.close('it floods peer exchange');
    if (verdict !== 'take') return;
    for (const { address, port } of message.added) {
      const host = formatAddress(address, 0, address.length === 4 ? 4 : 16);
      this.book.add({ host, port }, 'pex');
    }
  }

  holepunchHeard(_socket: PeerSocket, _message: HolepunchMessage): void {
    // Not offered, so nobody has a reason to send it.
  }

  pexTick(now: number): void {
    if (this.isPrivate || this.sockets.size < 2) return;
    for (const [socket, state] of this.pex) {
      if (now < state.dueAt || !socket.connection.extensions?.offers('ut_pex'))
        continue;
      const message = state.next(this.pexPeers(socket), now);
      if (message) socket.connection.extensions.sendPex(message);
    }
  }

  private *pexPeers(but: PeerSocket): Generator<PexPeer> {
    for (const socket of this.sockets) {
      const { listens } = socket;
      if (socket === but || !listens) continue;
      const address = new Uint8Array(16);
      const length = parseAddress(listens.host, address);
      if (length === 0) continue;
      const flags =
        (socket.swarmPeer?.seed ? PexFlag.seed : 0) |
        (socket.incoming ? 0 : PexFlag.reachable);
      const { port } = listens;
      yield { address: address.subarray(0, length), port, flags };
    }
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

  hashesCame(socket: PeerSocket, range: HashRange, hashes: Uint8Array): void {
    this.fetching?.hashes(socket, range, hashes);
  }

  hashesRejected(socket: PeerSocket, range: HashRange): void {
    this.fetching?.hashesRejected(socket, range);
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

  metadata(
    socket: PeerSocket,
    piece: number,
    totalSize: number | undefined,
    bytes: Uint8Array,
  ): void {
    this.fetching?.metadata(socket, piece, totalSize, bytes);
  }

  metadataRejected(socket: PeerSocket, piece: number): void {
    this.fetching?.rejected(socket, piece);
  }

  liar(socket: PeerSocket): void {
    this.ban(socket);
    socket.close('it sent false metadata');
  }

  fetched(metainfo: Metainfo, torrent: Uint8Array): void {
    this.fetching = undefined;
    this.metainfo = metainfo;
    if (metainfo.private) {
      // Whoever was found by other ways than its trackers does not belong here (BEP 27).
      this.book = this.newBook();
      for (const socket of [...this.sockets])
        if (!privateSources.has(socket.source))
          socket.close('the torrent is private');
    }
    this.owner.gotMetadata(this, torrent);
    const { signal } = this.abort;
    void this.inTurn(signal, () => this.open(metainfo, signal));
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
    this.wake();
  }

  disconnect(socket: PeerSocket, reason: DisconnectReason, ban: boolean): void {
    if (ban) this.ban(socket);
    socket.close(reason);
  }

  dismissed(peer: SwarmPeer, _reason: DisconnectReason, ban: boolean): void {
    this.webSeeds?.dismissed(peer, ban);
  }

  finished(): void {
    this.reason = undefined;
    this.owner.finished(this);
    this.owner.changed(this);
  }

  waits(error: StorageError | undefined): void {
    this.reason = error && words(error);
    this.owner.changed(this);
  }

  /** What was had is not there any more, or not what it was. */
  private lost(pieces: readonly number[], error: StorageError): void {
    this.reason = words(error);
    this.active?.lost(pieces);
    this.owner.changed(this);
    // In the middle of a call of the storage it cannot be asked for more.
    setImmediate(() => {
      if (this.storage?.needsCheck) this.recheck(false);
    });
  }

  private fault(error: StorageError): void {
    if (error.code === 'closed' || error.code === 'aborted') return;
    this.reason = words(error);
    this.owner.changed(this);
  }
}

/** One machine may run many peers: there an address is not a person. */
export const isLocal = (host: string): boolean =>
  host.startsWith('127.') || host === '::1';
