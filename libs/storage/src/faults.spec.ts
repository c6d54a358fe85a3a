import { cpSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { Random, seeds } from '@dnd/sim';
import { Disk } from './disk';
import { ResumeStore } from './resume-store';
import { StorageError } from './storage-error';
import { FaultySystem } from './testing/faulty-file-system';
import {
  type Content,
  download,
  falseClaims,
  makeFolder,
  makeHasher,
  makeTorrent,
  noise,
  removeFolders,
} from './testing/fixture';
import { TorrentStorage } from './torrent-storage';

jest.setTimeout(600_000);

/** Power cuts to try; the target `faults` asks for many. */
const cuts = Number(process.env['DND_CUTS'] ?? 40);

const hasher = makeHasher();
afterAll(async () => {
  await hasher.close();
  removeFolders();
});

const files: Content[] = [
  { path: ['a'], bytes: noise(40_000, 1) },
  { path: ['b'], bytes: noise(70_000, 2) },
  { path: ['c', 'none'], bytes: new Uint8Array(0) },
  { path: ['c', 'd'], bytes: noise(50_000, 3) },
];
const fixture = makeTorrent(files, { pieceLength: 16_384 });
const { metainfo, layout } = fixture;

interface Run {
  readonly faulty: FaultySystem;
  readonly root: string;
  readonly disk: Disk;
  readonly resume: ResumeStore;
}

function start(root = makeFolder()): Run {
  const faulty = new FaultySystem();
  const resume = ResumeStore.open(join(root, '.node', 'resume.db'), {
    delay: 0,
  });
  const fileSystem = faulty.system;
  const disk = new Disk({ hasher, resume, fileSystem, openFiles: 2 });
  return { faulty, root, disk, resume };
}

/** Errors must be this library's own, whatever the disk said. */
async function attempt<T>(work: () => Promise<T>): Promise<T | StorageError> {
  try {
    return await work();
  } catch (error) {
    expect(error).toBeInstanceOf(StorageError);
    return error as StorageError;
  }
}

/** One torrent's life, going on after errors as its owner would. Returns the storage, or what kept it from opening. */
async function live(
  { root, disk }: Run,
  rounds: number,
  onVerified: () => void = () => undefined,
) {
  const open = () => TorrentStorage.open({ metainfo, root, disk });
  let storage = await attempt(open);
  for (let i = 0; i < rounds && storage instanceof StorageError; i++) {
    storage = await attempt(open);
  }
  if (storage instanceof StorageError) return storage;
  const torrent = storage;
  for (let round = 0; round < rounds; round++) {
    if (torrent.needsCheck) await attempt(() => torrent.check());
    for (let piece = 0; piece < layout.pieceCount; piece++) {
      if (torrent.have.has(piece) || torrent.needsCheck) continue;
      const result = await attempt(() => download(torrent, fixture, piece));
      if (result === 'verified') onVerified();
      expect(falseClaims(torrent, fixture, root)).toEqual([]);
      if (piece === 4) await attempt(() => torrent.flush());
      if (piece === 6) await attempt(() => torrent.read(1, 0, 100));
    }
    await attempt(() => torrent.flush());
  }
  return torrent;
}

async function operations(): Promise<number> {
  const run = start();
  const torrent = await live(run, 1);
  await (torrent as TorrentStorage).close();
  await run.disk.close();
  run.resume.close();
  return run.faulty.count;
}

describe('a disk that fails', () => {
  it.each([
    ['ENOSPC', 2],
    ['EIO', 3],
    ['EMFILE', 3],
    ['EROFS', 3],
  ])(
    '%s once at any operation: nothing false is claimed, and the torrent completes',
    async (code, step) => {
      const total = await operations();
      expect(total).toBeGreaterThan(50);
      for (let n = 1; n <= total; n += step) {
        const run = start();
        run.faulty.code = code;
        run.faulty.failing = (operation) => operation === n;
        const torrent = (await live(run, 3)) as TorrentStorage;
        expect([n, torrent.have.complete]).toEqual([n, true]);
        expect(falseClaims(torrent, fixture, run.root)).toEqual([]);
        expect(existsSync(join(run.root, 'torrent', 'c', 'none'))).toBe(true);
        await torrent.close();
        expect(run.disk.memory.used).toBe(0);
        await run.disk.close();
        expect(run.disk.handles.open).toBe(0);
        run.resume.close();
      }
    },
  );

  it('for good from any operation on: only errors in words, and the next start goes on', async () => {
    const total = await operations();
    for (let n = 1; n <= total; n += 5) {
      const run = start();
      run.faulty.code = 'ENOSPC';
      run.faulty.failing = (operation) => operation >= n;
      const torrent = await live(run, 1);
      if (torrent instanceof TorrentStorage) {
        expect(falseClaims(torrent, fixture, run.root)).toEqual([]);
        await attempt(() => torrent.close());
      }
      await run.disk.close();
      run.resume.close();
      const again = start(run.root);
      const whole = (await live(again, 1)) as TorrentStorage;
      expect(falseClaims(whole, fixture, run.root)).toEqual([]);
      expect([n, whole.have.complete]).toEqual([n, true]);
      await whole.close();
      await again.disk.close();
      again.resume.close();
    }
  });

  it('says how much room is missing', async () => {
    const run = start();
    const torrent = await TorrentStorage.open({
      metainfo,
      root: run.root,
      disk: run.disk,
    });
    run.faulty.code = 'ENOSPC';
    run.faulty.failing = () => true;
    const error = await attempt(() => download(torrent, fixture, 0));
    expect(error).toMatchObject({
      code: 'disk-full',
      missingBytes: metainfo.length,
    });
    expect(torrent.have.count).toBe(0);
    run.faulty.failing = () => false;
    expect(await torrent.finish(0)).toBe('verified');
    await torrent.close();
    await run.disk.close();
    run.resume.close();
  });
});

describe('a process that dies', () => {
  it('between any two operations loses at most the piece in flight', async () => {
    const total = await operations();
    for (let n = 2; n <= total; n += 3) {
      const run = start();
      let verified = 0;
      run.faulty.failing = (operation) => {
        if (operation === n) run.faulty.kill();
        return operation >= n;
      };
      await live(run, 1, () => verified++);
      const again = restart(run);
      const storage = await TorrentStorage.open({
        metainfo,
        root: run.root,
        disk: again.disk,
      });
      if (storage.needsCheck) await storage.check();
      expect(falseClaims(storage, fixture, run.root)).toEqual([]);
      // The note of the very last piece may not have reached the database.
      expect(storage.have.count).toBeGreaterThanOrEqual(verified - 1);
      await again.close();
      await storage.close();
    }
  });
});

/** A new process on the same folder, with the resume database as it is at this moment. */
function restart(run: Run) {
  const copy = join(run.root, `resume-${run.faulty.count}.db`);
  const path = join(run.root, '.node', 'resume.db');
  for (const suffix of ['', '-wal', '-written']) {
    if (existsSync(path + suffix)) cpSync(path + suffix, copy + suffix);
  }
  run.resume.close();
  const resume = ResumeStore.open(copy, { delay: 0 });
  const disk = new Disk({ hasher, resume });
  const close = async () => {
    await disk.close();
    await run.disk.close();
  };
  return { disk, resume, close };
}

describe('a power cut', () => {
  it('never leaves a claim that fails its hash, whatever was dropped or torn', async () => {
    let kept = 0;
    for (const seed of seeds(cuts)) {
      const random = new Random(seed);
      const run = start();
      const torrent = await TorrentStorage.open({
        metainfo,
        root: run.root,
        disk: run.disk,
      });
      const pieces = [...Array(layout.pieceCount).keys()];
      const until = random.int(pieces.length + 1);
      for (let i = 0; i < until; i++) {
        const [piece] = pieces.splice(random.int(pieces.length), 1);
        await download(torrent, fixture, piece);
        const dice = random.int(4);
        if (dice === 0) await torrent.flush();
        if (dice === 1) void torrent.flush().catch(() => undefined);
      }
      run.faulty.cut(() => random.int(3));
      const again = restart(run);
      const storage = await TorrentStorage.open({
        metainfo,
        root: run.root,
        disk: again.disk,
      });
      kept += storage.have.count;
      expect([seed, falseClaims(storage, fixture, run.root)]).toEqual([
        seed,
        [],
      ]);
      if (storage.needsCheck) await storage.check();
      expect([seed, falseClaims(storage, fixture, run.root)]).toEqual([
        seed,
        [],
      ]);
      await storage.close();
      await again.close();
    }
    expect(kept).toBeGreaterThan(cuts);
  });

  it('takes nothing for durable that a failed sync may have thrown away', async () => {
    const run = start();
    const lost: number[] = [];
    const torrent = await TorrentStorage.open({
      metainfo,
      root: run.root,
      disk: run.disk,
      onLost: (pieces) => lost.push(...pieces),
    });
    for (const piece of [3, 4, 5]) await download(torrent, fixture, piece);
    run.faulty.failing = () => true;
    await expect(torrent.flush()).rejects.toMatchObject({ code: 'io' });
    run.faulty.failing = () => false;
    expect(lost).toContain(3);
    await torrent.flush();
    run.faulty.cut(() => 1);
    const again = restart(run);
    const storage = await TorrentStorage.open({
      metainfo,
      root: run.root,
      disk: again.disk,
    });
    expect(falseClaims(storage, fixture, run.root)).toEqual([]);
    await storage.close();
    await again.close();
  });
});
