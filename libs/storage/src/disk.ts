/**
 * What all torrents of one process share: the hashing threads, the memory in which pieces are put
 * together, the open files, the read cache and the resume data. Made once by the owner.
 */
import { FileHandles } from './file-handles';
import { type FileSystem, realFileSystem } from './file-system';
import type { Hasher } from './hasher';
import { PieceMemory } from './piece-memory';
import { ReadCache } from './read-cache';
import type { ResumeStore } from './resume-store';

export interface DiskOptions {
  readonly hasher: Hasher;
  /** Default: 64 MiB. */
  readonly memory?: PieceMemory;
  /** Without one nothing is remembered over a restart. */
  readonly resume?: ResumeStore;
  /** Bytes of verified data kept in memory for peers. Default 32 MiB. */
  readonly cacheBytes?: number;
  /** Bytes left free before each block of 16 KiB in that memory, for whoever frames blocks where they lie. Default 0. */
  readonly blockGap?: number;
  /** Descriptors held at most. Default 128. */
  readonly openFiles?: number;
  readonly fileSystem?: FileSystem;
}

export class Disk {
  readonly hasher: Hasher;
  readonly memory: PieceMemory;
  readonly resume: ResumeStore | undefined;
  readonly cache: ReadCache;
  readonly handles: FileHandles;
  readonly fs: FileSystem;

  constructor(options: DiskOptions) {
    this.hasher = options.hasher;
    this.memory = options.memory ?? new PieceMemory({ limit: 64 * 2 ** 20 });
    this.resume = options.resume;
    this.cache = new ReadCache({
      limit: options.cacheBytes ?? 32 * 2 ** 20,
      blockGap: options.blockGap ?? 0,
    });
    this.fs = options.fileSystem ?? realFileSystem;
    this.handles = new FileHandles(this.fs, { limit: options.openFiles });
  }

  /** Closes the open files; for when all torrents are closed. The hasher and the resume store are the owner's. */
  async close(): Promise<void> {
    this.cache.clear();
    this.memory.trim();
    await this.handles.close();
  }
}
