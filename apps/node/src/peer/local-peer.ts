/** The Peer seam, answered by this node's engine. */
import { Injectable } from '@nestjs/common';
import { join } from 'node:path';
import { SeamError } from '../rpc/seam-error';
import type { Entry } from './entries/entry';
import {
  Peer,
  type AddDownload,
  type Extent,
  type PeerChanges,
  type Publish,
} from './peer';
import type {
  DownloadFilesDto,
  LogDto,
  PeerDto,
  PeersDto,
  PiecesDto,
  SourcesDto,
} from './dto/download-details.dto';
import type {
  DownloadDto,
  DownloadsDto,
  UpdateDownloadDto,
} from './dto/download.dto';
import type { LibraryDto } from './dto/library.dto';
import type { PublicationDto, PublicationsDto } from './dto/publication.dto';
import type { SettingsDto, UpdateSettingsDto } from './dto/settings.dto';
import { PeerEngine } from './peer-engine';
import { Publisher } from './publishing/publisher';
import { showSources, shownSource } from './entries/source-view';

const patience = 20_000;
/** Addresses given by hand that are kept for a torrent, the latest. */
const mostPeersKept = 100;

@Injectable()
export class LocalPeer extends Peer {
  constructor(
    private readonly engine: PeerEngine,
    private readonly publisher: Publisher,
  ) {
    super();
  }

  async downloads(): Promise<DownloadsDto> {
    const items = [...this.engine.entries.values()]
      .map((entry) => this.engine.show(entry))
      .reverse();
    return { total: items.length, items };
  }

  async download(id: string): Promise<DownloadDto> {
    return this.engine.show(this.engine.entries.get(id));
  }

  async add(download: AddDownload): Promise<DownloadDto> {
    return this.engine.show(await this.engine.entries.add(download));
  }

  async pause(id: string): Promise<DownloadDto> {
    const entry = this.engine.entries.get(id);
    ended(entry);
    await this.engine.entries.pause(entry);
    return this.engine.show(entry);
  }

  async resume(id: string): Promise<DownloadDto> {
    const entry = this.engine.entries.get(id);
    ended(entry);
    this.engine.entries.wish(entry, 'run');
    return this.engine.show(entry);
  }

  async cancel(id: string): Promise<DownloadDto> {
    const entry = this.engine.entries.get(id);
    await this.engine.entries.cancel(entry);
    return this.engine.show(entry);
  }

  async retry(id: string): Promise<DownloadDto> {
    const entry = this.engine.entries.get(id);
    this.engine.entries.wish(entry, 'run');
    return this.engine.show(entry);
  }

  async recheck(id: string): Promise<DownloadDto> {
    const entry = this.engine.entries.get(id);
    ended(entry);
    if (entry.session.phase !== 'active')
      throw new SeamError(
        'conflict',
        `${entry.row.name} is not running: resume it first`,
      );
    entry.session.recheck();
    return this.engine.show(entry);
  }

  async remove(id: string, data: boolean): Promise<void> {
    await this.engine.entries.remove(this.engine.entries.get(id), data);
  }

  async update(id: string, change: UpdateDownloadDto): Promise<DownloadDto> {
    const { downloadLimit, uploadLimit, sequential, files } = change;
    const entry = this.engine.entries.get(id);
    const { session, options } = entry;
    if (downloadLimit !== undefined) options.downloadLimit = downloadLimit;
    if (uploadLimit !== undefined) options.uploadLimit = uploadLimit;
    session.setLimits(downloadLimit, uploadLimit);
    if (sequential !== undefined) {
      options.sequential = sequential;
      session.setSequential(sequential);
    }
    if (change.superSeeding !== undefined) {
      options.superSeeding = change.superSeeding;
      session.setSuperSeeding(change.superSeeding);
    }
    if (change.peers) {
      const known = [...(options.peers ?? []), ...change.peers];
      options.peers = [...new Set(known)].slice(-mostPeersKept);
      this.engine.entries.addPeers(entry, change.peers);
    }
    if (files) {
      session.setPriorities(files);
      if (session.priorities) options.priorities = [...session.priorities];
    }
    this.engine.entries.save(entry);
    this.engine.changed(session);
    return this.engine.show(entry);
  }

  async files(id: string): Promise<DownloadFilesDto> {
    const { session } = this.engine.entries.get(id);
    const items = (session.metainfo?.files ?? []).flatMap((file, index) => {
      if (file.pad) return [];
      const path = file.path.join('/');
      const url = `/api/library/${id}/files/${file.path.map(encodeURIComponent).join('/')}`;
      return [
        {
          index,
          path,
          size: file.length,
          completedBytes: session.completedOf(index),
          priority: session.priorities?.[index] ?? 4,
          url,
        },
      ];
    });
    return { total: items.length, items };
  }

