/**
 * Connects the torrents that want connections with the addresses they know: fair turns between
 * torrents, few dials at a time, and for an address that does not take the first way in, the next one.
 */
import { keyOf, type DialledAddress, type PeerAddress } from '@dnd/swarm';
import type { EncryptionPolicy } from '@dnd/wire';
import type { PeerSocket } from './peer-socket';
import { TcpTransport } from '../transport/tcp-transport';
import type { TorrentSession } from '../torrent/torrent-session';
import type { Transport, TransportEvents } from '../transport/transport';

export interface DialerOwner {
  readonly encryption: EncryptionPolicy;
  /** Undefined while uTP is off. */
  dialUtp(host: string, port: number): ListeningTransport | undefined;
  /** Address that connections to another leave from, where it matters. */
  leavesFrom(to: string): string | undefined;
  /** Those that may be connected, and how many more connections there may be. */
  sessions(): Iterable<TorrentSession>;
  readonly room: number;
  /** Makes the connection and keeps it. */
  dialled(
    transport: Transport,
    session: TorrentSession,
    encryption: EncryptionPolicy,
  ): PeerSocket;
  isOwn(address: PeerAddress): boolean;
  now(): number;
}

export type ListeningTransport = Transport & {
  listen(events: TransportEvents): void;
};

/** A way in: which transport, and whether the other kind of handshake. */
interface Way {
  readonly kind: 'tcp' | 'utp';
  readonly swapped: boolean;
}

interface Attempt {
  readonly session: TorrentSession;
  readonly address: DialledAddress;
  readonly way: Way;
  /** The other end dials too. */
  readonly punched?: boolean;
}

/** Dials under way at a time. */
const mostDialling = 40;

export class Dialer {
  private readonly attempts = new Map<PeerSocket, Attempt>();
  private first = 0;

  constructor(private readonly owner: DialerOwner) {}

  /** Dials what is due, as far as there is room. */
  dial(): void {
    const { owner } = this;
    const now = owner.now();
    let waiting: TorrentSession[] = [];
    for (const session of owner.sessions())
      if (session.peers.book.nextAt <= now && session.wantsConnections)
        waiting.push(session);
    // Whoever came last last time comes first this time.
    const turn = this.first++ % Math.max(1, waiting.length);
    waiting = [...waiting.slice(turn), ...waiting.slice(0, turn)];
    while (waiting.length > 0)
      waiting = waiting.filter((session) => {
        if (this.attempts.size >= mostDialling || owner.room <= 0) return false;
        if (!session.wantsConnections) return false;
        const address = session.peers.book.next(now);
        if (!address) return false;
        if (owner.isOwn(address))
          session.peers.book.ban(address.host, address.port);
        else if (session.peers.knows(address))
          session.peers.book.connected(address);
        else
          this.try({ session, address, way: { kind: 'tcp', swapped: false } });
        return true;
      });
  }

  /** Over uTP alone, whatever has been tried: the other end dials too. */
  punch(session: TorrentSession, address: PeerAddress): void {
    if (this.attempts.size >= mostDialling || this.owner.room <= 0) return;
    this.try({
      session,
      address: { ...address, failures: 0 },
      way: { kind: 'utp', swapped: false },
      punched: true,
    });
  }

  /** The torrent connects with nobody for now. */
  stop(session: TorrentSession): void {
    for (const [socket, attempt] of [...this.attempts]) {
      if (attempt.session !== session) continue;
      this.end(socket);
      session.peers.book.disconnected(attempt.address, this.owner.now());
      socket.close('the torrent is stopped');
    }
  }

  /** The connection is through its handshake. */
  succeeded(socket: PeerSocket): void {
    this.end(socket);
  }

  /** The connection is over; if it led to nothing, the next way is tried. */
  closed(socket: PeerSocket): void {
    const attempt = this.end(socket);
    if (!attempt) return;
    const { session, address } = attempt;
    const { failure } = socket;
    if (failure?.name === 'ProtocolError' && failure.code === 'self-connection')
      return session.peers.book.ban(address.host, address.port);
    const way = session.takesConnections && this.next(attempt, socket);
    if (way && this.try({ ...attempt, way })) return;
    const { reached } = socket;
    session.peers.book.failed(address, this.owner.now(), reached);
    if (session.takesConnections && !attempt.punched && !reached)
      session.peers.unreachable(address);
  }

  private end(socket: PeerSocket): Attempt | undefined {
    const attempt = this.attempts.get(socket);
    this.attempts.delete(socket);
    attempt?.session.peers.dialling.delete(keyOf(attempt.address));
    return attempt;
  }

  private next(
    { way, address }: Attempt,
    { reached, remote, closeReason }: PeerSocket,
  ): Way | undefined {
    if (remote || closeReason === 'not wanted') return undefined;
    const { encryption } = this.owner;
    const swaps = encryption === 'accepted' || encryption === 'preferred';
    // Reached, but the handshake was not to its liking.
    if (reached && swaps && !way.swapped) return { ...way, swapped: true };
    // Most that hang up are only not ready yet, and a connection over uTP costs both ends far more for as
    // long as it lasts: it is for those that hang up again.
    if (reached && address.failures === 0) return undefined;
    return way.kind === 'tcp' ? { kind: 'utp', swapped: false } : undefined;
  }

  private try(attempt: Attempt): boolean {
    const { owner } = this;
    const { session, address, way } = attempt;
    const { host, port } = address;
    const transport: ListeningTransport | undefined =
      way.kind === 'utp'
        ? owner.dialUtp(host, port)
        : TcpTransport.dial(host, port, owner.leavesFrom(host));
    if (!transport) return false;
    session.peers.dialling.add(keyOf(address));
    const policy = way.swapped ? swapped(owner.encryption) : owner.encryption;
    const socket = owner.dialled(transport, session, policy);
    transport.listen(socket);
    this.attempts.set(socket, attempt);
    return true;
  }
}

const swapped = (policy: EncryptionPolicy): EncryptionPolicy =>
  policy === 'accepted'
    ? 'preferred'
    : policy === 'preferred'
      ? 'accepted'
      : policy;
