/**
 * Names from strangers made safe to create on a disk.
 *
 * Safety property, whatever the input: a path has at least one element; no element is empty, `.` or
 * `..`, holds a separator, a control character or an invisible direction or spacing mark, or is longer
 * than 255 bytes of UTF-8; and after `uniquePaths` no two stored files have one path, nor is one the
 * folder of another, even on a disk that ignores case and Unicode normalisation. Benign names,
 * however odd, come out as they went in; and a safe name is left alone when it is made safe again.
 */
import { MetainfoError } from './metainfo-error';

export interface PathRules {
  /** Also keep to what Windows can create: no `<>:"|?*`, device names, or trailing dots and spaces. Default false. */
  readonly windows?: boolean;
}

/** What common file systems take for one element, in bytes. */
const MAX_ELEMENT_BYTES = 255;
/** An extension longer than this is cut like the rest of the name. */
const MAX_EXTENSION_BYTES = 32;
/** Elements of one path. */
export const MAX_PATH_DEPTH = 100;
/** How many files may compete for one name before the torrent counts as hostile. */
const MAX_RENAMES = 50;

const UNSAFE = /[\p{Cc}\u2028\u2029\ufffd]+/gu;
const INVISIBLE = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff]/g;
/** Joiners carry meaning inside Indic and Arabic words and emoji, and elsewhere only deceive. */
const STRAY_JOINER =
  /(?<![\u0590-\u1fff\u2100-\uffef\u{10000}-\u{10ffff}])[\u200c\u200d]|[\u200c\u200d](?![\u0590-\u1fff\u2100-\uffef\u{10000}-\u{10ffff}])/gu;
const SEPARATORS = /[/\\]/g;
const WINDOWS_FORBIDDEN = /[<>:"|?*]/g;
const WINDOWS_DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;

/** Most names: printable ASCII, no separator, not only dots, short enough. They need no further look. */
const PLAIN = /^(?!\.{1,2}$)[ -.0-[\]-~]{1,255}$/;
const ASCII = /^[ -~]*$/;

/** One path element, safe; empty when nothing usable is left of it. */
export function safeElement(
  element: Uint8Array | string,
  rules: PathRules = {},
): string {
  const text = textOf(element);
  if (!rules.windows && PLAIN.test(text)) return text;
  let name = text.replace(SEPARATORS, '').replace(UNSAFE, '_');
  name = name.replace(INVISIBLE, '');
  for (let before = ''; before !== name;) {
    before = name;
    name = name.replace(STRAY_JOINER, '');
  }
  name = cut(name, '');
  if (rules.windows) {
    name = name.replace(WINDOWS_FORBIDDEN, '_').replace(/[. ]+$/, '');
    if (WINDOWS_DEVICE.test(name)) name = cut(`_${name}`, '');
  }
  return name === '.' || name === '..' ? '' : name;
}

/** A path below the torrent's own folder; an element of which nothing is left becomes `_`. */
export function safePath(
  elements: readonly (Uint8Array | string)[],
  rules: PathRules = {},
): string[] {
  if (elements.length > MAX_PATH_DEPTH) {
    throw new MetainfoError('directory-too-deep', `${elements.length} levels`);
  }
  return elements.map((element) => safeElement(element, rules) || '_');
}

/** What `uniquePaths` needs to know of a file. */
export interface NamedFile {
  readonly path: readonly string[];
  readonly pad: boolean;
}

/**
 * The files' paths, a file renamed `name.1.ext`, `name.2.ext` … where an earlier file or any folder has
 * its name. Pads keep their paths and stand in nobody's way, for they are never stored.
 */
export function uniquePaths(
  files: readonly NamedFile[],
): readonly (readonly string[])[] {
  const folders = new Set<string>();
  for (const { path, pad } of files) {
    if (!pad) addFolders(path, folders);
  }
  const taken = new Set<string>();
  return files.map(({ path, pad }) => {
    if (pad) return path;
    const above = path.slice(0, -1);
    const parent = above.map((element) => `${fold(element)}/`).join('');
    const last = path[path.length - 1];
    for (let n = 0; n <= MAX_RENAMES; n++) {
      const name = n === 0 ? last : cut(last, `.${n}`);
      const key = parent + fold(name);
      if (taken.has(key) || folders.has(`${key}/`)) continue;
      taken.add(key);
      return n === 0 ? path : [...above, name];
    }
    throw new MetainfoError('too-many-duplicate-names', last);
  });
}

function addFolders(path: readonly string[], folders: Set<string>): void {
  let key = '';
  for (let i = 0; i < path.length - 1; i++) {
    key += `${fold(path[i])}/`;
    folders.add(key);
  }
}

/** Well-formed text; bytes that are not UTF-8 become U+FFFD. */
function textOf(element: Uint8Array | string): string {
  const bytes =
    typeof element === 'string'
      ? Buffer.from(element)
      : Buffer.from(element.buffer, element.byteOffset, element.length);
  return bytes.toString();
}

/** Equal for names that some file system takes for the same. */
function fold(name: string): string {
  if (ASCII.test(name)) return name.toLowerCase();
  return name.normalize('NFC').toLowerCase().normalize('NFC');
}

/** `name` with `infix` before its extension, the stem cut so that all fits into one element. */
function cut(name: string, infix: string): string {
  // A character is at most three bytes of UTF-8 a code unit.
  if (infix === '' && name.length * 3 <= MAX_ELEMENT_BYTES) return name;
  const dot = name.lastIndexOf('.');
  let stem = dot > 0 ? name.slice(0, dot) : name;
  let extension = dot > 0 ? name.slice(dot) : '';
  if (Buffer.byteLength(extension) > MAX_EXTENSION_BYTES) {
    stem = name;
    extension = '';
  }
  const room =
    MAX_ELEMENT_BYTES - Buffer.byteLength(extension) - Buffer.byteLength(infix);
  return firstBytes(stem, room) + infix + extension;
}

/** As many whole characters of `text` as fit into `bytes`. */
function firstBytes(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  if (whole.length <= bytes) return text;
  let end = bytes;
  while ((whole[end] & 0xc0) === 0x80) end--;
  return whole.toString('utf8', 0, end);
}
