/** libtorrent, the engine of qBittorrent and Deluge, by its Python binding; trackers are its only source of peers. */
import { spawnSync } from 'node:child_process';
import type { Child } from './child';
import { freePort } from './ports';
import type { Scene } from './scene';

export const python = '/usr/bin/python3';

export const hasLibtorrent = (): boolean =>
  spawnSync(python, ['-c', 'import libtorrent']).status === 0;

/** Arguments: .torrent, folder, address:port, whether to go on. Says so when everything is there and verified; then ends, or seeds. */
const script = `
import libtorrent, sys, time
torrent, folder, endpoint, stay = sys.argv[1:]
session = libtorrent.session({
    'listen_interfaces': endpoint,
    'enable_dht': False, 'enable_lsd': False,
    'enable_upnp': False, 'enable_natpmp': False,
    'allow_multiple_connections_per_ip': True,
    'alert_mask': libtorrent.alert.category_t.all_categories,
})
handle = session.add_torrent({'ti': libtorrent.torrent_info(torrent), 'save_path': folder})
end = time.time() + 60
while not handle.status().is_seeding:
    for alert in session.pop_alerts():
        if 'tracker' in alert.what() or 'peer' in alert.what(): print(alert)
    if time.time() > end: sys.exit('not complete: %s' % handle.status().progress)
    time.sleep(0.1)
print('complete', flush=True)
while stay == 'stay': time.sleep(60)
`;

async function start(
  scene: Scene,
  name: string,
  torrentFile: string,
  folder: string,
  { address, stay }: { address: string; stay: boolean },
): Promise<Child> {
  const endpoint = `${address}:${await freePort()}`;
  return scene.child(name, {
    command: python,
    args: ['-c', script, torrentFile, folder, endpoint, stay ? 'stay' : 'end'],
  });
}

/** Resolves once it has the whole content in `folder`. */
export async function libtorrentDownload(
  scene: Scene,
  name: string,
  torrentFile: string,
  folder: string,
  address = '127.0.0.1',
): Promise<void> {
  const how = { address, stay: false };
  const child = await start(scene, name, torrentFile, folder, how);
  const { code } = await child.exit;
  if (code !== 0)
    throw new Error(`libtorrent ended with ${code}\n${child.tail}`);
}

/** Downloads what is missing in `folder`, says `complete`, and seeds. */
export const libtorrentShare = (
  scene: Scene,
  name: string,
  torrentFile: string,
  folder: string,
  address: string,
): Promise<Child> =>
  start(scene, name, torrentFile, folder, { address, stay: true });
