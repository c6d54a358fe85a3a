/**
 * What the disk side costs: hashing alone, making a torrent, checking one, the way of a downloaded piece
 * (fill, hash, write, resume data) and the way of a block to a peer. Figures are MB/s and CPU seconds of
 * the whole process a GB; the median of some rounds. `openssl speed sha1` on the same machine is the bound.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Metainfo,
  type MetainfoFormat,
  buildTorrent,
  parseTorrent,
  planTorrent,
} from '@dnd/metainfo';
import { Disk } from './disk';
import { hashFiles } from './hash-files';
import { Hasher, Want } from './hasher';
import { ResumeStore } from './resume-store';
import { realFileSystem } from './file-system';
import { TorrentStorage } from './torrent-storage';

export interface StorageBenchOptions {
  readonly mebibytes: number;
  readonly pieceLength: number;
  readonly rounds: number;
  readonly workerUrl: string | URL;
  readonly threads?: number;
  readonly print: (line: string) => void;
}

const BLOCK = 16_384;
const RUN = 16 * BLOCK;

/** Returns how many bytes each benchmark moved, by its name. */
export async function runStorageBenchmarks(
  options: StorageBenchOptions,
): Promise<ReadonlyMap<string, number>> {
  const root = mkdtempSync(join(tmpdir(), 'dnd-bench-'));
  const hasher = new Hasher(options);
  const moved = new Map<string, number>();
  const measure = async (name: string, work: () => Promise<number>) => {
    const walls: number[] = [];
    const users: number[] = [];
    const systems: number[] = [];
    let bytes = 0;
    for (let round = 0; round < options.rounds; round++) {
      const cpu = process.cpuUsage();
      const start = performance.now();
      bytes = await work();
      walls.push((performance.now() - start) / 1_000);
      const used = process.cpuUsage(cpu);
      users.push(used.user / 1e6);
      systems.push(used.system / 1e6);
    }
    const rate = bytes / 1e6 / median(walls);
    const user = (median(users) / (bytes / 1e9)).toFixed(2);
    const system = (median(systems) / (bytes / 1e9)).toFixed(2);
    options.print(
      `${name.padEnd(18)} ${rate.toFixed(0).padStart(6)} MB/s, CPU s/GB: ${user} user + ${system} system`,
    );
    moved.set(name, bytes);
  };
  try {
    await hashMemory(options, hasher, measure);
    await filesAndTorrents(options, hasher, root, measure);
  } finally {
    await hasher.close();
    rmSync(root, { recursive: true, force: true });
  }
  return moved;
}

type Measure = (name: string, work: () => Promise<number>) => Promise<void>;

async function hashMemory(
  options: StorageBenchOptions,
  hasher: Hasher,
  measure: Measure,
): Promise<void> {
  const pieces = Math.ceil((options.mebibytes * 2 ** 20) / options.pieceLength);
  const memory = new SharedArrayBuffer(options.pieceLength);
  for (const [name, want] of [
    ['hash sha1', Want.sha1],
    ['hash sha256 tree', Want.root],
  ] as const) {
    await measure(name, async () => {
      const unit = {
        want,
        width: Math.max(1, options.pieceLength / BLOCK),
        memory,
        length: options.pieceLength,
      };
      let next = 0;
      const lane = async () => {
        while (next++ < pieces) await hasher.hash([unit], { urgent: true });
      };
      await Promise.all([lane(), lane(), lane(), lane()]);
      return pieces * options.pieceLength;
    });
  }
}

async function filesAndTorrents(
  options: StorageBenchOptions,
  hasher: Hasher,
  root: string,
  measure: Measure,
): Promise<void> {
  const size = options.mebibytes * 2 ** 20;
  const path = join(root, 'content');
  await makeFile(path, size);
  const make = async (format: MetainfoFormat) => {
    const { pieceLength } = options;
    const files = [{ path: [], length: size }];
    const plan = planTorrent({ name: 'content', files, pieceLength, format });
    const { hashes } = await hashFiles(plan, [path], hasher);
    return parseTorrent(buildTorrent(plan, hashes));
  };
  for (const format of ['v1', 'v2', 'hybrid'] as const) {
    await measure(`create ${format}`, async () => (await make(format)).length);
  }
  for (const format of ['v1', 'v2'] as const) {
    const metainfo = await make(format);
    const disk = new Disk({ hasher, blockGap: 13 });
    const storage = await TorrentStorage.open({ metainfo, root, disk });
    await measure(`recheck ${format}`, async () => {
      await storage.check({ all: true });
      if (!storage.have.complete) throw new Error('recheck failed');
      return size;
    });
    if (format === 'v1') {
      await measure('read blocks', () => readBlocks(storage));
      await measure('lend runs', () => lendRuns(storage));
      await downloads(options, hasher, root, storage, measure);
    }
    await storage.close();
    await disk.close();
  }
}

