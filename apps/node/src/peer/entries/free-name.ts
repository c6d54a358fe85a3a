/** Names in a folder that are not taken. */
import { lstat } from 'node:fs/promises';
import { extname, join } from 'node:path';

const maxBytes = 255;

/** `name` itself, or the first of `name (2)`, `name (3)` … that nothing in `folder` has and nobody has reserved; never longer than a file name may be. */
export async function freeName(
  folder: string,
  name: string,
  isReserved: (name: string) => boolean = () => false,
): Promise<string> {
  const extension = name.endsWith('.torrent') ? '.torrent' : extname(name);
  const stem = name.slice(0, name.length - extension.length);
  for (let n = 1; ; n++) {
    const suffix = `${n === 1 ? '' : ` (${n})`}${extension}`;
    const candidate = cut(stem, maxBytes - Buffer.byteLength(suffix)) + suffix;
    const taken = await lstat(join(folder, candidate)).then(
      () => true,
      () => false,
    );
    if (!taken && !isReserved(candidate)) return candidate;
  }
}

/** The longest beginning of at most `limit` bytes that does not end inside a character. */
function cut(text: string, limit: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > limit) break;
    end += character.length;
  }
  return text.slice(0, end);
}
