/**
 * One peer connection: a transport bound to the protocol core of @dnd/wire and, once it is known which
 * torrent it is about, to the torrent's session. Whoever is connected decides nothing here.
 */
import {
  clientName,
  PeerConnection,
  PeerTimeoutError,
  ProtocolError,
} from '@dnd/wire';
import type {
  ConnectionEvents,
  EncryptionPolicy,
  HashRange,
  HolepunchMessage,
  LocalTorrents,
  LocalTorrent,
  PexMessage,
  RemoteExtensions,
  RemoteHandshake,
} from '@dnd/wire';
import {
  keyOf,
  type PeerAddress,
  type PeerSource,
  type SwarmPeer,
} from '@dnd/swarm';
import { randomBytes } from 'node:crypto';
import { addressBytes } from './endpoints';
import {
  BlockSender,
  type BlockSource,
  type Frame,
  type Run,
} from './block-sender';
import type { MetadataFetch } from '../torrent/metadata-fetch';
import type { TorrentPeers } from '../torrent/torrent-peers';
import type { Transport, TransportEvents } from '../transport/transport';

/** Bytes in the transport's queue at which no more blocks are taken. */
const sendMark = 512 * 1024;

/** What a connection needs of its owner. */
export interface SocketOwner {
  readonly peerId: Uint8Array;
  /** Port on which peers are heard. */
  readonly port: number;
  readonly encryption: EncryptionPolicy;
  readonly torrents: LocalTorrents;
  readonly utp: boolean;
  readonly dht: boolean;
  /** The session of the torrent, or undefined to close. */
  joined(
    socket: PeerSocket,
    remote: RemoteHandshake,
  ): SocketSession | undefined;
  closed(socket: PeerSocket): void;
  /** BEP 5: it has a DHT node on this port. */
  heardOfNode(socket: PeerSocket, port: number): void;
  now(): number;
}

/** What a torrent's session does with its connections. */
export interface SocketSession {
  readonly id: string;
  /** Before the handshake's end is answered: attach and send the bitfield, if the metadata is there. */
  established(socket: PeerSocket): void;
  gone(socket: PeerSocket): void;
  /** The time of what is told next to the torrent's swarm. */
  at(now: number): void;
  settle(): void;
  extended(socket: PeerSocket, remote: RemoteExtensions): void;
  hashRequested(socket: PeerSocket, range: HashRange): void;
  /** While its metadata is asked of peers. */
  readonly fetching: MetadataFetch | undefined;
  readonly peers: TorrentPeers;
}

/** What a dialled connection is about. */
export interface Dialled {
  readonly torrent: LocalTorrent;
  readonly session: SocketSession;
  readonly source: PeerSource;
  readonly encryption: EncryptionPolicy;
}

export class PeerSocket implements ConnectionEvents, TransportEvents {
  readonly connection: PeerConnection;
  /** `host:port` of the other end of this connection. */
  readonly address: string;
  readonly source: PeerSource;
  readonly since: number;
  /** Where the remote takes connections: the dialled address, or what it tells. */
  listens: PeerAddress | undefined;
  swarmPeer: SwarmPeer | undefined;
  session: SocketSession | undefined;
  remote: RemoteHandshake | undefined;
  extensions: RemoteExtensions | undefined;
  /** The transport is through. */
  reached = false;
  closeReason = '';
  /** Why the protocol core gave up, if it did. */
  failure: ProtocolError | PeerTimeoutError | undefined;
  private readonly sender: BlockSender;
  /** Frames whose bytes wait in the connection's outbox. */
  private lent: Frame[] = [];
  /** Bytes of blocks appended and not yet told to the swarm as served. */
  private served = 0;
  private flushing = false;
  private over = false;

  /** The caller has the transport tell its events to the new connection. */
  constructor(
    private readonly owner: SocketOwner,
    readonly transport: Transport,
    readonly dialled: Dialled | undefined,
  ) {
    const { host, port } = transport;
    this.since = owner.now();
    this.address = keyOf({ host, port });
    this.source = dialled?.source ?? 'incoming';
    if (dialled) this.listens = { host, port };
    else this.reached = true;
    this.sender = new BlockSender(transport.lends, this);
    const yourIp = addressBytes(host);
    const options = {
      events: this,
      peerId: owner.peerId,
      encryption: dialled?.encryption ?? owner.encryption,
      random: (count: number) => randomBytes(count),
      dht: owner.dht,
      extensions: {
        client: 'D&D BitTorrent',
        requestQueue: 2000,
        port: owner.port,
        holepunch: owner.utp,
        ...(yourIp ? { yourIp } : {}),
      },
      now: this.since,
    };
    this.connection = dialled
      ? PeerConnection.outgoing(options, dialled.torrent)
      : PeerConnection.incoming(options, owner.torrents);
  }

