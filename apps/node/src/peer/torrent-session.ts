/**
 * One torrent at work: its metadata (fetched first, if need be), its storage, its swarm and its
 * connections, bound together. What to do is decided by the cores and by the engine that owns the
 * session; here facts are carried from one to the other, and the torrent's state is told in words.
 */
import { wrapInfo, type Magnet, type Metainfo } from '@dnd/metainfo';
import {
  StorageError,
  TorrentStorage,
  type Disk,
  type FileStamp,
} from '@dnd/storage';
import {
  Swarm,
  TokenBucket,
  type DisconnectReason,
  type SwarmHost,
  type SwarmPeer,
} from '@dnd/swarm';
import {
  allowedFastSet,
  MetadataExchange,
  PexFlag,
  PexState,
  type HashRange,
  type LocalTorrent,
  type PexMessage,
  type PexPeer,
  type RemoteExtensions,
} from '@dnd/wire';
import { formatAddress, parseAddress } from '@dnd/tracker';
import { createHash } from 'node:crypto';
import { bytes } from '../http/words';
import { readInfo } from '../torrent';
import type { DownloadState } from './peer.dto';
import { PeerBook } from './peer-book';
import {
  PeerSocket,
  type SocketOwner,
  type SocketSession,
} from './peer-socket';

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
  readonly downloadLimit: number;
  readonly uploadLimit: number;
}

/** What the session needs of its engine. */
export interface SessionOwner {
  readonly sockets: SocketOwner;
  readonly disk: Disk;
  readonly downloadBucket: TokenBucket;
  readonly uploadBucket: TokenBucket;
  now(): number;
  /** Something that is shown has changed. */
  changed(session: TorrentSession): void;
  /** The magnet link's metadata is here, as a .torrent. */
  gotMetadata(session: TorrentSession, torrent: Uint8Array): void;
  /** Everything wanted is there and durable. */
  finished(session: TorrentSession): void;
  /** It cannot go on by itself. */
  failed(session: TorrentSession, reason: string): void;
}

const maxConnections = 60;
/** How often a torrent whose disk was full looks for room, milliseconds. */
const roomPeriod = 5_000;
/** A piece that a reader waits for is due at once. */
const readAhead = 16 * 1024 * 1024;

type Phase = 'stopped' | 'metadata' | 'checking' | 'active' | 'failed';

export class TorrentSession implements SocketSession, SwarmHost {
  readonly book = new PeerBook();
  readonly sockets = new Set<PeerSocket>();
  metainfo: Metainfo | undefined;
  storage: TorrentStorage | undefined;
  swarm: Swarm | undefined;
  phase: Phase = 'stopped';
  /** Why it waits, in words. */
  reason: string | undefined;
  /** 0 to 1 while checking. */
  checked = 0;
  /** Bytes uploaded in earlier runs of the swarm. */
  uploadedBefore = 0;
  priorities: Uint8Array | undefined;
  sequential: boolean;
  private readonly bySwarmPeer = new Map<SwarmPeer, PeerSocket>();
  private readonly verifying = new Map<number, Uint8Array>();
  private readonly pex = new Map<PeerSocket, PexState>();
  private readonly downloadBucket: TokenBucket;
  private readonly uploadBucket: TokenBucket;
  private exchange: MetadataExchange<PeerSocket> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Infinity;
  private abort = new AbortController();
  private roomTimer: NodeJS.Timeout | undefined;
  private waiters: (() => void)[] = [];
  private ended: Promise<void> = Promise.resolve();

  constructor(
    readonly options: SessionOptions,
    private readonly owner: SessionOwner,
  ) {
    this.metainfo = options.metainfo;
    this.sequential = options.sequential;
    const now = owner.now();
    this.downloadBucket = new TokenBucket(
      options.downloadLimit || Infinity,
      now,
    );
    this.uploadBucket = new TokenBucket(options.uploadLimit || Infinity, now);
    if (options.priorities)
      this.priorities = Uint8Array.from(options.priorities);
  }