/** Block by block as a peer asks, from the cache with read-ahead. */
async function readBlocks(storage: TorrentStorage): Promise<number> {
  const into = new Uint8Array(BLOCK);
  let bytes = 0;
  for (let piece = 0; piece < storage.layout.pieceCount; piece++) {
    const size = storage.layout.pieceSize(piece);
    for (let at = 0; at < size; at += BLOCK) {
      const length = Math.min(BLOCK, size - at);
      const part = length === BLOCK ? into : into.subarray(0, length);
      if (!storage.readNow(piece, at, part)) {
        await storage.read(piece, at, length, part);
      }
      bytes += length;
    }
  }
  return bytes;
}

/** As a peer is sent them: whole runs of blocks, where they lie. */
async function lendRuns(storage: TorrentStorage): Promise<number> {
  let bytes = 0;
  for (let piece = 0; piece < storage.layout.pieceCount; piece++) {
    const size = storage.layout.pieceSize(piece);
    for (let at = 0; at < size; at += RUN) {
      const length = Math.min(RUN, size - at);
      let loan = storage.lendNow(piece, at, length);
      if (!loan) {
        await storage.read(piece, at, 1);
        loan = storage.lendNow(piece, at, length);
      }
      if (!loan) throw new Error('not lent');
      loan.giveBack();
      bytes += length;
    }
  }
  return bytes;
}

async function downloads(
  options: StorageBenchOptions,
  hasher: Hasher,
  root: string,
  source: TorrentStorage,
  measure: Measure,
): Promise<void> {
  const { metainfo } = source;
  const resume = ResumeStore.open(join(root, '.node', 'resume.db'));
  let round = 0;
  await measure('download', async () => {
    const disk = new Disk({ hasher, resume });
    const folder = join(root, `d${round++ % 2}`);
    rmSync(folder, { recursive: true, force: true });
    await realFileSystem.mkdir(folder);
    const target = await TorrentStorage.open({ metainfo, root: folder, disk });
    await download(metainfo, source, target);
    if (!target.have.complete) throw new Error('download failed');
    await target.close();
    await disk.close();
    resume.remove(metainfo.id);
    return metainfo.length;
  });
  resume.close();
}

/** Four pieces under way, filled from the other storage's cache: one copy more than from a socket. */
async function download(
  metainfo: Metainfo,
  source: TorrentStorage,
  target: TorrentStorage,
): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < metainfo.pieceCount) {
      const piece = next++;
      if (!target.reserve(piece)) throw new Error('no memory');
      const size = target.layout.pieceSize(piece);
      for (let at = 0; at < size; at += BLOCK) {
        const length = Math.min(BLOCK, size - at);
        const block = target.target(piece, at, length);
        if (!block) throw new Error('no target');
        if (!source.readNow(piece, at, block)) {
          await source.read(piece, at, length, block);
        }
      }
      const result = await target.finish(piece);
      if (result !== 'verified') throw new Error(result);
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

async function makeFile(path: string, size: number): Promise<void> {
  const { constants } = await import('node:fs');
  const fd = await realFileSystem.open(
    path,
    constants.O_RDWR | constants.O_CREAT,
  );
  const chunk = new Uint8Array(2 ** 20);
  for (let i = 0; i < chunk.length; i++) chunk[i] = (i * 31) >> 3;
  for (let at = 0; at < size; at += chunk.length) {
    chunk[0] = at / chunk.length;
    const length = Math.min(chunk.length, size - at);
    await realFileSystem.write(fd, [chunk.subarray(0, length)], at);
  }
  await realFileSystem.close(fd);
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}
