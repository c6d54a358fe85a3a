/** What a peer and the web page may ask of a tracker. Any node's tracker can answer; the ring behind it is not seen. */
import { defineSeam } from '../rpc/seam';
import type { ReplicasDto } from '../peer/dto/publication.dto';
import type {
  CatalogueDetailDto,
  CataloguePageDto,
  CatalogueFacetsDto,
  CatalogueFilterDto,
  CatalogueQueryDto,
  TrackerStatusDto,
} from './tracker.dto';

/** Who a peer is and where it listens now. */
export interface CheckIn {
  /** The id it was given before; absent at its first start. */
  readonly clientId?: number;
  /** 32 bytes in hex that only this client knows: the id belongs to whoever shows it. */
  readonly token: string;
  readonly name: string;
  readonly host: string;
  /** Port of its peer connections. */
  readonly port: number;
}

export interface Publication {
  readonly torrent: Uint8Array;
  readonly clientId: number;
  readonly token: string;
  readonly publisherName: string;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
}

/** `paused` says that a peer lacks something and wants no more (BEP 21). */
export type AnnounceEvent =
  'started' | 'completed' | 'stopped' | 'paused' | 'update';

export interface PeerAnnounce {
  /** 40 hex digits. */
  readonly infoHash: string;
  readonly peerId: Uint8Array;
  readonly host: string;
  readonly port: number;
  readonly event: AnnounceEvent;
  /** Bytes still missing; 0 is a seed. */
  readonly left: number;
  /** Peers wanted, at most 200. */
  readonly want: number;
}

export interface PeerAnnounceAnswer {
  readonly infoHash: string;
  readonly peers: readonly { readonly host: string; readonly port: number }[];
  readonly seeders: number;
  readonly leechers: number;
  /** Seconds until the next announce. */
  readonly interval: number;
}

export abstract class Tracker {
  /** Gives a client its numeric id (kept for ever) and notes its present address. `forbidden` when the id belongs to another token. */
  abstract checkIn(client: CheckIn): Promise<{ clientId: number }>;
  /** Stores .torrent, catalogue entry and name; resolves when they are safe on `stored` nodes' disks. */
  abstract publish(publication: Publication): Promise<ReplicasDto>;
  /** Takes an entry out of the catalogue, everywhere and for good. Only its publisher may. */
  abstract withdraw(
    infoHash: string,
    clientId: number,
    token: string,
  ): Promise<void>;
  abstract search(query: CatalogueQueryDto): Promise<CataloguePageDto>;
  /** How many entries there are of each kind, publisher and health; each of these filters leaves its own figures alone. */
  abstract facets(filter: CatalogueFilterDto): Promise<CatalogueFacetsDto>;
  /** `not-found` when nobody published it. */
  abstract detail(infoHash: string): Promise<CatalogueDetailDto>;
  /** The .torrent with the announce addresses of several live trackers; `not-found`. */
  abstract torrent(infoHash: string): Promise<Uint8Array>;
  abstract announce(
    batch: readonly PeerAnnounce[],
  ): Promise<readonly PeerAnnounceAnswer[]>;
  /** Waits up to 20 s until the catalogue is no longer at `version` (as told by the last answer; 0 at first). */
  abstract catalogueVersion(version: number): Promise<number>;
  abstract status(): Promise<TrackerStatusDto>;
}

export const trackerSeam = defineSeam<Tracker>('tracker', Tracker, {
  checkIn: 10_000,
  publish: 20_000,
  withdraw: 10_000,
  search: 5_000,
  facets: 5_000,
  detail: 10_000,
  torrent: 20_000,
  announce: 5_000,
  catalogueVersion: 30_000,
  status: 3_000,
});
