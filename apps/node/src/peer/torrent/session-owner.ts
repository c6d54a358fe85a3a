/** What a torrent's session is given when it is made, and what it needs of its engine. */
import type { Magnet, Metainfo } from '@dnd/metainfo';
import type { Disk, FileStamp } from '@dnd/storage';
import type { PeerAddress, TokenBucket } from '@dnd/swarm';
import type { TorrentSession } from './torrent-session';

export interface SessionOptions {
  readonly id: string;
  readonly metainfo: Metainfo | undefined;
  readonly magnet: Magnet | undefined;
  /** Folder that holds the content. */
  readonly root: string;
  readonly localName: string | undefined;
  /** Files as they were when the torrent was made of them. */
  readonly created?: readonly (FileStamp | undefined)[];
  /** 0 to 7 by file; all 4 when absent. */
  readonly priorities?: readonly number[];
  readonly sequential: boolean;
  readonly superSeeding: boolean;
  readonly downloadLimit: number;
  readonly uploadLimit: number;
}

/** What the session needs of its engine. */
export interface SessionOwner {
  readonly disk: Disk;
  readonly downloadBucket: TokenBucket;
  readonly uploadBucket: TokenBucket;
  now(): number;
  /** The limits do not hold for this address. */
  isUnlimited(host: string): boolean;
  /** This node itself. */
  isOwn(address: PeerAddress): boolean;
  /** Ends the dials that are under way for it. */
  stopDialling(session: TorrentSession): void;
  readonly ownAddress: PeerAddress;
  /** Dials over uTP alone, for a relay has told the other end to do the same. */
  punch(session: TorrentSession, address: PeerAddress): void;
  /** Something that is shown has changed. */
  changed(session: TorrentSession): void;
  /** It is at work: connections may be made. */
  ready(session: TorrentSession): void;
  /** The magnet link's metadata is here, as a .torrent. */
  gotMetadata(session: TorrentSession, torrent: Uint8Array): void;
  /** Everything wanted is there and durable. */
  finished(session: TorrentSession): void;
  /** It cannot go on by itself. */
  failed(session: TorrentSession, reason: string): void;
  /** A piece's memory has been given back. */
  memoryFreed(session: TorrentSession): void;
}
