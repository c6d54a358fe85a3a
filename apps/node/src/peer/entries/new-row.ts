/** The row of a download that is added: what was asked for, before anything of it is here. */
import type { Magnet } from '@dnd/metainfo';
import type { AddDownload } from '../peer';
import { selectFiles, type TorrentOptions } from './entry';
import type { TorrentRow } from './peer-store';
import type { Wanted } from './read-wanted';

/** `localName`: on this disk, where the torrent's own name is taken; `now` in milliseconds since 1970. */
export function newRow(
  download: AddDownload,
  { metainfo, magnet, torrent, ring }: Wanted,
  localName: string | null,
  now: number,
): TorrentRow {
  const files = download.files ?? magnet?.selectedFiles;
  const options: TorrentOptions = {
    ...(files ? { files: [...files] } : {}),
    ...(download.sequential ? { sequential: true } : {}),
    ...(download.peers ? { peers: download.peers } : {}),
    ...(ring ? { ring: true } : {}),
  };
  if (metainfo) selectFiles(options, metainfo);
  const id = metainfo?.id ?? (magnet as Magnet).id;
  return {
    id,
    name: metainfo?.name ?? magnet?.name?.slice(0, 255) ?? id,
    torrent: torrent ?? null,
    magnet: download.magnet ?? null,
    wish: 'run',
    reason: null,
    published: false,
    root: download.folder ?? null,
    local_name: localName,
    torrent_file: null,
    options: JSON.stringify(options),
    uploaded: 0,
    added_at: now,
    completed_at: null,
    announced: false,
  };
}
