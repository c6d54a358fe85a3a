/** One torrent's content on the disk, from resume data to deletion: opened, checked with progress, told of. */
import { Bitfield, type Metainfo } from '@dnd/metainfo';
import {
  TorrentStorage,
  type Disk,
  type FileStamp,
  type StorageError,
} from '@dnd/storage';

export interface ContentPlace {
  readonly disk: Disk;
  /** Folder that holds the content. */
  readonly root: string;
  readonly localName: string | undefined;
  /** Files as they were when the torrent was made of them. */
  readonly created?: readonly (FileStamp | undefined)[];
}

export interface ContentOwner {
  /** 0 to 1 of a check. */
  checking(share: number): void;
  /** What was had is not there any more, or not what it was. */
  lost(pieces: readonly number[], error: StorageError): void;
  fault(error: StorageError): void;
}

export class TorrentContent {
  /** Open while the torrent is at work; afterwards it still tells what there is. */
  storage: TorrentStorage | undefined;
  /** What the resume data says, for a torrent that has not been opened. */
  private remembered: Bitfield | undefined;
  private recalled = false;

  constructor(
    private readonly place: ContentPlace,
    private readonly owner: ContentOwner,
  ) {}

  /** Verified pieces, as far as they are known. */
  have(metainfo: Metainfo | undefined): Bitfield | undefined {
    return this.storage?.have ?? (metainfo && this.recall(metainfo));
  }

  async open(metainfo: Metainfo): Promise<TorrentStorage> {
    const { owner } = this;
    const { root, localName, created, disk } = this.place;
    this.storage = await TorrentStorage.open({
      metainfo,
      root,
      disk,
      ...(localName ? { name: localName } : {}),
      ...(created && !this.storage ? { created } : {}),
      onLost: (pieces, error) => owner.lost(pieces, error),
      onFault: (error) => owner.fault(error),
    });
    return this.storage;
  }

  /** What the last opening found missing or changed, in words. */
  notice({ files }: Metainfo): string | undefined {
    const [notice] = this.storage?.notices ?? [];
    if (!notice) return undefined;
    const path = files[notice.fileIndex].path.join('/');
    return `${path} ${notice.code === 'missing' ? 'is gone' : 'was changed'}`;
  }

  /** Looks at everything again, or (`all` false) at what has been found changed. */
  async check(
    storage: TorrentStorage,
    all: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    this.owner.checking(0);
    await storage.check({
      all,
      signal,
      onProgress: (done, total) => this.owner.checking(done / total),
    });
  }

  async close(): Promise<void> {
    // Whoever stops has no use for errors of the last writes: what was not written comes again.
    await this.storage?.close().catch(() => undefined);
  }

  /** Deletes all that the torrent has on the disk. */
  async remove(metainfo: Metainfo): Promise<void> {
    const storage = this.storage ?? (await this.open(metainfo));
    this.storage = undefined;
    this.remembered = undefined;
    await storage.remove();
  }

  private recall(metainfo: Metainfo): Bitfield | undefined {
    if (this.recalled) return this.remembered;
    this.recalled = true;
    const pieces = this.place.disk.resume?.get(metainfo.id)?.pieces;
    this.remembered =
      pieces && Bitfield.fromWire(pieces.slice(), metainfo.pieceCount);
    return this.remembered;
  }
}
