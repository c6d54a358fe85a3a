import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import { encode } from '@dnd/bencode';
import { MetainfoError } from './metainfo-error';
import { parseTorrent } from './parse-torrent';
import { safePath, uniquePaths } from './safe-path';

interface PathCase {
  readonly id: string;
  readonly elements_hex: string[];
  readonly result_posix: string;
  readonly result_when_empty_elements_become_underscore?: string;
}

interface DuplicateCase {
  readonly id: string;
  readonly files: { path: string; size: number; pad: 0 | 1; result: string }[];
}

const file = join(workspaceRoot, '../shared/cases/paths.json');
const table: {
  sanitise: PathCase[];
  duplicates: DuplicateCase[];
  transmission_paths: { path_of_first_file: string[] }[];
} = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { sanitise: [], duplicates: [], transmission_paths: [] };

/** The paths of a torrent's files, or undefined when it is refused. */
function pathsOf(
  ...paths: string[][]
): readonly (readonly string[])[] | undefined {
  const files = paths.map((path) => ({ length: 1, path }));
  const info = {
    name: 'x',
    'piece length': 16_384,
    pieces: 'a'.repeat(20),
    files,
  };
  try {
    return parseTorrent(encode({ info })).files.map(({ path }) => path);
  } catch (error) {
    if (error instanceof MetainfoError) return undefined;
    throw error;
  }
}

const present = table.sanitise.length > 0 ? describe : describe.skip;
present('the shared paths', () => {
  it.each(table.sanitise.map((c) => [c.id, c] as const))(
    'makes %s safe',
    (id, c) => {
      const elements = c.elements_hex.map((hex) => Buffer.from(hex, 'hex'));
      const wanted =
        c.result_when_empty_elements_become_underscore ?? c.result_posix;
      const safe = safePath(elements);
      if (!id.startsWith('long')) expect(safe.join('/')).toBe(wanted);
      else {
        // The table cuts at 240 bytes; names of up to 255 are benign here.
        wanted.split('/').forEach((element, i) => {
          expect(safe[i].startsWith(element.slice(0, 200))).toBe(true);
          expect(Buffer.byteLength(safe[i])).toBeLessThanOrEqual(255);
        });
      }
    },
  );

  it.each(table.transmission_paths.map((c) => [c.path_of_first_file] as const))(
    'leads %j nowhere outside',
    (first) => {
      const paths = pathsOf([...first], ['b.txt']);
      if (first.join('/') === 'a.txt') expect(paths).toBeDefined();
      for (const path of paths ?? []) {
        expect(path.length).toBeGreaterThan(1);
        for (const element of path)
          expect(element).toMatch(/^(?!\.{0,2}$)[^/]+$/);
      }
    },
  );

  it.each(table.duplicates.map((c) => [c.id, c] as const))(
    'tells %s apart',
    (_, c) => {
      const paths = uniquePaths(
        c.files.map(({ path, pad }) => ({
          path: path.split('/'),
          pad: pad === 1,
        })),
      );
      const stored = c.files.flatMap(({ pad }, i) => (pad ? [] : [i]));
      const free = new Set(
        c.files.flatMap(({ pad, path }) => (pad ? [path] : [])),
      );
      for (const i of stored) {
        // A pad takes no name from a file here, as it is never stored.
        const { path, result } = c.files[i];
        expect(paths[i].join('/')).toBe(free.has(path) ? path : result);
      }
    },
  );
});

it('has a table to read, or none at all', () => {
  expect(existsSync(file) ? table.sanitise.length : 49).toBe(49);
});
