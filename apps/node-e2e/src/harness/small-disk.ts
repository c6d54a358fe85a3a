/** A disk of a few mebibytes to fill: a tmpfs, which takes the rights of root. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Scene } from './scene';

const mount = (path: string, options: string): Buffer =>
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], {
    stdio: 'pipe',
  });

const unmount = (path: string): Buffer =>
  execFileSync('umount', ['--lazy', path], { stdio: 'pipe' });

/** Whether this user may mount one here. */
export function canMount(): boolean {
  const path = mkdtempSync(join(tmpdir(), 'dnd-e2e-mount-'));
  try {
    mount(path, 'size=1m');
    unmount(path);
    return true;
  } catch {
    return false;
  } finally {
    rmdirSync(path);
  }
}

export class SmallDisk {
  private constructor(readonly path: string) {}

  static async mount(scene: Scene, mebibytes: number): Promise<SmallDisk> {
    const path = await scene.directory('small-disk');
    mount(path, `size=${mebibytes}m`);
    scene.atEnd(() => void unmount(path));
    return new SmallDisk(path);
  }

  resize(mebibytes: number): void {
    mount(this.path, `remount,size=${mebibytes}m`);
  }
}
