/** Makes publications: brings the content to its place, hashes it, makes the .torrent, seeds it, and has the tracker keep it on the ring. */
import {
  buildTorrent,
  MetainfoError,
  planTorrent,
  type Metainfo,
} from '@dnd/metainfo';
import { hashFiles, listFolder, StorageError } from '@dnd/storage';
import { Injectable, Logger } from '@nestjs/common';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { every } from '../../beat';
import type { Part } from '../../part';
import { SeamError } from '../../rpc/seam-error';
import type { Entry } from '../entries/entry';
import { VERSION } from '../../version';
import { readRules, readTorrent } from '../../torrent';
import { freeName } from '../entries/free-name';
import type { Publish } from '../peer';
import type { PublicationDto, ReplicasDto } from '../dto/publication.dto';
import { PeerEngine } from '../peer-engine';

/** Bytes between two reports of hashing progress. */
const reportStep = 16 * 1024 * 1024;
const retryPeriod = 5_000;
/** How long a request waits for the ring before it answers "publishing", milliseconds. */
const patience = 20_000;

@Injectable()
export class Publisher implements Part {
  private readonly log = new Logger('Publisher');
  private endRetries = (): void => undefined;

  constructor(private readonly engine: PeerEngine) {}

  /** Goes on with publications that the ring has not taken yet, now and whenever it is there. */
  async start(): Promise<void> {
    this.endRetries = every(retryPeriod, () => void this.announceRest());
  }

  async stop(): Promise<void> {
    this.endRetries();
  }

  async publish(request: Publish): Promise<PublicationDto> {
    const state: PublicationDto = {
      id: request.id,
      name: request.name ?? basename(request.path),
      size: 0,
      files: 0,
      state: 'hashing',
      doneBytes: 0,
    };
    try {
      const made = await this.make(request, state);
      Object.assign(state, {
        infoHash: made.row.id,
        name: made.row.name,
        magnet: this.engine.magnetOf(made.session.metainfo as Metainfo),
        state: 'publishing',
      });
      this.tell(state);
      const replicas = await Promise.race([
        this.announce(made),
        after(patience),
      ]);
      if (replicas) Object.assign(state, { state: 'published', replicas });
      else
        Object.assign(state, {
          reason:
            'the ring does not answer yet; it is published as soon as it does',
        });
      this.tell(state);
      return state;
    } catch (error) {
      const failure = seamError(error);
      this.tell({ ...state, state: 'failed', reason: failure.message });
      throw failure;
    }
  }

  async withdraw(infoHash: string): Promise<void> {
    const entry = this.engine.entries.find(infoHash);
    const { clientId, token } = this.engine.identity.value;
    if (clientId === undefined)
      throw new SeamError(
        'unavailable',
        'no tracker has been found yet; try again in a moment',
      );
    await this.engine.tracker.withdraw(infoHash, clientId, token);
    if (!entry) return;
    entry.row = { ...entry.row, published: false, announced: true };
    this.engine.entries.save(entry);
    this.engine.changed(entry.session);
  }

  private tell(state: PublicationDto): void {
    this.engine.showPublication({ ...state });
  }

