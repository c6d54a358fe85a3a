/**
 * One torrent while it is at work: binds the decisions of its swarm to its storage and its connections.
 * Tells its owner what happens; begins and ends with the owner's wish.
 */
import type { Metainfo } from '@dnd/metainfo';
import { StorageError, type TorrentStorage } from '@dnd/storage';
import {
  Swarm,
  type DisconnectReason,
  type SwarmHost,
  type SwarmPeer,
  type SwarmSettings,
  type TokenBucket,
} from '@dnd/swarm';
import { parseAddress } from '@dnd/tracker';
import { allowedFastSet, wireHashes } from '@dnd/wire';
import { PaddedSource } from '../connections/padded-source';
import type { PeerSocket } from '../connections/peer-socket';
import { ReadWindows } from './read-windows';

export interface ActiveOwner {
  now(): number;
  /** Something that is shown has changed. */
  changed(): void;
  /** A piece more is there, or none will come. */
  pieceDone(): void;
  /** A peer that is no socket (a web seed) is to be left alone, for good when `ban`. */
  dismissed(peer: SwarmPeer, reason: DisconnectReason, ban: boolean): void;
  /** `ban`: its address too. */
  disconnect(socket: PeerSocket, reason: DisconnectReason, ban: boolean): void;
  /** What peers sent of a piece is not what it should be. */
  corrupt(piece: number): void;
  /** Everything wanted is there and durable. */
  finished(): void;
  /** Why nothing is written at present, in a person's words; undefined when it goes on. */
  waits(error: StorageError | undefined): void;
  /** It cannot go on by itself. */
  failed(error: unknown): void;
  isUnlimited(host: string): boolean;
}

export interface ActiveOptions {
  readonly metainfo: Metainfo;
  readonly storage: TorrentStorage;
  readonly owner: ActiveOwner;
  readonly priorities: Uint8Array | undefined;
  readonly settings: Partial<SwarmSettings>;
  readonly uploadLimits: readonly TokenBucket[];
  readonly downloadLimits: readonly TokenBucket[];
  /** Bytes free on the disk that holds the torrent. */
  readonly free: () => Promise<number>;
}

/** How often a torrent whose disk was full looks for room, milliseconds. */
const roomPeriod = 5_000;
/** Bytes that may wait to be hashed and written before no more pieces are begun. */
const mostBacklog = 8 * 1024 * 1024;
/** Room beyond the pieces that wait for it, bytes. */
const roomSpare = 1024 * 1024;

export class ActiveTorrent implements SwarmHost {
  readonly swarm: Swarm;
  readonly windows: ReadWindows;
  private readonly storage: TorrentStorage;
  private readonly owner: ActiveOwner;
  private readonly sockets = new Set<PeerSocket>();
  /** Also of those that left: the swarm may find them out later. */
  private readonly socketOf = new WeakMap<SwarmPeer, PeerSocket>();
  /** Pieces being hashed and written, with their bytes. */
  private readonly verifying = new Map<number, Uint8Array>();
  /** Bytes of these. */
  private backlog = 0;
  /** Of these, the ones for which there was no room. */
  private readonly unwritten = new Set<number>();
  private roomTimer: NodeJS.Timeout | undefined;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Infinity;
  /** There was no memory for a piece. */
  starved = false;
  private ended = false;

  constructor(private readonly options: ActiveOptions) {
    const { metainfo, storage, owner } = options;
    this.storage = storage;
    this.owner = owner;
    this.swarm = new Swarm({
      pieceCount: metainfo.pieceCount,
      pieceSize: (piece) => storage.layout.pieceSize(piece),
      requestableSize: (piece) => storage.layout.requestableSize(piece),
      have: storage.have.clone(),
      priority: this.piecePriorities(options.priorities),
      host: this,
      random: Math.random,
      settings: options.settings,
      uploadLimits: options.uploadLimits,
      downloadLimits: options.downloadLimits,
      now: owner.now(),
    });
    this.windows = new ReadWindows(this.swarm, metainfo.pieceLength);
  }

  /** Everything wanted is verified. */
  get complete(): boolean {
    return this.swarm.uploadOnly;
  }

  /** There was no room on the disk. */
  get isWaiting(): boolean {
    return this.roomTimer !== undefined;
  }

