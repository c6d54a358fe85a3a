/** A torrent that the peer knows: its row on disk, its session, and what is wanted of it. */
import type { Metainfo } from '@dnd/metainfo';
import type { TorrentRow } from './peer-store';
import type { TorrentSession } from '../torrent/torrent-session';

export interface TorrentOptions {
  files?: number[];
  sequential?: boolean;
  superSeeding?: boolean;
  downloadLimit?: number;
  uploadLimit?: number;
  priorities?: number[];
  peers?: string[];
  /** It came from the ring's catalogue: the trackers it names are the ring's. */
  ring?: boolean;
}

export interface Entry {
  row: TorrentRow;
  session: TorrentSession;
  options: TorrentOptions;
  queued: boolean;
}

/** Files that were chosen by number become priorities once the torrent is known. */
export function selectFiles(options: TorrentOptions, metainfo: Metainfo): void {
  const { files } = options;
  if (!files || options.priorities) return;
  const wanted = new Set(files);
  options.priorities = metainfo.files.map((_, index) =>
    wanted.has(index) ? 4 : 0,
  );
}

/** A private torrent of somebody else's tracker is not told to the ring (BEP 27). */
export const usesRing = ({ session, row, options }: Entry): boolean =>
  !session.isPrivate || row.published || options.ring === true;

/** Trackers that the torrent or its link names, but for the ring's own. */
export function outsideTiers({
  session: { metainfo, options: source },
  options,
}: Entry): readonly (readonly string[])[] {
  const named = source.magnet?.announce ?? [];
  if (!options.ring) return metainfo?.announce ?? named;
  const own = new Set(metainfo?.announce.flat());
  return named.map((tier) => tier.filter((url) => !own.has(url)));
}
