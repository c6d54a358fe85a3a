/** Files and folders as browsers hand them over, made into things to publish: one a file, one a folder. */
export interface PickedFile {
  readonly file: File;
  /** Relative path, parts joined by "/"; the name alone for a single file. */
  readonly path: string;
}

export interface Picked {
  readonly name: string;
  readonly folder: boolean;
  readonly files: readonly PickedFile[];
}

/** As many files as one publication may have. */
export const maxFiles = 100_000;

export class TooManyFiles extends Error {
  override readonly name = 'TooManyFiles';
}

/** What an `<input type=file>` chose: with `webkitdirectory` the paths begin with the folder's name. */
export function pickedFrom(files: Iterable<File>): Picked[] {
  const single: Picked[] = [];
  const folders = new Map<string, PickedFile[]>();
  for (const file of files) {
    const path = file.webkitRelativePath;
    if (!path.includes('/')) {
      single.push(one(file));
      continue;
    }
    const top = path.slice(0, path.indexOf('/'));
    const list = folders.get(top) ?? [];
    list.push({ file, path });
    if (list.length > maxFiles) throw new TooManyFiles();
    folders.set(top, list);
  }
  const groups = [...folders].map(([name, list]) => group(name, list));
  return [...groups, ...single];
}

/** Must be called in the drop event itself: its items are gone afterwards. */
export async function pickedFromDrop(data: DataTransfer): Promise<Picked[]> {
  const items = [...data.items].filter(({ kind }) => kind === 'file');
  const entries = items.map((item) => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile(),
  }));
  const picked: Picked[] = [];
  for (const { entry, file } of entries) {
    if (entry?.isDirectory) {
      const list: PickedFile[] = [];
      await walk(entry as FileSystemDirectoryEntry, list);
      picked.push(group(entry.name, list));
    } else if (file) picked.push(one(file));
  }
  return picked;
}

const one = (file: File): Picked => ({
  name: file.name,
  folder: false,
  files: [{ file, path: file.name }],
});

const group = (name: string, files: PickedFile[]): Picked => ({
  name,
  folder: true,
  files: files.sort((a, b) => (a.path < b.path ? -1 : 1)),
});

/** Depth first; `readEntries` gives a hundred at a time until it gives none. */
async function walk(
  folder: FileSystemDirectoryEntry,
  into: PickedFile[],
): Promise<void> {
  const reader = folder.createReader();
  for (;;) {
    const entries = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (entries.length === 0) return;
    for (const entry of entries) {
      if (entry.isDirectory) {
        await walk(entry as FileSystemDirectoryEntry, into);
        continue;
      }
      const file = await new Promise<File>((resolve, reject) =>
        (entry as FileSystemFileEntry).file(resolve, reject),
      );
      into.push({ file, path: entry.fullPath.replace(/^\//, '') });
      if (into.length > maxFiles) throw new TooManyFiles();
    }
  }
}
