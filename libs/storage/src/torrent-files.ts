/**
 * One torrent's files on the disk. Files that are still being downloaded lie out of the user's sight
 * in `.node/partial/<id>/<index>` below the Storage folder, sparse and of full size; a file gets its
 * name when its last piece stands, so whatever is seen under a name is whole, and nothing that
 * somebody else put there is ever written over. A file that was found under its own name with
 * content of this torrent is the torrent's, and is repaired where it lies.
 *
 * No path leaves the Storage folder: not by its elements, not by symbolic links.
 */
import { dirname, join } from 'node:path';
import type { Metainfo } from '@dnd/metainfo';
import type { Disk } from './disk';
import { StorageError, errno, toStorageError } from './storage-error';
import { StorageRoot } from './storage-root';

/**
 * `none`: nothing there. `partial`: in the hidden folder. `candidate`: something stands under its name that
 * has not been looked at. `final`: that, and it is the torrent's. `foreign`: and it is not.
 */
export type FilePlace = 'none' | 'partial' | 'candidate' | 'final' | 'foreign';

/** What a file looked like; a change shows. */
export interface FileStamp {
  readonly place: 'partial' | 'final';
  readonly size: number;
  readonly mtimeNs: bigint;
}

interface StoredFile {
  readonly length: number;
  readonly finalPath: string;
  readonly partialPath: string;
  place: FilePlace;
  /** Written to since the last `sync`. */
  dirty: boolean;
  creating: Promise<void> | undefined;
}

/** The folder below Storage that is the program's own; no torrent may be called so. */
export const OWN_FOLDER = '.node';

/** Windows syncs only what is open for writing; elsewhere files of a read-only folder can be synced too. */
const SYNC_ACCESS = process.platform === 'win32' ? 'write' : 'read';

export class TorrentFiles {
  readonly partialFolder: string;
  readonly #disk: Disk;
  readonly #root: StorageRoot;
  readonly #files: readonly (StoredFile | undefined)[];

