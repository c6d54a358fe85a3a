/** What lies below a folder that is to be published. */
import { join } from 'node:path';
import { type FileSystem, realFileSystem } from './file-system';
import { StorageError, toStorageError } from './storage-error';
import { OWN_FOLDER } from './torrent-files';

export interface ListedFile {
  /** Elements below the folder. */
  readonly path: readonly string[];
  /** Bytes. */
  readonly length: number;
}

export interface ListFolderOptions {
  /** Files at most. Default 100,000. */
  readonly limit?: number;
  readonly fileSystem?: FileSystem;
}

const MAX_DEPTH = 100;

/**
 * All regular files below a folder, in the order of their paths' bytes, element by element. Symbolic links
 * (to folders or files), sockets and devices are left out, and so is the program's own folder.
 * Throws StorageError `missing`, `read-only`, `io`; `too-large` beyond the limit or 100 levels.
 */
export async function listFolder(
  folder: string,
  options: ListFolderOptions = {},
): Promise<ListedFile[]> {
  const fs = options.fileSystem ?? realFileSystem;
  const limit = options.limit ?? 100_000;
  const files: ListedFile[] = [];
  let seen = 0;
  const visit = async (path: readonly string[]): Promise<void> => {
    if (path.length > MAX_DEPTH) {
      throw new StorageError('too-large', `${folder}: folders too deep`);
    }
    const names = [...(await fs.readdir(join(folder, ...path)))];
    for (const name of names.sort(byBytes)) {
      if (path.length === 0 && name === OWN_FOLDER) continue;
      if (++seen > limit * 2 || files.length > limit) {
        throw new StorageError(
          'too-large',
          `${folder}: more than ${limit} files`,
        );
      }
      const below = [...path, name];
      const stat = await fs.lstat(join(folder, ...below));
      if (stat?.kind === 'folder') await visit(below);
      if (stat?.kind === 'file') files.push({ path: below, length: stat.size });
    }
  };
  try {
    await visit([]);
  } catch (error) {
    throw toStorageError(error, folder);
  }
  if (files.length > limit) {
    throw new StorageError('too-large', `${folder}: more than ${limit} files`);
  }
  return files;
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
