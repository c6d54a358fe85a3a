import { Packr } from 'msgpackr';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { frameSocket } from './frame-socket';

const maxFrame = 1_000;
const packr = new Packr({ useRecords: false });

let server: Server;
let port: number;
const heard: unknown[] = [];
const clients: Socket[] = [];

beforeAll(async () => {
  const FrameSocket = frameSocket(maxFrame);
  server = createServer((socket) => {
    socket.on('error', () => undefined);
    new FrameSocket(socket).on('message', (message) => heard.push(message));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as { port: number }).port;
});
afterAll(() => {
  for (const client of clients) client.destroy();
  server.close();
});

async function client(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  clients.push(socket);
  await once(socket, 'connect');
  return socket;
}

function frame(value: unknown): Buffer {
  const body = packr.pack(value);
  const head = Buffer.alloc(4);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

/** The server's end of a connection is gone: ours ends too. */
const ended = (socket: Socket): Promise<unknown> =>
  once(socket.resume(), 'close');

it('hears frames however they are cut', async () => {
  const socket = await client();
  const bytes = Buffer.concat([frame({ a: 1 }), frame({ b: 'x'.repeat(500) })]);
  for (const byte of bytes) socket.write(Buffer.of(byte));
  socket.end();
  await ended(socket);
  expect(heard.splice(0)).toEqual([{ a: 1 }, { b: 'x'.repeat(500) }]);
});

it.each([
  ['longer than the bound', Buffer.of(0xe9, 3, 0, 0)],
  ['of four gigabytes', Buffer.of(0xff, 0xff, 0xff, 0xff)],
  ['that is no MessagePack', Buffer.of(1, 0, 0, 0, 0x81)],
  ['that is no object', Buffer.of(1, 0, 0, 0, 7)],
])('ends a connection with a frame %s', async (_what, bytes) => {
  const socket = await client();
  socket.write(bytes);
  await ended(socket);
  expect(heard).toEqual([]);
});

it('holds a bounded number of unfinished frames, over all connections', async () => {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(maxFrame);
  const unfinished = Buffer.concat([head, Buffer.alloc(maxFrame - 1)]);
  const sockets: Socket[] = [];
  for (let i = 0; i < 40; i++) sockets.push(await client());
  // 32 frames less a byte each may wait; the eight beyond them end.
  const eightEnded = new Promise<void>((resolve) => {
    let count = 0;
    for (const socket of sockets)
      socket.resume().once('close', () => ++count === 8 && resolve());
  });
  for (const socket of sockets) socket.write(unfinished);
  await eightEnded;
  // Room again for whoever speaks properly.
  for (const socket of sockets) socket.destroy();
  const good = await client();
  good.end(frame({ good: true }));
  await ended(good);
  expect(heard.splice(0)).toEqual([{ good: true }]);
});
