/** What a torrent's storage is made with and told of. */
import type { Metainfo } from '@dnd/metainfo';
import type { Disk } from './disk';
import type { StorageError } from './storage-error';
import type { FileStamp } from './torrent-files';

export interface StorageOptions {
  readonly metainfo: Metainfo;
  /** The Storage folder (it must exist); the torrent's name is an element below it. */
  readonly root: string;
  readonly disk: Disk;
  /** Stands for the torrent's name, where that is taken. */
  readonly name?: string;
  /** Files as `hashFiles` left them when the torrent was made of them: unchanged ones need no check. */
  readonly created?: readonly (FileStamp | undefined)[];
  /** Pieces that were had and are not any more (a file vanished, was cut or changed). */
  readonly onLost?: (pieces: readonly number[], error: StorageError) => void;
  /** What went wrong in work that nobody awaits: naming a finished file, storing resume data. */
  readonly onFault?: (error: StorageError) => void;
  /** Milliseconds from a verified piece to its being durable and claimed in the resume data. Default 10,000. */
  readonly checkpointMs?: number;
}

export interface CheckOptions {
  /** All pieces, not only those that nobody vouches for. */
  readonly all?: boolean;
  readonly signal?: AbortSignal;
  /** Called often; `total` pieces are to be looked at. */
  readonly onProgress?: (done: number, total: number) => void;
}
