import type { PeerSource } from '@dnd/swarm';
import { PeerTimeoutError, ProtocolError } from '@dnd/wire';
import type { PeerSocket } from '../connections/peer-socket';
import { TorrentPeers } from './torrent-peers';

const host = '192.0.2.1';

describe('TorrentPeers', () => {
  let peers: TorrentPeers;
  let now: number;

  beforeEach(() => {
    now = 0;
    peers = new TorrentPeers({
      isPrivate: false,
      swarmPeers: [],
      now: () => now,
      isOwn: () => false,
      ownAddress: { host: '192.0.2.99', port: 1 },
      punch: () => undefined,
    });
  });

  /** A connection with whoever takes them on `port`. */
  function connect(port: number, source: PeerSource = 'tracker') {
    const listens = { host, port };
    peers.book.add(listens, source);
    const socket = {
      host,
      listens,
      source,
      closeReason: '',
      failure: undefined as Error | undefined,
      transport: { kind: 'tcp' },
      close(reason: string) {
        this.closeReason = reason;
        peers.gone(this as unknown as PeerSocket);
      },
    };
    peers.established(socket as unknown as PeerSocket);
    return socket;
  }

  /** How long it is left alone after so many connections that ended alike. */
  const rests = (end: Partial<PeerSocket>, times: number): number[] =>
    Array.from({ length: times }, () => {
      const socket = Object.assign(connect(1), end);
      const before = now;
      socket.close(socket.closeReason);
      now = peers.book.nextAt;
      expect(peers.book.next(now)).toMatchObject({ host, port: 1 });
      return now - before;
    });

  it.each<[string, Partial<PeerSocket>]>([
    [
      'bytes that break the protocol',
      { failure: new ProtocolError('bad-index', '') },
    ],
    ['a piece that is not there', { closeReason: 'protocol' }],
    ['blocks that nobody asked for', { closeReason: 'unasked-blocks' }],
    ['a flood', { closeReason: 'flood' }],
  ])('counts %s against the peer', (_what, end) => {
    const [first, , third] = rests(end, 3);
    expect(third).toBeGreaterThan(2 * first);
  });

  it.each<[string, Partial<PeerSocket>]>([
    ['silence', { failure: new PeerTimeoutError('silent') }],
    ['an end', { closeReason: 'the remote closed the connection' }],
  ])('does not count %s', (_what, end) => {
    const [first, , third] = rests(end, 3);
    expect(third).toBe(first);
  });

  it('lets go of those that a private torrent may not have from elsewhere, and forgets them', () => {
    const sources = ['pex', 'dht', 'lsd', 'magnet'] as const;
    const elsewhere = sources.map((source, i) => connect(10 + i, source));
    const own = (['tracker', 'manual', 'incoming'] as const).map((source, i) =>
      connect(20 + i, source),
    );
    peers.book.add({ host, port: 30 }, 'pex');
    peers.book.ban('192.0.2.7');
    peers.becamePrivate();
    for (const { closeReason } of elsewhere) expect(closeReason).not.toBe('');
    for (const { closeReason } of own) expect(closeReason).toBe('');
    expect([...peers.book.known()].map(({ port }) => port)).toEqual([
      20, 21, 22,
    ]);
    expect(peers.sockets.size).toBe(3);
    expect(peers.book.banned).toEqual(['192.0.2.7']);
    const message = {
      added: [{ address: Buffer.alloc(4, 9), port: 9, flags: 0 }],
      dropped: [],
    };
    peers.pexHeard(own[0] as unknown as PeerSocket, message);
    expect(peers.book.size).toBe(3);
  });
});
