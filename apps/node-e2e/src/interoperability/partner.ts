/** A client that others wrote, for one cell: a process of its own that seeds or downloads. */
import type { Scene } from '../harness/scene';
import { Aria2Partner } from './aria2-partner';
import type { Cell, Client } from './cell';
import { LibtorrentPartner } from './libtorrent-partner';
import { TransmissionPartner } from './transmission-partner';
import { WebtorrentPartner } from './webtorrent-partner';

export interface Job {
  readonly scene: Scene;
  readonly cell: Cell;
  /** Holds the content when it seeds; empty when it downloads. */
  readonly folder: string;
  /** The .torrent. */
  readonly torrent: Uint8Array;
  /** What the downloader is given instead, where that is a link. */
  readonly magnet: string;
  readonly infoHash: string;
  /** Port of our node's peer connections, on 127.0.0.1. */
  readonly peerPort: number;
}

export interface Partner {
  /** Where it takes connections, on 127.0.0.1. */
  readonly port: number;
  /** It is told of our node's address; otherwise our node calls it. */
  readonly dials: boolean;
  /** Our node is found by the tracker that the torrent names. */
  readonly asksTracker: boolean;
  /** Resolves when it takes connections for the torrent. */
  start(): Promise<void>;
  /** Resolves when it has everything. */
  finished(): Promise<void>;
}

export const partners: Readonly<
  Record<Client, (job: Job) => Promise<Partner>>
> = {
  libtorrent: (job) => LibtorrentPartner.create(job),
  transmission: (job) => TransmissionPartner.create(job),
  aria2: (job) => Aria2Partner.create(job),
  webtorrent: (job) => WebtorrentPartner.create(job),
};
