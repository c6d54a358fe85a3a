import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { Disk } from './disk';
import { realFileSystem } from './file-system';
import { PieceMemory } from './piece-memory';
import type { StorageError } from './storage-error';
import {
  type Fixture,
  download,
  fill,
  layOut,
  makeFolder,
  makeHasher,
  makeTorrent,
  mixedFiles,
  noise,
  pieceOf,
  removeFolders,
  sha1,
} from './testing/fixture';
import { TorrentStorage } from './torrent-storage';

const hasher = makeHasher();
afterAll(async () => {
  await hasher.close();
  removeFolders();
});

let root: string;
let disk: Disk;
beforeEach(() => {
  root = makeFolder();
  disk = new Disk({ hasher, openFiles: 4 });
});
afterEach(() => disk.close());

async function downloadAll(storage: TorrentStorage, fixture: Fixture) {
  for (let piece = 0; piece < fixture.layout.pieceCount; piece++) {
    if (storage.have.has(piece)) continue;
    expect(await download(storage, fixture, piece)).toBe('verified');
  }
}

function expectFiles(fixture: Fixture, folder = root) {
  fixture.metainfo.files.forEach((file, i) => {
    if (file.pad) return;
    const bytes = readFileSync(join(folder, ...file.path));
    expect(sha1(bytes)).toEqual(sha1(fixture.contents[i]));
  });
}

