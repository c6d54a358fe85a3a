import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeName } from './free-name';

const folder = mkdtempSync(join(tmpdir(), 'free-name-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('counts on where a name is taken, within what a file name may have', async () => {
  expect(await freeName(folder, 'a.txt')).toBe('a.txt');
  writeFileSync(join(folder, 'a.txt'), '');
  expect(await freeName(folder, 'a.txt')).toBe('a (2).txt');
  writeFileSync(join(folder, 'a (2).txt'), '');
  expect(await freeName(folder, 'a.txt')).toBe('a (3).txt');
  const long = `${'ñ'.repeat(125)}.mkv`;
  writeFileSync(join(folder, long), '');
  const next = await freeName(folder, long);
  expect(next).toMatch(/^ñ+ \(2\)\.mkv$/);
  expect(Buffer.byteLength(next)).toBeLessThanOrEqual(255);
  expect(
    Buffer.byteLength(await freeName(folder, `${long}.torrent`)),
  ).toBeLessThanOrEqual(255);
});
