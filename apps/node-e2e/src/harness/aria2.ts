/**
 * aria2c with nothing but trackers to find peers by: downloads and ends, or seeds until it is killed. It
 * speaks with UDP trackers only while its DHT is on; that one knows nobody and is told of nobody.
 */
import type { Child } from './child';
import { freePorts } from './ports';
import type { Scene } from './scene';

const quiet = [
  '--no-conf',
  '--enable-dht6=false',
  '--enable-peer-exchange=false',
  '--bt-enable-lpd=false',
  '--file-allocation=none',
  // What it has is in its files at once.
  '--disk-cache=0',
  '--disable-ipv6=true',
  '--summary-interval=1',
];

/** How it is run, with arguments beside what every test wants. */
export const aria2Command = (
  port: number,
  args: readonly string[],
  address = '127.0.0.1',
): { command: string; args: string[] } => ({
  command: 'aria2c',
  args: [...quiet, `--interface=${address}`, `--listen-port=${port}`, ...args],
});

async function start(
  scene: Scene,
  name: string,
  args: readonly string[],
  address?: string,
): Promise<Child> {
  const [port, dhtPort] = await freePorts(2);
  const dht = [
    `--dht-listen-port=${dhtPort}`,
    `--dht-file-path=${scene.path('dht.dat')}`,
  ];
  return scene.child(name, aria2Command(port, [...dht, ...args], address));
}

/** Resolves once it has the whole content in `folder`. */
export async function aria2Download(
  scene: Scene,
  name: string,
  torrentFile: string,
  folder: string,
  address?: string,
): Promise<void> {
  const child = await start(
    scene,
    name,
    ['--seed-time=0', '--bt-stop-timeout=60', `--dir=${folder}`, torrentFile],
    address,
  );
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

/** Downloads what is missing in `folder`, then seeds it. */
export const aria2Share = (
  scene: Scene,
  name: string,
  torrentFile: string,
  folder: string,
  address: string,
): Promise<Child> =>
  start(
    scene,
    name,
    ['--seed-ratio=0.0', `--dir=${folder}`, torrentFile],
    address,
  );
