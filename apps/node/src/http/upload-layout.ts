/** Where the files of an upload will lie, decided and checked before the first byte comes. */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { SeamError } from '../rpc/seam-error';
import { safeParts } from './upload-files';
import type { UploadFile } from './partial-upload';

export interface Layout {
  /** Name of the file or folder. */
  readonly root: string;
  /** Whether the paths begin below `root`; else their first element is replaced by it. */
  readonly wrapped: boolean;
  /** As a torrent of them has it: paths below `root`, lengths in bytes. */
  readonly files: readonly {
    readonly path: readonly string[];
    readonly length: number;
  }[];
}

/** Throws `bad-input` for names that leave the folder or meet each other. */
export async function layOut(
  storage: string,
  files: readonly UploadFile[],
  name: string | undefined,
): Promise<Layout> {
  const paths = files.map(({ path }) => safeParts(path));
  checkApart(paths, await ignoresCase(storage));
  const [first] = paths;
  const wrapped =
    paths.some(([top]) => top !== first[0]) ||
    (paths.length > 1 && paths.some((path) => path.length === 1));
  const tops = new Set(paths.map(([top]) => top)).size;
  const [root, ...rest] = name
    ? safeParts(name)
    : [wrapped ? `${first[0]} and ${tops - 1} more` : first[0]];
  if (rest.length > 0)
    throw new SeamError('bad-input', 'the name must not contain "/"');
  return {
    root,
    wrapped,
    files: paths.map((path, index) => ({
      path: wrapped ? path : path.slice(1),
      length: files[index].size,
    })),
  };
}

/** No two files have the same path, and none is the folder of another. */
function checkApart(
  paths: readonly (readonly string[])[],
  folded: boolean,
): void {
  const key = (path: readonly string[]): string => {
    const text = path.join('/');
    return folded ? text.normalize('NFC').toLowerCase() : text;
  };
  const files = new Set(paths.map(key));
  const clash =
    files.size < paths.length ||
    paths.some((path) =>
      path
        .slice(1)
        .some((_, depth) => files.has(key(path.slice(0, depth + 1)))),
    );
  if (clash)
    throw new SeamError(
      'bad-input',
      'two files of this upload have the same name',
    );
}

/** Whether a disk takes `a` and `A` for the same name: asked with the node's own folder. */
async function ignoresCase(storage: string): Promise<boolean> {
  return access(join(storage, '.NODE')).then(
    () => true,
    () => false,
  );
}
