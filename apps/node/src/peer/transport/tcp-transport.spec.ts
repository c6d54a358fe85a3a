import {
  createServer,
  type AddressInfo,
  type Server,
  type Socket,
} from 'node:net';
import { TcpTransport } from './tcp-transport';

const silent = {
  connected: () => undefined,
  received: () => undefined,
  writable: () => undefined,
  closed: () => undefined,
};

describe('TcpTransport', () => {
  let server: Server;
  let accepted: Promise<Socket>;
  let transport: TcpTransport;

  beforeEach(async () => {
    server = createServer({ pauseOnConnect: true });
    accepted = new Promise((resolve) => server.once('connection', resolve));
    await new Promise<void>((resolve) =>
      server.listen(0, '127.0.0.1', resolve),
    );
    const { port } = server.address() as AddressInfo;
    transport = TcpTransport.dial('127.0.0.1', port, undefined);
  });

  afterEach(async () => {
    transport.destroy();
    (await accepted).destroy();
    await new Promise((resolve) => server.close(resolve));
  });

  it('tells that it has done with what it was given, when it is sent and when it ends before', async () => {
    await new Promise<void>((resolve) =>
      transport.listen({ ...silent, connected: resolve }),
    );
    const remote = await accepted;
    let done = 0;
    const write = (...chunks: Buffer[]): Promise<void> =>
      new Promise((resolve) =>
        transport.write(chunks, () => {
          done++;
          resolve();
        }),
      );
    await write(Buffer.alloc(100));
    expect(done).toBe(1);
    // Nobody reads: one write stops in the middle, the others wait behind it.
    const large = Buffer.alloc(32 * 1024 * 1024);
    const rest = [0, 1, 2].map(() => write(large, Buffer.alloc(1)));
    expect(done).toBe(1);
    transport.destroy();
    await Promise.all(rest);
    await write(large);
    expect(done).toBe(5);
    remote.destroy();
  });

  it('lets others have their turn after 2 MiB on end, and misses nothing', async () => {
    const size = 64 * 1024 * 1024;
    let received = 0;
    let onEnd = 0;
    let most = 0;
    const end = new Promise<string>((resolve) =>
      transport.listen({
        ...silent,
        received: ({ length }) => {
          received += length;
          if (onEnd === 0) setImmediate(() => (onEnd = 0));
          onEnd += length;
          most = Math.max(most, onEnd);
        },
        closed: resolve,
      }),
    );
    (await accepted).end(Buffer.alloc(size));
    expect(await end).toBe('the remote closed the connection');
    expect(received).toBe(size);
    expect(most).toBeGreaterThan(256 * 1024);
    expect(most).toBeLessThanOrEqual(2 * 1024 * 1024);
  });
});
