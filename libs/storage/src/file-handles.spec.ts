import { readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FileHandles } from './file-handles';
import { realFileSystem } from './file-system';
import { makeFolder, removeFolders } from './testing/fixture';

afterAll(removeFolders);

function openBelow(folder: string): number {
  const targets = readdirSync('/proc/self/fd').map((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(folder)).length;
}

const onLinux = process.platform === 'linux' ? it : it.skip;

describe('FileHandles', () => {
  onLinux(
    'holds no more descriptors than its limit, with many files and borrowers',
    async () => {
      const folder = makeFolder();
      const paths = Array.from({ length: 40 }, (_, i) =>
        join(folder, String(i)),
      );
      for (const path of paths) writeFileSync(path, path);
      const handles = new FileHandles(realFileSystem, { limit: 3 });
      let most = 0;
      const into = paths.map(() => Buffer.alloc(200));
      await Promise.all(
        [...paths, ...paths].map((path, i) =>
          handles.lend(path, i % 3 ? 'read' : 'write', async (fd) => {
            const at = i % paths.length;
            const count = await realFileSystem.read(
              fd,
              [into[at].subarray(0, 200)],
              0,
            );
            most = Math.max(most, openBelow(folder));
            expect(into[at].toString('utf8', 0, count)).toBe(path);
          }),
        ),
      );
      expect(most).toBeLessThanOrEqual(3);
      expect(handles.open).toBeLessThanOrEqual(3);
      await handles.close();
      expect(openBelow(folder)).toBe(0);
    },
  );

  it('makes room when the system has no descriptors left', async () => {
    const folder = makeFolder();
    const paths = ['a', 'b', 'c'].map((name) => join(folder, name));
    for (const path of paths) writeFileSync(path, '');
    let open = 0;
    const scarce = {
      ...realFileSystem,
      open: async (path: string, flags: number) => {
        if (open >= 1)
          throw Object.assign(new Error('EMFILE'), { code: 'EMFILE' });
        const fd = await realFileSystem.open(path, flags);
        open++;
        return fd;
      },
      close: async (fd: number) => {
        await realFileSystem.close(fd);
        open--;
      },
    };
    const handles = new FileHandles(scarce, { limit: 10 });
    const lent = paths.map((path) => handles.lend(path, 'read', () => path));
    expect(await Promise.all(lent)).toEqual(paths);
    await handles.close();
    open = 1;
    await expect(handles.lend(paths[0], 'read', () => 0)).rejects.toMatchObject(
      { code: 'EMFILE' },
    );
    expect(handles.open).toBe(0);
  });

  it('forgets a failed opening', async () => {
    const path = join(makeFolder(), 'later');
    const handles = new FileHandles(realFileSystem);
    await expect(handles.lend(path, 'read', () => 0)).rejects.toMatchObject({
      code: 'ENOENT',
    });
    await handles.lend(path, 'create', () => 0);
    expect(await handles.lend(path, 'read', () => 1)).toBe(1);
    await handles.close();
    expect(handles.open).toBe(0);
  });
});
