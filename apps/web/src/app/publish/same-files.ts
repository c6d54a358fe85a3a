/** Whether files chosen anew are those that an unfinished upload was begun with. */
import type { UploadFileDto } from '@dnd/api-client';
import type { PickedFile } from './dropped-files';

/** The chosen files in the order of the upload; undefined when one is missing, or is another now. */
export function sameFiles(
  wanted: readonly UploadFileDto[],
  chosen: readonly PickedFile[],
): readonly PickedFile[] | undefined {
  const byPath = new Map(chosen.map((item) => [item.path, item]));
  const only = wanted.length === 1 && chosen.length === 1;
  const found: PickedFile[] = [];
  for (const { path, size, modified } of wanted) {
    // A single file may have been renamed meanwhile.
    const item = only ? chosen[0] : byPath.get(path);
    const same =
      item?.file.size === size &&
      (modified === undefined || item.file.lastModified === modified);
    if (!item || !same) return undefined;
    found.push({ file: item.file, path });
  }
  return found;
}
