import type { Entry } from './entry';
import { TorrentQueue } from './torrent-queue';

function download(phase: string, change: object = {}): Entry {
  const row = { wish: 'run', completed_at: null, ...change };
  const session = { phase, peers: { sockets: new Set() } };
  return { row, session } as unknown as Entry;
}
const plan = (
  queue: TorrentQueue,
  entries: readonly Entry[],
  now = 0,
  strict = false,
) => queue.plan(entries, 2, now, strict);

it('begins downloads up to the limit, in their order, and all that is complete', () => {
  const entries = ['stopped', 'stopped', 'stopped'].map((p) => download(p));
  const seeds = [1, 2, 3].map((at) =>
    download('stopped', { completed_at: at }),
  );
  const { begin, wait } = plan(new TorrentQueue(), [...entries, ...seeds]);
  expect(begin).toEqual([...seeds, entries[0], entries[1]]);
  expect(wait).toEqual([entries[2]]);
});

it('begins nothing that is not wanted', () => {
  const entries = ['pause', 'failed', 'cancelled'].map((wish) =>
    download('stopped', { wish }),
  );
  expect(plan(new TorrentQueue(), entries)).toEqual({ begin: [], wait: [] });
});

it('has running ones beyond a limit that was lowered wait, the latest', () => {
  const entries = ['active', 'active', 'active'].map((p) => download(p));
  const queue = new TorrentQueue();
  expect(plan(queue, entries).wait).toEqual([]);
  expect(plan(queue, entries, 0, true).wait).toEqual([entries[2]]);
});

it('gives the place of one that has found nobody for a minute to the next', () => {
  const queue = new TorrentQueue();
  const alone = [download('active'), download('metadata')];
  const next = download('stopped');
  const entries = [...alone, next];
  queue.watch(entries, 0);
  expect(plan(queue, entries, 59_999).wait).toEqual([next]);
  expect(plan(queue, entries, 60_000).begin).toEqual([next]);
  for (const { session } of alone) session.peers.sockets.add({} as never);
  queue.watch(entries, 60_000);
  expect(plan(queue, entries, 60_000).wait).toEqual([next]);
});

it('counts the minute anew for one that was paused meanwhile', () => {
  const queue = new TorrentQueue();
  const entries = [download('active'), download('active')];
  const next = download('stopped');
  queue.watch(entries, 0);
  for (const { session } of entries)
    Object.assign(session, { phase: 'stopped' });
  queue.watch(entries, 30_000);
  for (const { session } of entries)
    Object.assign(session, { phase: 'active' });
  queue.watch(entries, 40_000);
  expect(plan(queue, [...entries, next], 99_999).wait).toEqual([next]);
  expect(plan(queue, [...entries, next], 100_000).begin).toEqual([next]);
});

it('keeps no memory of one that is complete or gone', () => {
  const queue = new TorrentQueue();
  const entries = [download('active'), download('active')];
  const next = download('stopped');
  queue.watch(entries, 0);
  for (const entry of entries) queue.forget(entry);
  expect(plan(queue, [...entries, next], 60_000).wait).toEqual([next]);
});
