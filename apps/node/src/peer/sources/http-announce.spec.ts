/** Where a tracker's URL may lead: it comes from whoever made the torrent. */
import type { AnnounceFacts } from '@dnd/tracker';
import dns from 'node:dns';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type * as DistanceModule from '../distance';
import { httpAnnounce } from './http-announce';

/** An address of this machine that stands for one on the Internet. */
const far = '127.0.0.2';

jest.mock('../distance', () => {
  const real = jest.requireActual<typeof DistanceModule>('../distance');
  return {
    ...real,
    distanceOf: (host: string) =>
      host === '127.0.0.2' ? real.Distance.far : real.distanceOf(host),
  };
});

const facts: AnnounceFacts = {
  infoHash: new Uint8Array(20),
  peerId: new Uint8Array(20),
  port: 6_881,
  uploaded: 0,
  downloaded: 0,
  left: 0,
  numwant: 50,
  key: 1,
};

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  jest.restoreAllMocks();
});

/** A tracker, the paths that it was asked for, and its URLs. */
async function tracker(
  answer: RequestListener,
  host = '127.0.0.1',
): Promise<{ asked: string[]; at(path: string, name?: string): string }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url?.split('?')[0] ?? '');
    answer(request, response);
  });
  servers.push(server);
  await once(server.listen(0, host), 'listening');
  const { port } = server.address() as AddressInfo;
  return { asked, at: (path, name = host) => `http://${name}:${port}${path}` };
}

const peers: RequestListener = (_, response) =>
  void response.end('d5:peers0:e');
const redirect =
  (location: string): RequestListener =>
  (_, response) =>
    void response.writeHead(302, { Location: location }).end();

/** Every name leads here. */
function leadNamesHere(): void {
  jest
    .spyOn(dns, 'lookup')
    .mockImplementation(((
      _name: string,
      _options: object,
      done: (...found: unknown[]) => void,
    ) => done(null, [{ address: '127.0.0.1', family: 4 }])) as never);
}

it('asks a name for what it leads to', async () => {
  const { asked, at } = await tracker(peers);
  leadNamesHere();
  const body = await httpAnnounce(at('/announce', 'tracker.example'), facts);
  expect(Buffer.from(body).toString()).toBe('d5:peers0:e');
  expect(asked).toEqual(['/announce']);
});

it('does not ask other programs of this machine, by whatever name', async () => {
  const { asked, at } = await tracker(peers);
  leadNamesHere();
  await expect(
    httpAnnounce(at('/admin', 'tracker.example'), facts),
  ).rejects.toThrow('must be asked at /announce');
  expect(asked).toEqual([]);
});

it.each([
  ['by its address', '127.0.0.1', '/announce'],
  ['by a name', 'tracker.example', '/announce'],
  ['by localhost', 'localhost', '/announce'],
])(
  'follows no redirect from the Internet into this machine, %s',
  async (_, name, path) => {
    const inner = await tracker(peers);
    const outer = await tracker(redirect(inner.at(path, name)), far);
    leadNamesHere();
    await expect(httpAnnounce(outer.at('/announce'), facts)).rejects.toThrow(
      'it leads where we do not go',
    );
    expect([outer.asked, inner.asked]).toEqual([['/announce'], []]);
  },
);

it('follows a redirect to another tracker', async () => {
  const second = await tracker(peers, far);
  const first = await tracker(redirect(second.at('/announce')), far);
  await httpAnnounce(first.at('/announce'), facts);
  expect(second.asked).toEqual(['/announce']);
});
