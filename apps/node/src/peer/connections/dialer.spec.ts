import { PeerBook } from '@dnd/swarm';
import { createServer, type AddressInfo, type Server } from 'node:net';
import type { TorrentSession } from '../torrent/torrent-session';
import type { Transport } from '../transport/transport';
import { Dialer } from './dialer';
import type { PeerSocket } from './peer-socket';

const host = '127.0.0.1';

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

  /** Dials `to` until nothing is left to try; how often that was over uTP. */
  function dialOut(to: number): Promise<number> {
    return new Promise((resolve) => {
      let overUtp = 0;
      const book = new PeerBook({ random: Math.random });
      book.add({ host, port: to }, 'manual');
      book.failed = () => resolve(overUtp);
      const session = {
        wantsConnections: true,
        takesConnections: true,
        peers: {
          book,
          dialling: new Set(),
          knows: () => false,
          unreachable: () => undefined,
        },
      } as unknown as TorrentSession;
      const dialer: Dialer = new Dialer({
        encryption: 'accepted',
        leavesFrom: undefined,
        room: 9,
        sessions: () => [session],
        isOwn: () => false,
        now: () => 0,
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

  it('goes over uTP to whom TCP does not reach', async () => {
    await new Promise((resolve) => server.close(resolve));
    expect(await dialOut(port)).toBe(1);
  });

  it('tries the other handshake, but not uTP, with whom TCP reaches', async () => {
    expect(await dialOut(port)).toBe(0);
    expect(connections).toBe(2);
  });
});