  /** Nothing more is done; connections are the owner's to close before. */
  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
    clearTimeout(this.roomTimer);
    this.roomTimer = undefined;
  }

  // --- connections ---

  join(socket: PeerSocket): void {
    const { swarm, storage } = this;
    const { metainfo, owner } = this.options;
    if (socket.swarmPeer) return;
    swarm.at(owner.now());
    const address = new Uint8Array(16);
    const isV4 = parseAddress(socket.host, address) === 4;
    const allowedFast = isV4
      ? allowedFastSet(
          address.subarray(0, 4),
          wireHashes(metainfo)[0],
          metainfo.pieceCount,
        )
      : undefined;
    const peer = swarm.addPeer(socket.connection.commands, {
      address: socket.address,
      incoming: socket.incoming,
      source: socket.source,
      unlimited: owner.isUnlimited(socket.host),
      ...(allowedFast ? { allowedFast } : {}),
    });
    socket.swarmPeer = peer;
    this.sockets.add(socket);
    this.socketOf.set(peer, socket);
    const { pieceCount, pieceLength } = metainfo;
    const last = storage.layout.requestableSize(pieceCount - 1);
    const length = (pieceCount - 1) * pieceLength + last;
    const shape = { pieceCount, pieceLength, length };
    socket.connection.attach(peer, shape, metainfo.infoBytes);
    if (socket.extensions) tellExtensions(socket);
  }

  gone(socket: PeerSocket): void {
    const { swarmPeer } = socket;
    if (!swarmPeer || !this.sockets.delete(socket)) return;
    this.swarm.at(this.owner.now());
    this.swarm.removePeer(swarmPeer);
    this.settle();
  }

  /** Tells everybody whether we are after anything. */
  tellUploadOnly(): void {
    for (const { connection } of this.sockets)
      if (connection.extensions)
        connection.extensions.uploadOnly = this.complete;
  }

  // --- wishes ---

  setPriorities(priorities: Uint8Array): void {
    const wanted = this.piecePriorities(priorities);
    if (!wanted) return;
    this.swarm.at(this.owner.now());
    // What is wanted first, so that the torrent is not taken for complete on the way.
    for (const skipped of [false, true])
      for (let first = 0, end = 1; first < wanted.length; first = end++) {
        while (end < wanted.length && wanted[end] === wanted[first]) end++;
        if ((wanted[first] === 0) === skipped)
          this.swarm.setPriority(first, end - first, wanted[first]);
      }
    this.tellUploadOnly();
    this.settle();
  }

  /** Whom the limits hold for may have changed. */
  limitsChanged(): void {
    for (const { swarmPeer, host } of this.sockets)
      if (swarmPeer) swarmPeer.traits.unlimited = this.owner.isUnlimited(host);
    this.settle();
  }

  setSequential(on: boolean): void {
    this.swarm.setSequential(on);
    this.settle();
  }

  /** Other torrents have given memory back. */
  memoryFreed(): void {
    this.starved = false;
    this.swarm.at(this.owner.now());
    this.swarm.buffersFreed();
    this.settle();
  }

  /** A piece is as wanted as the most wanted file that it has a part of. */
  private piecePriorities(
    priorities: Uint8Array | undefined,
  ): Uint8Array | undefined {
    if (!priorities) return undefined;
    const { metainfo, storage } = this.options;
    const wanted = new Uint8Array(metainfo.pieceCount);
    metainfo.files.forEach(({ pad, length }, index) => {
      if (pad || length === 0) return;
      const { first, end } = storage.layout.piecesOf(index);
      for (let piece = first; piece < end; piece++)
        wanted[piece] = Math.max(wanted[piece], priorities[index]);
    });
    return wanted;
  }

  // --- what the swarm wants ---

  reserve(piece: number): boolean {
    if (this.ended) return false;
    // Nothing is gained by receiving faster than the disk takes: what waits grows cold in the caches.
    if (this.backlog >= mostBacklog && this.verifying.size > 1) return false;
    const reserved = this.storage.reserve(piece);
    if (!reserved) this.starved = true;
    return reserved;
  }

  target(piece: number, begin: number, length: number): Uint8Array {
    const target =
      this.verifying.get(piece)?.subarray(begin, begin + length) ??
      this.storage.target(piece, begin, length);
    if (!target) throw new RangeError(`piece ${piece} has no buffer`);
    return target;
  }

  discard(piece: number): void {
    this.storage.discard(piece);
  }

  verify(piece: number): void {
    const { storage } = this;
    const whole = storage.target(piece, 0, storage.layout.pieceSize(piece));
    if (!whole) return;
    this.verifying.set(piece, whole);
    this.backlog += whole.length;
    this.finish(piece);
  }

  serve(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
    blockLength: number,
  ): void {
    const { storage } = this;
    const short = begin + length > storage.layout.pieceSize(piece);
    const source = short ? new PaddedSource(storage) : storage;
    this.socketOf
      .get(peer)
      ?.serve(source, { piece, begin, length, blockLength });
  }

  disconnect(peer: SwarmPeer, reason: DisconnectReason, ban: boolean): void {
    const socket = this.socketOf.get(peer);
    if (!socket) return this.owner.dismissed(peer, reason, ban);
    this.sockets.delete(socket);
    // The swarm is in the middle of a step; the block on its way must not be written any more.
    socket.connection.dropIncomingBlock();
    queueMicrotask(() => this.owner.disconnect(socket, reason, ban));
  }

  finished(): void {
    this.tellUploadOnly();
    void this.flush();
  }

  // --- the disk ---

  /** Names finished files and makes all durable; tried again while there is no room. */
  private async flush(): Promise<void> {
    try {
      await this.storage.flush();
    } catch (error) {
      if (this.ended || isEnd(error)) return;
      if (isFull(error)) return this.waitForRoom(error);
      return this.owner.failed(error);
    }
    if (!this.ended && this.complete) this.owner.finished();
  }

  /** The piece's bytes are not needed any more. */
  private letGo(piece: number): void {
    this.backlog -= this.verifying.get(piece)?.length ?? 0;
    this.verifying.delete(piece);
  }

  private finish(piece: number): void {
    void this.storage.finish(piece).then(
      (result) => this.report(piece, result),
      (error) => this.report(piece, error),
    );
  }

  private report(piece: number, result: unknown): void {
    if (this.ended) return;
    const { swarm } = this;
    swarm.at(this.owner.now());
    if (result === 'verified') {
      this.letGo(piece);
      this.unwritten.delete(piece);
      swarm.verified(piece);
    } else if (result === 'corrupt') {
      // The bytes are still to be looked at.
      this.letGo(piece);
      swarm.corrupt(piece);
      this.owner.corrupt(piece);
    } else if (isFull(result)) {
      // The piece keeps its memory, and is written as soon as there is room.
      this.unwritten.add(piece);
      this.waitForRoom(result);
    } else {
      this.letGo(piece);
      if (!isEnd(result)) return this.owner.failed(result);
    }
    this.settle();
    this.owner.pieceDone();
  }

  /** Asks for nothing until there is room again; what is there goes on being served. */
  private waitForRoom(error: StorageError): void {
    if (this.ended) return;
    this.swarm.setDownloading(false);
    this.owner.waits(error);
    if (this.roomTimer) return;
    const look = async (): Promise<void> => {
      const free = await this.options.free().catch(() => 0);
      if (this.ended) return;
      const { pieceLength } = this.options.metainfo;
      const needed = Math.max(1, this.unwritten.size) * pieceLength + roomSpare;
      if (free < needed)
        this.roomTimer = setTimeout(() => void look(), roomPeriod);
      else this.goOn();
    };
    this.roomTimer = setTimeout(() => void look(), roomPeriod);
  }

  private goOn(): void {
    this.roomTimer = undefined;
    this.owner.waits(undefined);
    for (const piece of [...this.unwritten]) this.finish(piece);
    this.unwritten.clear();
    this.swarm.at(this.owner.now());
    this.swarm.setDownloading(true);
    this.settle();
    if (this.complete) void this.flush();
  }

  /** Pieces are not on the disk any more. */
  lost(pieces: readonly number[]): void {
    this.swarm.at(this.owner.now());
    this.swarm.lost(pieces);
    this.tellUploadOnly();
    this.settle();
  }

  // --- time ---

  settle(): void {
    if (this.ended) return;
    this.swarm.at(this.owner.now());
    this.swarm.settle();
    this.schedule(this.swarm.wakeAt);
  }

  private schedule(at: number): void {
    if (at >= this.timerAt || at === Infinity) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    const wait = Math.max(0, at - this.owner.now());
    this.timer = setTimeout(() => this.tick(), wait);
  }

  private tick(): void {
    this.timerAt = Infinity;
    if (this.ended) return;
    this.swarm.tick(this.owner.now());
    this.schedule(this.swarm.wakeAt);
  }
}

/** Hands the remote's extension handshake on to the swarm. */
export function tellExtensions({ swarmPeer, extensions }: PeerSocket): void {
  if (!swarmPeer || !extensions) return;
  const { requestQueue, uploadOnly } = extensions;
  swarmPeer.extended({
    ...(requestQueue === undefined ? {} : { reqq: requestQueue }),
    uploadOnly,
  });
}

const isFull = (error: unknown): error is StorageError =>
  error instanceof StorageError && error.code === 'disk-full';

/** The torrent is being stopped. */
const isEnd = (error: unknown): boolean =>
  error instanceof StorageError &&
  (error.code === 'closed' || error.code === 'aborted');
