import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import {
  hashFile,
  merkleLayer,
  merkleProof,
  merkleRoot,
  MerkleTree,
  pieceRoot,
  uncleCount,
  verifyMerkleProof,
  zeroHash,
} from './merkle';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const sha256 = (...parts: Uint8Array[]) =>
  new Uint8Array(createHash('sha256').update(Buffer.concat(parts)).digest());
const leaf = (n: number) => sha256(Uint8Array.of(n, n >> 8));
const leaves = (count: number) =>
  Buffer.concat(Array.from({ length: count }, (_, n) => leaf(n)));

/** The definition, level by level over all the zero leaves. */
function plainRoot(hashes: Uint8Array): Uint8Array {
  let level: Uint8Array[] = [];
  for (let at = 0; at < hashes.length; at += 32) {
    level.push(hashes.subarray(at, at + 32));
  }
  while (!Number.isInteger(Math.log2(level.length))) {
    level.push(new Uint8Array(32));
  }
  while (level.length > 1) {
    level = level.flatMap((hash, i) =>
      i % 2 === 0 ? [sha256(hash, level[i + 1])] : [],
    );
  }
  return level[0];
}

describe('hash trees', () => {
  it('agree with published roots', () => {
    // One byte, and 32 KiB − 1, of the test stream sha256("bep52-0") sha256("bep52-1") …
    const stream = Buffer.concat(
      Array.from({ length: 1024 }, (_, i) =>
        createHash('sha256').update(`bep52-${i}`).digest(),
      ),
    ).subarray(0, 32_767);
    const one = sha256(stream.subarray(0, 1));
    expect(hex(merkleRoot(one))).toBe(
      '50e721e49c013f00c62cf59f2163542a9d8df02464efeb615d31051b0fddc326',
    );
    const two = Buffer.concat([
      sha256(stream.subarray(0, 16_384)),
      sha256(stream.subarray(16_384)),
    ]);
    const { root, layer } = hashFile(two, 16_384);
    expect(hex(root)).toBe(
      '509610c4eb339ffa04731b5b93a8b367367c83a855ebbc18d82c61500fca26e2',
    );
    expect(hex(layer ?? new Uint8Array())).toBe(hex(two));
    expect(hashFile(two, 32_768)).toEqual({ root });
  });

  it('follow the definition for any number of leaves and any piece length', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 0, max: 4 }),
        (count, level) => {
          const all = leaves(count);
          const expected = hex(plainRoot(all));
          expect(hex(merkleRoot(all))).toBe(expected);
          const pieceLength = 16_384 * 2 ** level;
          expect(hex(hashFile(all, pieceLength).root)).toBe(expected);
          if (count > 2 ** level) {
            const layer = merkleLayer(all, level);
            expect(layer.length / 32).toBe(Math.ceil(count / 2 ** level));
            expect(hex(merkleRoot(layer, level))).toBe(expected);
            expect(
              hex(new MerkleTree(all).hashes(level, 0, layer.length / 32)),
            ).toBe(hex(layer));
            const first = all.subarray(0, 32 * 2 ** level);
            expect(hex(pieceRoot(first, pieceLength))).toBe(
              hex(layer.subarray(0, 32)),
            );
          }
        },
      ),
    );
  });

  it('have zero hashes beyond the end', () => {
    expect(hex(zeroHash(1))).toBe(hex(sha256(new Uint8Array(64))));
    const tree = new MerkleTree(leaves(5));
    expect(tree.height).toBe(3);
    expect(tree.hash(0, 7)).toEqual(zeroHash(0));
    expect(tree.hash(1, 3)).toEqual(zeroHash(1));
  });
});

describe('proofs', () => {
  it('count uncles as BEP 52 counts proof layers', () => {
    expect(uncleCount(2, 3)).toBe(3);
    expect(uncleCount(8, 3)).toBe(1);
    expect(uncleCount(512, 3)).toBe(0);
  });

  it('lead to the root, and nothing else does', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 70 }),
        fc.nat(),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(),
        (count, pick, log, flip) => {
          const tree = new MerkleTree(leaves(count));
          const length = 2 ** Math.min(log, tree.height);
          const index = (pick % (2 ** tree.height / length)) * length;
          const hashes = tree.hashes(0, index, length);
          const uncles = merkleProof(tree, index, length, tree.height - 1);
          expect(uncles).toHaveLength(tree.height - Math.log2(length));
          expect(verifyMerkleProof(tree.root, hashes, index, uncles)).toBe(
            true,
          );

          const bent = hashes.slice();
          bent[flip % bent.length] ^= 1;
          expect(verifyMerkleProof(tree.root, bent, index, uncles)).toBe(false);
          const beyond = index + 2 ** tree.height;
          expect(verifyMerkleProof(tree.root, hashes, beyond, uncles)).toBe(
            false,
          );
          expect(
            verifyMerkleProof(tree.root, hashes, index, uncles.slice(1)),
          ).toBe(uncles.length === 0);
        },
      ),
    );
  });

  it('work from a piece layer up', () => {
    const all = leaves(40);
    const layer = merkleLayer(all, 2);
    const tree = new MerkleTree(layer, 2);
    expect(hex(tree.root)).toBe(hex(merkleRoot(all)));
    const hashes = tree.hashes(2, 8, 2);
    const uncles = merkleProof(tree, 8, 2, tree.height - 2 - 1);
    expect(verifyMerkleProof(tree.root, hashes, 8, uncles)).toBe(true);
  });

  it('refuse shapes that cannot be', () => {
    const tree = new MerkleTree(leaves(4));
    const three = tree.hashes(0, 0, 3);
    expect(verifyMerkleProof(tree.root, three, 0, [])).toBe(false);
    const two = tree.hashes(0, 1, 2);
    expect(verifyMerkleProof(tree.root, two, 1, [leaf(9)])).toBe(false);
    expect(verifyMerkleProof(tree.root, new Uint8Array(), 0, [])).toBe(false);
    const uncle = tree.hash(1, 1).subarray(1);
    const good = tree.hashes(0, 0, 2);
    expect(verifyMerkleProof(tree.root, good, 0, [uncle])).toBe(false);
  });
});
