import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Disk } from './disk';
import { ResumeStore } from './resume-store';
import {
  type Fixture,
  download,
  falseClaims,
  layOut,
  makeFolder,
  makeHasher,
  makeTorrent,
  mixedFiles,
  noise,
  removeFolders,
} from './testing/fixture';
import { TorrentStorage } from './torrent-storage';

const hasher = makeHasher();
afterAll(async () => {
  await hasher.close();
  removeFolders();
});

const fixture = makeTorrent(mixedFiles());
const { metainfo, layout } = fixture;
const fileIndex = (name: string) =>
  metainfo.files.findIndex((f) => f.path.at(-1) === name);

/** A start of the program on the folder; `work`, then the end of it. */
async function session<T>(
  root: string,
  work: (storage: TorrentStorage) => Promise<T> | T,
  of: Fixture = fixture,
): Promise<T> {
  const resume = ResumeStore.open(join(root, '.node', 'resume.db'));
  const disk = new Disk({ hasher, resume });
  const storage = await TorrentStorage.open({
    metainfo: of.metainfo,
    root,
    disk,
  });
  const result = await work(storage);
  await storage.close();
  await disk.close();
  resume.close();
  return result;
}

async function downloadAll(storage: TorrentStorage): Promise<void> {
  for (let piece = 0; piece < layout.pieceCount; piece++) {
    if (!storage.have.has(piece)) await download(storage, fixture, piece);
  }
}

describe('a restart', () => {
  it('goes on where it was, without a look at any content', async () => {
    const root = makeFolder();
    await session(root, async (storage) => {
      for (const piece of [1, 4, 6]) await download(storage, fixture, piece);
    });
    await session(root, async (storage) => {
      expect([storage.needsCheck, storage.have.count, storage.notices]).toEqual(
        [false, 3, []],
      );
      expect([1, 4, 6].every((piece) => storage.have.has(piece))).toBe(true);
      await downloadAll(storage);
    });
    await session(root, (storage) => {
      expect([storage.needsCheck, storage.have.complete]).toEqual([
        false,
        true,
      ]);
      expect(falseClaims(storage, fixture, root)).toEqual([]);
    });
  });

  it('notices a file that was written to, one that is gone and one that grew, and looks only at theirs', async () => {
    const root = makeFolder();
    await session(root, downloadAll);
    const z = join(root, 'torrent', 'z');
    const bytes = readFileSync(z);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(z, bytes);
    utimesSync(z, 1, 1);
    rmSync(join(root, 'torrent', 'a', 'one'));
    await session(root, async (storage) => {
      expect(storage.notices).toEqual([
        { code: 'missing', fileIndex: fileIndex('one') },
        { code: 'changed', fileIndex: fileIndex('z') },
      ]);
      const { first } = layout.piecesOf(fileIndex('z'));
      expect(storage.have.has(first - 1)).toBe(true);
      expect(storage.needsCheck).toBe(true);
      await storage.check();
      expect(storage.have.has(layout.pieceCount - 1)).toBe(false);
      expect(falseClaims(storage, fixture, root)).toEqual([]);
      await downloadAll(storage);
    });
    appendFileSync(z, 'more');
    await session(root, async (storage) => {
      expect(storage.notices).toEqual([
        { code: 'changed', fileIndex: fileIndex('z') },
      ]);
      await storage.check();
      expect(storage.have.complete).toBe(true);
    });
  });

  it('repairs in place a small file of which nothing is right any more', async () => {
    const one = makeTorrent([{ path: [], bytes: noise(9_000) }], {
      name: 'one',
    });
    const root = makeFolder();
    await session(root, (storage) => download(storage, one, 0), one);
    writeFileSync(join(root, 'one'), noise(9_000, 2));
    utimesSync(join(root, 'one'), 1, 1);
    await session(
      root,
      async (storage) => {
        await storage.check();
        expect([storage.have.count, storage.conflicts]).toEqual([0, []]);
        await download(storage, one, 0);
        expect(falseClaims(storage, one, root)).toEqual([]);
        await storage.flush();
      },
      one,
    );
  });

  it('finds data again that was moved away and back', async () => {
    const root = makeFolder();
    const away = makeFolder();
    await session(root, downloadAll);
    renameSync(join(root, 'torrent'), join(away, 'torrent'));
    await session(root, (storage) => {
      expect(storage.have.count).toBe(0);
      expect(storage.notices).toHaveLength(5);
      expect(storage.needsCheck).toBe(false);
    });
    renameSync(join(away, 'torrent'), join(root, 'torrent'));
    await session(root, (storage) => {
      expect(storage.have.complete).toBe(true);
    });
  });

  it('believes no record of another shape', async () => {
    const root = makeFolder();
    layOut(fixture, root);
    const resume = ResumeStore.open(join(root, '.node', 'resume.db'));
    resume.put(
      metainfo.id,
      { pieces: new Uint8Array(2).fill(255), files: [], writing: false },
      [2 ** 30, -1],
    );
    resume.close();
    await session(root, async (storage) => {
      expect(storage.have.count).toBe(0);
      await storage.check();
      expect(storage.have.complete).toBe(true);
    });
  });

  it('of a thousand small torrents takes little', async () => {
    const root = makeFolder();
    const torrents = Array.from({ length: 20 }, (_, i) =>
      makeTorrent([{ path: [], bytes: noise(16_384, i) }], {
        name: `t${i}`,
        pieceLength: 16_384,
      }),
    );
    for (const torrent of torrents) layOut(torrent, root);
    mkdirSync(join(root, '.node'));
    const resume = ResumeStore.open(join(root, '.node', 'resume.db'));
    const disk = new Disk({ hasher, resume, openFiles: 4 });
    const storages = await Promise.all(
      torrents.map(({ metainfo }) =>
        TorrentStorage.open({ metainfo, root, disk }),
      ),
    );
    for (const storage of storages) await storage.check();
    for (const [i, storage] of storages.entries()) {
      expect(storage.have.complete).toBe(true);
      expect(await storage.read(0, 0, 100)).toEqual(
        torrents[i].bytes.slice(0, 100),
      );
    }
    expect(disk.handles.open).toBeLessThanOrEqual(4);
    expect(disk.memory.allocated).toBe(0);
    for (const storage of storages) await storage.close();
    await disk.close();
    resume.close();
    expect(statSync(join(root, '.node', 'resume.db')).size).toBeLessThan(
      200_000,
    );
  });
});
