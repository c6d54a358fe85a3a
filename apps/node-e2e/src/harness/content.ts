/** Test content that is the same for the same seed and does not compress, and the digests to compare it by. */
import { createCipheriv, createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

const step = 1 << 20;

function* blocks(seed: string, size: number): Generator<Buffer> {
  const key = createHash('sha256').update(seed).digest();
  const cipher = createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
  const zeros = Buffer.alloc(Math.min(step, size));
  for (let left = size; left > 0; left -= step)
    yield cipher.update(zeros.subarray(0, Math.min(step, left)));
}

export const bytesOf = (seed: string, size: number): Buffer =>
  Buffer.concat([...blocks(seed, size)]);

/** Writes a file of `size` bytes and returns its sha256 in hex. */
export async function writeContent(
  path: string,
  seed: string,
  size: number,
): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'w');
  try {
    for (const block of blocks(seed, size)) {
      hash.update(block);
      await file.write(block);
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

export const sha256 = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');

export const sha256OfFile = (path: string): Promise<string> =>
  sha256OfStream(createReadStream(path));

export async function sha256OfStream(
  stream: AsyncIterable<Buffer>,
): Promise<string> {
  let hash: Hash = createHash('sha256');
  for await (const chunk of stream) hash = hash.update(chunk);
  return hash.digest('hex');
}
