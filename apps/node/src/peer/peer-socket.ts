/**
 * One peer connection: a TCP socket bound to the protocol core of @dnd/wire and, once it is known which
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
  LocalTorrents,
  LocalTorrent,
  PexMessage,
  RemoteExtensions,
  RemoteHandshake,
} from '@dnd/wire';
import type { PeerSource, SwarmPeer } from '@dnd/swarm';
import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { addressOf } from './peer-book';

/** Bytes in the socket's queue at which no more blocks are taken. */
const sendMark = 512 * 1024;
const connectTimeOut = 10_000;

/** What a connection needs of its owner. */
export interface SocketOwner {
  readonly peerId: Uint8Array;
  readonly port: number;
  readonly encryption: EncryptionPolicy;
  readonly torrents: LocalTorrents;
  /** The session of the torrent, or undefined to close. */
  joined(
    socket: PeerSocket,
    remote: RemoteHandshake,
  ): SocketSession | undefined;
  closed(socket: PeerSocket): void;
  now(): number;
}

/** What a torrent's session does with its connections. */
export interface SocketSession {
  /** Before the handshake's end is answered: attach and send the bitfield, if the metadata is there. */
  established(socket: PeerSocket): void;
  settle(): void;
  extended(socket: PeerSocket, remote: RemoteExtensions): void;
  metadata(
    socket: PeerSocket,
    piece: number,
    totalSize: number | undefined,
    bytes: Uint8Array,
  ): void;
  metadataRejected(socket: PeerSocket, piece: number): void;
  pexHeard(socket: PeerSocket, message: PexMessage): void;
  hashRequest(socket: PeerSocket, range: HashRange): void;
}

/** All sockets read into one buffer: what came is used up before the next read. */
const shared = Buffer.allocUnsafeSlow(256 * 1024);

export class PeerSocket implements ConnectionEvents {
  readonly connection: PeerConnection;
  readonly address: string;
  readonly since: number;
  swarmPeer: SwarmPeer | undefined;
  session: SocketSession | undefined;
  remote: RemoteHandshake | undefined;
  extensions: RemoteExtensions | undefined;
  closeReason = '';
  /** Bytes of blocks appended and not yet told to the swarm as served. */
  private served = 0;
  private flushing = false;
  private closed = false;

  static dial(
    owner: SocketOwner,
    host: string,
    port: number,
    source: PeerSource,
    torrent: LocalTorrent,
    encryption: EncryptionPolicy,
  ): PeerSocket {
    let peer: PeerSocket | undefined = undefined;
    const socket = connect({
      host,
      port,
      noDelay: true,
      onread: {
        buffer: shared,
        callback: (length, buffer) => {
          peer?.receive(buffer.subarray(0, length));
          return true;
        },
      },
    });
    socket.setTimeout(connectTimeOut, () => socket.destroy());
    socket.once('connect', () => socket.setTimeout(0));
    peer = new PeerSocket(
      owner,
      socket,
      host,
      port,
      source,
      false,
      torrent,
      encryption,
    );
    return peer;
  }

  static accept(owner: SocketOwner, socket: Socket): PeerSocket {
    socket.setNoDelay(true);
    const peer = new PeerSocket(
      owner,
      socket,
      socket.remoteAddress ?? '',
      socket.remotePort ?? 0,
      'incoming',
      true,
      undefined,
      owner.encryption,
    );
    socket.on('data', (chunk: Buffer) => peer.receive(chunk));
    return peer;
  }

  private constructor(
    private readonly owner: SocketOwner,
    private readonly socket: Socket,
    readonly host: string,
    readonly port: number,
    readonly source: PeerSource,
    readonly incoming: boolean,
    torrent: LocalTorrent | undefined,
    encryption: EncryptionPolicy,
  ) {
    this.since = owner.now();
    this.address = addressOf(host, port);
    const options = {
      events: this,
      peerId: owner.peerId,
      encryption,
      random: (count: number) => randomBytes(count),
      extensions: {
        client: 'D&D BitTorrent',
        requestQueue: 2000,
        port: owner.port,
      },
      now: this.since,
    };
    this.connection = torrent
      ? PeerConnection.outgoing(options, torrent)
      : PeerConnection.incoming(options, owner.torrents);
    socket.on('drain', () => this.flush());
    socket.on('error', (error) => (this.closeReason ||= error.message));
    socket.on('close', () => this.finish());
    if (torrent) this.flush();
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
    return this.closed;
  }

  tick(now: number): void {
    if (now >= this.connection.wakeAt) this.connection.tick(now);
  }

  /** Appends one block of a piece message; `served` is told once the socket takes more. */
  sendBlock(piece: number, begin: number, block: Uint8Array): void {
    this.connection.commands.piece(piece, begin, block);
    this.served += block.length;
  }

  /** Sends what waits, as far as the socket takes it. */
  flush(): void {
    if (this.closed) return;
    this.flushing = false;
    if (this.socket.writableLength < sendMark) {
      const chunks = this.connection.takeOutput();
      if (chunks.length > 0) {
        this.socket.cork();
        for (const chunk of chunks) this.socket.write(chunk);
        this.socket.uncork();
      }
    }
    if (this.served > 0 && this.socket.writableLength < sendMark) {
      const bytes = this.served;
      this.served = 0;
      this.swarmPeer?.served(bytes);
      this.session?.settle();
    }
  }

  close(reason: string): void {
    if (this.closed) return;
    this.closeReason ||= reason;
    this.socket.destroy();
    this.finish();
  }

  // --- what the connection says ---

  onOutput(): void {
    if (this.flushing || this.closed) return;
    this.flushing = true;
    // After the present event everything that it caused goes out together.
    queueMicrotask(() => this.flush());
  }

  onHandshake(remote: RemoteHandshake): void {
    this.remote = remote;
    this.session = this.owner.joined(this, remote);
    if (this.session) this.session.established(this);
    else this.close('not wanted');
  }

  onFailure(error: ProtocolError | PeerTimeoutError): void {
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
    this.session?.metadata(this, piece, totalSize, bytes);
  }

  onMetadataReject(piece: number): void {
    this.session?.metadataRejected(this, piece);
  }

  onPex(message: PexMessage): void {
    this.session?.pexHeard(this, message);
  }

  onUploadOnly(uploadOnly: boolean): void {
    this.swarmPeer?.extended({ uploadOnly });
  }

  onHashRequest(range: HashRange): void {
    this.session?.hashRequest(this, range);
  }

  onHashes(): void {
    // Layers are only asked for by magnet links of v2 torrents, whose metadata exchange has them checked by the pieces.
  }

  onHashReject(): void {
    // See onHashes.
  }

  onPort(): void {
    // The mainline DHT learns its nodes by itself.
  }

  onHolepunch(): void {
    // Needs uTP.
  }

  private receive(chunk: Uint8Array): void {
    if (this.closed) return;
    this.connection.receive(chunk, this.owner.now());
    this.session?.settle();
  }

  private finish(): void {
    if (this.closed) return;
    this.closed = true;
    this.connection.close();
    this.owner.closed(this);
  }
}
