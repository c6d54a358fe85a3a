import { createHash } from 'node:crypto';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { merkleRoot } from '@dnd/metainfo';
import fc from 'fast-check';
import { Hasher, Want } from './hasher';
import {
  makeFolder,
  makeHasher,
  noise,
  removeFolders,
  sha1,
} from './testing/fixture';

const LEAF = 16_384;
const hasher = makeHasher();
afterAll(async () => {
  await hasher.close();
  removeFolders();
});

function shared(bytes: Uint8Array): SharedArrayBuffer {
  const memory = new SharedArrayBuffer(Math.max(1, bytes.length));
  new Uint8Array(memory).set(bytes);
  return memory;
}

function split(bytes: Uint8Array, algorithm: 'sha1' | 'sha256'): Buffer {
  const digests: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += LEAF) {
    digests.push(
      createHash(algorithm)
        .update(bytes.subarray(at, at + LEAF))
        .digest(),
    );
  }
  return Buffer.concat(digests);
}

describe('Hasher', () => {
  it('knows the published digest of "abc"', async () => {
    const digest = await hasher.sha1(shared(Buffer.from('abc')), 3);
    expect(Buffer.from(digest).toString('hex')).toBe(
      'a9993e364706816aba3e25717850c26c9cd0d89d',
    );
  });

  it('hashes memory and files alike, however the bytes are spread over files', async () => {
    const folder = makeFolder();
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 0, max: 90_000 }), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.integer({ min: 0, max: 3 }),
        async (lengths, skip) => {
          const parts = lengths.map((length, i) => noise(length, i + 1));
          const files = parts.map((part, i) => {
            const path = join(folder, String(i));
            writeFileSync(path, Buffer.concat([noise(skip, 99), part]));
            return path;
          });
          const bytes = Buffer.concat(parts);
          const length = bytes.length;
          const width =
            2 ** Math.ceil(Math.log2(Math.max(1, Math.ceil(length / LEAF))));
          const want = Want.sha1 | Want.root | Want.leaves | Want.blocks;
          const ranges = parts.flatMap((part, i) => [i, skip, part.length]);
          const results = await hasher.hash(
            [
              { want, width, length, memory: shared(bytes) },
              { want, width, length, ranges },
            ],
            {},
            files,
          );
          const leaves = split(bytes, 'sha256');
          const root = length > 0 ? merkleRoot(leaves) : Buffer.alloc(32);
          const expected = Buffer.concat([
            sha1(bytes),
            root,
            leaves,
            split(bytes, 'sha1'),
          ]);
          for (const { digests } of results) {
            expect(Buffer.compare(digests, expected)).toBe(0);
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it('pads a short tree with zero leaves, and counts zeros for SHA-1 alone', async () => {
    const path = join(makeFolder(), 'f');
    const bytes = noise(3 * LEAF - 5);
    writeFileSync(path, bytes);
    const unit = {
      want: Want.sha1 | Want.root,
      width: 8,
      length: 4 * LEAF,
      ranges: [0, 0, bytes.length, -1, 0, LEAF + 5],
    };
    const [{ digests }] = await hasher.hash([unit], {}, [path]);
    const padded = Buffer.concat([bytes, Buffer.alloc(LEAF + 5)]);
    const leaves = Buffer.concat([
      split(bytes, 'sha256'),
      Buffer.alloc(5 * 32),
    ]);
    expect(Buffer.from(digests)).toEqual(
      Buffer.concat([sha1(padded), merkleRoot(leaves)]),
    );
  });

  it('says which range of which unit could not be read, and hashes the others', async () => {
    const folder = makeFolder();
    const good = join(folder, 'good');
    const link = join(folder, 'link');
    writeFileSync(good, noise(100));
    symlinkSync(good, link);
    const unit = { want: Want.sha1, width: 0, length: 100 };
    const results = await hasher.hash(
      [
        { ...unit, ranges: [0, 0, 50, 1, 0, 50] },
        { ...unit, ranges: [0, 0, 100] },
        { ...unit, ranges: [0, 1, 100] },
        { ...unit, ranges: [2, 0, 100] },
      ],
      {},
      [good, join(folder, 'gone'), link],
    );
    expect(results.map((r) => r.failure)).toEqual([
      { range: 1, code: 'ENOENT' },
      undefined,
      { range: 0, code: 'SHORT' },
      { range: 0, code: 'ELOOP' },
    ]);
    expect(Buffer.from(results[1].digests)).toEqual(sha1(noise(100)));
  });

  it('cancels what waits and lets go only of what is no longer looked at', async () => {
    const own = makeHasher(1);
    const stop = new AbortController();
    const memory = shared(noise(2 ** 20));
    const unit = { want: Want.root, width: 64, length: 2 ** 20, memory };
    const jobs = Array.from({ length: 10 }, () =>
      own.hash([unit], { signal: stop.signal }),
    );
    const urgent = own.hash([unit], { urgent: true });
    stop.abort();
    for (const job of jobs)
      await expect(job).rejects.toMatchObject({ code: 'aborted' });
    await expect(urgent).resolves.toHaveLength(1);
    await expect(
      own.hash([unit], { signal: stop.signal }),
    ).rejects.toMatchObject({ code: 'aborted' });
    await own.close();
    await expect(own.hash([unit])).rejects.toMatchObject({ code: 'closed' });
  });

  it('ends its threads when there is nothing to do, and starts them again', async () => {
    const own = makeHasher(2, 0);
    for (const text of ['once', 'again']) {
      const bytes = Buffer.from(text);
      const digest = await own.sha1(shared(bytes), bytes.length);
      expect(Buffer.from(digest)).toEqual(Buffer.from(sha1(bytes)));
      while (own.running > 0)
        await new Promise((resolve) => setImmediate(resolve));
    }
    await own.close();
  });

  it('does urgent work first', async () => {
    const own = makeHasher(1);
    const order: string[] = [];
    const memory = shared(noise(LEAF));
    const unit = { want: Want.sha1, width: 0, length: LEAF, memory };
    const note = (name: string) => () => order.push(name);
    await Promise.all([
      ...[1, 2, 3, 4].map((i) => own.hash([unit]).then(note(`patient ${i}`))),
      own.hash([unit], { urgent: true }).then(note('urgent')),
    ]);
    expect(order.indexOf('urgent')).toBeLessThan(order.indexOf('patient 3'));
    await own.close();
  });

  it('says so when its threads cannot start, or die', async () => {
    const folder = makeFolder();
    const memory = shared(noise(1));
    const unit = { want: Want.sha1, width: 0, length: 1, memory };
    const missing = new Hasher({ workerUrl: join(folder, 'none.mjs') });
    await expect(missing.hash([unit])).rejects.toMatchObject({
      code: 'workers',
    });
    await expect(missing.hash([unit])).rejects.toThrow(/none\.mjs/);

    const path = join(folder, 'dies.mjs');
    writeFileSync(
      path,
      `import { parentPort } from 'node:worker_threads';
       parentPort.postMessage('ready');
       parentPort.on('message', () => process.exit(3));`,
    );
    const mortal = new Hasher({ workerUrl: path, threads: 1 });
    for (let i = 0; i < 5; i++) {
      await expect(mortal.hash([unit])).rejects.toMatchObject({
        code: 'workers',
      });
    }
    await mortal.close();
    await missing.close();
  });
});
