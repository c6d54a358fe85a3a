import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { PeerBook } from '@dnd/swarm';
import { TorrentLog } from '../torrent/torrent-log';
import type { TorrentSession } from '../torrent/torrent-session';
import { OutsideTrackers } from './outside-trackers';

/** Seconds between two announces, as the tracker asks. */
const interval = 600;
const gap = 1_000 * interval;

let server: Server;
let url: string;
/** What was asked, in its order. */
let asked: URLSearchParams[];
/** What stands first in the answers. */
let named: string;
beforeEach(async () => {
  jest.useFakeTimers({
    doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'],
  });
  asked = [];
  named = '';
  server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', url);
    asked.push(searchParams);
    response.end(
      `d${named}8:intervali${interval}e5:peers6:\x7f\x00\x00\x07\x1a\xe1e`,
      'latin1',
    );
    server.emit('asked');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/announce`;
});
afterEach(() => {
  jest.useRealTimers();
  server.close();
});

/** A torrent as its trackers are told of it. */
function build(facts: {
  left: number;
  isPartialSeed?: boolean;
  metainfo?: object;
  isPrivate?: boolean;
}) {
  let now = 0;
  const session = {
    ...facts,
    local: { infoHashV1: new Uint8Array(20).fill(7) },
    uploadedBytes: 0,
    downloadedBytes: 0,
    peers: { book: new PeerBook({ random: () => 0.5 }) },
    log: new TorrentLog(),
  };
  const trackers = new OutsideTrackers({
    peerId: new Uint8Array(20).fill(1),
    port: 6881,
    now: () => now,
    found: () => undefined,
  });
  const watched = session as unknown as TorrentSession;
  const next = () => once(server, 'asked');
  /** Until the answer has been taken. */
  const answered = async () => {
    while (trackers.states(watched)[0].state !== 'working')
      await new Promise((resolve) => setImmediate(resolve));
  };
  return {
    trackers,
    session,
    urls: () => trackers.states(watched).map(({ url: each }) => each),
    start: async () => {
      const first = next();
      trackers.start(watched, [[url]]);
      await first;
      await answered();
    },
    /** After the interval. */
    again: async () => {
      now += gap + 1_000;
      const then = next();
      jest.advanceTimersByTime(gap + 1_000);
      await then;
      await answered();
    },
    stop: () => trackers.stop(watched).then(() => trackers.close()),
  };
}

const events = (): (string | null)[] =>
  asked.map((query) => query.get('event'));

it('are told of what begins and ends, and give peers', async () => {
  const { session, start, again, stop } = build({ left: 5 });
  await start();
  await again();
  await stop();
  expect(events()).toEqual(['started', null, 'stopped']);
  expect(asked.map((query) => query.get('left'))).toEqual(['5', '5', '5']);
  expect([...session.peers.book.known()]).toMatchObject([
    { host: '127.0.0.7', port: 6881, sources: ['tracker'] },
  ]);
});

it('hear of one that wants no more though it lacks something that it is paused (BEP 21)', async () => {
  const { start, again, stop } = build({ left: 5, isPartialSeed: true });
  await start();
  await again();
  await again();
  await stop();
  expect(events()).toEqual(['started', 'paused', 'paused', 'stopped']);
});

it('hear nothing of the kind of a seed', async () => {
  const { start, again, stop } = build({ left: 0 });
  await start();
  await again();
  await stop();
  expect(events()).toEqual(['started', null, 'stopped']);
});

it('are more when one names others, unless the torrent is private or may be', async () => {
  const names =
    '13:announce-listll20:http://b.test:1/anno9:udp://b:17:ftp://cee';
  named = names;
  const facts = { left: 5 };
  const open = build({ ...facts, metainfo: {}, isPrivate: false });
  await open.start();
  expect(open.urls().slice(1).sort()).toEqual([
    'http://b.test:1/anno',
    'udp://b:1',
  ]);
  // Paused and resumed, it still knows them.
  await open.trackers.stop(open.session as unknown as TorrentSession);
  named = '';
  await open.start();
  expect(open.urls()).toHaveLength(3);
  named = names;
  for (const more of [{}, { metainfo: {}, isPrivate: true }]) {
    const closed = build({ ...facts, ...more });
    await closed.start();
    expect(closed.urls()).toEqual([url]);
  }
});