describe.each(['v1', 'v2', 'hybrid'] as const)(
  'TorrentStorage, %s',
  (format) => {
    const fixture = makeTorrent(mixedFiles(), { format });

    it('writes what is verified, names whole files and reads the bytes back', async () => {
      const storage = await TorrentStorage.open({
        metainfo: fixture.metainfo,
        root,
        disk,
      });
      expect(storage.needsCheck).toBe(false);
      const order = [...Array(fixture.layout.pieceCount).keys()].reverse();
      for (const piece of order) {
        expect(existsSync(join(root, 'torrent', 'empty'))).toBe(false);
        expect(await download(storage, fixture, piece)).toBe('verified');
      }
      expect(storage.have.complete).toBe(true);
      expect(disk.memory.used).toBe(0);
      expectFiles(fixture);
      for (const piece of order) {
        const size = fixture.layout.pieceSize(piece);
        const bytes = await storage.read(piece, 0, size);
        expect(sha1(bytes)).toEqual(sha1(pieceOf(fixture, piece)));
      }
      await storage.close();
      expect(existsSync(join(root, 'torrent', '.pad'))).toBe(false);
      expect(disk.handles.open).toBe(0);
    });

    it('keeps nothing of a corrupt piece, tells its blocks apart and takes better ones', async () => {
      const storage = await TorrentStorage.open({
        metainfo: fixture.metainfo,
        root,
        disk,
      });
      const good = pieceOf(fixture, 0);
      const bad = good.slice();
      bad[20_000] ^= 1;
      expect(storage.reserve(0)).toBe(true);
      fill(storage, 0, bad);
      expect(await storage.finish(0)).toBe('corrupt');
      expect(storage.have.count).toBe(0);
      const digests = await storage.blockDigests(0);
      expect(Buffer.from(digests)).toEqual(
        Buffer.concat([
          sha1(bad.subarray(0, 16_384)),
          sha1(bad.subarray(16_384)),
        ]),
      );
      fill(storage, 0, good);
      expect(await storage.finish(0)).toBe('verified');
      expect(await storage.blockDigests(0)).not.toEqual(digests);
      await storage.close();
    });

    it('checks data that lies there already, and only takes what is right', async () => {
      layOut(fixture, root);
      const victim = join(root, 'torrent', 'z');
      const bytes = readFileSync(victim);
      bytes[100_000] ^= 0xff;
      writeFileSync(victim, bytes);
      const storage = await TorrentStorage.open({
        metainfo: fixture.metainfo,
        root,
        disk,
      });
      expect(storage.needsCheck).toBe(true);
      expect(storage.have.count).toBe(0);
      expect(storage.reserve(0)).toBe(false);
      const seen: number[] = [];
      await storage.check({
        onProgress: (done, total) => seen.push(done, total),
      });
      expect(seen.slice(-2)).toEqual([
        fixture.layout.pieceCount,
        fixture.layout.pieceCount,
      ]);
      expect(storage.have.count).toBe(fixture.layout.pieceCount - 1);
      await downloadAll(storage, fixture);
      expectFiles(fixture);
      await storage.close();
    });

    it('notices a file that vanished and one that was cut, and repairs both', async () => {
      const lost: [number, string][] = [];
      const storage = await TorrentStorage.open({
        metainfo: fixture.metainfo,
        root,
        disk,
        onLost: (pieces, error) => lost.push([pieces.length, error.code]),
      });
      await downloadAll(storage, fixture);
      await storage.flush();
      const index = fixture.metainfo.files.findIndex(
        (f) => f.path.at(-1) === 'z',
      );
      const { first, end } = fixture.layout.piecesOf(index);
      await disk.handles.close();
      unlinkSync(join(root, 'torrent', 'z'));
      await expect(storage.read(end - 1, 0, 10)).rejects.toMatchObject({
        code: 'missing',
      });
      expect(lost).toEqual([[end - first, 'missing']]);
      expect(storage.needsCheck).toBe(false);
      await downloadAll(storage, fixture);
      await storage.flush();
      expectFiles(fixture);

      // Looked at a moment ago, and written to since.
      expect(await storage.read(end - 1, 0, 10)).toHaveLength(10);
      const other = new Uint8Array(60_000).fill(0xee);
      const handle = openSync(join(root, 'torrent', 'z'), 'r+');
      writeSync(handle, other, 0, other.length, 0);
      closeSync(handle);
      disk.cache.clear();
      await expect(storage.read(end - 1, 0, 10)).rejects.toMatchObject({
        code: 'changed',
      });
      await storage.check();
      await downloadAll(storage, fixture);
      await storage.flush();
      expectFiles(fixture);

      truncateSync(join(root, 'torrent', 'z'), 60_000);
      disk.cache.clear();
      await expect(storage.read(end - 1, 0, 10)).rejects.toMatchObject({
        code: 'changed',
      });
      expect(storage.needsCheck).toBe(true);
      await storage.check();
      expect(storage.have.count).toBeGreaterThan(first);
      await downloadAll(storage, fixture);
      expectFiles(fixture);
      await storage.close();
    });
  },
);

