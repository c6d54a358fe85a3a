/** Where a tracker's URL may lead: it comes from whoever made the torrent. */
import type { AnnounceFacts } from '@dnd/tracker';
import type * as DistanceModule from '../distance';
import {
  endAll,
  resolveTo,
  WebServer,
  type Answer,
} from '../testing/web-server';
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

afterEach(() => {
  endAll();
  jest.restoreAllMocks();
});

const peers: Answer = (_, response) => void response.end('d5:peers0:e');
const redirect =
  (location: string): Answer =>
  (_, response) =>
    void response.writeHead(302, { Location: location }).end();

beforeEach(() => resolveTo({ 'tracker.example': ['127.0.0.1'] }));

it('asks a name for what it leads to', async () => {
  const server = await WebServer.listen(peers);
  const url = server.at('/announce', 'tracker.example');
  const body = await httpAnnounce(url, facts);
  expect(Buffer.from(body).toString()).toBe('d5:peers0:e');
  expect(server.asked).toHaveLength(1);
});

it('does not ask other programs of this machine, by whatever name', async () => {
  const server = await WebServer.listen(peers);
  await expect(
    httpAnnounce(server.at('/admin', 'tracker.example'), facts),
  ).rejects.toThrow('must be asked at /announce');
  expect(server.sockets).toEqual([]);
});

it.each([
  ['by its address', '127.0.0.1'],
  ['by a name', 'tracker.example'],
  ['by localhost', 'localhost'],
])(
  'follows no redirect from the Internet into this machine, %s',
  async (_, name) => {
    const inner = await WebServer.listen(peers);
    const outer = await WebServer.listen(
      redirect(inner.at('/announce', name)),
      far,
    );
    await expect(httpAnnounce(outer.at('/announce'), facts)).rejects.toThrow(
      'it leads where we do not go',
    );
    expect([outer.asked.length, inner.sockets.length]).toEqual([1, 0]);
  },
);

it('follows a redirect to another tracker', async () => {
  const second = await WebServer.listen(peers, far);
  const first = await WebServer.listen(redirect(second.at('/announce')), far);
  await httpAnnounce(first.at('/announce'), facts);
  expect(second.asked).toHaveLength(1);
});
