import {
  BLOCK_BYTES,
  buildTorrent,
  hashFile,
  parseTorrent,
  planTorrent,
  uncleCount,
  verifyMerkleProof,
  type Metainfo,
} from '@dnd/metainfo';
import type { TorrentStorage } from '@dnd/storage';
import type { HashRange } from '@dnd/wire';
import { createHash } from 'node:crypto';
import { HashServer } from './hash-server';

const pieceLength = 4 * BLOCK_BYTES;

/** One leaf for each block of a file. */
function leavesOf(file: number, blocks: number): Uint8Array {
  const leaves = Array.from({ length: blocks }, (_, i) =>
    createHash('sha256').update(`${file} ${i}`).digest(),
  );
  return Buffer.concat(leaves);
}

/** Files of so many blocks each; `lacking` pieces are not there. */
function served(blocks: readonly number[], lacking: readonly number[] = []) {
  const plan = planTorrent({
    name: 'hashes',
    format: 'v2',
    pieceLength,
    files: blocks.map((count, i) => ({
      path: [`${i}`],
      length: count * BLOCK_BYTES - 7,
    })),
  });
  const all = blocks.map((count, i) => leavesOf(i, count));
  const files = all.map((leaves) => hashFile(leaves, pieceLength));
  const metainfo: Metainfo = parseTorrent(buildTorrent(plan, { files }));
  const perPiece = pieceLength / BLOCK_BYTES;
  const pieces = all.flatMap((leaves, file) =>
    Array.from({ length: Math.ceil(blocks[file] / perPiece) }, (_, i) =>
      leaves.subarray(i * perPiece * 32, (i + 1) * perPiece * 32),
    ),
  );
  let waiting: (() => void)[] = [];
  let holds = false;
  const storage = {
    leaves: async (piece: number): Promise<Uint8Array> => {
      if (holds) await new Promise<void>((go) => waiting.push(go));
      if (lacking.includes(piece)) throw new Error('not here');
      return pieces[piece];
    },
  } as unknown as TorrentStorage;
  return {
    server: new HashServer(metainfo, storage),
    all,
    roots: files.map(({ root }) => root),
    hold: () => (holds = true),
    release: () => {
      holds = false;
      for (const go of waiting) go();
      waiting = [];
    },
  };
}

const range = (
  piecesRoot: Uint8Array,
  baseLayer: number,
  index: number,
  length: number,
  proofLayers: number,
): HashRange => ({ piecesRoot, baseLayer, index, length, proofLayers });

describe('HashServer', () => {
  it('proves every range that it answers, and answers every range of blocks and pieces that exists', async () => {
    const blocks = [2, 3, 4, 5, 8, 13, 21];
    const { server, roots } = served(blocks);
    for (const [file, count] of blocks.entries()) {
      const leafHeight = Math.ceil(Math.log2(count));
      const pieces = Math.ceil(count / 4);
      for (const base of [0, 2]) {
        const height = leafHeight - base;
        const isThere = base === 0 || pieces > 1;
        for (let length = 2; length <= 64; length *= 2)
          for (let index = 0; index <= 64; index += length) {
            const asked = range(roots[file], base, index, length, 30);
            const hashes = await server.answer(asked);
            const inside = index < (base === 0 ? count : pieces);
            if (!hashes) {
              const fits = length <= 2 ** height;
              expect([asked, isThere && inside && fits]).toEqual([
                asked,
                false,
              ]);
              continue;
            }
            expect(isThere && inside).toBe(true);
            const own = hashes.subarray(0, length * 32);
            const uncles: Uint8Array[] = [];
            for (let at = own.length; at < hashes.length; at += 32)
              uncles.push(hashes.subarray(at, at + 32));
            expect([
              asked,
              verifyMerkleProof(roots[file], own, index, uncles),
            ]).toEqual([asked, true]);
          }
      }
    }
  });

  it('sends no more of a proof than is asked for', async () => {
    const { server, roots, all } = served([32]);
    for (let layers = 0; layers <= 5; layers++) {
      const hashes = await server.answer(range(roots[0], 0, 4, 2, layers));
      const uncles = Math.min(uncleCount(2, layers), 4);
      expect(hashes).toHaveLength((2 + uncles) * 32);
      const own = all[0].subarray(4 * 32, 6 * 32);
      expect(hashes?.subarray(0, 64)).toEqual(Buffer.from(own));
    }
  });

  it.each<[string, Partial<HashRange>]>([
    ['an unknown root', { piecesRoot: new Uint8Array(32) }],
    ['an index past the end', { index: 32 }],
    ['an index that is no multiple', { index: 1 }],
    ['a length of 0', { length: 0 }],
    ['a length of 1', { length: 1 }],
    ['a length of 3', { length: 3 }],
    ['a length of 2³¹', { length: 2 ** 31 }],
    ['a layer between blocks and pieces', { baseLayer: 1 }],
    ['a layer above the pieces', { baseLayer: 3 }],
    ['a layer of 2³² − 1', { baseLayer: 2 ** 32 - 1 }],
    ['a proof of 2³² − 1 layers', { proofLayers: 2 ** 32 - 1 }],
  ])('rejects %s', async (_what, odd) => {
    const { server, roots } = served([21]);
    const right = range(roots[0], 0, 0, 2, 4);
    expect(await server.answer(right)).toBeDefined();
    expect(await server.answer({ ...right, ...odd })).toBeUndefined();
  });

  it('rejects blocks of pieces that are not there, and tells those that are', async () => {
    const { server, roots } = served([8], [1]);
    expect(await server.answer(range(roots[0], 0, 0, 4, 5))).toBeDefined();
    expect(await server.answer(range(roots[0], 0, 4, 4, 5))).toBeUndefined();
    expect(await server.answer(range(roots[0], 0, 0, 8, 5))).toBeUndefined();
    expect(await server.answer(range(roots[0], 2, 0, 2, 5))).toBeDefined();
  });

  it('rejects what is too much at a time, and only then', async () => {
    const { server, roots, hold, release } = served([8]);
    hold();
    const asked = range(roots[0], 0, 0, 2, 5);
    const answers = Array.from({ length: 100 }, () => server.answer(asked));
    // Whoever is refused is so at once, while the others wait for the disk.
    const late = Symbol('late');
    const now = await Promise.all(
      answers.map((answer) =>
        Promise.race([answer, new Promise((go) => setImmediate(go, late))]),
      ),
    );
    const waiting = now.filter((answer) => answer === late);
    expect(waiting.length).toBeGreaterThan(0);
    expect(waiting.length).toBeLessThan(50);
    expect(now.filter((answer) => answer === undefined)).toHaveLength(
      100 - waiting.length,
    );
    release();
    await Promise.all(answers);
    expect(await server.answer(asked)).toBeDefined();
  });
});
