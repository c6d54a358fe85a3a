/** BEP 47 symbolic links: a target counts only if it is another path of the same torrent. */
import { type PathRules, safePath } from './safe-path';

/** A link's own path, where it points to as stated, and whether it is a link at all. */
export interface Linking {
  readonly path: readonly string[];
  readonly symlink?: readonly Uint8Array[];
}

/**
 * For each file the safe path its link points to, or undefined. Targets are stated from the torrent's
 * root; some creators state them from the link's folder, which is tried second.
 */
export function resolveSymlinks(
  files: readonly Linking[],
  name: string,
  rules: PathRules,
): (readonly string[] | undefined)[] {
  if (!files.some((file) => file.symlink)) return files.map(() => undefined);
  const known = new Set<string>();
  const links = new Set<string>();
  for (const { path, symlink } of files) {
    if (symlink) links.add(path.join('/'));
    for (let n = 1; n <= path.length; n++) {
      known.add(path.slice(0, n).join('/'));
    }
  }
  return files.map(({ path, symlink }) => {
    if (!symlink || symlink.length === 0) return undefined;
    const target = safePath(symlink, rules);
    const own = path.join('/');
    return [
      [name, ...target],
      [...path.slice(0, -1), ...target],
    ].find((candidate) => {
      const wanted = candidate.join('/');
      if (wanted === own) return false;
      return known.has(wanted) || leadsThroughLink(candidate, links, own);
    });
  });
}

/** True when the path goes through another link's folder, whose content has other paths here. */
function leadsThroughLink(
  path: readonly string[],
  links: ReadonlySet<string>,
  own: string,
): boolean {
  for (let n = 1; n < path.length; n++) {
    const folder = path.slice(0, n).join('/');
    if (folder !== own && links.has(folder)) return true;
  }
  return false;
}
