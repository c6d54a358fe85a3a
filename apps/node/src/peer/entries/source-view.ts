/** Where a torrent's peers come from, as the list of sources shows it. */
import type { PeerSource } from '@dnd/swarm';
import type { OutsideState } from '../sources/outside-trackers';
import type { SourceDto } from '../dto/download-details.dto';
import type { PeerEngine } from '../peer-engine';
import type { TorrentSession } from '../torrent/torrent-session';

export function showSources(
  engine: PeerEngine,
  session: TorrentSession,
): SourceDto[] {
  const counts = new Map<PeerSource, number>();
  for (const { sources } of session.peers.book.known())
    for (const source of new Set(sources.map(shownSource)))
      counts.set(source, (counts.get(source) ?? 0) + 1);
  const found = (['lsd', 'pex', 'manual'] as const).map((kind): SourceDto => {
    const off = session.isPrivate && kind !== 'manual';
    const state = off ? 'off' : 'ok';
    return { kind, url: kind, state, peers: counts.get(kind) ?? 0 };
  });
  const seeds = (session.webSeeds?.states ?? []).map(
    ({ url, state, message }): SourceDto => ({
      kind: 'web-seed',
      url: url.slice(0, 300),
      state,
      ...(message ? { message } : {}),
      peers: state === 'ok' || state === 'working' ? 1 : 0,
    }),
  );
  const outside = engine.sources
    .trackerStates(session)
    .map((state) => showTracker(engine, state));
  const ring = showRing(engine, session);
  return [ring, ...outside, showDht(engine, session), ...seeds, ...found];
}

/** Whom a magnet link names was brought with it by hand. */
export const shownSource = (source: PeerSource): PeerSource =>
  source === 'magnet' ? 'manual' : source;

function showRing(engine: PeerEngine, session: TorrentSession): SourceDto {
  const told = engine.sources.ringState(session);
  return {
    kind: 'ring',
    url: 'the trackers of the ring',
    state: told?.state ?? 'off',
    ...(told?.message ? { message: told.message } : {}),
    peers: told?.peers ?? 0,
    ...(told?.lastAt ? { lastAt: new Date(told.lastAt).toISOString() } : {}),
    ...(told && told.dueAt > 0 ? next(engine, told.dueAt) : {}),
  };
}

function showDht(engine: PeerEngine, session: TorrentSession): SourceDto {
  const told = engine.sources.dhtState(session);
  return {
    kind: 'dht',
    url: 'the mainline DHT',
    state: told?.state ?? 'off',
    ...(told?.message ? { message: told.message } : {}),
    peers: told?.found.size ?? 0,
    ...(told?.lastAt ? { lastAt: new Date(told.lastAt).toISOString() } : {}),
    ...(told ? next(engine, told.dueAt) : {}),
  };
}

const states = {
  waiting: 'waiting',
  announcing: 'working',
  working: 'ok',
  failing: 'error',
  refused: 'off',
} as const;

function showTracker(engine: PeerEngine, tracker: OutsideState): SourceDto {
  const { url, state, reason, notBefore, peers, lastAt } = tracker;
  return {
    kind: 'tracker',
    url: url.slice(0, 300),
    state: states[state],
    ...(reason ? { message: reason.slice(0, 300) } : {}),
    peers,
    ...(lastAt ? { lastAt: new Date(lastAt).toISOString() } : {}),
    ...next(engine, notBefore),
  };
}

/** A time of the engine's clock as one of the calendar; nothing while there is none, as when it is asked now. */
function next(engine: PeerEngine, at: number): Pick<SourceDto, 'nextAt'> {
  if (!Number.isFinite(at)) return {};
  const wait = Math.max(0, at - engine.now());
  return { nextAt: new Date(Date.now() + wait).toISOString() };
}