  private async make(request: Publish, state: PublicationDto): Promise<Entry> {
    const isFolder = (await stat(request.path)).isDirectory();
    const listed = isFolder
      ? await listFolder(request.path)
      : [{ path: [], length: (await stat(request.path)).size }];
    if (listed.length === 0)
      throw new SeamError(
        'bad-input',
        `the folder ${basename(request.path)} has no files`,
      );
    state.files = listed.length;
    state.size = listed.reduce((sum, { length }) => sum + length, 0);
    const name = request.name ?? basename(request.path);
    const plan = planTorrent(
      {
        name,
        files: listed,
        ...(request.pieceLength ? { pieceLength: request.pieceLength } : {}),
        ...(request.format ? { format: request.format } : {}),
      },
      readRules,
    );
    this.tell(state);
    const paths = listed.map(({ path }) => join(request.path, ...path));
    let told = 0;
    const { hashes, stamps } = await hashFiles(
      plan,
      paths,
      this.engine.hasher,
      {
        onProgress: (done) => {
          if (done - told < reportStep) return;
          told = done;
          this.tell({ ...state, doneBytes: Math.min(done, state.size) });
        },
      },
    );
    const torrent = buildTorrent(plan, hashes, {
      announce: [],
      ...(request.comment ? { comment: request.comment } : {}),
      private: request.private ?? false,
      createdBy: `D&D BitTorrent ${VERSION}`,
      createdAt: Math.floor(Date.now() / 1000),
    });
    const metainfo = readTorrent(torrent);
    const known = this.engine.entries.find(metainfo.id);
    if (known?.session.complete) {
      if (request.take)
        await rm(dirname(request.path), { recursive: true, force: true });
      known.row = { ...known.row, published: true };
      return known;
    }
    if (known)
      throw new SeamError(
        'conflict',
        `${known.row.name} is being downloaded on this node; publish it when it is complete`,
      );
    const localName = request.take
      ? await this.bring(request.path, metainfo.name)
      : basename(request.path);
    return this.engine.entries.adopt(
      {
        id: metainfo.id,
        name: metainfo.name,
        torrent,
        magnet: null,
        wish: 'run',
        reason: null,
        published: true,
        root: request.take ? null : dirname(request.path),
        local_name: localName === metainfo.name ? null : localName,
        torrent_file: null,
        options: '{}',
        uploaded: 0,
        added_at: Date.now(),
        completed_at: Date.now(),
        announced: false,
      },
      metainfo,
      stamps,
    );
  }

  /** Moves an upload to its place in Storage, under a name that is free. */
  private async bring(path: string, name: string): Promise<string> {
    const { storage } = this.engine.config;
    await mkdir(storage, { recursive: true });
    const free = await freeName(storage, name, (each) =>
      this.engine.entries.holdsName(each),
    );
    await rename(path, join(storage, free));
    await rm(dirname(path), { recursive: true, force: true });
    return free;
  }

  private async announce(entry: Entry): Promise<ReplicasDto | undefined> {
    const { tracker, identity, settings } = this.engine;
    await this.engine.sources.whenRegistered();
    const { clientId, token } = identity.value;
    if (clientId === undefined || !entry.row.torrent) return undefined;
    try {
      // What is in the catalogue must have a peer that it can be had from.
      await this.engine.sources.seed(entry.session);
      const replicas = await tracker.publish({
        torrent: entry.row.torrent,
        clientId,
        token,
        publisherName: settings.name,
        publishedAt: entry.row.added_at,
      });
      entry.row = { ...entry.row, announced: true };
      this.engine.entries.save(entry);
      return replicas;
    } catch (error) {
      if ((error as SeamError).code !== 'unavailable') throw error;
      this.log.warn(
        `${entry.row.name} is not on the ring yet: ${(error as Error).message}`,
      );
      return undefined;
    }
  }

  private async announceRest(): Promise<void> {
    for (const entry of this.engine.entries.values()) {
      if (!entry.row.published || entry.row.announced) continue;
      const replicas = await this.announce(entry).catch(() => undefined);
      const publication = [...this.engine.publications.values()].find(
        ({ infoHash }) => infoHash === entry.row.id,
      );
      if (replicas && publication)
        this.tell({
          ...publication,
          state: 'published',
          replicas,
          reason: undefined,
        });
    }
  }
}

function after(milliseconds: number): Promise<undefined> {
  return new Promise(
    (resolve) =>
      void setTimeout(() => resolve(undefined), milliseconds).unref(),
  );
}

function seamError(error: unknown): SeamError {
  if (error instanceof SeamError) return error;
  if (error instanceof MetainfoError)
    return new SeamError(
      'bad-input',
      `this cannot be published: ${error.message}`,
    );
  if (error instanceof StorageError) {
    const code =
      error.code === 'disk-full'
        ? 'disk-full'
        : error.code === 'too-large'
          ? 'too-large'
          : error.code === 'missing'
            ? 'not-found'
            : 'conflict';
    return new SeamError(code, `this cannot be published: ${error.message}`);
  }
  if ((error as NodeJS.ErrnoException).code === 'ENOENT')
    return new SeamError('not-found', 'the file is gone');
  throw error;
}
