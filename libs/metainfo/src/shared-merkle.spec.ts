import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import { BLOCK_BYTES, hashFile } from './merkle';

interface Vector {
  readonly size: number;
  readonly piece_length: number;
  readonly pieces_root: string;
  readonly piece_layer_hex: string;
  readonly piece_layer_sha256: string | null;
  readonly piece_layer_hashes: number;
}

const file = join(workspaceRoot, '../shared/cases/vectors.json');
const vectors: Vector[] = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8')).bep52_merkle.vectors
  : [];

/** The vectors' content: the hashes of a counter. */
function content(size: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, i) =>
    createHash('sha256').update(`bep52-${i}`).digest(),
  );
  return Buffer.concat(blocks).subarray(0, size);
}

function leavesOf(bytes: Buffer): Uint8Array {
  const leaves: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) {
    const block = bytes.subarray(at, at + BLOCK_BYTES);
    leaves.push(createHash('sha256').update(block).digest());
  }
  return Buffer.concat(leaves);
}

const present = vectors.length > 0 ? describe : describe.skip;
present('the shared BEP 52 vectors', () => {
  it.each(vectors.map((v) => [v.size, v.piece_length, v] as const))(
    '%i bytes in pieces of %i',
    (size, pieceLength, v) => {
      const { root, layer } = hashFile(leavesOf(content(size)), pieceLength);
      expect(Buffer.from(root).toString('hex')).toBe(v.pieces_root);
      expect((layer?.length ?? 0) / 32).toBe(v.piece_layer_hashes);
      if (layer && v.piece_layer_sha256) {
        const digest = createHash('sha256').update(layer).digest('hex');
        expect(digest).toBe(v.piece_layer_sha256);
      }
      if (layer && v.piece_layer_hex) {
        expect(Buffer.from(layer).toString('hex')).toBe(v.piece_layer_hex);
      }
    },
  );
});

it('has vectors to read, or none at all', () => {
  expect(existsSync(file) ? vectors.length > 0 : true).toBe(true);
});
