/** The Tracker seam: publications, the catalogue and the clients, kept on the ring. */
import { formatMagnet, withAnnounce } from '@dnd/metainfo';
import { Injectable } from '@nestjs/common';
import { Dht, type DhtItem, type DhtWrite, type Stored } from '../dht/dht';
import type { ReplicasDto } from '../peer/dto/publication.dto';
import { SeamError } from '../rpc/seam-error';
import { readTorrent } from '../torrent';
import { CatalogueCounts } from './catalogue-counts';
import { CatalogueSync } from './catalogue-sync';
import { Clients } from './clients';
import { cataloguePlace, namePlace, torrentPlace } from './places';
import { entryOf } from './published-entry';
import { Swarms } from './swarms';
import {
  Tracker,
  type CheckIn,
  type PeerAnnounce,
  type PeerAnnounceAnswer,
  type Publication,
} from './tracker';
import { TrackerDirectory } from './tracker-directory';
import { TrackerServers } from './tracker-servers';
import { nodeOf, totalOf } from './tracker-status';
import type {
  CatalogueDetailDto,
  CatalogueEntryDto,
  CataloguePageDto,
  CatalogueFacetsDto,
  CatalogueFilterDto,
  CatalogueQueryDto,
  CatalogueVersionDto,
  TrackerStatusDto,
} from './tracker.dto';
import { decodeEntry, encodeEntry, encodeNamed, type Entry } from './values';

const maxTorrent = 10 * 1024 * 1024;
const patience = 20_000;
const maxVersions = 50;

@Injectable()
export class RingTracker extends Tracker {
  constructor(
    private readonly dht: Dht,
    private readonly catalogue: CatalogueSync,
    private readonly swarms: Swarms,
    private readonly directory: TrackerDirectory,
    private readonly servers: TrackerServers,
    private readonly counts: CatalogueCounts,
    private readonly clients: Clients,
  ) {
    super();
  }

  checkIn(client: CheckIn): Promise<{ clientId: number }> {
    return this.clients.checkIn(client);
  }

  async publish({
    torrent,
    clientId,
    token,
    publisherName,
    publishedAt,
  }: Publication): Promise<ReplicasDto> {
    if (torrent.length > maxTorrent) {
      throw new SeamError(
        'too-large',
        'the .torrent has more than 10 MiB: publish with a larger piece length, or fewer files',
      );
    }
    const metainfo = readTorrent(torrent);
    await this.clients.authorise(clientId, token);
    const before = await this.published(metainfo.id);
    const isOthers = before !== undefined && before.publisherId !== clientId;
    const entry = entryOf(metainfo, {
      publisherId: clientId,
      publisherName,
      publishedAt,
    });
    const value = encodeEntry(entry);
    const writes: DhtWrite[] = [
      {
        kind: 'torrent',
        place: torrentPlace(metainfo.id),
        item: metainfo.id,
        value: withAnnounce(torrent, [], []),
      },
    ];
    // What somebody else has published stays theirs: only its .torrent is made sure of.
    if (!isOthers)
      writes.push(
        {
          kind: 'catalogue',
          place: cataloguePlace(metainfo.id),
          item: metainfo.id,
          value,
        },
        {
          kind: 'name',
          place: namePlace(entry.name),
          item: metainfo.id,
          value: encodeNamed({ infoHash: metainfo.id, publishedAt }),
        },
      );
    const stored = await this.dht.put(writes);
    if (!isOthers)
      this.catalogue.apply(cataloguePlace(metainfo.id), [
        { item: metainfo.id, value },
      ]);
    if (!isOthers) return replicasOf(stored);
    return {
      ...replicasOf(stored),
      reason: 'published-before',
      advice: `${before.publisherName} has published the same already: the catalogue shows it once, under that name`,
    };
  }

  async withdraw(
    infoHash: string,
    clientId: number,
    token: string,
  ): Promise<void> {
    await this.clients.authorise(clientId, token);
    const entry = await this.entry(infoHash);
    if (entry.publisherId !== clientId)
      throw new SeamError(
        'forbidden',
        `${entry.name} was published by ${entry.publisherName}; only they can withdraw it`,
      );
    await this.dht.put([
      {
        kind: 'catalogue',
        place: cataloguePlace(infoHash),
        item: infoHash,
        value: null,
      },
      {
        kind: 'name',
        place: namePlace(entry.name),
        item: infoHash,
        value: null,
      },
    ]);
    this.catalogue.apply(cataloguePlace(infoHash), [
      { item: infoHash, value: null },
    ]);
  }

  async search(query: CatalogueQueryDto): Promise<CataloguePageDto> {
    const { index, reading } = this.catalogue;
    const { total, items } = index.search(query);
    await this.counts.refresh(items.map(({ infoHash }) => infoHash));
    return {
      total,
      items: items.map((entry) => this.shown(entry)),
      ...(reading ? { reading } : {}),
    };
  }

  facets(filter: CatalogueFilterDto): Promise<CatalogueFacetsDto> {
    return Promise.resolve(this.catalogue.index.count(filter));
  }

