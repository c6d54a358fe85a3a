/** The Tracker seam: publications, the catalogue and the clients, kept on the ring. */
import { formatMagnet, withAnnounce, type Metainfo } from '@dnd/metainfo';
import { Injectable } from '@nestjs/common';
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { Dht, type DhtWrite } from '../dht/dht';
import type { ReplicasDto } from '../peer/peer.dto';
import { SeamError } from '../rpc/seam-error';
import { readTorrent } from '../torrent';
import type { IndexedEntry } from './catalogue';
import { CatalogueSync } from './catalogue-sync';
import { cataloguePlace, clientPlace, namePlace, torrentPlace } from './places';
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
import type {
  CatalogueDetailDto,
  CatalogueEntryDto,
  CataloguePageDto,
  CatalogueQueryDto,
  TrackerStatusDto,
} from './tracker.dto';
import {
  decodeClient,
  decodeEntry,
  encodeClient,
  encodeEntry,
  encodeNamed,
  maxPaths,
  type Client,
  type Entry,
} from './values';

const maxTorrent = 10 * 1024 * 1024;
const patience = 20_000;

@Injectable()
export class RingTracker extends Tracker {
  constructor(
    private readonly dht: Dht,
    private readonly catalogue: CatalogueSync,
    private readonly swarms: Swarms,
    private readonly directory: TrackerDirectory,
    private readonly servers: TrackerServers,
  ) {
    super();
  }

  async checkIn({
    clientId,
    token,
    name,
    host,
    port,
  }: CheckIn): Promise<{ clientId: number }> {
    const proof = proofOf(token);
    // 48 random bits: no two nodes draw the same id, in a split ring neither.
    const id = clientId ?? randomBytes(6).readUIntBE(0, 6);
    const known = await this.client(id);
    if (known && !same(known.proof, proof))
      throw new SeamError(
        'forbidden',
        `the client id ${id} belongs to another node`,
      );
    const client: Client = { id, proof, name, host, port };
    await this.dht.put([
      {
        kind: 'client',
        place: clientPlace(id),
        item: String(id),
        value: encodeClient(client),
      },
    ]);
    return { clientId: id };
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
    await this.authorise(clientId, token);
    const entry = entryOf(metainfo, {
      publisherId: clientId,
      publisherName,
      publishedAt,
    });
    const writes: DhtWrite[] = [
      {
        kind: 'torrent',
        place: torrentPlace(metainfo.id),
        item: metainfo.id,
        value: withAnnounce(torrent, [], []),
      },
      {
        kind: 'catalogue',
        place: cataloguePlace(metainfo.id),
        item: metainfo.id,
        value: encodeEntry(entry),
      },
      {
        kind: 'name',
        place: namePlace(entry.name),
        item: metainfo.id,
        value: encodeNamed({ infoHash: metainfo.id, publishedAt }),
      },
    ];
    const { stored, wanted } = await this.dht.put(writes);
    this.catalogue.index.add(cataloguePlace(metainfo.id), entry);
    this.catalogue.announce();
    const advice =
      stored < wanted
        ? `stored on ${stored} of ${wanted}: start more nodes, so that it outlives any of them`
        : undefined;
    return { stored, wanted, ...(advice ? { advice } : {}) };
  }

  async withdraw(
    infoHash: string,
    clientId: number,
    token: string,
  ): Promise<void> {
    await this.authorise(clientId, token);
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
    this.catalogue.index.delete(infoHash);
    this.catalogue.announce();
  }

  async search(query: CatalogueQueryDto): Promise<CataloguePageDto> {
    const { total, items } = this.catalogue.index.search(query);
    return { total, items: await this.withCounts(items) };
  }

  async detail(infoHash: string): Promise<CatalogueDetailDto> {
    const entry = await this.entry(infoHash);
    const [[shown], torrent] = await Promise.all([
      this.withCounts([{ ...entry, seeders: 0, leechers: 0 }]),
      this.stored(infoHash),
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
      ...shown,
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
    const own = { address: directory.own(), ...servers.load() };
    const { announces, scrapes, ...errors } = servers.counters();
    const { meter } = servers;
    return {
      ...own,
      urls: directory.ownUrls(),
      announces,
      scrapes,
      latency: { p50: meter.percentile(0.5), p99: meter.percentile(0.99) },
      errors,
      catalogue: this.catalogue.index.search({ limit: 1 }).total,
      ring: [
        own,
        ...directory
          .known()
          .map(({ host, load }) => ({ address: host, ...load })),
      ],
    };
  }

  private async withCounts(
    entries: readonly IndexedEntry[],
  ): Promise<CatalogueEntryDto[]> {
    const counts = await this.swarms.countsOf(
      entries.map(({ infoHash }) => infoHash),
    );
    return entries.map((entry, i) => {
      const { complete: seeders, incomplete: leechers } = counts[i];
      this.catalogue.index.setCounts(entry.infoHash, seeders, leechers);
      return {
        infoHash: entry.infoHash,
        name: entry.name,
        size: entry.size,
        files: entry.files,
        ...(entry.comment ? { comment: entry.comment } : {}),
        publisher: { id: entry.publisherId, name: entry.publisherName },
        publishedAt: new Date(entry.publishedAt).toISOString(),
        seeders,
        leechers,
      };
    });
  }

  /** From the index, or from the ring when it was published a moment ago elsewhere. */
  private async entry(infoHash: string): Promise<Entry> {
    const indexed = this.catalogue.index.get(infoHash);
    if (indexed) return indexed;
    const value = await this.dht.get(
      'catalogue',
      cataloguePlace(infoHash),
      infoHash,
    );
    if (!value)
      throw new SeamError('not-found', `nobody has published ${infoHash}`);
    return decodeEntry(value);
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

  private async client(id: number): Promise<Client | undefined> {
    const value = await this.dht.get('client', clientPlace(id), String(id));
    return value ? decodeClient(value) : undefined;
  }

  private async authorise(clientId: number, token: string): Promise<void> {
    const client = await this.client(clientId);
    if (!client || !same(client.proof, proofOf(token)))
      throw new SeamError(
        'forbidden',
        `this node is not the client ${clientId}`,
      );
  }
}

function entryOf(
  metainfo: Metainfo,
  by: Pick<Entry, 'publisherId' | 'publisherName' | 'publishedAt'>,
): Entry {
  const files = metainfo.files.filter(({ pad }) => !pad);
  const paths =
    files.length === 1 && files[0].path.length === 1
      ? ''
      : files.map(({ path }) => path.slice(1).join('/')).join('\n');
  return {
    infoHash: metainfo.id,
    name: metainfo.name,
    size: metainfo.size,
    files: files.length,
    comment: cut(metainfo.comment ?? '', 4096),
    private: metainfo.private,
    paths: cut(paths, maxPaths),
    ...by,
  };
}

/** At most `bytes` bytes of UTF-8, no half characters. */
function cut(text: string, bytes: number): string {
  const encoded = Buffer.from(text);
  return encoded.length <= bytes
    ? text
    : encoded
        .subarray(0, bytes)
        .toString()
        .replace(/\uFFFD+$/, '');
}

const proofOf = (token: string): string =>
  createHash('sha256').update(token).digest('hex');

const same = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
