/** What a request for a download means: a .torrent, a magnet link, or something from the ring's catalogue. */
import type { Magnet, Metainfo } from '@dnd/metainfo';
import { SeamError } from '../../rpc/seam-error';
import { readMagnet, readTorrent } from '../../torrent';
import type { Tracker } from '../../tracker/tracker';
import type { AddDownload } from '../peer';

export interface Wanted {
  readonly metainfo?: Metainfo;
  readonly torrent?: Uint8Array;
  readonly magnet?: Magnet;
  /** The .torrent is the ring's. */
  readonly ring?: boolean;
}

/** Throws SeamError `bad-input`, `not-found`. */
export async function readWanted(
  download: AddDownload,
  tracker: Tracker,
): Promise<Wanted> {
  const given = [download.infoHash, download.magnet, download.torrent].filter(
    (value) => value !== undefined,
  ).length;
  if (given !== 1)
    throw new SeamError(
      'bad-input',
      'give one of infoHash, magnet and torrent',
    );
  if (download.torrent) {
    const { torrent } = download;
    return { metainfo: readTorrent(torrent), torrent };
  }
  if (download.magnet) {
    const magnet = readMagnet(download.magnet);
    // What is in the catalogue needs no peers to tell its metadata.
    const torrent = await tracker.torrent(magnet.id).catch(() => undefined);
    return torrent
      ? { metainfo: readTorrent(torrent), torrent, magnet, ring: true }
      : { magnet };
  }
  const infoHash = (download.infoHash as string).toLowerCase();
  const torrent = await tracker.torrent(infoHash);
  return { metainfo: readTorrent(torrent), torrent, ring: true };
}
