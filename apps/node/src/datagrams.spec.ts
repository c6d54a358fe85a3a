import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { openDatagrams } from './datagrams';

const open: Socket[] = [];
afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});
const opened = async (host: string): Promise<Socket> => {
  const socket = await openDatagrams(0, host);
  open.push(socket);
  return socket;
};

test.each(['127.0.0.1', '::1'])(
  'sends from %s and takes what comes',
  async (host) => {
    const [one, other] = [await opened(host), await opened(host)];
    one.send('told', other.address().port, host);
    const [bytes, from] = await once(other, 'message');
    expect(String(bytes)).toBe('told');
    expect(from.port).toBe(one.address().port);
  },
);

test('keeps more for a busy program than a plain socket does', async () => {
  const plain = createSocket('udp4').bind(0, '127.0.0.1');
  open.push(plain);
  await once(plain, 'listening');
  const socket = await opened('127.0.0.1');
  expect(socket.getRecvBufferSize()).toBeGreaterThan(plain.getRecvBufferSize());
});

test('a taken port is told', async () => {
  const { port } = (await opened('127.0.0.1')).address();
  await expect(openDatagrams(port, '127.0.0.1')).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});
