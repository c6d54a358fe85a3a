/**
 * One upload that may take several requests, on the disk: its manifest (`manifest.json`: what will come)
 * and what has come of it (`content/`), in a folder of its own. Its bytes are those of its files one
 * after the other, so that one number, the offset, says how far it is. The offset is not written down: it
 * follows from the sizes of the files on the disk, which a crash leaves behind the bytes, never ahead.
 */
import {
  mkdir,
  open,
  readFile,
  rm,
  stat,
  utimes,
  writeFile,
} from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { PublishOptionsDto } from '../peer/dto/publication.dto';
import { SeamError } from '../rpc/seam-error';

export interface UploadFile {
  /** Relative path as the sender named it, elements joined by "/". */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970; lets the sender see whether it has the same file still. */
  readonly modified?: number;
}

export interface Manifest {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly options: Omit<PublishOptionsDto, 'name'>;
  /** Name of the file or folder that will be published. */
  readonly root: string;
  /** Whether the paths begin below `root`; else their first element is replaced by it. */
  readonly wrapped: boolean;
  readonly files: readonly UploadFile[];
}

export class PartialUpload {
  /** Bytes that are on the disk. */
  offset = 0;
  /** Milliseconds since 1970. */
  touchedAt: number;
  private readonly starts: readonly number[];

  private constructor(
    readonly folder: string,
    readonly manifest: Manifest,
  ) {
    let start = 0;
    this.starts = manifest.files.map(({ size }) => {
      const at = start;
      start += size;
      return at;
    });
    this.size = start;
    this.touchedAt = manifest.createdAt;
  }

  /** Bytes of all files. */
  readonly size: number;

  /** The folder must not exist yet. */
  static async create(
    folder: string,
    manifest: Manifest,
  ): Promise<PartialUpload> {
    const upload = new PartialUpload(folder, manifest);
    await mkdir(join(folder, 'content'), { recursive: true });
    for (const [index, { size }] of manifest.files.entries())
      if (size === 0) await (await upload.open(index, 0)).close();
    await writeFile(upload.manifestPath, JSON.stringify(manifest));
    return upload;
  }

  /** What an earlier run of the node left; undefined for what is none, or is published already. */
  static async load(folder: string): Promise<PartialUpload | undefined> {
    try {
      const text = await readFile(join(folder, 'manifest.json'), 'utf8');
      const upload = new PartialUpload(folder, JSON.parse(text) as Manifest);
      await stat(join(folder, 'content'));
      upload.touchedAt = (await stat(upload.manifestPath)).mtimeMs;
      upload.offset = await upload.measure();
      return upload;
    } catch {
      return undefined;
    }
  }

  get isWhole(): boolean {
    return this.offset === this.size;
  }

  /** What is to be published; for an upload that is whole. */
  get path(): string {
    return join(this.folder, 'content', this.manifest.root);
  }

  /**
   * Appends what `source` gives, at the offset. What has been written stays when it fails. Throws
   * `too-large` for more than is missing, and errors of the disk and of the source as they are.
   */
  async append(
    source: AsyncIterable<Uint8Array>,
    onProgress: () => void,
  ): Promise<void> {
    let file: FileHandle | undefined;
    let index = this.fileAt(this.offset);
    try {
      for await (const chunk of source) {
        let rest = chunk;
        while (rest.length > 0) {
          if (this.isWhole)
            throw new SeamError(
              'too-large',
              `the upload has more bytes than the ${this.size} that were announced`,
            );
          const within = this.offset - this.starts[index];
          file ??= await this.open(index, within);
          const { size } = this.manifest.files[index];
          const part = rest.subarray(0, size - within);
          const { bytesWritten } = await file.write(
            part,
            0,
            part.length,
            within,
          );
          this.offset += bytesWritten;
          rest = rest.subarray(bytesWritten);
          if (within + bytesWritten < size) continue;
          await settle(file, size);
          file = undefined;
          index = this.fileAt(this.offset);
        }
        onProgress();
      }
    } finally {
      if (file) await settle(file, this.size);
      await this.touch();
    }
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  private get manifestPath(): string {
    return join(this.folder, 'manifest.json');
  }

  /** The file that the byte at `offset` belongs to; empty ones hold none. */
  private fileAt(offset: number): number {
    let low = 0;
    let high = this.starts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.starts[middle] <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  private async open(index: number, position: number): Promise<FileHandle> {
    const path = this.pathOf(index);
    if (position > 0) return open(path, 'r+');
    await mkdir(dirname(path), { recursive: true });
    return open(path, 'w');
  }

  private pathOf(index: number): string {
    const { root, wrapped, files } = this.manifest;
    const parts = files[index].path.split('/');
    const below = wrapped ? parts : parts.slice(1);
    return join(this.folder, 'content', root, ...below);
  }

  /** The bytes up to the first file that is not as large as it should be. */
  private async measure(): Promise<number> {
    for (const [index, { size }] of this.manifest.files.entries()) {
      const found = await stat(this.pathOf(index)).catch(() => undefined);
      if (found?.size === size) continue;
      // One that is too large has not come from here: it is begun again.
      const usable = found && found.size < size ? found.size : 0;
      if (size > 0) return this.starts[index] + usable;
      await (await this.open(index, 0)).close();
    }
    return this.size;
  }

  private async touch(): Promise<void> {
    const now = new Date();
    this.touchedAt = now.getTime();
    await utimes(this.manifestPath, now, now).catch(() => undefined);
  }
}

/** Closes a file so that it stands after a power cut; small ones are not worth the wait, `measure` sees what is missing of them. */
async function settle(file: FileHandle, size: number): Promise<void> {
  try {
    if (size >= 2 ** 20) await file.datasync();
  } finally {
    await file.close();
  }
}
