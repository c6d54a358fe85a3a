import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '@dnd/sim';
import fc from 'fast-check';
import type { ResumeRecord } from './resume-record';
import { decodeStamps, encodeStamps } from './resume-record';
import { ResumeStore } from './resume-store';
import { StorageError } from './storage-error';
import { makeFolder, removeFolders } from './testing/fixture';

afterAll(removeFolders);

const id = (n: number) => n.toString(16).padStart(40, '0');

function record(n: number): ResumeRecord {
  return {
    pieces: Uint8Array.from({ length: 20 }, (_, i) => (i * n) & 0xff),
    files: [
      { place: 'final', size: n, mtimeNs: BigInt(n) * 10n ** 15n },
      undefined,
    ],
    writing: n % 2 === 0,
  };
}

function filled(count: number): string {
  const path = join(makeFolder(), 'state', 'resume.db');
  const store = ResumeStore.open(path);
  for (let n = 1; n <= count; n++) store.put(id(n), record(n), [n, n + 1]);
  store.close();
  return path;
}

describe('ResumeStore', () => {
  it('remembers records and written pieces, each torrent its own', () => {
    const store = ResumeStore.open(filled(3));
    expect(store.get(id(2))).toEqual({
      ...record(2),
      pieces: expect.anything(),
    });
    expect([...(store.get(id(2))?.pieces ?? [])]).toEqual([
      ...record(2).pieces,
    ]);
    expect(store.written(id(2))).toEqual([2, 3]);
    store.addWritten(id(2), 9);
    expect(store.written(id(2))).toEqual([2, 3, 9]);
    store.put(id(2), record(2), [9]);
    expect(store.written(id(2))).toEqual([9]);
    store.remove(id(2));
    expect(store.get(id(2))).toBeUndefined();
    expect(store.written(id(2))).toEqual([]);
    expect(store.written(id(3))).toEqual([3, 4]);
    expect(store.lost).toEqual([]);
    store.close();
  });

  it('keeps stamps to the nanosecond', () => {
    const stamp = fc.record({
      place: fc.constantFrom('partial' as const, 'final' as const),
      size: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
      mtimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    });
    fc.assert(
      fc.property(fc.array(fc.option(stamp, { nil: undefined })), (files) => {
        expect(decodeStamps(encodeStamps(files))).toEqual(files);
      }),
    );
    expect(decodeStamps(new Uint8Array(16))).toBeUndefined();
    expect(decodeStamps(new Uint8Array(17).fill(3))).toBeUndefined();
  });

  it('starts anew from a database cut anywhere, and says what it lost', () => {
    const whole = readFileSync(filled(50));
    const lengths = [1, 2, 99, 511, 512];
    for (let cut = 0; cut < 40; cut++)
      lengths.push(Math.ceil((whole.length * cut) / 40));
    for (const length of lengths) {
      const path = join(makeFolder(), 'resume.db');
      writeFileSync(path, whole);
      truncateSync(path, length);
      expectSound(path, 50, true);
    }
  });

  it('believes no record with a flipped bit', () => {
    const whole = readFileSync(filled(50));
    const random = new Random(7);
    for (let flips = 0; flips < 150; flips++) {
      const bytes = Buffer.from(whole);
      bytes[random.int(bytes.length)] ^= 1 << random.int(8);
      const path = join(makeFolder(), 'resume.db');
      writeFileSync(path, bytes);
      expectSound(path, 50, false);
    }
  });

  it('puts what is no database aside', () => {
    const path = join(makeFolder(), 'resume.db');
    writeFileSync(path, 'what is this? '.repeat(500));
    const store = ResumeStore.open(path);
    expect(store.lost).toHaveLength(1);
    expect(existsSync(`${path}.damaged`)).toBe(true);
    store.put(id(1), record(1));
    store.close();
    const again = ResumeStore.open(path);
    expect(again.lost).toEqual([]);
    expect(again.get(id(1))).toBeDefined();
    again.close();
  });

  it('says in words where it cannot be', () => {
    const file = join(makeFolder(), 'file');
    writeFileSync(file, '');
    expect(() => ResumeStore.open(join(file, 'resume.db'))).toThrow(
      StorageError,
    );
  });
});

/** What is still there is as it was stored; what is not is told; and the store works. */
function expectSound(path: string, count: number, mustTell: boolean): void {
  const store = ResumeStore.open(path);
  let missing = 0;
  for (let n = 1; n <= count; n++) {
    const found = store.get(id(n));
    if (!found) missing++;
    else {
      expect([...found.pieces]).toEqual([...record(n).pieces]);
      expect([found.files, found.writing]).toEqual([
        record(n).files,
        record(n).writing,
      ]);
    }
    store.written(id(n));
  }
  if (mustTell || missing > 0) expect(store.lost.length).toBeGreaterThan(0);
  store.put(id(99), record(9));
  expect(store.get(id(99))).toBeDefined();
  store.close();
}