  async peers(id: string): Promise<PeersDto> {
    const { session } = this.engine.entries.get(id);
    const items = [...session.peers.sockets].map((socket): PeerDto => {
      const peer = socket.swarmPeer;
      return {
        address: socket.address,
        client: socket.client,
        incoming: socket.incoming,
        transport: socket.transport.kind,
        encrypted: socket.encrypted,
        progress: peer ? peer.have.count / Math.max(1, peer.have.size) : 0,
        downloadRate: Math.round(peer?.down.rate ?? 0),
        uploadRate: Math.round(peer?.up.rate ?? 0),
        downloadedBytes: peer?.down.total ?? 0,
        uploadedBytes: peer?.up.total ?? 0,
        unchoked: peer ? !peer.choking : false,
        interesting: peer?.amInterested ?? false,
        choked: peer?.amChoking ?? true,
        interested: peer?.interested ?? false,
        source: shownSource(socket.source),
      };
    });
    for (const { url, peer } of session.webSeeds?.working ?? [])
      items.push({
        address: url.slice(0, 300),
        client: 'web seed',
        incoming: false,
        transport: 'web',
        encrypted: url.startsWith('https:'),
        progress: 1,
        downloadRate: Math.round(peer.down.rate),
        uploadRate: 0,
        downloadedBytes: peer.down.total,
        uploadedBytes: 0,
        unchoked: true,
        interesting: peer.amInterested,
        choked: true,
        interested: false,
        source: 'web-seed',
      });
    return { total: items.length, items };
  }

  async pieces(id: string): Promise<PiecesDto> {
    const { metainfo, have, swarm } = this.engine.entries.get(id).session;
    const count = metainfo?.pieceCount ?? 0;
    const availability = Uint8Array.from(
      swarm?.availability() ?? new Uint16Array(count),
      (peers) => Math.min(255, peers),
    );
    return {
      count,
      length: metainfo?.pieceLength ?? 0,
      have: Buffer.from(have?.bytes ?? new Uint8Array(0)).toString('base64'),
      inFlight: [...(swarm?.started ?? [])].map(({ piece }) => piece),
      availability: Buffer.from(availability).toString('base64'),
    };
  }

  async sources(id: string): Promise<SourcesDto> {
    const items = showSources(this.engine, this.engine.entries.get(id).session);
    return { total: items.length, items };
  }

  async journal(id: string): Promise<LogDto> {
    const items = this.engine.entries
      .get(id)
      .session.log.list()
      .map((entry) => ({
        ...entry,
        at: new Date(entry.at).toISOString(),
      }));
    return { total: items.length, items };
  }

  async library(): Promise<LibraryDto> {
    const items = [...this.engine.entries.values()]
      .filter(({ row }) => row.published || row.completed_at !== null)
      .reverse()
      .map((entry) => {
        const {
          infoHash,
          name,
          size,
          files,
          published,
          state,
          uploadedBytes,
          uploadRate,
          peers,
          addedAt,
          completedAt,
        } = this.engine.show(entry);
        return {
          infoHash,
          name,
          size,
          files,
          published,
          state,
          uploadedBytes,
          uploadRate,
          peers,
          addedAt,
          ...(completedAt ? { completedAt } : {}),
        };
      });
    return { total: items.length, items };
  }

  publish(publication: Publish): Promise<PublicationDto> {
    return this.publisher.publish(publication);
  }

  async publications(): Promise<PublicationsDto> {
    const items = [...this.engine.publications.values()].reverse();
    return { total: items.length, items };
  }

  withdraw(infoHash: string): Promise<void> {
    return this.publisher.withdraw(infoHash);
  }

  async extent(
    infoHash: string,
    path: string,
    offset: number,
  ): Promise<Extent> {
    const { session, row } = this.engine.entries.get(infoHash);
    const { metainfo } = session;
    // Web seeds are asked with the torrent's name before the path (BEP 19).
    const inFolder = path.startsWith(`${metainfo?.name}/`)
      ? path.slice(path.indexOf('/') + 1)
      : path;
    const index =
      metainfo?.files.findIndex(
        (file) => !file.pad && [path, inFolder].includes(file.path.join('/')),
      ) ?? -1;
    if (!metainfo || index < 0)
      throw new SeamError(
        'not-found',
        `${row.name} has no file ${path.slice(0, 300)}`,
      );
    const size = metainfo.files[index].length;
    const available =
      offset < size ? await session.available(index, offset, patience) : 0;
    if (
      offset < size &&
      available === 0 &&
      (session.phase === 'stopped' || session.phase === 'failed')
    ) {
      throw new SeamError(
        'conflict',
        `${row.name} is not running and has no byte here: resume it first`,
      );
    }
    return {
      path:
        session.storage?.dataPath(index) ??
        join(this.engine.config.storage, ...metainfo.files[index].path),
      size,
      available,
    };
  }

  async settings(): Promise<SettingsDto> {
    return this.engine.settings;
  }

  async changeSettings(change: UpdateSettingsDto): Promise<SettingsDto> {
    return this.engine.changeSettings(change);
  }

  changes(cursor: number): Promise<PeerChanges> {
    return this.engine.feed.after(cursor, patience);
  }
}

/** A cancelled or failed download is begun again by `retry` only. */
function ended({ row }: Entry): void {
  if (row.wish === 'cancelled' || row.wish === 'failed')
    throw new SeamError('conflict', `${row.name} was ${row.wish}: retry it`);
}
