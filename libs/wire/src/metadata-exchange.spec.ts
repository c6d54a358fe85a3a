import { MetadataExchange } from './metadata-exchange';
import { countingBytes } from './testing/recorded-peer';

const SIZE = 40_000;
const GOOD = countingBytes(5)(SIZE);
const isGood = (bytes: Uint8Array): boolean => Buffer.from(GOOD).equals(bytes);

function pieceOf(bytes: Uint8Array, piece: number): Uint8Array {
  return bytes.subarray(piece * 16_384, (piece + 1) * 16_384);
}

/** Answers every request with `bytes` until nothing more is asked. */
function serve(
  exchange: MetadataExchange<string>,
  bytes: Record<string, Uint8Array | 'silent' | 'reject'>,
  from = 0,
  until = from + 1,
): number {
  let asked = 0;
  for (let now = from; now < until;) {
    const requests = exchange.next(now);
    asked += requests.length;
    for (const { peer, piece } of requests) {
      const source = bytes[peer];
      if (source === 'reject') exchange.reject(peer, piece, now);
      else if (source !== 'silent') {
        const data = pieceOf(source, piece);
        exchange.data(peer, piece, source.length, data, now);
      }
    }
    if (requests.length === 0) now = Math.max(now + 1, exchange.wakeAt);
  }
  return asked;
}

function expectGood(exchange: MetadataExchange<string>): void {
  expect(isGood(exchange.metadata ?? new Uint8Array(0))).toBe(true);
}

describe('metadata exchange', () => {
  it('joins the pieces of several peers', () => {
    const exchange = new MetadataExchange<string>(isGood);
    exchange.offer('a', SIZE);
    exchange.offer('b', SIZE);
    serve(exchange, { a: GOOD, b: GOOD });
    expectGood(exchange);
    expect(exchange.next(1)).toEqual([]);
  });

  it.each([0, -1, 2 ** 31, 2 ** 40, 1e9, undefined])(
    'does not believe a size of %p, and a right one still works',
    (size) => {
      const exchange = new MetadataExchange<string>(isGood);
      exchange.offer('liar', size);
      expect(exchange.next(0)).toEqual([]);
      exchange.offer('good', SIZE);
      serve(exchange, { good: GOOD });
      expectGood(exchange);
    },
  );

  it('is not kept from the right size by a believable wrong one', () => {
    const exchange = new MetadataExchange<string>(isGood);
    for (const liar of ['x', 'y', 'z']) exchange.offer(liar, 30_000_000);
    exchange.offer('good', SIZE);
    const bytes = {
      x: 'silent',
      y: 'silent',
      z: 'silent',
      good: GOOD,
    } as const;
    serve(exchange, bytes);
    expectGood(exchange);
  });

  it('is not kept from it by several that send without end, each of another size', () => {
    const exchange = new MetadataExchange<string>(isGood);
    const sizes = { x: 33_554_432, y: 33_000_000, z: 32_000_000 };
    for (const [liar, size] of Object.entries(sizes))
      exchange.offer(liar, size);
    exchange.offer('good', SIZE);
    for (let round = 0; round < 10; round++)
      for (const { peer, piece } of exchange.next(round)) {
        const size = sizes[peer as keyof typeof sizes] ?? SIZE;
        const data =
          peer === 'good' ? pieceOf(GOOD, piece) : new Uint8Array(16_384);
        exchange.data(peer, piece, size, data, round);
      }
    expectGood(exchange);
  });

  it('is not kept from it by one that fills the memory and withholds the end', () => {
    const exchange = new MetadataExchange<string>(isGood);
    const size = 33_554_432;
    const last = size / 16_384 - 1;
    exchange.offer('liar', size);
    const junk = new Uint8Array(16_384);
    let left = true;
    while (left) {
      left = false;
      for (const { piece } of exchange.next(0)) {
        if (piece === last) continue;
        exchange.data('liar', piece, size, junk, 0);
        left = true;
      }
    }
    exchange.offer('good', SIZE);
    let asked = 0;
    for (let round = 1; round < 10; round++)
      for (const { peer, piece } of exchange.next(round)) {
        if (peer === 'liar') continue;
        asked++;
        exchange.data(peer, piece, SIZE, pieceOf(GOOD, piece), round);
      }
    expectGood(exchange);
    expect(asked).toBe(3);
  });

  it('throws away what hashes wrong, names the liar and asks others', () => {
    const exchange = new MetadataExchange<string>(isGood);
    exchange.offer('liar', SIZE);
    serve(exchange, { liar: countingBytes(6)(SIZE) });
    expect(exchange.metadata).toBeUndefined();
    expect(exchange.takeLiars()).toEqual(['liar']);
    exchange.offer('liar', SIZE);
    expect(exchange.next(2)).toEqual([]);
    exchange.offer('good', SIZE);
    serve(exchange, { good: GOOD }, 3);
    expectGood(exchange);
  });

  it('finds one liar among several sources and never blames the honest', () => {
    const exchange = new MetadataExchange<string>(isGood);
    for (const peer of ['a', 'liar', 'b']) exchange.offer(peer, SIZE);
    const bytes = { a: GOOD, b: GOOD, liar: countingBytes(6)(SIZE) };
    serve(exchange, bytes, 0, 100);
    expectGood(exchange);
    expect(exchange.takeLiars().every((peer) => peer === 'liar')).toBe(true);
  });

  it('is not driven into a storm by rejects', () => {
    const exchange = new MetadataExchange<string>(isGood);
    exchange.offer('a', SIZE);
    const asked = serve(exchange, { a: 'reject' }, 0, 600_000);
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThan(20);
  });

  it('asks another when one is silent', () => {
    const exchange = new MetadataExchange<string>(isGood);
    exchange.offer('silent', SIZE);
    exchange.next(0);
    exchange.offer('good', SIZE);
    serve(exchange, { silent: 'silent', good: GOOD }, 0, 60_000);
    expectGood(exchange);
  });

  it('ignores what it did not ask for', () => {
    const exchange = new MetadataExchange<string>(isGood);
    exchange.offer('a', SIZE);
    for (let piece = -1; piece < 5; piece++) {
      exchange.data('a', piece, SIZE, pieceOf(GOOD, Math.max(piece, 0)), 0);
      exchange.data('b', piece, SIZE, pieceOf(GOOD, Math.max(piece, 0)), 0);
    }
    expect(exchange.metadata).toBeUndefined();
    expect(exchange.next(0)).toHaveLength(3);
  });

  it('begins anew when the only source leaves', () => {
    const exchange = new MetadataExchange<string>(isGood);
    exchange.offer('a', SIZE);
    const [first] = exchange.next(0);
    exchange.data('a', first.piece, SIZE, pieceOf(GOOD, first.piece), 0);
    exchange.gone('a');
    expect(exchange.wakeAt).toBe(Infinity);
    exchange.offer('b', SIZE);
    serve(exchange, { b: GOOD }, 1);
    expectGood(exchange);
  });
});
