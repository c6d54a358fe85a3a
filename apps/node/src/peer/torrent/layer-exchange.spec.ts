import { merkleLayer, merkleProof, MerkleTree } from '@dnd/metainfo';
import type { HashRange } from '@dnd/wire';
import { LayerExchange, type LayerRequest } from './layer-exchange';

const pieceLength = 32_768;
const blocksAPiece = 2;

/** A file of so many pieces, with its piece layer. */
function fileOf(pieces: number, seed = 1) {
  const leaves = Buffer.alloc(pieces * blocksAPiece * 32);
  for (let i = 0; i < leaves.length; i += 4)
    leaves.writeUInt32BE((i * seed) >>> 0, i);
  const layer = merkleLayer(leaves, 1);
  const tree = new MerkleTree(layer, 1);
  return { root: tree.root, length: pieces * pieceLength, layer, tree };
}

/** The right answer to a request. */
function answerTo(
  { tree }: ReturnType<typeof fileOf>,
  { index, length, proofLayers }: HashRange,
): Buffer {
  return Buffer.concat([
    tree.hashes(1, index, length),
    ...merkleProof(tree, index, length, proofLayers),
  ]);
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const asked = (requests: LayerRequest<string>[]): string[] =>
  requests.map(({ peer, range }) => `${peer} ${range.index} ${range.length}`);

describe('LayerExchange', () => {
  it.each([2, 3, 5, 512, 513, 1_300])(
    'joins the layer of a file of %i pieces from several peers',
    (pieces) => {
      const file = fileOf(pieces);
      const exchange = new LayerExchange<string>([file], pieceLength);
      for (const peer of ['a', 'b']) exchange.offer(peer);
      for (let round = 0; !exchange.done && round < 10; round++)
        for (const { peer, range } of exchange.next(round)) {
          expect(range.piecesRoot).toBe(file.root);
          expect(range.baseLayer).toBe(1);
          expect(
            exchange.hashes(peer, range, answerTo(file, range), round),
          ).toBe(true);
        }
      expect(exchange.done).toBe(true);
      expect(exchange.wakeAt).toBe(Infinity);
      const [[name, layer]] = exchange.layers;
      expect(name).toBe(hex(file.root));
      expect(hex(layer)).toBe(hex(file.layer));
    },
  );

  it.each<[string, (right: Buffer) => Buffer]>([
    ['another hash', (right) => right.fill(7, 0, 32)],
    ['another uncle', (right) => right.fill(7, right.length - 32)],
    ['an uncle too few', (right) => right.subarray(0, -32)],
    [
      'an uncle too many',
      (right) => Buffer.concat([right, right.subarray(-32)]),
    ],
    ['hashes too few', (right) => right.subarray(0, 64)],
    ['nothing', () => Buffer.alloc(0)],
  ])('takes %s for a lie, and asks somebody else', (_what, bend) => {
    const file = fileOf(1_024);
    const exchange = new LayerExchange<string>([file], pieceLength);
    exchange.offer('liar');
    const [{ range }] = exchange.next(0);
    expect(exchange.hashes('liar', range, bend(answerTo(file, range)), 0)).toBe(
      false,
    );
    expect(exchange.next(1_000_000)).toEqual([]);
    exchange.offer('honest');
    expect(asked(exchange.next(1_000_000))).toEqual([
      `honest ${range.index} ${range.length}`,
      'honest 512 512',
    ]);
  });

  it('takes a layer of one message alone by the root, and nothing after it', () => {
    const file = fileOf(4);
    const exchange = new LayerExchange<string>([file], pieceLength);
    exchange.offer('liar');
    const [{ range }] = exchange.next(0);
    const right = answerTo(file, range);
    const bent = Buffer.from(right).fill(7, 0, 32);
    expect(exchange.hashes('liar', range, bent, 0)).toBe(false);
    exchange.offer('chatty');
    exchange.next(0);
    const more = Buffer.concat([right, right.subarray(0, 32)]);
    expect(exchange.hashes('chatty', range, more, 0)).toBe(false);
    exchange.offer('honest');
    exchange.next(0);
    expect(exchange.hashes('honest', range, right, 0)).toBe(true);
    expect(exchange.done).toBe(true);
  });

  it('ignores what it has not asked for', () => {
    const file = fileOf(1_024);
    const exchange = new LayerExchange<string>([file], pieceLength);
    exchange.offer('a');
    const [{ range }, second] = exchange.next(0);
    const right = answerTo(file, range);
    const others: HashRange[] = [
      { ...range, index: range.index + 2 * range.length },
      { ...range, length: range.length / 2 },
      { ...range, baseLayer: 0 },
      { ...range, proofLayers: 0 },
      { ...range, piecesRoot: Buffer.alloc(32) },
    ];
    for (const other of others)
      expect(exchange.hashes('a', other, Buffer.alloc(64), 0)).toBe(true);
    expect(exchange.hashes('b', range, Buffer.alloc(64), 0)).toBe(true);
    exchange.reject('b', range, 0);
    for (const other of others) exchange.reject('a', other, 0);
    expect(exchange.hashes('a', range, right, 0)).toBe(true);
    expect(exchange.next(0)).toEqual([]);
    expect(exchange.done).toBe(false);
    const rest = answerTo(file, second.range);
    expect(exchange.hashes('a', second.range, rest, 0)).toBe(true);
    expect(exchange.done).toBe(true);
  });

  it('asks a peer for many ranges at once, and every peer in turn', () => {
    const file = fileOf(36 * 512);
    const exchange = new LayerExchange<string>([file], pieceLength);
    exchange.offer('a');
    const first = exchange.next(0);
    expect(first.map(({ range }) => range.index)).toEqual(
      Array.from({ length: 16 }, (_, at) => at * 512),
    );
    expect(exchange.next(0)).toEqual([]);
    exchange.offer('b');
    exchange.offer('c');
    const second = exchange.next(0);
    expect(second.map(({ peer }) => peer)).toEqual(
      Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? 'b' : 'c')),
    );
    expect(exchange.next(0)).toEqual([]);
    for (const { peer, range } of [...second, ...first].reverse())
      exchange.hashes(peer, range, answerTo(file, range), 0);
    expect(exchange.done).toBe(true);
    expect(hex([...exchange.layers.values()][0])).toBe(hex(file.layer));
  });

  it('lets a peer finish that goes on answering, however slowly', () => {
    const file = fileOf(4 * 512);
    const exchange = new LayerExchange<string>([file], pieceLength);
    exchange.offer('slow');
    let now = 0;
    const requests = exchange.next(now);
    expect(requests).toHaveLength(4);
    for (const { peer, range } of requests) {
      now = exchange.wakeAt - 1;
      expect(exchange.next(now)).toEqual([]);
      exchange.hashes(peer, range, answerTo(file, range), now);
    }
    expect(exchange.done).toBe(true);
  });

  it('makes no storm of rejects or silence, and turns to others', () => {
    const file = fileOf(4);
    const exchange = new LayerExchange<string>([file], pieceLength);
    for (const peer of ['rejects', 'silent']) exchange.offer(peer);
    let count = 0;
    for (let now = 0; now < 600_000; now = Math.max(now + 1, exchange.wakeAt))
      for (const { peer, range } of exchange.next(now)) {
        count++;
        if (peer === 'rejects') exchange.reject(peer, range, now);
      }
    expect(count).toBeGreaterThan(2);
    expect(count).toBeLessThanOrEqual(80);
    exchange.offer('good');
    for (let now = 600_000; !exchange.done; now = exchange.wakeAt)
      for (const { peer, range } of exchange.next(now))
        if (peer === 'good')
          exchange.hashes(peer, range, answerTo(file, range), now);
    expect(exchange.done).toBe(true);
  });

  it('asks another for what one who leaves owes', () => {
    const file = fileOf(4);
    const exchange = new LayerExchange<string>([file], pieceLength);
    exchange.offer('a');
    exchange.next(0);
    exchange.offer('b');
    expect(exchange.next(0)).toEqual([]);
    exchange.gone('a');
    expect(asked(exchange.next(0))).toEqual(['b 0 4']);
  });
});
