import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IdentityFile } from './identity';

const storage = mkdtempSync(join(tmpdir(), 'identity-'));
afterAll(() => rmSync(storage, { recursive: true }));
const file = join(storage, '.node', 'identity.json');

it('is the same after a restart', () => {
  const first = IdentityFile.open(storage);
  first.change({ incarnation: 1, clientId: 42 });
  expect(IdentityFile.open(storage).value).toEqual(first.value);
});

it('begins anew where the file is damaged, and keeps the damaged one', () => {
  const before = IdentityFile.open(storage).value;
  writeFileSync(file, '{"ringId":"x');
  const after = IdentityFile.open(storage).value;
  expect(after.ringId).toMatch(/^[0-9a-f]{40}$/);
  expect(after.ringId).not.toBe(before.ringId);
  expect(existsSync(`${file}.damaged`)).toBe(true);
});
