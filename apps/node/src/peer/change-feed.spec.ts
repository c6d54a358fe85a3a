import { ChangeFeed } from './change-feed';
import type { PeerEvent } from './peer';

const removed = (id: string): PeerEvent => ({
  type: 'download-removed',
  data: { id },
});

it('tells what came after a cursor, and everything to whoever is new or late', async () => {
  const feed = new ChangeFeed(() => [removed('all')]);
  const first = await feed.after(0, 0);
  expect(first).toMatchObject({ reset: true, events: [removed('all')] });
  feed.push(removed('a'));
  feed.push(removed('b'));
  const next = await feed.after(first.cursor, 0);
  expect(next).toMatchObject({
    reset: false,
    events: [removed('a'), removed('b')],
  });
  for (let i = 0; i < 10_000; i++) feed.push(removed(String(i)));
  expect((await feed.after(next.cursor, 0)).reset).toBe(true);
});

it('waits for the next change', async () => {
  const feed = new ChangeFeed(() => []);
  const { cursor } = await feed.after(0, 0);
  const waiting = feed.after(cursor, 60_000);
  feed.push(removed('x'));
  expect((await waiting).events).toEqual([removed('x')]);
});