  get host(): string {
    return this.transport.host;
  }

  get incoming(): boolean {
    return this.dialled === undefined;
  }

  /** The program's name as it tells it, or as its peer id does. */
  get client(): string {
    const told = this.extensions?.client;
    return (
      told ||
      (this.remote && clientName(this.remote.peerId)) ||
      ''
    ).slice(0, 64);
  }

  get encrypted(): boolean {
    return this.remote?.encrypted ?? false;
  }

  get isClosed(): boolean {
    return this.over;
  }

  tick(now: number): void {
    if (now >= this.connection.wakeAt) this.connection.tick(now);
  }

  /** Sends a run of blocks; `served` is told once the transport takes more. */
  serve(source: BlockSource, run: Run): void {
    this.sender.send(source, run);
  }

  /** Sends what waits, as far as the transport takes it. */
  flush(): void {
    this.flushing = false;
    if (this.over) return;
    const { transport } = this;
    if (this.reached && transport.backlog < sendMark) this.write();
    if (this.served > 0 && transport.backlog < sendMark) {
      const bytes = this.served;
      this.served = 0;
      this.session?.at(this.owner.now());
      this.swarmPeer?.served(bytes);
      this.session?.settle();
    }
  }

  close(reason: string): void {
    if (this.over) return;
    this.closeReason ||= reason;
    this.transport.destroy();
    this.finish();
  }

  private write(): void {
    const chunks = this.connection.takeOutput();
    if (chunks.length === 0) return;
    const { lent } = this;
    if (lent.length === 0) return this.transport.write(chunks);
    this.lent = [];
    this.transport.write(chunks, () => giveBack(lent));
  }

  // --- what the sender says ---

  framed(frame: Frame, count: number, run: Run): void {
    if (frame.giveBack) this.lent.push(frame);
    this.served += run.length;
    this.connection.commands.framedPieces(frame.bytes, count, run.length);
  }

  unreadable({ piece, begin, length, blockLength }: Run): void {
    this.session?.at(this.owner.now());
    this.swarmPeer?.unserved(piece, begin, length, blockLength);
    this.session?.settle();
  }

  // --- what the transport says ---

  connected(): void {
    this.reached = true;
    this.flush();
  }

  received(chunk: Uint8Array): void {
    if (this.over) return;
    const now = this.owner.now();
    this.session?.at(now);
    this.connection.receive(chunk, now);
    this.session?.settle();
  }

  writable(): void {
    this.flush();
  }

  closed(reason: string): void {
    this.closeReason ||= reason;
    this.finish();
  }

  // --- what the connection says ---

  onOutput(): void {
    if (this.flushing || this.over) return;
    this.flushing = true;
    // After the present event everything that it caused goes out together.
    queueMicrotask(() => this.flush());
  }

  onHandshake(remote: RemoteHandshake): void {
    this.remote = remote;
    const session = this.owner.joined(this, remote);
    if (!session) return this.close('not wanted');
    this.session = session;
    session.established(this);
  }

  onFailure(error: ProtocolError | PeerTimeoutError): void {
    this.failure = error;
    this.close(error.message);
  }

  onExtensions(remote: RemoteExtensions): void {
    this.extensions = remote;
    this.session?.extended(this, remote);
  }

  onMetadata(
    piece: number,
    totalSize: number | undefined,
    bytes: Uint8Array,
  ): void {
    this.session?.fetching?.metadata(this, piece, totalSize, bytes);
  }

  onMetadataReject(piece: number): void {
    this.session?.fetching?.rejected(this, piece);
  }

  onPex(message: PexMessage): void {
    this.session?.peers.pexHeard(this, message);
  }

  onUploadOnly(uploadOnly: boolean): void {
    this.swarmPeer?.extended({ uploadOnly });
  }

  onHashRequest(range: HashRange): void {
    this.session?.hashRequested(this, range);
  }

  onHashes(range: HashRange, hashes: Uint8Array): void {
    this.session?.fetching?.hashes(this, range, hashes);
  }

  onHashReject(range: HashRange): void {
    this.session?.fetching?.hashesRejected(this, range);
  }

  onPort(port: number): void {
    this.owner.heardOfNode(this, port);
  }

  onHolepunch(message: HolepunchMessage): void {
    this.session?.peers.holepunchHeard(this, message);
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    giveBack(this.lent.splice(0));
    this.sender.end();
    this.connection.close();
    this.owner.closed(this);
  }
}

function giveBack(frames: readonly Frame[]): void {
  for (const frame of frames) frame.giveBack?.();
}
