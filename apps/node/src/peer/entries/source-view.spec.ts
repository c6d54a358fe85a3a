import type { PeerEngine } from '../peer-engine';
import type { TorrentSession } from '../torrent/torrent-session';
import { showSources } from './source-view';

/** What is shown of the ring's trackers that are due at `dueAt`, a minute after the engine's start. */
function ring(state: string, dueAt: number) {
  const told = { state, dueAt, peers: 2, message: undefined, lastAt: 1 };
  const engine = {
    now: () => 60_000,
    sources: {
      ringState: () => told,
      dhtState: () => undefined,
      trackerStates: () => [],
    },
  } as unknown as PeerEngine;
  const session = {
    peers: { book: { known: () => [] } },
    isPrivate: false,
  } as unknown as TorrentSession;
  const [shown] = showSources(engine, session);
  return shown;
}

it('tells when a source is asked next', () => {
  const { nextAt } = ring('ok', 120_000);
  const wait = Date.parse(nextAt ?? '') - Date.now();
  expect(wait).toBeGreaterThan(50_000);
  expect(wait).toBeLessThanOrEqual(60_000);
});

it.each([0, Infinity])('tells no time of one that is asked now (%d)', (dueAt) =>
  expect(ring('working', dueAt)).toEqual({
    kind: 'ring',
    url: 'the trackers of the ring',
    state: 'working',
    peers: 2,
    lastAt: new Date(1).toISOString(),
  }),
);
