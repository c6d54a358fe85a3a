/**
 * Uploads that survive a lost connection, a closed page and a restart of the node, in
 * `.node/uploads/<id>/` of the Storage folder. They are made with the list of their files, get their bytes
 * in as many requests as it takes, and are published by themselves as soon as they are whole. Bounded in
 * number, in age and by the room on the disk.
 */
import { planTorrent } from '@dnd/metainfo';
import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Request } from 'express';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Config } from '../config/config';
import type { Part } from '../part';
import { Peer } from '../peer/peer';
import type { PublicationDto } from '../peer/dto/publication.dto';
import { SeamError } from '../rpc/seam-error';
import { readRules, understood } from '../torrent';
import { EventHub } from './event-hub';
import {
  PartialUpload,
  type Manifest,
  type UploadFile,
} from './partial-upload';
import { layOut } from './upload-layout';
import { roomFor, storageError } from './upload-files';
import type { CreateUploadDto, UploadDetailDto, UploadDto } from './upload.dto';

const maxUploads = 64;
/** How long an upload waits for its next byte, milliseconds. */
const patience = 7 * 24 * 3_600_000;
const sweepPeriod = 3_600_000;
/** A connection that gives nothing for so long is given up, milliseconds. */
const silence = 60_000;
/** How long after one request of an upload the next may come before it counts as paused, milliseconds. */
const between = 2_000;
/** So many ids of what was published are remembered. */
const remembered = 1000;
/** How often the progress of an upload is told, bytes. */
const progressStep = 4 * 1024 * 1024;

interface Live {
  readonly upload: PartialUpload;
  state: UploadDto['state'];
  reason?: string;
  told: number;
  idle?: NodeJS.Timeout;
  /** The request that sends it now, and the end of its reading. */
  sending?: { readonly request: Request; readonly ended: Promise<unknown> };
}

