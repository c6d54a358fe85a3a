/** aria2c with nothing but trackers to find peers by: downloads and ends, or seeds until it is killed. */
import type { Child } from './child';
import { freePort } from './ports';
import type { Scene } from './scene';

const quiet = [
  '--no-conf',
  '--enable-dht=false',
  '--enable-dht6=false',
  '--enable-peer-exchange=false',
  '--bt-enable-lpd=false',
  '--file-allocation=none',
  '--interface=127.0.0.1',
  '--disable-ipv6=true',
  '--summary-interval=1',
];

async function start(
  scene: Scene,
  name: string,
  args: readonly string[],
): Promise<Child> {
  const port = await freePort();
  return scene.child(name, {
    command: 'aria2c',
    args: [...quiet, `--listen-port=${port}`, ...args],
  });
}

/** Resolves once it has the whole content in `folder`. */
export async function aria2Download(
  scene: Scene,
  name: string,
  torrentFile: string,
  folder: string,
): Promise<void> {
  const child = await start(scene, name, [
    '--seed-time=0',
    '--bt-stop-timeout=60',
    `--dir=${folder}`,
    torrentFile,
  ]);
  const { code } = await child.exit;
  if (code !== 0) throw new Error(`aria2c ended with ${code}\n${child.tail}`);
}

/** Seeds what lies in `folder` already. */
export const aria2Seed = (
  scene: Scene,
  name: string,
  torrentFile: string,
  folder: string,
): Promise<Child> =>
  start(scene, name, [
    '--check-integrity=true',
    '--seed-ratio=0.0',
    `--dir=${folder}`,
    torrentFile,
  ]);