  /** `name` stands for the torrent's own, the first path element. Throws StorageError `outside`. */
  constructor(disk: Disk, metainfo: Metainfo, root: string, name?: string) {
    if (!/^[0-9a-f]{40}$/.test(metainfo.id)) {
      throw new StorageError('outside', `bad torrent id ${metainfo.id}`);
    }
    this.#disk = disk;
    this.#root = new StorageRoot(disk.fs, root);
    const base = this.#root.path;
    this.partialFolder = join(base, OWN_FOLDER, 'partial', metainfo.id);
    this.#files = metainfo.files.map((file, index) => {
      if (file.pad) return undefined;
      const path = [name ?? file.path[0], ...file.path.slice(1)];
      checkPath(path);
      return {
        length: file.length,
        finalPath: join(base, ...path),
        partialPath: join(this.partialFolder, String(index)),
        place: 'none',
        dirty: false,
        creating: undefined,
      };
    });
  }

  get count(): number {
    return this.#files.length;
  }

  /** False for pads. */
  stored(index: number): boolean {
    return this.#files[index] !== undefined;
  }

  length(index: number): number {
    return this.#file(index).length;
  }

  place(index: number): FilePlace {
    return this.#files[index]?.place ?? 'none';
  }

  /** The path under which the user knows the file. */
  path(index: number): string {
    return this.#file(index).finalPath;
  }

  /** Where the bytes are (or may be) now; undefined when there are none of this torrent. */
  dataPath(index: number): string | undefined {
    const file = this.#file(index);
    if (file.place === 'partial') return file.partialPath;
    if (file.place === 'none' || file.place === 'foreign') return undefined;
    return file.finalPath;
  }

  /** Looks where all files are. `known`: as they were when last seen. Throws StorageError `outside` where a link leads out. */
  async findAll(
    known: readonly (FileStamp | undefined)[] = [],
  ): Promise<(FileStamp | undefined)[]> {
    const found: (FileStamp | undefined)[] = [];
    const checked = new Set<string>();
    for (let index = 0; index < this.#files.length; index++) {
      if (!this.#files[index]) found.push(undefined);
      else found.push(await this.find(index, known[index], checked));
    }
    return found;
  }

  /**
   * Looks where the file is. What stands under its name goes before a partial one, unless `known` says that
   * the partial one was this torrent's; and it is this torrent's only if `known` says so.
   */
  async find(
    index: number,
    known?: FileStamp,
    checked = new Set<string>(),
  ): Promise<FileStamp | undefined> {
    const file = this.#file(index);
    const final = await this.#root.stat(file.finalPath);
    const partial =
      final?.kind === 'file' && known?.place !== 'partial'
        ? undefined
        : await this.#root.stat(file.partialPath);
    if (partial?.kind === 'file') {
      await this.#root.check(this.partialFolder, checked);
      file.place = 'partial';
      return { place: 'partial', size: partial.size, mtimeNs: partial.mtimeNs };
    }
    file.place = final ? 'foreign' : 'none';
    if (final?.kind !== 'file') return undefined;
    await this.#root.check(dirname(file.finalPath), checked);
    const own =
      known?.place === 'final' ||
      (known?.place === 'partial' && known.size === final.size);
    file.place = own ? 'final' : 'candidate';
    return { place: 'final', size: final.size, mtimeNs: final.mtimeNs };
  }

  /** What was found under the name is the torrent's, or it is not: then it is left alone. */
  judge(index: number, own: boolean): void {
    const file = this.#file(index);
    if (file.place === 'candidate') file.place = own ? 'final' : 'foreign';
  }

  /** The file as it is now where it is believed to be. */
  async stamp(index: number): Promise<FileStamp | undefined> {
    const file = this.#file(index);
    const path = this.dataPath(index);
    if (path === undefined) return undefined;
    const place = file.place === 'partial' ? 'partial' : 'final';
    const stat = await this.#root.stat(path);
    if (stat?.kind !== 'file') return undefined;
    return { place, size: stat.size, mtimeNs: stat.mtimeNs };
  }

  /** The file is not what it was: opens and finds it anew. */
  async lost(index: number): Promise<void> {
    const file = this.#file(index);
    await this.#disk.handles.forget([file.finalPath, file.partialPath]);
    const known = await this.stamp(index);
    file.dirty = false;
    await this.find(index, known);
  }

  /** Fills the parts one after another from a file position on. Throws StorageError `missing`, `changed` (too short) and others. */
  async read(
    index: number,
    position: number,
    into: readonly Uint8Array[],
  ): Promise<void> {
    const file = this.#file(index);
    for (;;) {
      const path = this.dataPath(index);
      if (path === undefined) {
        throw new StorageError(
          'missing',
          `${file.finalPath}: the file is gone`,
          {
            path: file.finalPath,
          },
        );
      }
      try {
        await this.#disk.handles.lend(
          path,
          'read',
          (fd) => this.#fill(fd, file, position, into),
          () => this.#root.check(dirname(path)),
        );
        return;
      } catch (error) {
        // The file may have got its name between the choice of the path and its opening.
        if (errno(error) === 'ENOENT' && this.dataPath(index) !== path)
          continue;
        throw toStorageError(error, file.finalPath);
      }
    }
  }

  /** Writes the parts one after another from a file position on, creating the file if need be. Throws StorageError; then any part may be written. */
  async write(
    index: number,
    position: number,
    from: readonly Uint8Array[],
  ): Promise<void> {
    const file = this.#file(index);
    try {
      this.judge(index, false);
      if (this.dataPath(index) === undefined) {
        file.creating ??= this.#create(file).finally(() => {
          file.creating = undefined;
        });
        await file.creating;
      }
      const path = this.dataPath(index) as string;
      file.dirty = true;
      await this.#disk.handles.lend(
        path,
        'write',
        async (fd) => {
          for (let at = position, rest = from; rest.length > 0;) {
            const count = await this.#disk.fs.write(fd, rest, at);
            if (count === 0) throw Object.assign(new Error(), { code: 'EIO' });
            at += count;
            rest = after(rest, count);
          }
        },
        () => this.#root.check(dirname(path)),
      );
    } catch (error) {
      const failure = toStorageError(error, file.finalPath);
      if (failure.code === 'missing') await this.lost(index);
      throw failure;
    } finally {
      // Again: a sync that began before the bytes were there has not seen them.
      file.dirty = true;
    }
  }

  /** Its bytes may not be durable: `sync` has to see to it. */
  soil(index: number): void {
    this.#file(index).dirty = true;
  }

  /** Makes what was written to the file durable; false when there was nothing to do. Throws StorageError; the file stays dirty then. */
  async sync(index: number): Promise<boolean> {
    const file = this.#file(index);
    if (!file.dirty) return false;
    const path = this.dataPath(index);
    if (path === undefined) return false;
    file.dirty = false;
    try {
      await this.#disk.handles.lend(
        path,
        SYNC_ACCESS,
        (fd) => this.#disk.fs.datasync(fd),
        () => this.#root.check(dirname(path)),
      );
      return true;
    } catch (error) {
      file.dirty = true;
      throw toStorageError(error, file.finalPath);
    }
  }

  /**
   * Gives a whole file its name. Throws StorageError `exists` where something else has it, unless `same`
   * says that its content is equal. Empty files are created.
   */
  async settle(
    index: number,
    same: (paths: readonly [string, string]) => Promise<boolean>,
  ): Promise<void> {
    const file = this.#file(index);
    if (file.place === 'final') return;
    const { finalPath, partialPath } = file;
    try {
      if (file.place !== 'partial') {
        if (file.length > 0) return;
        await this.#create(file);
      }
      await this.#root.make(dirname(finalPath));
      const there = await this.#root.stat(finalPath);
      const equal =
        there?.kind === 'file' &&
        there.size === file.length &&
        (file.length === 0 || (await same([partialPath, finalPath])));
      if (there && !equal) {
        const detail = `${finalPath}: something else has this name already`;
        throw new StorageError('exists', detail, { path: finalPath });
      }
      await this.#root.move(partialPath, finalPath);
      file.place = 'final';
      await this.#disk.handles.forget([partialPath, finalPath]);
    } catch (error) {
      const failure = toStorageError(error, finalPath);
      if (failure.code === 'missing') await this.lost(index);
      throw failure;
    }
  }

  /** Removes the torrent's files, partial ones too, and the folders that are empty then. */
  async remove(): Promise<void> {
    const paths: string[] = [];
    await this.close();
    for (const file of this.#files) {
      if (!file) continue;
      paths.push(file.partialPath);
      if (file.place === 'final') paths.push(file.finalPath);
      file.place = 'none';
    }
    await this.#root.remove(paths);
  }

  /** Removes the hidden folder when nothing is in it any more. */
  async tidy(): Promise<void> {
    await this.#root.tidy([this.partialFolder]);
  }

  /** Lets the descriptors go. */
  async close(): Promise<void> {
    for (const file of this.#files) {
      if (!file) continue;
      await this.#disk.handles.forget([file.finalPath, file.partialPath]);
    }
  }

  #file(index: number): StoredFile {
    const file = this.#files[index];
    if (!file) throw new RangeError(`file ${index} is not stored`);
    return file;
  }

  async #fill(
    fd: number,
    file: StoredFile,
    position: number,
    into: readonly Uint8Array[],
  ): Promise<void> {
    for (let rest = into; rest.length > 0;) {
      const count = await this.#disk.fs.read(fd, rest, position);
      if (count === 0) {
        const detail = `${file.finalPath}: the file is shorter than it was`;
        throw new StorageError('changed', detail, { path: file.finalPath });
      }
      position += count;
      rest = after(rest, count);
    }
  }

  async #create(file: StoredFile): Promise<void> {
    await this.#root.make(this.partialFolder);
    await this.#disk.handles.lend(file.partialPath, 'create', async (fd) => {
      const { size } = await this.#disk.fs.fstat(fd);
      if (size !== file.length) await this.#disk.fs.truncate(fd, file.length);
    });
    file.place = 'partial';
  }
}

function checkPath(path: readonly string[]): void {
  const bad =
    path.length === 0 ||
    path[0].toLowerCase() === OWN_FOLDER ||
    path.some((e) => e === '' || e === '.' || e === '..' || /[/\\\0]/.test(e));
  if (bad) {
    throw new StorageError('outside', `unsafe path ${JSON.stringify(path)}`);
  }
}

/** The parts without their first `count` bytes. */
function after(parts: readonly Uint8Array[], count: number): Uint8Array[] {
  const rest: Uint8Array[] = [];
  for (const part of parts) {
    if (count < part.length) rest.push(part.subarray(count));
    count = Math.max(0, count - part.length);
  }
  return rest;
}
