import { Logger } from '@nestjs/common';
import type { PeerAnnounce, PeerAnnounceAnswer } from '../../tracker/tracker';
import { Announcer } from './announcer';
import type { SourcesOwner } from './peer-sources';
import type { TorrentSession } from '../torrent/torrent-session';

Logger.overrideLogger(false);

/** Milliseconds between two announces of a seed that dials nobody. */
const period = 120_000;

beforeEach(() => jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

/** An announcer and what its tracker hears; the tracker answers when `open` says so. */
function scene() {
  const told: string[] = [];
  let gate: Promise<unknown> = Promise.resolve();
  let fails = false;
  const owner = {
    tracker: {
      checkIn: () => Promise.resolve({ clientId: 1 }),
      announce: async (batch: readonly PeerAnnounce[]) => {
        told.push(
          ...batch.map(({ infoHash, event }) => `${infoHash} ${event}`),
        );
        await gate;
        if (fails) throw new Error('cut off');
        return batch.map(({ infoHash }): PeerAnnounceAnswer => ({
          infoHash,
          peers: [],
          seeders: 1,
          leechers: 0,
          interval: 120,
        }));
      },
    },
    identity: { value: { clientId: 1, token: '' }, change: () => undefined },
    config: { advertise: '127.0.0.1' },
    settings: { name: 'spec' },
    port: 1,
    peerId: new Uint8Array(20),
    now: () => performance.now(),
    found: () => undefined,
  };
  const announcer = new Announcer(owner as unknown as SourcesOwner);
  announcer.start();
  return {
    announcer,
    /** What was told since it was last asked, after so much time. */
    after: async (milliseconds: number): Promise<string[]> => {
      await jest.advanceTimersByTimeAsync(milliseconds);
      return told.splice(0);
    },
    hold: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      return resolve;
    },
    fail: (now: boolean) => (fails = now),
  };
}

function seed(id: string, change: object = {}): TorrentSession {
  return {
    id,
    phase: 'active',
    complete: true,
    isPartialSeed: false,
    left: 0,
    wantsConnections: false,
    peers: { book: { add: () => true }, sockets: { size: 0 } },
    ...change,
  } as unknown as TorrentSession;
}

it('tells of each torrent once a period, and of what happens at once', async () => {
  const { announcer, after } = scene();
  const [a, b] = [seed('a'), seed('b')];
  announcer.started(a);
  announcer.started(b);
  expect(await after(1_000)).toEqual(['a started', 'b started']);
  expect(await after(period - 2_000)).toEqual([]);
  announcer.completed(b);
  expect(await after(1_000)).toEqual(['b completed']);
  expect(await after(2_000)).toEqual(['a update']);
  expect(await after(period)).toEqual(['b update', 'a update']);
  await announcer.stop();
});

it('tells of more torrents than one message takes, one message after the other', async () => {
  const { announcer, after } = scene();
  for (let i = 0; i < 250; i++) announcer.started(seed(`${i}`));
  expect(await after(500)).toHaveLength(100);
  expect(await after(500)).toHaveLength(100);
  expect(await after(500)).toHaveLength(50);
  expect(await after(10_000)).toEqual([]);
  await announcer.stop();
});

it('forgets nothing that happens while an announce is under way', async () => {
  const { announcer, after, hold } = scene();
  const a = seed('a');
  const open = hold();
  announcer.started(a);
  expect(await after(1_000)).toEqual(['a started']);
  announcer.completed(a);
  open();
  expect(await after(1_000)).toEqual(['a completed']);
  expect(await after(period + 1_000)).toEqual(['a update']);
  await announcer.stop();
});

it('tells again what no tracker has heard', async () => {
  const { announcer, after, fail } = scene();
  fail(true);
  announcer.started(seed('a'));
  expect(await after(1_000)).toEqual(['a started']);
  expect(await after(4_000)).toEqual(['a started']);
  fail(false);
  expect(await after(4_000)).toEqual(['a started']);
  expect(await after(period + 1_000)).toEqual(['a update']);
  await announcer.stop();
});

it('says of one that wants no more and lacks something that it is paused (BEP 21)', async () => {
  const { announcer, after } = scene();
  announcer.started(seed('a', { isPartialSeed: true, left: 5 }));
  expect(await after(1_000)).toEqual(['a paused']);
  expect(await after(period + 1_000)).toEqual(['a paused']);
  const ended = announcer.stop();
  expect(await after(0)).toEqual(['a stopped']);
  await ended;
});