@Injectable()
export class ResumableUploads implements Part {
  private readonly log = new Logger('Uploads');
  private readonly uploads = new Map<string, Live>();
  /** Ids whose upload is being made. */
  private readonly beginning = new Map<string, Promise<UploadDto>>();
  private readonly published = new Set<string>();
  private readonly folder: string;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    @Inject(Config) private readonly config: Config,
    private readonly events: EventHub,
    private readonly peer: Peer,
  ) {
    this.folder = join(config.storage, '.node', 'uploads');
    events.alsoPublishing = () => this.publications();
  }

  /** Takes up what an earlier run left, and publishes what was whole already. */
  async start(): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    for (const name of await readdir(this.folder)) {
      const folder = join(this.folder, name);
      const upload = await PartialUpload.load(folder);
      if (upload && upload.manifest.id === name && !isOld(upload))
        this.uploads.set(name, {
          upload,
          state: 'paused',
          told: upload.offset,
        });
      else await rm(folder, { recursive: true, force: true });
    }
    for (const live of this.uploads.values())
      if (live.upload.isWhole) void this.publish(live);
    this.timer = setInterval(() => void this.sweep(), sweepPeriod);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all(
      [...this.uploads.values()].map((live) => interrupt(live)),
    );
  }

  list(): UploadDto[] {
    return [...this.uploads.values()].map(show);
  }

  /** Throws `not-found`. */
  detail(id: string): UploadDetailDto {
    const live = this.find(id);
    return { ...show(live), files: [...live.upload.manifest.files] };
  }

  /**
   * Begins an upload; said again with the same id, it answers how far that one is. Throws `bad-input`,
   * `too-large`, `disk-full`, `unavailable` (too many at a time), `conflict` (the id is another's, or
   * published).
   */
  async create({
    id = randomUUID(),
    ...wanted
  }: CreateUploadDto): Promise<UploadDto> {
    while (this.beginning.has(id))
      await this.beginning.get(id)?.catch(() => undefined);
    const live = this.uploads.get(id);
    if (live && !isOf(live, wanted.files))
      throw new SeamError('conflict', 'this id belongs to an upload of others');
    if (live) return show(live);
    if (this.published.has(id))
      throw new SeamError('conflict', 'this upload was published already');
    const begun = this.begin(id, wanted);
    this.beginning.set(id, begun);
    try {
      return await begun;
    } finally {
      this.beginning.delete(id);
    }
  }

  private async begin(
    id: string,
    { files, name, ...options }: Omit<CreateUploadDto, 'id'>,
  ): Promise<UploadDto> {
    if (this.uploads.size >= maxUploads)
      throw new SeamError(
        'unavailable',
        `${maxUploads} uploads are unfinished; finish or discard one first`,
      );
    const laid = await layOut(this.config.storage, files, name);
    // What cannot be published must not be sent first.
    understood('this', () =>
      planTorrent(
        { ...options, name: laid.root, files: laid.files },
        readRules,
      ),
    );
    const awaited = [...this.uploads.values()].reduce(
      (sum, { upload }) => sum + upload.size - upload.offset,
      files.reduce((sum, { size }) => sum + size, 0),
    );
    await roomFor(this.config.storage, awaited);
    const manifest: Manifest = {
      id,
      createdAt: Date.now(),
      options,
      root: laid.root,
      wrapped: laid.wrapped,
      files,
    };
    const folder = join(this.folder, id);
    try {
      const upload = await PartialUpload.create(folder, manifest);
      const live: Live = { upload, state: 'paused', told: 0 };
      this.uploads.set(id, live);
      this.tell(live);
      if (upload.isWhole) void this.publish(live);
      return show(live);
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      throw storageError(error);
    }
  }

  /**
   * Appends the body of the request at `offset`; what arrives before a broken connection stays. A request
   * that still hangs on the same upload is ended: its sender has come back. Resolves to the new offset.
   * Throws `not-found`, `conflict` (another offset, or it is being published), `too-large`, `disk-full`.
   */
  async append(id: string, offset: number, request: Request): Promise<number> {
    const live = this.find(id);
    while (live.sending) await interrupt(live);
    const { upload } = live;
    if (live.state === 'publishing' || this.uploads.get(id) !== live)
      throw new SeamError('conflict', `${nameOf(live)} is being published`);
    if (offset !== upload.offset)
      throw new SeamError(
        'conflict',
        `this upload goes on at byte ${upload.offset}, not ${offset}`,
      );
    const ended = this.receive(live, request);
    live.sending = { request, ended: ended.catch(() => undefined) };
    try {
      await ended;
    } catch (error) {
      throw request.destroyed && !(error instanceof SeamError)
        ? new SeamError('bad-input', 'the upload was broken off')
        : storageError(error);
    }
    return upload.offset;
  }

  /** Forgets an upload and deletes what is here of it. Throws `not-found`, `conflict`. */
  async discard(id: string): Promise<void> {
    const live = this.find(id);
    while (live.sending) await interrupt(live);
    if (live.state === 'publishing')
      throw new SeamError('conflict', `${nameOf(live)} is being published`);
    await this.forget(live);
    this.events.emit({ type: 'publication-removed', data: { id } });
  }

  offsetOf(id: string): number | undefined {
    return this.uploads.get(id)?.upload.offset;
  }

  /** Uploads as publications under way; not those that the peer has already. */
  publications(): PublicationDto[] {
    return [...this.uploads.values()]
      .filter(({ state }) => state === 'receiving' || state === 'paused')
      .map(asPublication);
  }

  private async receive(live: Live, request: Request): Promise<void> {
    const { upload } = live;
    const { socket } = request;
    clearTimeout(live.idle);
    live.state = 'receiving';
    this.tell(live);
    socket.setTimeout(silence, () => request.destroy());
    try {
      // The answer to a body that is not wanted needs the connection still.
      const body = request.iterator({ destroyOnReturn: false });
      await upload.append(body, () => {
        if (upload.offset - live.told >= progressStep) this.tell(live);
      });
      live.idle = setTimeout(() => this.rest(live), between).unref();
    } catch (error) {
      live.sending = undefined;
      this.rest(live);
      throw error;
    } finally {
      request.resume();
      socket.setTimeout(0);
      live.sending = undefined;
      if (upload.isWhole) void this.publish(live);
    }
  }

  /** Nobody sends it for the moment. */
  private rest(live: Live): void {
    const isHere = this.uploads.get(live.upload.manifest.id) === live;
    if (live.sending || live.state !== 'receiving' || !isHere) return;
    live.state = 'paused';
    this.tell(live);
  }

  private async publish(live: Live): Promise<void> {
    const { manifest, path } = live.upload;
    live.state = 'publishing';
    live.reason = undefined;
    try {
      await this.peer.publish({
        ...manifest.options,
        id: manifest.id,
        path,
        take: true,
      });
      this.remember(manifest.id);
      await this.forget(live);
    } catch (error) {
      live.state = 'failed';
      live.reason = (error as Error).message;
      this.log.warn(`${nameOf(live)} is not published: ${live.reason}`);
      // The peer has told it already, unless it could not be reached.
      this.events.emit({
        type: 'publication',
        data: { ...asPublication(live), state: 'failed', reason: live.reason },
      });
    }
  }

  private remember(id: string): void {
    this.published.add(id);
    const [oldest] = this.published;
    if (this.published.size > remembered) this.published.delete(oldest);
  }

  private async sweep(): Promise<void> {
    for (const live of this.uploads.values()) {
      const isBusy = live.state === 'receiving' || live.state === 'publishing';
      if (isBusy || !isOld(live.upload)) continue;
      await this.forget(live);
      const { id } = live.upload.manifest;
      this.events.emit({ type: 'publication-removed', data: { id } });
    }
  }

  private async forget(live: Live): Promise<void> {
    this.uploads.delete(live.upload.manifest.id);
    await live.upload.remove();
  }

  private tell(live: Live): void {
    live.told = live.upload.offset;
    this.events.emit({ type: 'publication', data: asPublication(live) });
  }

  private find(id: string): Live {
    const live = this.uploads.get(id);
    if (!live)
      throw new SeamError(
        'not-found',
        'there is no such upload: it was published, discarded or given up',
      );
    return live;
  }
}

/** Ends the request that sends it now, and waits until what came of it is on the disk. */
async function interrupt({ sending }: Live): Promise<void> {
  sending?.request.destroy();
  await sending?.ended;
}

function isOf({ upload }: Live, files: CreateUploadDto['files']): boolean {
  const text = (all: readonly UploadFile[]): string =>
    JSON.stringify(all.map(({ path, size }) => [path, size]));
  return text(upload.manifest.files) === text(files);
}

const nameOf = ({ upload }: Live): string => upload.manifest.root;
const isOld = ({ touchedAt }: PartialUpload): boolean =>
  Date.now() - touchedAt > patience;

function show({ upload, state, reason }: Live): UploadDto {
  return {
    id: upload.manifest.id,
    name: upload.manifest.root,
    size: upload.size,
    offset: upload.offset,
    state,
    ...(reason === undefined ? {} : { reason }),
    expiresAt: new Date(upload.touchedAt + patience).toISOString(),
  };
}

function asPublication({ upload, state }: Live): PublicationDto {
  return {
    id: upload.manifest.id,
    name: upload.manifest.root,
    size: upload.size,
    files: upload.manifest.files.length,
    state: state === 'receiving' ? 'receiving' : 'paused',
    doneBytes: upload.offset,
  };
}
