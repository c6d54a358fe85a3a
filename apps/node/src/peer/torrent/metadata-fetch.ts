/**
 * A magnet link's way to a whole torrent: the info dictionary (BEP 9) and, for v2, the piece layers
 * that its hash does not cover (BEP 52 hash messages), from whichever peers have them. Everything is
 * checked against the link's hashes before it is used.
 */
import {
  verifyPieceLayer,
  wrapInfo,
  type Magnet,
  type Metainfo,
} from '@dnd/metainfo';
import { MetadataExchange, type HashRange } from '@dnd/wire';
import { createHash } from 'node:crypto';
import { readInfo, readTorrent } from '../../torrent';
import { LayerExchange } from './layer-exchange';
import type { PeerSocket } from '../connections/peer-socket';

export interface MetadataOwner {
  now(): number;
  /** It sent bytes that are not the torrent's. */
  liar(socket: PeerSocket): void;
  /** The whole torrent, as a .torrent too. */
  fetched(metainfo: Metainfo, torrent: Uint8Array): void;
  /** The hash is right, but the torrent cannot be used. */
  failed(error: unknown): void;
}

export class MetadataFetch {
  private readonly exchange: MetadataExchange<PeerSocket>;
  private layers: LayerExchange<PeerSocket> | undefined;
  private known: Metainfo | undefined;
  private readonly sockets = new Set<PeerSocket>();
  private timer: NodeJS.Timeout | undefined;
  private ended = false;

  constructor(
    private readonly magnet: Magnet,
    private readonly owner: MetadataOwner,
  ) {
    this.exchange = new MetadataExchange((info) => this.isInfo(info));
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  joined(socket: PeerSocket): void {
    this.sockets.add(socket);
    this.layers?.offer(socket);
    this.ask();
  }

  extended(socket: PeerSocket, metadataSize: number | undefined): void {
    this.exchange.offer(socket, metadataSize);
    this.ask();
  }

  gone(socket: PeerSocket): void {
    this.sockets.delete(socket);
    this.exchange.gone(socket);
    this.layers?.gone(socket);
  }

  metadata(
    socket: PeerSocket,
    piece: number,
    totalSize: number | undefined,
    bytes: Uint8Array,
  ): void {
    this.exchange.data(socket, piece, totalSize, bytes, this.owner.now());
    this.ask();
  }

  rejected(socket: PeerSocket, piece: number): void {
    this.exchange.reject(socket, piece, this.owner.now());
    this.ask();
  }

  hashes(socket: PeerSocket, range: HashRange, hashes: Uint8Array): void {
    if (!this.layers) return;
    if (!this.layers.hashes(socket, range, hashes, this.owner.now()))
      this.owner.liar(socket);
    this.ask();
  }

  hashesRejected(socket: PeerSocket, range: HashRange): void {
    this.layers?.reject(socket, range, this.owner.now());
    this.ask();
  }

  private ask(): void {
    if (this.ended) return;
    const now = this.owner.now();
    if (this.known) return this.askLayers(this.known, now);
    const { exchange } = this;
    for (const liar of exchange.takeLiars()) this.owner.liar(liar);
    if (exchange.metadata) return this.gotInfo(exchange.metadata);
    for (const { peer, piece } of exchange.next(now))
      peer.connection.extensions?.requestMetadata(piece);
    this.wake(exchange.wakeAt, now);
  }

  private gotInfo(info: Uint8Array): void {
    try {
      this.known = readInfo(info, this.extras);
    } catch (error) {
      this.end();
      return this.owner.failed(error);
    }
    const missing = this.known.infoHashV1 ? [] : missingLayers(this.known);
    if (missing.length === 0) return this.whole(this.known);
    this.layers = new LayerExchange(missing, this.known.pieceLength);
    for (const socket of this.sockets) this.layers.offer(socket);
    this.ask();
  }

  private askLayers(known: Metainfo, now: number): void {
    const { layers } = this;
    if (!layers) return;
    if (layers.done) return this.whole(known);
    for (const { peer, range } of layers.next(now))
      peer.connection.commands.hashRequest(range);
    this.wake(layers.wakeAt, now);
  }

  private whole(known: Metainfo): void {
    this.end();
    const pieceLayers = this.layers?.layers;
    const torrent = wrapInfo(known.infoBytes, {
      ...this.extras,
      ...(pieceLayers ? { pieceLayers } : {}),
    });
    try {
      this.owner.fetched(readTorrent(torrent), torrent);
    } catch (error) {
      this.owner.failed(error);
    }
  }

  private get extras(): Pick<Metainfo, 'announce' | 'webSeeds'> {
    const { announce = [], webSeeds = [] } = this.magnet;
    return { announce, webSeeds };
  }

  private isInfo(info: Uint8Array): boolean {
    const equals = (hash: Uint8Array | undefined, algorithm: string): boolean =>
      hash === undefined ||
      createHash(algorithm).update(info).digest().equals(hash);
    const { infoHashV1, infoHashV2 } = this.magnet;
    return equals(infoHashV1, 'sha1') && equals(infoHashV2, 'sha256');
  }

  private wake(at: number, now: number): void {
    clearTimeout(this.timer);
    if (at === Infinity) return;
    this.timer = setTimeout(() => this.ask(), Math.max(0, at - now));
  }
}

/** Files of more than one piece whose layer is not known. */
function missingLayers(
  metainfo: Metainfo,
): { root: Uint8Array; length: number }[] {
  const { files, pieceLength, pieceLayers } = metainfo;
  const missing = new Map<string, { root: Uint8Array; length: number }>();
  for (const { piecesRoot: root, length } of files) {
    if (!root || length <= pieceLength) continue;
    const name = Buffer.from(root).toString('hex');
    const layer = pieceLayers.get(name);
    if (layer && verifyPieceLayer(root, layer, length, pieceLength)) continue;
    missing.set(name, { root, length });
  }
  return [...missing.values()];
}
