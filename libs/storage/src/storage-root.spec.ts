import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { realFileSystem } from './file-system';
import { StorageRoot } from './storage-root';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'storage-root-'))));
afterEach(() => rmSync(root, { recursive: true }));

it('refuses a link that leads nowhere', async () => {
  symlinkSync(join(root, 'gone'), join(root, 'link'));
  await expect(
    new StorageRoot(realFileSystem, root).check(join(root, 'link', 'folder')),
  ).rejects.toMatchObject({ code: 'outside' });
});

it('takes no folder that is made at the same moment for such a link', async () => {
  const folder = join(root, 'partial');
  const fs = {
    ...realFileSystem,
    async realpath(path: string) {
      try {
        return await realFileSystem.realpath(path);
      } finally {
        if (path === folder) mkdirSync(folder, { recursive: true });
      }
    },
  };
  await new StorageRoot(fs, root).check(join(folder, 'torrent'));
  await expect(realFileSystem.lstat(folder)).resolves.toMatchObject({
    kind: 'folder',
  });
});
