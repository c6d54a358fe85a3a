/**
 * All peer connections of this node: the ports where they are taken, the dialling, and which torrent
 * each is about. Bounded: when all places are taken, a connection that has not said hello gives way.
 */
import type { PeerAddress } from '@dnd/swarm';
import {
  obfuscatedHash,
  wireHashes,
  type EncryptionPolicy,
  type LocalTorrent,
  type LocalTorrents,
  type RemoteHandshake,
} from '@dnd/wire';
import {
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { Dialer, type DialerOwner, type ListeningTransport } from './dialer';
import {
  PeerSocket,
  type SocketOwner,
  type SocketSession,
} from './peer-socket';
import { TcpTransport } from '../transport/tcp-transport';
import { leavingAddress } from './leaving-address';
import { isLocal } from '../distance';
import type { TorrentSession } from '../torrent/torrent-session';
import type { Transport, TransportEvents } from '../transport/transport';
import { UdpPort } from '../transport/udp-port';
import { UtpPort, type UtpPortOwner } from '../transport/utp-port';

export interface ConnectionsOwner {
  readonly peerId: Uint8Array;
  readonly encryption: EncryptionPolicy;
  /** Address listened on. */
  readonly host: string;
  /** Addresses by which this node may be told of itself. */
  readonly ownHosts: ReadonlySet<string>;
  readonly utpWanted: boolean;
  /** The node is part of the mainline DHT, on the UDP port of the same number. */
  readonly usesDht: boolean;
  now(): number;
  /** Torrents that may be connected. */
  running(): Iterable<TorrentSession>;
  /** A peer has a node of the mainline DHT. */
  heardOfNode(host: string, port: number): void;
  /** A message of the mainline DHT, or what looks like one. */
  dhtDatagram(datagram: Buffer, host: string, port: number): void;
}

const maxSockets = 500;
/** Addresses found in one moment are dialled together, milliseconds. */
const dialDelay = 20;

export class Connections implements SocketOwner, DialerOwner, UtpPortOwner {
  port = 0;
  private readonly open = new Set<PeerSocket>();
  private readonly byHash = new Map<string, TorrentSession>();
  /** What encrypted handshakes call a torrent. */
  private readonly obfuscated = new Map<string, Uint8Array>();
  private readonly dialer: Dialer;
  private readonly utpPort: UtpPort;
  readonly udp: UdpPort;
  private server: Server | undefined;
  private dialTimer: NodeJS.Timeout | undefined;

  constructor(private readonly owner: ConnectionsOwner) {
    this.dialer = new Dialer(this);
    this.udp = new UdpPort(
      (datagram, host, port) => this.utpPort.received(datagram, host, port),
      (datagram, host, port) => owner.dhtDatagram(datagram, host, port),
    );
    this.utpPort = new UtpPort(this, this.udp);
  }

  /** Both ports; rejects when one is taken. */
  async listen(port: number): Promise<void> {
    const server = createServer({ pauseOnConnect: true }, (socket) =>
      this.take(socket),
    );
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, this.owner.host, resolve);
    });
    this.port = (server.address() as AddressInfo).port;
    try {
      await this.udp.listen(this.owner.host, this.port);
    } catch (error) {
      server.close();
      throw error;
    }
    server.on('error', () => undefined);
    this.server = server;
  }

  close(): void {
    clearTimeout(this.dialTimer);
    this.server?.close();
    for (const socket of [...this.open]) socket.close('the node is stopping');
    this.utpPort.close();
    this.udp.close();
  }

  everySecond(): void {
    const now = this.owner.now();
    for (const socket of this.open) socket.tick(now);
    this.dialer.dial();
  }

  /** New addresses are there. */
  dialSoon(): void {
    this.dialTimer ??= setTimeout(() => {
      this.dialTimer = undefined;
      this.dialer.dial();
    }, dialDelay);
  }

  /** Dials over uTP alone, for a relay has told the other end to do the same (BEP 55). */
  punch(session: TorrentSession, address: PeerAddress): void {
    this.dialer.punch(session, address);
  }

  /** The torrent connects with nobody for now. */
  stopDialling(session: TorrentSession): void {
    this.dialer.stop(session);
  }

  // --- torrents ---

  /** The other session that has one of its hashes, if there is one; else it can be asked for from now on. */
  list(session: TorrentSession): TorrentSession | undefined {
    const hashes = wireHashes(session.local);
    for (const hash of hashes) {
      const other = this.byHash.get(hex(hash));
      if (other && other !== session) return other;
    }
    for (const hash of hashes) {
      this.byHash.set(hex(hash), session);
      this.obfuscated.set(hex(obfuscatedHash(hash)), hash);
    }
    return undefined;
  }

  unlist(session: TorrentSession): void {
    for (const hash of wireHashes(session.local)) {
      if (this.byHash.get(hex(hash)) !== session) continue;
      this.byHash.delete(hex(hash));
      this.obfuscated.delete(hex(obfuscatedHash(hash)));
    }
  }

  /** By a hash of 40 hex digits. */
  session(hash: string): TorrentSession | undefined {
    return this.byHash.get(hash);
  }

  // --- SocketOwner ---

  get peerId(): Uint8Array {
    return this.owner.peerId;
  }

  get encryption(): EncryptionPolicy {
    return this.owner.encryption;
  }

  get utp(): boolean {
    return this.owner.utpWanted && this.udp.isOpen;
  }

  get dht(): boolean {
    return this.owner.usesDht;
  }

  readonly torrents: LocalTorrents = {
    find: (infoHash): LocalTorrent | undefined => {
      const session = this.byHash.get(hex(infoHash));
      return session?.takesConnections ? session.local : undefined;
    },
    findObfuscated: (hash): Uint8Array | undefined => {
      const infoHash = this.obfuscated.get(hex(hash));
      const session = infoHash && this.byHash.get(hex(infoHash));
      return session?.takesConnections ? infoHash : undefined;
    },
  };

  joined(
    socket: PeerSocket,
    remote: RemoteHandshake,
  ): SocketSession | undefined {
    const session = this.byHash.get(hex(wireHashes(remote.torrent)[0]));
    if (!session?.takesConnections) return undefined;
    const { host, port } = socket.transport;
    if (session.peers.book.isBanned({ host, port })) return undefined;
    for (const other of session.peers.sockets) {
      if (!other.remote) continue;
      if (!same(other.remote.peerId, remote.peerId)) {
        if (isLocal(host) || other.host !== host) continue;
        // One peer an address, so that nobody fills the places alone.
        return this.refuseTwice(socket, other);
      }
      if (!this.isBetter(socket, other, remote.peerId))
        return this.refuseTwice(socket, other);
      other.close('connected twice');
    }
    if (!session.peers.makeRoom()) return undefined;
    this.dialer.succeeded(socket);
    if (this.dht && remote.capabilities.dht && !session.isPrivate)
      queueMicrotask(() => {
        if (!socket.isClosed) socket.connection.commands.port(this.port);
      });
    return session;
  }

  closed(socket: PeerSocket): void {
    this.open.delete(socket);
    socket.session?.gone(socket);
    this.dialer.closed(socket);
  }

  heardOfNode(socket: PeerSocket, port: number): void {
    this.owner.heardOfNode(socket.host, port);
  }

  now(): number {
    return this.owner.now();
  }

  /** Whoever dials again may have lost the first connection: we find out whether it is still there. */
  private refuseTwice(socket: PeerSocket, first: PeerSocket): undefined {
    socket.closeReason = 'connected twice';
    first.connection.commands.keepAlive();
  }

  /** Of two connections with one peer both ends must keep the same: the one that the larger peer id dialled. */
  private isBetter(
    socket: PeerSocket,
    other: PeerSocket,
    remoteId: Uint8Array,
  ): boolean {
    if (socket.incoming === other.incoming) return false;
    const weDial = Buffer.compare(this.peerId, remoteId) > 0;
    return socket.incoming !== weDial;
  }

  // --- incoming ---

  private take(accepted: Socket): void {
    if (!this.makeRoom()) {
      accepted.destroy();
      return;
    }
    const transport = TcpTransport.accept(accepted);
    transport.listen(this.keep(transport));
  }

  accepted(transport: Transport): TransportEvents | undefined {
    if (!this.owner.utpWanted || !this.makeRoom()) return undefined;
    return this.keep(transport);
  }

  private keep(transport: Transport): PeerSocket {
    const socket = new PeerSocket(this, transport, undefined);
    this.open.add(socket);
    return socket;
  }

  /** The connection that has been silent for longest gives way to a new one. */
  private makeRoom(): boolean {
    if (this.open.size < maxSockets) return true;
    for (const socket of this.open) {
      if (!socket.incoming || socket.remote) continue;
      socket.close('others wait for its place');
      return true;
    }
    return false;
  }

  // --- DialerOwner ---

  get room(): number {
    return maxSockets - this.open.size;
  }

  leavesFrom(to: string): string | undefined {
    return leavingAddress(this.owner.host, to);
  }

  sessions(): Iterable<TorrentSession> {
    return this.owner.running();
  }

  dialUtp(host: string, port: number): ListeningTransport | undefined {
    return this.utp ? this.utpPort.dial(host, port) : undefined;
  }

  dialled(
    transport: Transport,
    session: TorrentSession,
    encryption: EncryptionPolicy,
  ): PeerSocket {
    const { host, port } = transport;
    const [source] = session.peers.book.sourcesOf({ host, port });
    const socket = new PeerSocket(this, transport, {
      torrent: session.local,
      session,
      source: source ?? 'manual',
      encryption,
    });
    this.open.add(socket);
    return socket;
  }

  isOwn({ host, port }: PeerAddress): boolean {
    return port === this.port && this.owner.ownHosts.has(host);
  }
}

const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');

const same = (a: Uint8Array, b: Uint8Array): boolean =>
  Buffer.compare(a, b) === 0;
