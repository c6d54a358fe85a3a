/** What the web page (or any program of the same owner) may ask of this node's peer: its downloads, library and publications. */
import { defineSeam } from '../rpc/seam';
import type {
  DownloadFilesDto,
  LogDto,
  PeersDto,
  PiecesDto,
  SourcesDto,
} from './dto/download-details.dto';
import type {
  AddDownloadDto,
  DownloadDto,
  DownloadsDto,
  UpdateDownloadDto,
} from './dto/download.dto';
import type { LibraryDto } from './dto/library.dto';
import type {
  PublicationDto,
  PublicationsDto,
  PublishOptionsDto,
} from './dto/publication.dto';
import type { SettingsDto, UpdateSettingsDto } from './dto/settings.dto';

export interface AddDownload extends AddDownloadDto {
  /** A .torrent, instead of an info-hash or a magnet link. */
  readonly torrent?: Uint8Array;
}

export interface Publish extends PublishOptionsDto {
  /** Made by the caller; the events speak of it by this id. */
  readonly id: string;
  /** Absolute path of the file or folder. */
  readonly path: string;
  /** True: the path is an upload inside Storage and is moved to its place; false: it stays where it is and is seeded from there. */
  readonly take: boolean;
}

/** Verified bytes of a file that stand on the disk. */
export interface Extent {
  /** Absolute path of the file on this machine. */
  readonly path: string;
  /** Size of the whole file, bytes. */
  readonly size: number;
  /** Bytes from the asked offset on that are verified now (0: none within the waiting time). */
  readonly available: number;
}

/** A part of the peer's state that changed; the page and `GET events` live on these. */
export type PeerEvent =
  | { readonly type: 'download'; readonly data: DownloadDto }
  | {
      readonly type: 'download-removed';
      readonly data: { readonly id: string };
    }
  | { readonly type: 'publication'; readonly data: PublicationDto };

/** Changes since a cursor. */
export interface PeerChanges {
  readonly cursor: number;
  /** True when the cursor was too old: `events` then describe everything there is. */
  readonly reset: boolean;
  readonly events: readonly PeerEvent[];
}

export abstract class Peer {
  abstract downloads(): Promise<DownloadsDto>;
  abstract download(id: string): Promise<DownloadDto>;
  /** `bad-input` (a damaged or unsafe .torrent), `not-found` (unknown info-hash), `conflict` (already there). */
  abstract add(download: AddDownload): Promise<DownloadDto>;
  abstract pause(id: string): Promise<DownloadDto>;
  abstract resume(id: string): Promise<DownloadDto>;
  /** Ends the download and deletes what is unfinished of it; the entry stays in the history. */
  abstract cancel(id: string): Promise<DownloadDto>;
  abstract retry(id: string): Promise<DownloadDto>;
  abstract recheck(id: string): Promise<DownloadDto>;
  /** Forgets the download; its files go too when `data`. */
  abstract remove(id: string, data: boolean): Promise<void>;
  abstract update(id: string, change: UpdateDownloadDto): Promise<DownloadDto>;
  abstract files(id: string): Promise<DownloadFilesDto>;
  abstract peers(id: string): Promise<PeersDto>;
  abstract pieces(id: string): Promise<PiecesDto>;
  abstract sources(id: string): Promise<SourcesDto>;
  /** What happened to it since the node was started, the newest first. */
  abstract journal(id: string): Promise<LogDto>;
  abstract library(): Promise<LibraryDto>;
  abstract publish(publication: Publish): Promise<PublicationDto>;
  abstract publications(): Promise<PublicationsDto>;
  /** Withdraws a publication of this node from the catalogue; the file stays in the library. */
  abstract withdraw(infoHash: string): Promise<void>;
  /** Waits up to 20 s for the first verified byte at `offset` of a file, asking the swarm for it first. */
  abstract extent(
    infoHash: string,
    path: string,
    offset: number,
  ): Promise<Extent>;
  abstract settings(): Promise<SettingsDto>;
  abstract changeSettings(change: UpdateSettingsDto): Promise<SettingsDto>;
  /** Waits up to 20 s for something after `cursor` (0: from now on everything there is). */
  abstract changes(cursor: number): Promise<PeerChanges>;
}

const hour = 3_600_000;

export const peerSeam = defineSeam<Peer>('peer', Peer, {
  downloads: 5_000,
  download: 5_000,
  add: 30_000,
  pause: 10_000,
  resume: 10_000,
  cancel: 30_000,
  retry: 10_000,
  recheck: 10_000,
  remove: 60_000,
  update: 5_000,
  files: 5_000,
  peers: 5_000,
  pieces: 5_000,
  sources: 5_000,
  journal: 5_000,
  library: 5_000,
  publish: 24 * hour,
  publications: 5_000,
  withdraw: 15_000,
  extent: 30_000,
  settings: 5_000,
  changeSettings: 5_000,
  changes: 30_000,
});
