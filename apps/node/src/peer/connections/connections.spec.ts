import { PeerBook } from '@dnd/swarm';
import type { RemoteHandshake } from '@dnd/wire';
import { once } from 'node:events';
import {
  connect,
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import type { TorrentSession } from '../torrent/torrent-session';
import { Connections } from './connections';
import type { PeerSocket } from './peer-socket';

const host = '127.0.0.1';
const infoHash = Buffer.alloc(20, 0xaa);
const ownId = Buffer.alloc(20, 'M');

const hello = (peerId: Uint8Array): Buffer =>
  Buffer.concat([
    Buffer.from('\x13BitTorrent protocol', 'latin1'),
    Buffer.alloc(8),
    infoHash,
    peerId,
  ]);

/** One end of a connection that is not the node's. */
class Remote {
  readonly closed: Promise<unknown>;
  isClosed = false;

  constructor(readonly socket: Socket) {
    socket.on('error', () => undefined);
    socket.resume();
    this.closed = once(socket, 'close').then(() => (this.isClosed = true));
  }
}

describe('Connections', () => {
  let book: PeerBook;
  let connections: Connections;
  let server: Server;
  let remotes: Remote[];
  let established: ((socket: PeerSocket) => void)[];
  let sockets: Set<PeerSocket>;
  let told: (number | 'settle')[];

  beforeEach(async () => {
    remotes = [];
    established = [];
    book = new PeerBook({ random: Math.random });
    sockets = new Set();
    told = [];
    const session = {
      id: infoHash.toString('hex'),
      local: { infoHashV1: infoHash },
      takesConnections: true,
      wantsConnections: true,
      peers: {
        book,
        sockets,
        dialling: new Set(),
        knows: () => false,
        makeRoom: () => true,
        unreachable: () => undefined,
      },
      established: (socket: PeerSocket) => {
        sockets.add(socket);
        established.shift()?.(socket);
      },
      gone: (socket: PeerSocket) => sockets.delete(socket),
      at: (now: number) => told.push(now),
      settle: () => told.push('settle'),
    } as unknown as TorrentSession;
    connections = new Connections({
      peerId: ownId,
      encryption: 'accepted',
      host,
      ownHosts: new Set(),
      utpWanted: false,
      usesDht: false,
      now: () => performance.now(),
      running: () => [session],
      heardOfNode: () => undefined,
      dhtDatagram: () => undefined,
    });
    await connections.listen(0);
    connections.list(session);
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, host, resolve));
  });

  afterEach(async () => {
    connections.close();
    for (const { socket } of remotes) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  const nextEstablished = (): Promise<PeerSocket> =>
    new Promise((resolve) => established.push(resolve));

  async function dialNode(): Promise<Remote> {
    const remote = new Remote(connect(connections.port, host));
    remotes.push(remote);
    await once(remote.socket, 'connect');
    return remote;
  }

  async function dialledByNode(): Promise<Remote> {
    const { port } = server.address() as AddressInfo;
    book.add({ host, port }, 'manual');
    connections.dialSoon();
    const [socket] = (await once(server, 'connection')) as [Socket];
    const remote = new Remote(socket);
    remotes.push(remote);
    return remote;
  }

  it.each([
    ['larger, and it dialled first', 'Z', true],
    ['larger, and it dialled last', 'Z', false],
    ['smaller, and it dialled first', 'A', true],
    ['smaller, and it dialled last', 'A', false],
  ])(
    'keeps of two connections with one peer the one that the larger id dialled (the id of the remote is %s)',
    async (_how, letter, incomingFirst) => {
      const peerId = Buffer.alloc(20, letter);
      const say = async (remote: Remote): Promise<Remote> => {
        const end = nextEstablished();
        remote.socket.write(hello(peerId));
        await Promise.race([end, remote.closed]);
        return remote;
      };
      const ways = [dialNode, dialledByNode];
      if (!incomingFirst) ways.reverse();
      const first = await say(await ways[0]());
      expect(first.isClosed).toBe(false);
      const second = await say(await ways[1]());
      const [incoming, outgoing] = incomingFirst
        ? [first, second]
        : [second, first];
      const [kept, closed] =
        letter === 'Z' ? [incoming, outgoing] : [outgoing, incoming];
      await closed.closed;
      expect(kept.isClosed).toBe(false);
    },
  );

  it('refuses whoever dials again, and finds out whether the first connection is still there', async () => {
    const peerId = Buffer.alloc(20, 'Z');
    const first = await dialNode();
    const end = nextEstablished();
    first.socket.write(hello(peerId));
    await end;
    const nothing = Buffer.alloc(4);
    let said = Buffer.alloc(0);
    first.socket.on('data', (bytes) => (said = Buffer.concat([said, bytes])));
    const second = await dialNode();
    second.socket.write(hello(peerId));
    await second.closed;
    while (!said.subarray(-4).equals(nothing)) await once(first.socket, 'data');
    expect(first.isClosed).toBe(false);
  });

  it('tells the time of what comes before it tells what comes, however long nothing came', async () => {
    const remote = await dialNode();
    const end = nextEstablished();
    remote.socket.write(hello(Buffer.alloc(20, 'Z')));
    await end;
    const before = performance.now();
    told = [];
    const unchoke = Buffer.from([0, 0, 0, 1, 1]);
    remote.socket.write(unchoke);
    while (told.length < 2)
      await new Promise((resolve) => setImmediate(resolve));
    expect(told[0]).toBeGreaterThanOrEqual(before);
    expect(told[1]).toBe('settle');
  });

  it('takes one peer of an address, and any number of this machine', () => {
    const asked: string[] = [];
    const peerAt = (host: string, letter: string): PeerSocket => {
      const peerId = Buffer.alloc(20, letter);
      const transport = { host, port: 1_000 + sockets.size };
      const torrent = { infoHashV1: infoHash };
      const capabilities = { dht: false };
      const remote = { peerId, torrent, capabilities };
      const commands = { keepAlive: () => asked.push(letter) };
      const connection = { commands };
      const socket = { host, transport, remote, connection, incoming: true };
      return socket as unknown as PeerSocket;
    };
    const joins = (host: string, letter: string): boolean => {
      const socket = peerAt(host, letter);
      const remote = socket.remote as RemoteHandshake;
      const joined = connections.joined(socket, remote) !== undefined;
      if (joined) sockets.add(socket);
      return joined;
    };
    expect(joins('192.0.2.1', 'A')).toBe(true);
    expect(joins('192.0.2.1', 'B')).toBe(false);
    expect(joins('192.0.2.2', 'C')).toBe(true);
    expect(joins('2001:db8::1', 'D')).toBe(true);
    expect(joins('2001:db8::1', 'E')).toBe(false);
    expect(joins(host, 'F')).toBe(true);
    expect(joins(host, 'G')).toBe(true);
    expect(asked).toEqual(['A', 'D']);
    sockets.clear();
  });

  it('does not dial itself again', async () => {
    const remote = await dialledByNode();
    const address = { host, port: remote.socket.localPort ?? 0 };
    expect(book.isBanned(address)).toBe(false);
    remote.socket.write(hello(ownId));
    await remote.closed;
    expect(book.isBanned(address)).toBe(true);
    expect(book.next(Infinity)).toBeUndefined();
  });

  it('lets the one that has been silent for longest give way when all places are taken', async () => {
    const silent: Remote[] = [];
    for (let i = 0; i < 500; i++) silent.push(await dialNode());
    const end = nextEstablished();
    const good = await dialNode();
    good.socket.write(hello(Buffer.alloc(20, 'G')));
    await end;
    await silent[0].closed;
    expect(silent.filter(({ isClosed }) => isClosed)).toHaveLength(1);
    expect(good.isClosed).toBe(false);
  });
});
