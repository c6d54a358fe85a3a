/**
 * Whom one torrent is connected with and whom it could be: its connections, its address book, what is
 * being dialled, who is banned, and what peers tell of others.
 */
import {
  keyOf,
  leastUseful,
  PeerBook,
  type DisconnectReason,
  type PeerAddress,
  type PeerSource,
  type SwarmPeer,
} from '@dnd/swarm';
import {
  Holepunch,
  peerPriority,
  ProtocolError,
  type HolepunchMessage,
  type HolepunchOutput,
  type PexMessage,
  type RemoteExtensions,
} from '@dnd/wire';
import { addressOf, endpointOf } from '../connections/endpoints';
import { isLocal } from '../distance';
import { PeerExchange } from './peer-exchange';
import type { PeerSocket } from '../connections/peer-socket';

export interface TorrentPeersOwner {
  readonly isPrivate: boolean;
  readonly swarmPeers: Iterable<SwarmPeer>;
  now(): number;
  /** This node itself. */
  isOwn(address: PeerAddress): boolean;
  /** Where this node is reached, as far as it knows. */
  readonly ownAddress: PeerAddress;
  /** Dials over uTP alone, as a relay has told to. */
  punch(address: PeerAddress): void;
}

export const maxConnections = 60;
/** Ends of connections that count against the peer. */
const offences: ReadonlySet<string> = new Set<DisconnectReason>([
  'protocol',
  'unasked-blocks',
  'flood',
]);
/** What a private torrent believes (BEP 27): its trackers, the user, and who comes by itself. */
const privateSources: ReadonlySet<PeerSource> = new Set<PeerSource>([
  'tracker',
  'manual',
  'incoming',
]);

export class TorrentPeers {
  readonly book: PeerBook;
  readonly sockets = new Set<PeerSocket>();
  /** Addresses being dialled. */
  readonly dialling = new Set<string>();
  private readonly exchange = new PeerExchange();
  private readonly holepunch: Holepunch<PeerSocket>;

  constructor(private readonly owner: TorrentPeersOwner) {
    this.book = new PeerBook({
      random: Math.random,
      priority: (address) => this.priorityOf(address),
    });
    if (owner.isPrivate) this.book.believe(privateSources);
    this.holepunch = new Holepunch<PeerSocket>({
      at: (endpoint) => this.reachedAt(addressOf(endpoint)),
      endpointOf: ({ transport, listens }) =>
        endpointOf(transport.kind === 'utp' ? transport : listens),
      supports: ({ connection: { extensions } }) =>
        extensions?.offers('ut_holepunch') ?? false,
      isSelf: (endpoint) => owner.isOwn(addressOf(endpoint)),
    });
  }

  /** Connections there are or may be in a moment. */
  get count(): number {
    return this.sockets.size + this.dialling.size;
  }

  /** False when all places are taken by connections that are of use. */
  makeRoom(): boolean {
    if (this.sockets.size < maxConnections) return true;
    const least = leastUseful(this.owner.swarmPeers, this.owner.now());
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
    return this.dialling.has(key) || this.at(address) !== undefined;
  }

  /** The connection with whoever takes connections there. */
  private at(address: PeerAddress): PeerSocket | undefined {
    const key = keyOf(address);
    for (const socket of this.sockets)
      if (socket.listens && keyOf(socket.listens) === key) return socket;
    return undefined;
  }

  /** The same, or with whoever sends datagrams from there. */
  private reachedAt(address: PeerAddress): PeerSocket | undefined {
    const key = keyOf(address);
    for (const socket of this.sockets)
      if (socket.transport.kind === 'utp' && socket.address === key)
        return socket;
    return this.at(address);
  }

  established(socket: PeerSocket): void {
    this.sockets.add(socket);
    if (!this.owner.isPrivate) this.exchange.joined(socket);
    if (socket.listens) this.book.connected(socket.listens);
  }

  /** False when it was not one of these. */
  gone(socket: PeerSocket): boolean {
    if (!this.sockets.delete(socket)) return false;
    this.exchange.gone(socket);
    this.holepunch.gone(socket);
    const { listens, closeReason, failure } = socket;
    if (!listens || this.knows(listens)) return true;
    const now = this.owner.now();
    if (failure instanceof ProtocolError || offences.has(closeReason))
      this.book.offended(listens, now);
    else {
      const pointless =
        closeReason === 'both-complete' || closeReason === 'connected twice';
      this.book.disconnected(listens, now, pointless);
    }
    return true;
  }

  /** One who came by itself tells where it takes connections. False when it had to be closed. */
  extended(socket: PeerSocket, { port }: RemoteExtensions): boolean {
    if (!socket.incoming || !port || socket.listens) return true;
    const address = { host: socket.host, port };
    if (this.book.isBanned(address)) {
      socket.close('it is banned');
      return false;
    }
    socket.listens = address;
    this.book.add(address, 'incoming');
    this.book.connected(address);
    return true;
  }

  /** A host that is a machine of its own is banned whole; on this machine, where many peers live, only the one. */
  ban({ host, listens }: PeerSocket): void {
    if (!isLocal(host)) this.book.ban(host);
    else if (listens) this.book.ban(host, listens.port);
  }

  /** Whoever was found by other ways than the trackers does not belong to a private torrent (BEP 27). */
  becamePrivate(): void {
    this.book.believe(privateSources);
    for (const socket of [...this.sockets]) {
      this.exchange.gone(socket);
      if (!privateSources.has(socket.source))
        socket.close('the torrent is private');
    }
  }

  pexHeard(socket: PeerSocket, message: PexMessage): void {
    const now = this.owner.now();
    for (const address of this.exchange.heard(socket, message, now))
      this.book.add(address, 'pex');
  }

  /** No way of dialling has led to it: whoever told of it may bring us together (BEP 55). */
  unreachable(address: PeerAddress): void {
    const target = endpointOf(address);
    if (!target || this.owner.isPrivate) return;
    const relays = this.exchange.tellersOf(address);
    this.perform(this.holepunch.seek(target, relays, this.owner.now()));
  }

  holepunchHeard(socket: PeerSocket, message: HolepunchMessage): void {
    if (this.owner.isPrivate) return;
    const now = this.owner.now();
    this.perform(this.holepunch.handle(socket, message, now));
  }

  private perform(outputs: readonly HolepunchOutput<PeerSocket>[]): void {
    for (const output of outputs) {
      if (output.type === 'send')
        output.to.connection.extensions?.sendHolepunch(output.message);
      else this.dialPunched(addressOf(output.endpoint));
    }
  }

  private dialPunched(address: PeerAddress): void {
    if (this.book.add(address, 'pex')) this.owner.punch(address);
  }

  tick(): void {
    this.exchange.tick(this.owner.now());
  }

  closeAll(reason: string): void {
    for (const socket of [...this.sockets]) socket.close(reason);
  }

  /** BEP 40; chance decides where the two addresses cannot be compared. */
  private priorityOf(address: PeerAddress): number {
    const [own, other] = [this.owner.ownAddress, address].map(endpointOf);
    if (!own || !other || own.address.length !== other.address.length)
      return Math.random() * 2 ** 32;
    return peerPriority(own, other);
  }
}
