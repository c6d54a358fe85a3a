import { PeerBook } from './peer-book';

it('offers the least failed first, and later those that failed', () => {
  const book = new PeerBook();
  expect(book.add('10.0.0.1', 1, 'tracker')).toBe(true);
  expect(book.add('10.0.0.1', 1, 'pex')).toBe(false);
  expect(book.add('10.0.0.1', 0, 'pex')).toBe(false);
  book.add('10.0.0.2', 2, 'lsd');
  const first = book.next(0, true);
  if (!first) throw new Error('nobody');
  first.connected = true;
  book.failed(first, 0);
  expect(book.next(0, true)?.host).toBe('10.0.0.2');
  expect(book.next(0, true)).not.toBe(first);
  book.ban('10.0.0.2:2');
  expect(book.next(0, true)).toBe(undefined);
  expect(book.next(5_000, true)).toBe(first);
  expect(book.isBanned('10.0.0.2')).toBe(true);
  expect(book.isBanned('10.0.0.1')).toBe(false);
});

it('is bounded', () => {
  const book = new PeerBook();
  for (let i = 0; i < 5000; i++)
    book.add(`10.0.${i >> 8}.${i & 255}`, 6881, 'pex');
  expect([...book.counts().values()]).toEqual([2000]);
});
