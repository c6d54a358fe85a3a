import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StorageLock } from './storage-lock';
import { makeFolder, removeFolders } from './testing/fixture';

afterAll(removeFolders);

describe('StorageLock', () => {
  it('lets one in at a time and names it', () => {
    const root = makeFolder();
    const lock = StorageLock.acquire(root);
    expect(() => StorageLock.acquire(root)).toThrow(
      expect.objectContaining({ code: 'locked', pid: process.pid }),
    );
    lock.release();
    lock.release();
    StorageLock.acquire(root).release();
  });

  it('is free again as soon as its process is killed', async () => {
    const root = makeFolder();
    StorageLock.acquire(root).release();
    const holder = spawn(process.execPath, [
      '-e',
      `const { DatabaseSync } = require('node:sqlite');
       globalThis.db = new DatabaseSync(process.argv[1]);
       globalThis.db.exec('BEGIN EXCLUSIVE');
       process.stdout.write('held');
       setInterval(() => undefined, 1e6);`,
      join(root, '.node', 'lock.db'),
    ]);
    await once(holder.stdout, 'data');
    writeFileSync(join(root, '.node', 'pid'), `${holder.pid}\n`);
    expect(() => StorageLock.acquire(root)).toThrow(`process ${holder.pid}`);
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    StorageLock.acquire(root).release();
  });
});
