import { TorrentLog } from './torrent-log';

it('tells the newest first and counts what repeats itself', () => {
  let now = 0;
  const log = new TorrentLog(() => ++now);
  log.add('started');
  log.add('tracker-failed', 'no answer');
  log.add('tracker-failed', 'no answer');
  log.add('tracker-failed', 'refused');
  expect(log.list()).toEqual([
    { at: 4, kind: 'tracker-failed', detail: 'refused', count: 1 },
    { at: 3, kind: 'tracker-failed', detail: 'no answer', count: 2 },
    { at: 1, kind: 'started', detail: '', count: 1 },
  ]);
});

it('is bounded in entries and in their length', () => {
  const log = new TorrentLog(() => 0);
  for (let piece = 0; piece < 1000; piece++) log.add('corrupt', String(piece));
  log.add('failed', 'x'.repeat(1000));
  expect(log.list()).toHaveLength(200);
  expect(log.list()[0].detail).toHaveLength(300);
  expect(log.list().at(-1)?.detail).toBe('801');
});