  get id(): string {
    return this.options.id;
  }

  get name(): string {
    return this.metainfo?.name ?? this.options.magnet?.name ?? this.id;
  }

  /** Everything wanted is verified. */
  get complete(): boolean {
    return this.swarm
      ? this.swarm.uploadOnly
      : (this.storage?.have.complete ?? false);
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
        return this.complete ? 'seeding' : 'downloading';
      case 'failed':
        return 'failed';
    }
  }

  /** Verified bytes of content, pads left out as far as the last piece tells. */
  get completedBytes(): number {
    const { metainfo, storage } = this;
    if (!metainfo || !storage) return 0;
    const { have } = storage;
    if (have.complete) return metainfo.size;
    if (have.count === 0) return 0;
    const last = metainfo.pieceCount - 1;
    const short = have.has(last)
      ? metainfo.pieceLength - storage.layout.pieceSize(last)
      : 0;
    return Math.min(metainfo.size, have.count * metainfo.pieceLength - short);
  }

  /** Verified bytes of one file. */
  completedOf(fileIndex: number): number {
    const { metainfo, storage } = this;
    if (!metainfo || !storage) return 0;
    const { offset, length } = metainfo.files[fileIndex];
    if (storage.have.complete || length === 0) return length;
    const { first, end } = storage.layout.piecesOf(fileIndex);
    let count = 0;
    for (let piece = first; piece < end; piece++) {
      if (!storage.have.has(piece)) continue;
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

  /** Bytes still to come, for trackers; some when they cannot be known. */
  get left(): number {
    return this.metainfo && this.storage
      ? this.metainfo.size - this.completedBytes
      : 1;
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
      uploadOnly: this.complete,
    };
  }

  // --- life ---

  /** Begins or goes on. Resolves when it is at work (or has failed). */
  async start(): Promise<void> {
    if (this.phase !== 'stopped' && this.phase !== 'failed') return;
    await this.ended;
    this.abort = new AbortController();
    this.reason = undefined;
    if (!this.metainfo) {
      this.phase = 'metadata';
      this.exchange ??= new MetadataExchange((info) => this.isInfo(info));
      this.owner.changed(this);
      return;
    }
    await this.open(this.metainfo);
  }

  /** Closes connections and files; resume data is on the disk afterwards. */
  async stop(reason?: string): Promise<void> {
    const wasFailed = this.phase === 'failed';
    this.abort.abort();
    clearTimeout(this.timer);
    clearTimeout(this.roomTimer);
    this.timerAt = Infinity;
    for (const socket of [...this.sockets])
      socket.close('the torrent is stopped');
    this.uploadedBefore += this.swarm?.up.total ?? 0;
    this.swarm = undefined;
    const { storage } = this;
    if (!wasFailed) this.phase = 'stopped';
    this.reason = reason ?? this.reason;
    this.wake();
    this.ended = storage
      ? storage.close().catch(() => undefined)
      : Promise.resolve();
    await this.ended;
    this.owner.changed(this);
  }

  /** Stops and deletes all that the torrent has on the disk. */
  async remove(): Promise<void> {
    await this.stop();
    const { metainfo } = this;
    if (!metainfo) return;
    const { storage } = this;
    this.storage = undefined;
    await (storage ?? (await this.openStorage(metainfo))).remove();
  }

  async recheck(): Promise<void> {
    if (this.phase !== 'active' || !this.storage) return;
    this.closeSwarm('the torrent is checked');
    const { storage } = this;
    try {
      await this.check(storage, true);
      if (!this.abort.signal.aborted) this.activate(storage);
    } catch (error) {
      if (!this.abort.signal.aborted) this.fail(error);
    }
  }

  private async open(metainfo: Metainfo): Promise<void> {
    this.phase = 'checking';
    this.checked = 0;
    this.owner.changed(this);
    try {
      const storage = await this.openStorage(metainfo);
      this.storage = storage;
      if (storage.needsCheck) await this.check(storage, false);
      if (this.abort.signal.aborted) return;
      this.activate(storage);
    } catch (error) {
      if (!this.abort.signal.aborted) this.fail(error);
    }
  }

  private openStorage(metainfo: Metainfo): Promise<TorrentStorage> {
    const { root, localName, created } = this.options;
    return TorrentStorage.open({
      metainfo,
      root,
      disk: this.owner.disk,
      ...(localName ? { name: localName } : {}),
      ...(created && !this.storage ? { created } : {}),
      onLost: (pieces, error) => this.onLost(pieces, error),
      onFault: (error) => this.onFault(error),
    });
  }

  private async check(storage: TorrentStorage, all: boolean): Promise<void> {
    this.phase = 'checking';
    this.checked = 0;
    this.owner.changed(this);
    await storage.check({
      all,
      signal: this.abort.signal,
      onProgress: (done, total) => {
        this.checked = done / total;
        this.owner.changed(this);
      },
    });
  }

  private activate(storage: TorrentStorage): void {
    const { metainfo } = this;
    if (!metainfo) return;
    this.phase = 'active';
    this.swarm = new Swarm({
      pieceCount: metainfo.pieceCount,
      pieceSize: (piece) => storage.layout.pieceSize(piece),
      have: storage.have.clone(),
      priority: this.piecePriorities(storage),
      host: this,
      random: Math.random,
      settings: { sequential: this.sequential },
      uploadLimits: [this.uploadBucket, this.owner.uploadBucket],
      downloadLimits: [this.downloadBucket, this.owner.downloadBucket],
      now: this.owner.now(),
    });
    for (const socket of this.sockets) this.join(socket);
    this.book.refresh();
    this.owner.changed(this);
    if (this.complete) this.finished();
  }

  private closeSwarm(reason: string): void {
    for (const socket of [...this.sockets]) socket.close(reason);
    this.uploadedBefore += this.swarm?.up.total ?? 0;
    this.swarm = undefined;
    clearTimeout(this.timer);
    this.timerAt = Infinity;
  }

  private fail(error: unknown): void {
    const reason = words(error);
    this.closeSwarm(reason);
    this.phase = 'failed';
    this.reason = reason;
    this.wake();
    this.owner.failed(this, reason);
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
    this.swarm?.setSequential(on);
    this.settle();
  }

  setPriorities(changes: readonly { index: number; priority: number }[]): void {
    const { metainfo, storage, swarm } = this;
    if (!metainfo) return;
    this.priorities ??= new Uint8Array(metainfo.files.length).fill(4);
    for (const { index, priority } of changes)
      if (index < this.priorities.length) this.priorities[index] = priority;
    if (!storage || !swarm) return;
    const wanted = this.piecePriorities(storage);
    for (let piece = 0; piece < metainfo.pieceCount; piece++)
      swarm.setPriority(piece, 1, wanted ? wanted[piece] : 4);
    this.settle();
    this.owner.changed(this);
  }

  /** A piece is as wanted as the most wanted file that it has a part of. */
  private piecePriorities(storage: TorrentStorage): Uint8Array | undefined {
    const { metainfo, priorities } = this;
    if (!metainfo || !priorities) return undefined;
    const wanted = new Uint8Array(metainfo.pieceCount);
    metainfo.files.forEach(({ pad, length }, index) => {
      if (pad || length === 0) return;
      const { first, end } = storage.layout.piecesOf(index);
      for (let piece = first; piece < end; piece++)
        wanted[piece] = Math.max(wanted[piece], priorities[index]);
    });
    return wanted;
  }

  /** Bytes that are verified from `offset` of a file on; 0 until some are there or `patience` is over. The swarm is asked for them first. */
  async available(
    fileIndex: number,
    offset: number,
    patience: number,
  ): Promise<number> {
    const { metainfo, storage } = this;
    if (!metainfo || !storage) return 0;
    const file = metainfo.files[fileIndex];
    const until = this.owner.now() + patience;
    for (;;) {
      const count = this.verifiedFrom(
        storage,
        file.offset + offset,
        file.length - offset,
      );
      const left = until - this.owner.now();
      if (
        count > 0 ||
        left <= 0 ||
        this.phase === 'stopped' ||
        this.phase === 'failed'
      )
        return count;
      if (this.swarm) {
        const first = Math.floor((file.offset + offset) / metainfo.pieceLength);
        const last = Math.floor(
          (file.offset + Math.min(file.length, offset + readAhead) - 1) /
            metainfo.pieceLength,
        );
        this.swarm.at(this.owner.now());
        for (let piece = first; piece <= last; piece++)
          this.swarm.need(piece, 1, this.owner.now() + (piece - first) * 100);
        this.settle();
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiters.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  private verifiedFrom(
    storage: TorrentStorage,
    offset: number,
    length: number,
  ): number {
    const { pieceLength } = storage.layout;
    let end = offset;
    while (
      end < offset + length &&
      storage.have.has(Math.floor(end / pieceLength))
    )
      end = (Math.floor(end / pieceLength) + 1) * pieceLength;
    return Math.min(length, end - offset);
  }

  /** Lets everybody look again who waits for bytes. */
  private wake(): void {
    for (const resolve of this.waiters.splice(0)) resolve();
  }

  // --- connections ---

  get wantsConnections(): boolean {
    if (this.sockets.size >= maxConnections) return false;
    return (
      this.phase === 'metadata' || (this.phase === 'active' && !this.complete)
    );
  }

  get takesConnections(): boolean {
    return (
      this.sockets.size < maxConnections &&
      (this.phase === 'metadata' || this.phase === 'active')
    );
  }

  established(socket: PeerSocket): void {
    this.sockets.add(socket);
    if (!this.isPrivate) this.pex.set(socket, new PexState());
    if (this.swarm) this.join(socket);
  }

  gone(socket: PeerSocket): void {
    this.sockets.delete(socket);
    this.pex.delete(socket);
    this.exchange?.gone(socket);
    const { swarmPeer } = socket;
    if (!swarmPeer) return;
    this.bySwarmPeer.delete(swarmPeer);
    if (this.swarm) {
      this.swarm.at(this.owner.now());
      this.swarm.removePeer(swarmPeer);
      this.settle();
    }
  }

  private join(socket: PeerSocket): void {
    const { swarm, metainfo } = this;
    if (!swarm || !metainfo || socket.swarmPeer) return;
    swarm.at(this.owner.now());
    const address = new Uint8Array(16);
    const isV4 = parseAddress(socket.host, address) === 4;
    const hash = metainfo.infoHashV1 ?? metainfo.infoHashV2?.subarray(0, 20);
    const peer = swarm.addPeer(socket.connection.commands, {
      address: socket.address,
      incoming: socket.incoming,
      source: socket.source,
      ...(isV4 && hash
        ? {
            allowedFast: allowedFastSet(
              address.subarray(0, 4),
              hash,
              metainfo.pieceCount,
            ),
          }
        : {}),
    });
    socket.swarmPeer = peer;
    this.bySwarmPeer.set(peer, socket);
    socket.connection.attach(peer, metainfo, metainfo.infoBytes);
    if (socket.extensions) this.tellExtensions(socket, socket.extensions);
  }

  extended(socket: PeerSocket, remote: RemoteExtensions): void {
    if (socket.incoming && remote.port)
      this.book.add(socket.host, remote.port, 'incoming');
    this.tellExtensions(socket, remote);
    this.exchange?.offer(socket, remote.metadataSize);
    this.askMetadata();
  }

  private tellExtensions(
    socket: PeerSocket,
    { requestQueue, uploadOnly }: RemoteExtensions,
  ): void {
    socket.swarmPeer?.extended({
      ...(requestQueue === undefined ? {} : { reqq: requestQueue }),
      uploadOnly,
    });
  }

  pexHeard(socket: PeerSocket, message: PexMessage): void {
    const verdict = this.pex.get(socket)?.heard(this.owner.now());
    if (verdict === 'close') return socket.close('it floods peer exchange');
    if (verdict !== 'take') return;
    for (const { address, port } of message.added)
      this.book.add(
        formatAddress(address, 0, address.length === 4 ? 4 : 16),
        port,
        'pex',
      );
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
      const port = socket.incoming ? socket.extensions?.port : socket.port;
      const address = new Uint8Array(16);
      const length = parseAddress(socket.host, address);
      if (socket === but || !port || length === 0) continue;
      const flags =
        (socket.swarmPeer?.seed ? PexFlag.seed : 0) |
        (socket.incoming ? 0 : PexFlag.reachable);
      yield { address: address.subarray(0, length), port, flags };
    }
  }

  hashRequest(socket: PeerSocket, range: HashRange): void {
    socket.connection.commands.hashReject(range);
  }

  // --- metadata ---

  metadata(
    socket: PeerSocket,
    piece: number,
    totalSize: number | undefined,
    info: Uint8Array,
  ): void {
    this.exchange?.data(socket, piece, totalSize, info, this.owner.now());
    this.askMetadata();
  }

  metadataRejected(socket: PeerSocket, piece: number): void {
    this.exchange?.reject(socket, piece, this.owner.now());
    this.askMetadata();
  }

  private askMetadata(): void {
    const { exchange } = this;
    if (!exchange || this.phase !== 'metadata') return;
    for (const liar of exchange.takeLiars()) {
      this.book.ban(liar.address);
      liar.close('it sent false metadata');
    }
    if (exchange.metadata) return this.adoptMetadata(exchange.metadata);
    for (const { peer, piece } of exchange.next(this.owner.now()))
      peer.connection.extensions?.requestMetadata(piece);
    this.schedule(exchange.wakeAt);
  }

  private adoptMetadata(info: Uint8Array): void {
    const announce = this.options.magnet?.announce ?? [];
    const torrent = wrapInfo(info, { announce });
    this.exchange = undefined;
    try {
      this.metainfo = readInfo(info, { announce });
    } catch (error) {
      this.fail(error);
      return;
    }
    this.owner.gotMetadata(this, torrent);
    void this.open(this.metainfo);
  }

  private isInfo(info: Uint8Array): boolean {
    const { magnet } = this.options;
    const equals = (hash: Uint8Array | undefined, algorithm: string): boolean =>
      hash === undefined ||
      createHash(algorithm).update(info).digest().equals(hash);
    return (
      equals(magnet?.infoHashV1, 'sha1') && equals(magnet?.infoHashV2, 'sha256')
    );
  }

  // --- what the swarm wants ---

  reserve(piece: number): boolean {
    return this.storage?.reserve(piece) ?? false;
  }

  target(piece: number, begin: number, length: number): Uint8Array {
    const target =
      this.verifying.get(piece)?.subarray(begin, begin + length) ??
      this.storage?.target(piece, begin, length);
    if (!target) throw new RangeError(`piece ${piece} has no buffer`);
    return target;
  }

  discard(piece: number): void {
    this.storage?.discard(piece);
  }

  verify(piece: number): void {
    const { storage } = this;
    const whole = storage?.target(piece, 0, storage.layout.pieceSize(piece));
    if (!storage || !whole) return;
    this.verifying.set(piece, whole);
    void storage.finish(piece).then(
      (result) => this.report(storage, piece, result),
      (error) => this.unwritten(storage, piece, error),
    );
  }

  private report(
    storage: TorrentStorage,
    piece: number,
    result: 'verified' | 'corrupt',
  ): void {
    const { swarm } = this;
    if (swarm && storage === this.storage) {
      swarm.at(this.owner.now());
      if (result === 'verified') swarm.verified(piece);
      else {
        this.verifying.delete(piece);
        swarm.corrupt(piece);
      }
      this.settle();
    }
    this.verifying.delete(piece);
    this.wake();
    this.owner.changed(this);
  }

  private unwritten(
    storage: TorrentStorage,
    piece: number,
    error: unknown,
  ): void {
    this.verifying.delete(piece);
    const { swarm } = this;
    if (!swarm || storage !== this.storage || this.abort.signal.aborted) return;
    swarm.at(this.owner.now());
    swarm.unwritten(piece);
    if (error instanceof StorageError && error.code === 'disk-full')
      this.waitForRoom(error);
    else this.fail(error);
  }

  /** Asks for nothing until there is room again; what is there goes on being served. */
  private waitForRoom(error: StorageError): void {
    this.reason = words(error);
    this.swarm?.setDownloading(false);
    this.owner.changed(this);
    clearTimeout(this.roomTimer);
    this.roomTimer = setTimeout(() => {
      this.reason = undefined;
      this.swarm?.at(this.owner.now());
      this.swarm?.setDownloading(true);
      this.settle();
      this.owner.changed(this);
    }, roomPeriod);
  }

  serve(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
    blockLength: number,
  ): void {
    const { storage } = this;
    const socket = this.bySwarmPeer.get(peer);
    if (!storage || !socket) return;
    const run = new Uint8Array(length);
    if (storage.readNow(piece, begin, run))
      return this.send(socket, piece, begin, run, blockLength);
    void storage.read(piece, begin, length, run).then(
      () => this.send(socket, piece, begin, run, blockLength),
      () => {
        this.swarm?.at(this.owner.now());
        peer.unserved(piece, begin, length, blockLength);
        this.settle();
      },
    );
  }

  private send(
    socket: PeerSocket,
    piece: number,
    begin: number,
    run: Uint8Array,
    blockLength: number,
  ): void {
    if (socket.isClosed) return;
    for (let at = 0; at < run.length; at += blockLength)
      socket.sendBlock(piece, begin + at, run.subarray(at, at + blockLength));
  }

  disconnect(peer: SwarmPeer, reason: DisconnectReason, ban: boolean): void {
    const socket = this.bySwarmPeer.get(peer);
    if (!socket) return;
    if (ban) this.book.ban(socket.address);
    const candidate = this.book.get(socket.address);
    if (candidate && reason === 'both-complete') candidate.seed = true;
    // The swarm is in the middle of a step.
    queueMicrotask(() => socket.close(reason));
  }

  finished(): void {
    const { storage } = this;
    if (!storage) return;
    for (const socket of this.sockets)
      if (socket.connection.extensions)
        socket.connection.extensions.uploadOnly = true;
    void storage.flush().then(
      () => this.owner.finished(this),
      (error) => this.onFault(error),
    );
  }

  // --- the disk speaks up ---

  private onLost(pieces: readonly number[], error: StorageError): void {
    this.reason = words(error);
    if (this.swarm) {
      this.swarm.at(this.owner.now());
      this.swarm.lost(pieces);
      this.settle();
    }
    this.owner.changed(this);
  }

  private onFault(error: unknown): void {
    if (
      error instanceof StorageError &&
      (error.code === 'closed' || error.code === 'aborted')
    )
      return;
    this.reason = words(error);
    this.owner.changed(this);
  }

  // --- time ---

  settle(): void {
    const { swarm } = this;
    if (!swarm) return;
    swarm.at(this.owner.now());
    swarm.settle();
    this.schedule(swarm.wakeAt);
  }

  private schedule(at: number): void {
    if (at >= this.timerAt || at === Infinity) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(
      () => this.tick(),
      Math.max(0, at - this.owner.now()),
    );
  }

  private tick(): void {
    this.timerAt = Infinity;
    if (this.phase === 'metadata') return this.askMetadata();
    if (!this.swarm) return;
    this.swarm.tick(this.owner.now());
    this.schedule(this.swarm.wakeAt);
  }
}

/** An error as a person is told of it. */
export function words(error: unknown): string {
  if (!(error instanceof StorageError))
    return error instanceof Error ? error.message : String(error);
  if (error.code !== 'disk-full') return error.message;
  const { missingBytes: missing } = error;
  return missing
    ? `disk full: ${bytes(missing)} missing`
    : 'disk full: make room and it goes on by itself';
}
