import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildTorrent, parseTorrent, planTorrent } from '@dnd/metainfo';
import { Disk } from './disk';
import { realFileSystem } from './file-system';
import { hashFiles } from './hash-files';
import { ResumeStore } from './resume-store';
import { listFolder } from './list-folder';
import {
  type Content,
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

function write(folder: string, files: readonly Content[]): void {
  for (const { path, bytes } of files) {
    const target = join(folder, ...path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, bytes);
  }
}

describe('hashFiles', () => {
  it.each(['v1', 'v2', 'hybrid'] as const)(
    'makes the %s torrent that plain hashing makes, and it is seeded at once',
    async (format) => {
      const root = makeFolder();
      const folder = join(root, 'torrent');
      write(folder, mixedFiles());
      const files = await listFolder(folder);
      const plan = planTorrent({
        name: 'torrent',
        files,
        pieceLength: 32_768,
        format,
      });
      const paths = files.map(({ path }) => join(folder, ...path));
      const progress: number[] = [];
      const { hashes, stamps } = await hashFiles(plan, paths, hasher, {
        onProgress: (done, total) => progress.push(done / total),
      });
      expect(progress.at(-1)).toBe(1);
      const metainfo = parseTorrent(buildTorrent(plan, hashes));
      expect(metainfo.id).toBe(
        makeTorrent(mixedFiles(), { format }).metainfo.id,
      );

      const resume = ResumeStore.open(join(root, '.node', 'resume.db'));
      const disk = new Disk({ hasher, resume });
      const storage = await TorrentStorage.open({
        metainfo,
        root,
        disk,
        created: stamps,
      });
      expect([storage.needsCheck, storage.have.complete]).toEqual([
        false,
        true,
      ]);
      await storage.close();

      const later = await TorrentStorage.open({ metainfo, root, disk });
      expect([later.needsCheck, later.have.complete]).toEqual([false, true]);
      await later.close();

      writeFileSync(paths[0], noise(files[0].length, 9));
      const again = await TorrentStorage.open({
        metainfo,
        root,
        disk,
        created: stamps,
      });
      expect([again.needsCheck, again.have.complete]).toEqual([true, false]);
      await again.close();
      await disk.close();
      resume.close();
    },
  );

  it('refuses files that are gone, of another length, or changed meanwhile', async () => {
    const fixture = makeTorrent(mixedFiles());
    const plan = planTorrent({
      name: 'torrent',
      files: mixedFiles().map(({ path, bytes }) => ({
        path,
        length: bytes.length,
      })),
      pieceLength: 32_768,
    });
    const root = makeFolder();
    layOut(fixture, root);
    const paths = mixedFiles().map(({ path }) =>
      join(root, 'torrent', ...path),
    );
    let looks = 0;
    const touched = {
      ...realFileSystem,
      lstat: async (path: string) => {
        if (++looks === plan.files.length + 2)
          writeFileSync(paths[3], noise(100_001, 5));
        return realFileSystem.lstat(path);
      },
    };
    await expect(
      hashFiles(plan, paths, hasher, { fileSystem: touched }),
    ).rejects.toMatchObject({ code: 'changed' });
    writeFileSync(paths[1], 'longer than ten bytes');
    await expect(hashFiles(plan, paths, hasher)).rejects.toMatchObject({
      code: 'changed',
    });
    rmSync(paths[1]);
    await expect(hashFiles(plan, paths, hasher)).rejects.toMatchObject({
      code: 'missing',
    });
  });

  it('can be cancelled', async () => {
    const root = makeFolder();
    layOut(makeTorrent(mixedFiles()), root);
    const plan = planTorrent({
      name: 't',
      files: [{ path: [], length: 123_456 }],
      pieceLength: 16_384,
    });
    const stop = new AbortController();
    stop.abort();
    const hashing = hashFiles(plan, [join(root, 'torrent', 'z')], hasher, {
      signal: stop.signal,
    });
    await expect(hashing).rejects.toMatchObject({ code: 'aborted' });
  });
});

describe('listFolder', () => {
  it('lists regular files in byte order, follows no link and leaves its own folder out', async () => {
    const folder = makeFolder();
    const names = ['b/x', 'a', 'B', 'ä', 'b.txt', '.node/secret', 'b/.hidden'];
    write(
      folder,
      names.map((name) => ({
        path: name.split('/'),
        bytes: noise(name.length),
      })),
    );
    symlinkSync('/etc', join(folder, 'etc'));
    symlinkSync('a', join(folder, 'link'));
    const files = await listFolder(folder);
    expect(files.map(({ path }) => path.join('/'))).toEqual([
      'B',
      'a',
      'b/.hidden',
      'b/x',
      'b.txt',
      'ä',
    ]);
    expect(files[1].length).toBe(1);
  });

  it('is bounded, and says what is wrong', async () => {
    const folder = makeFolder();
    write(
      folder,
      ['1', '2', '3'].map((name) => ({ path: [name], bytes: noise(1) })),
    );
    await expect(listFolder(folder, { limit: 2 })).rejects.toMatchObject({
      code: 'too-large',
    });
    await expect(listFolder(folder, { limit: 3 })).resolves.toHaveLength(3);
    await expect(listFolder(join(folder, 'no'))).rejects.toMatchObject({
      code: 'missing',
    });
  });
});