describe('TorrentStorage', () => {
  const fixture = makeTorrent(mixedFiles());
  const { metainfo } = fixture;

  it('holds no more than the memory it was given', async () => {
    disk = new Disk({ hasher, memory: new PieceMemory({ limit: 3 * 32_768 }) });
    const storage = await TorrentStorage.open({ metainfo, root, disk });
    expect([0, 1, 2, 3].map((piece) => storage.reserve(piece))).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect(storage.reserve(1)).toBe(true);
    storage.discard(1);
    expect(storage.reserve(3)).toBe(true);
    expect(disk.memory.allocated).toBe(3 * 32_768);
    await storage.close();
    expect(disk.memory.used).toBe(0);
  });

  it('refuses targets outside a reserved piece', async () => {
    const storage = await TorrentStorage.open({ metainfo, root, disk });
    expect(storage.target(0, 0, 16_384)).toBeUndefined();
    storage.reserve(0);
    expect(storage.target(0, 16_384, 16_384)).toHaveLength(16_384);
    for (const [begin, length] of [
      [-1, 1],
      [0, 0],
      [32_768, 1],
      [20_000, 16_384],
      [NaN, 1],
    ]) {
      expect(storage.target(0, begin, length)).toBeUndefined();
    }
    expect(storage.reserve(-1)).toBe(false);
    expect(storage.reserve(fixture.layout.pieceCount)).toBe(false);
    await expect(storage.finish(5)).rejects.toMatchObject({ code: 'not-had' });
    await storage.close();
  });

  it('never gives out bytes of a piece it does not have', async () => {
    const storage = await TorrentStorage.open({ metainfo, root, disk });
    storage.reserve(0);
    fill(storage, 0, pieceOf(fixture, 0));
    await expect(storage.read(0, 0, 1)).rejects.toMatchObject({
      code: 'not-had',
    });
    expect(storage.readNow(0, 0, new Uint8Array(1))).toBe(false);
    await expect(storage.read(99, 0, 1)).rejects.toMatchObject({
      code: 'not-had',
    });
    await storage.close();
  });

  it('copies at once what the cache holds', async () => {
    const storage = await TorrentStorage.open({ metainfo, root, disk });
    await download(storage, fixture, 0);
    const into = new Uint8Array(16_384);
    expect(storage.readNow(0, 0, into)).toBe(false);
    await storage.read(0, 0, 16_384);
    expect(storage.readNow(0, 16_384, into)).toBe(true);
    expect(into).toEqual(pieceOf(fixture, 0).slice(16_384));
    expect(storage.readNow(0, 20_000, into)).toBe(false);
    await storage.close();
  });

  it('lends blocks where they lie, with room before each', async () => {
    disk = new Disk({ hasher, blockGap: 13 });
    const storage = await TorrentStorage.open({ metainfo, root, disk });
    await downloadAll(storage, fixture);
    const { layout } = storage;
    for (let piece = 0; piece < layout.pieceCount; piece++) {
      const size = layout.pieceSize(piece);
      const content = pieceOf(fixture, piece);
      expect(storage.lendNow(piece, 0, size)).toBeUndefined();
      await storage.read(piece, 0, size);
      for (let begin = 0; begin < size; begin += 16_384) {
        const loan = storage.lendNow(piece, begin, size - begin);
        const found: Uint8Array[] = [];
        for (let at = 13; at < (loan?.bytes.length ?? 0); at += 16_397) {
          loan?.bytes.fill(0xee, at - 13, at);
          found.push(loan?.bytes.subarray(at, at + 16_384) as Uint8Array);
        }
        expect(sha1(Buffer.concat(found))).toEqual(
          sha1(content.subarray(begin)),
        );
        loan?.giveBack();
      }
      expect(sha1(await storage.read(piece, 0, size))).toEqual(sha1(content));
      expect(storage.lendNow(piece, 1, 10)).toBeUndefined();
      expect(storage.lendNow(piece, 0, size + 1)).toBeUndefined();
    }
    await storage.close();
  });

  it('keeps what is lent as it is, and lends no more than half of its memory', async () => {
    disk = new Disk({ hasher, cacheBytes: 4 * 32_768 });
    const storage = await TorrentStorage.open({ metainfo, root, disk });
    await downloadAll(storage, fixture);
    const lend = async (piece: number) => {
      await storage.read(piece, 0, 100);
      return storage.lendNow(piece, 0, 100);
    };
    const loans = [await lend(0), await lend(1), await lend(2)];
    expect(await lend(3)).toBeUndefined();
    for (let piece = 3; piece < metainfo.pieceCount; piece++) {
      const part = pieceOf(fixture, piece).slice(0, 100);
      expect(await storage.read(piece, 0, 100)).toEqual(part);
    }
    loans.forEach((loan, piece) => {
      const part = pieceOf(fixture, piece).slice(0, 100);
      expect(new Uint8Array(loan?.bytes ?? [])).toEqual(part);
      loan?.giveBack();
    });
    expect(await lend(3)).toBeDefined();
    expect(disk.cache.allocated).toBeLessThanOrEqual(4 * 32_768);
    await storage.close();
  });

  describe('writing', () => {
    const fixture = makeTorrent([
      { path: ['a'], bytes: noise(12 * 32_768 + 100) },
      { path: ['b'], bytes: noise(8 * 32_768) },
    ]);
    /** Bytes and number of parts of each write. */
    let writes: [number, number][];
    let gate: Promise<void>;
    let failure: string | undefined;
    let storage: TorrentStorage;

    beforeEach(async () => {
      await disk.close();
      writes = [];
      gate = Promise.resolve();
      failure = undefined;
      const fileSystem: typeof realFileSystem = {
        ...realFileSystem,
        write: async (fd, from, position) => {
          writes.push([
            from.reduce((sum, { length }) => sum + length, 0),
            from.length,
          ]);
          await gate;
          if (failure) throw Object.assign(new Error(), { code: failure });
          return realFileSystem.write(fd, from, position);
        },
      };
      disk = new Disk({ hasher, fileSystem });
      const { metainfo } = fixture;
      storage = await TorrentStorage.open({ metainfo, root, disk });
    });
    afterEach(() => storage.close());

    it('takes adjoining pieces that came meanwhile in one go, file by file', async () => {
      const first = Promise.withResolvers<void>();
      gate = first.promise;
      const order = [5, 7, 2, 8, 9, 11, 12, 13];
      const results = order.map((piece) => download(storage, fixture, piece));
      while (writes.length === 0) await new Promise(setImmediate);
      first.resolve();
      expect(new Set(await Promise.all(results))).toEqual(
        new Set(['verified']),
      );
      expect(writes).toEqual([
        [32_768, 1],
        [3 * 32_768, 3],
        [32_768, 1],
        [32_768 + 100, 2],
        [2 * 32_768 - 100, 2],
      ]);
      await downloadAll(storage, fixture);
      await storage.flush();
      expectFiles(fixture);
    });

    it('that fails leaves all its pieces to be written again', async () => {
      const first = Promise.withResolvers<void>();
      gate = first.promise;
      const finished = download(storage, fixture, 0);
      while (writes.length === 0) await new Promise(setImmediate);
      const failed = [1, 2].map((piece) => download(storage, fixture, piece));
      const again = storage.finish(2);
      first.resolve();
      expect(await finished).toBe('verified');
      failure = 'ENOSPC';
      for (const run of [...failed, again])
        await expect(run).rejects.toMatchObject({ code: 'disk-full' });
      expect(storage.have.count).toBe(1);
      failure = undefined;
      expect(await Promise.all([1, 2].map((p) => storage.finish(p)))).toEqual([
        'verified',
        'verified',
      ]);
      await downloadAll(storage, fixture);
      await storage.flush();
      expectFiles(fixture);
    });
  });

  it('loses with a file that vanished what was being written to it', async () => {
    await disk.close();
    const written = Promise.withResolvers<void>();
    let slow = false;
    const fileSystem: typeof realFileSystem = {
      ...realFileSystem,
      write: async (...write) => {
        const count = await realFileSystem.write(...write);
        if (slow) await written.promise;
        return count;
      },
    };
    disk = new Disk({ hasher, fileSystem });
    const fixture = makeTorrent([{ path: ['a'], bytes: noise(200_000) }]);
    const lost: number[] = [];
    const storage = await TorrentStorage.open({
      metainfo: fixture.metainfo,
      root,
      disk,
      onLost: (pieces) => lost.push(...pieces),
    });
    expect(await download(storage, fixture, 0)).toBe('verified');
    slow = true;
    const second = download(storage, fixture, 1);
    await new Promise((resolve) => setImmediate(resolve));
    const path = storage.dataPath(0) as string;
    unlinkSync(path);
    const forgotten = disk.handles.forget([path]);
    await expect(storage.read(0, 0, 10)).rejects.toMatchObject({
      code: 'missing',
    });
    written.resolve();
    expect(await second).toBe('verified');
    await forgotten;
    await storage.flush();
    expect(lost).toEqual([0, 1]);
    expect(storage.have.count).toBe(0);
    await storage.close();
  });

  it('leaves alone what somebody else put under its names', async () => {
    const path = join(root, 'torrent', 'b', 'three');
    mkdirSync(join(root, 'torrent', 'b'), { recursive: true });
    writeFileSync(path, noise(70_000, 77));
    const faults: StorageError[] = [];
    const storage = await TorrentStorage.open({
      metainfo,
      root,
      disk,
      onFault: (e) => faults.push(e),
    });
    await storage.check();
    expect(storage.conflicts).toEqual([path]);
    await downloadAll(storage, fixture);
    expect(sha1(readFileSync(path))).toEqual(sha1(noise(70_000, 77)));
    expect(faults.map((e) => e.code)).toEqual(['exists']);
    await expect(storage.flush()).rejects.toMatchObject({
      code: 'exists',
      path,
    });
    expect(await storage.read(3, 0, 16)).toEqual(
      pieceOf(fixture, 3).slice(0, 16),
    );
    unlinkSync(path);
    await storage.flush();
    expectFiles(fixture);
    await storage.close();
  });

  it('takes an equal file for its own, though none of its pieces could be checked', async () => {
    const folder = join(root, 'torrent', 'a');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'two'), fixture.contents[1]);
    const storage = await TorrentStorage.open({ metainfo, root, disk });
    expect(storage.needsCheck).toBe(false);
    await downloadAll(storage, fixture);
    await storage.flush();
    expectFiles(fixture);
    await storage.close();
  });

  it('goes through no link that leads out of the folder, and to no name of its own', async () => {
    const outside = makeFolder();
    symlinkSync(outside, join(root, 'torrent'));
    const storage = await TorrentStorage.open({ metainfo, root, disk });
    await downloadAll(storage, fixture);
    await expect(storage.flush()).rejects.toMatchObject({ code: 'outside' });
    expect(existsSync(join(outside, 'a'))).toBe(false);
    await storage.close().catch(() => undefined);
    layOut({ ...fixture }, makeFolder());
    const own = TorrentStorage.open({ metainfo, root, disk, name: '.Node' });
    await expect(own).rejects.toMatchObject({ code: 'outside' });
    const up = TorrentStorage.open({ metainfo, root, disk, name: '..' });
    await expect(up).rejects.toMatchObject({ code: 'outside' });
  });

  it('refuses to look at files behind such a link', async () => {
    const outside = makeFolder();
    layOut(fixture, outside);
    symlinkSync(join(outside, 'torrent'), join(root, 'torrent'));
    const open = TorrentStorage.open({ metainfo, root, disk });
    await expect(open).rejects.toMatchObject({ code: 'outside' });
  });

  it('removes its own files and nothing else', async () => {
    const storage = await TorrentStorage.open({ metainfo, root, disk });
    for (const piece of [0, 1, 2, 3]) await download(storage, fixture, piece);
    writeFileSync(join(root, 'torrent', 'a', 'mine'), 'mine');
    await storage.remove();
    expect(existsSync(join(root, 'torrent', 'a', 'mine'))).toBe(true);
    expect(existsSync(join(root, 'torrent', 'a', 'one'))).toBe(false);
    expect(existsSync(join(root, '.node', 'partial', metainfo.id))).toBe(false);
  });

  it('keeps partial files sparse', async () => {
    const big = makeTorrent([{ path: [], bytes: new Uint8Array(2 ** 24) }], {
      name: 'big',
      pieceLength: 2 ** 16,
    });
    const storage = await TorrentStorage.open({
      metainfo: big.metainfo,
      root,
      disk,
    });
    await download(storage, big, 200);
    const stat = statSync(join(root, '.node', 'partial', big.metainfo.id, '0'));
    expect(stat.size).toBe(2 ** 24);
    expect(stat.blocks * 512).toBeLessThan(2 ** 22);
    await storage.close();
  });
});