  async detail(infoHash: string): Promise<CatalogueDetailDto> {
    const entry = await this.entry(infoHash);
    const [torrent, versions] = await Promise.all([
      this.stored(infoHash),
      this.versionsOf(entry),
      this.counts.refresh([infoHash]),
    ]);
    const metainfo = readTorrent(torrent);
    const tree = metainfo.files.flatMap(({ pad, path, length }, index) =>
      pad ? [] : [{ index, path: path.join('/'), size: length }],
    );
    const { infoHashV1, infoHashV2, name } = metainfo;
    const magnet = formatMagnet({
      ...(infoHashV1 ? { infoHashV1 } : {}),
      ...(infoHashV2 ? { infoHashV2 } : {}),
      name,
      announce: this.directory.tiers(),
    });
    return {
      ...this.shown(entry),
      versions,
      tree,
      pieceLength: metainfo.pieceLength,
      pieces: metainfo.pieceCount,
      private: metainfo.private,
      format: metainfo.format,
      magnet,
    };
  }

  async torrent(infoHash: string): Promise<Uint8Array> {
    return withAnnounce(
      await this.stored(infoHash),
      this.directory.tiers(),
      [],
    );
  }

  announce(
    batch: readonly PeerAnnounce[],
  ): Promise<readonly PeerAnnounceAnswer[]> {
    return this.swarms.announce(batch);
  }

  catalogueVersion(version: number): Promise<number> {
    return this.catalogue.changed(version, patience);
  }

  async status(): Promise<TrackerStatusDto> {
    const { servers, directory } = this;
    const own = nodeOf(directory.own(), await servers.load());
    const ring = [
      own,
      ...directory.known().map(({ host, load }) => nodeOf(host, load)),
    ];
    const { announces, scrapes, ...errors } = servers.counters();
    const { announcesPerSecond, scrapesPerSecond, latency } = own;
    return {
      address: own.address,
      urls: directory.ownUrls(),
      announcesPerSecond,
      scrapesPerSecond,
      announces,
      scrapes,
      ...servers.known(),
      latency,
      errors,
      catalogue: this.catalogue.index.size,
      ring,
      total: totalOf(ring),
    };
  }

  /** What was published under the same name, this one too, the newest first. */
  private async versionsOf(entry: Entry): Promise<CatalogueVersionDto[]> {
    let names: readonly DhtItem[];
    try {
      names = await this.dht.list('name', namePlace(entry.name));
    } catch {
      // The entry itself can be shown all the same.
      names = [];
    }
    const others = names
      .filter(({ item, value }) => value !== null && item !== entry.infoHash)
      .map(({ item }) => this.catalogue.index.get(item))
      .filter((other) => other !== undefined);
    return [entry, ...others]
      .sort((a, b) => b.publishedAt - a.publishedAt)
      .slice(0, maxVersions)
      .map((each) => ({
        infoHash: each.infoHash,
        size: each.size,
        publisher: { id: each.publisherId, name: each.publisherName },
        publishedAt: new Date(each.publishedAt).toISOString(),
      }));
  }

  private shown(entry: Entry): CatalogueEntryDto {
    const { infoHash } = entry;
    const { seeders, leechers } = this.catalogue.index.countsOf(infoHash);
    return {
      infoHash,
      name: entry.name,
      size: entry.size,
      files: entry.files,
      ...(entry.comment ? { comment: entry.comment } : {}),
      publisher: { id: entry.publisherId, name: entry.publisherName },
      publishedAt: new Date(entry.publishedAt).toISOString(),
      seeders,
      leechers,
    };
  }

  private async entry(infoHash: string): Promise<Entry> {
    const entry = await this.published(infoHash);
    if (!entry)
      throw new SeamError('not-found', `nobody has published ${infoHash}`);
    return entry;
  }

  /** From the index, or from the ring when it was published a moment ago elsewhere. */
  private async published(infoHash: string): Promise<Entry | undefined> {
    const indexed = this.catalogue.index.get(infoHash);
    if (indexed) return indexed;
    const place = cataloguePlace(infoHash);
    const value = await this.dht.get('catalogue', place, infoHash);
    return value ? decodeEntry(value) : undefined;
  }

  private async stored(infoHash: string): Promise<Uint8Array> {
    const torrent = await this.dht.get(
      'torrent',
      torrentPlace(infoHash),
      infoHash,
    );
    if (!torrent)
      throw new SeamError(
        'not-found',
        `the ring has no .torrent of ${infoHash}`,
      );
    return torrent;
  }
}

/** What a publication's reply says of its copies: too few nodes are a thing to mend, copies under way are not. */
function replicasOf({ stored, nodes, wanted }: Stored): ReplicasDto {
  if (stored >= wanted) return { stored, wanted };
  return nodes < wanted
    ? {
        stored,
        wanted,
        reason: 'too-few-nodes',
        advice: `stored on ${stored} of ${wanted}: start more nodes, so that it outlives any of them`,
      }
    : {
        stored,
        wanted,
        reason: 'copies-under-way',
        advice: `stored on ${stored} of ${wanted}: another copy is still on its way, or is made anew within half a minute`,
      };
}
