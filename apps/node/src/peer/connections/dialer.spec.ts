import { PeerBook } from '@dnd/swarm';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { TorrentSession } from '../torrent/torrent-session';
import type { Transport } from '../transport/transport';
import { Dialer } from './dialer';
import type { PeerSocket } from './peer-socket';

const host = '127.0.0.1';

function bookOf(port: number): PeerBook {
  const book = new PeerBook({ random: Math.random });
  book.add({ host, port }, 'manual');
  return book;
}

describe('Dialer', () => {
  let server: Server;
  let port: number;
  let connections: number;

  beforeEach(async () => {
    connections = 0;
    server = createServer((socket) => {
      connections++;
      socket.destroy();
    });
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterEach(() => new Promise((resolve) => server.close(resolve)));

  /** Dials until nothing is left to try: how often that was over uTP, and whether a relay is to help. */
  function dialOut(
    book: PeerBook,
    now: number,
  ): Promise<{ overUtp: number; unreachable: boolean }> {
    return new Promise((resolve) => {
      let overUtp = 0;
      let unreachable = false;
      const { failed } = PeerBook.prototype;
      book.failed = (...args) => {
        failed.apply(book, args);
        queueMicrotask(() => resolve({ overUtp, unreachable }));
      };
      const session = {
        wantsConnections: true,
        takesConnections: true,
        peers: {
          book,
          dialling: new Set(),
          knows: () => false,
          unreachable: () => (unreachable = true),
        },
      } as unknown as TorrentSession;
      const dialer: Dialer = new Dialer({
        encryption: 'accepted',
        leavesFrom: () => undefined,
        room: 9,
        sessions: () => [session],
        isOwn: () => false,
        now: () => now,
        dialUtp: () => {
          overUtp++;
          return undefined;
        },
        dialled: (transport: Transport) => {
          const socket = {
            transport,
            reached: false,
            closeReason: '',
            connected: () => (socket.reached = true),
            closed: () => dialer.closed(socket as unknown as PeerSocket),
          };
          return socket as unknown as PeerSocket;
        },
      });
      dialer.dial();
    });
  }

  it('goes over uTP to whom TCP does not reach, and then by a relay', async () => {
    await new Promise((resolve) => server.close(resolve));
    expect(await dialOut(bookOf(port), 0)).toEqual({
      overUtp: 1,
      unreachable: true,
    });
  });

  it('tries the other handshake with who hangs up, and uTP when that happens again, soon', async () => {
    const book = bookOf(port);
    expect(await dialOut(book, 0)).toEqual({ overUtp: 0, unreachable: false });
    expect(connections).toBe(2);
    expect(book.nextAt).toBeLessThan(3_000);
    expect(await dialOut(book, book.nextAt)).toMatchObject({ overUtp: 1 });
    expect(connections).toBe(4);
    expect(book.nextAt).toBeGreaterThan(10_000);
  });
});
