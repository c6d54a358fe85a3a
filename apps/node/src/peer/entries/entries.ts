/**
 * The list of torrents of this node and what their owner wants of each: added, made here, paused,
 * cancelled, removed. Every wish is on the disk before it is acted on and holds after a restart; which
 * of the wanted ones run is the queue's to say. How a torrent works is in TorrentSession.
 */
import type { Magnet, Metainfo } from '@dnd/metainfo';
import type { FileStamp } from '@dnd/storage';
import { Logger } from '@nestjs/common';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SeamError } from '../../rpc/seam-error';
import { readMagnet, readTorrent } from '../../torrent';
import type { Tracker } from '../../tracker/tracker';
import type { SettingsDto } from '../dto/settings.dto';
import type { AddDownload } from '../peer';
import type { SessionOptions } from '../torrent/session-owner';
import type { TorrentSession } from '../torrent/torrent-session';
import { selectFiles, type Entry, type TorrentOptions } from './entry';
import { freeName } from './free-name';
import { newRow } from './new-row';
import type { PeerStore, TorrentRow, Wish } from './peer-store';
import { readWanted, type Wanted } from './read-wanted';
import { atGoal } from './seeding-goals';
import { TorrentQueue } from './torrent-queue';

export interface EntriesOwner {
  /** Storage: where content lies that is in no folder of its own. */
  readonly storage: string;
  readonly settings: SettingsDto;
  readonly tracker: Tracker;
  now(): number;
  /** A session for a torrent, which is not started. */
  session(options: SessionOptions): TorrentSession;
  /** Makes it known to connections by its hashes; they find it until `unlist`. */
  list(session: TorrentSession): void;
  unlist(session: TorrentSession): void;
  /** By a hash of 40 hex digits. */
  byHash(infoHash: string): TorrentSession | undefined;
  /** Something that is shown has changed. */
  changed(session: TorrentSession): void;
  /** It runs no more for now: nobody is to be told that it can be had here. */
  leave(session: TorrentSession): void;
  removed(session: TorrentSession): void;
  /** New addresses are in its book. */
  found(): void;
}

const maxTorrents = 20_000;
const uploadedPeriod = 30_000;
/** Files looked at each second, of one torrent after another. */
const looksAtOnce = 4;

export class Entries {
  private readonly log = new Logger('Peer');
  private readonly byId = new Map<string, Entry>();
  private readonly queue = new TorrentQueue();
  private savedAt = 0;
  /** Whose turn it is to be looked at on the disk. */
  private looking: MapIterator<Entry> | undefined;

  constructor(
    private readonly store: PeerStore,
    private readonly owner: EntriesOwner,
  ) {}

  /** In the order in which they were added. */
  values(): MapIterator<Entry> {
    return this.byId.values();
  }

  find(id: string): Entry | undefined {
    return this.byId.get(id);
  }

  /** Throws SeamError `not-found`. */
  get(id: string): Entry {
    const entry = this.byId.get(id);
    if (!entry)
      throw new SeamError(
        'not-found',
        `there is no download ${id} on this node`,
      );
    return entry;
  }

  /** Those that are to run and have not to wait. */
  *running(): Generator<TorrentSession> {
    for (const { row, queued, session } of this.byId.values())
      if (row.wish === 'run' && !queued) yield session;
  }

  /** Whether a torrent of this node has, or will have, this name in Storage. */
  holdsName(name: string): boolean {
    for (const { row } of this.byId.values())
      if (!row.root && (row.local_name ?? row.name) === name) return true;
    return false;
  }

  // --- life ---

  /** Reads the list back; what cannot be read is left out and told. `startWanted` starts it. */
  restore(): void {
    for (const words of this.store.lost) this.log.warn(words);
    for (const row of this.store.torrents())
      try {
        this.create(row, row.torrent ? readTorrent(row.torrent) : undefined);
      } catch (error) {
        this.log.warn(
          `${row.name} cannot be read back and is left out: ${(error as Error).message}`,
        );
      }
  }

  /** Ends what runs; the list is closed with its store. */
  async stop(): Promise<void> {
    this.saveUploaded();
    await Promise.all(
      [...this.byId.values()].map(({ session }) => session.stop()),
    );
  }

  // --- wishes ---

  /** Adds a download and starts it (or queues it). */
  async add(download: AddDownload): Promise<Entry> {
    const wanted = await readWanted(download, this.owner.tracker);
    const known = this.known(wanted);
    if (known && known.row.wish !== 'cancelled' && known.row.wish !== 'failed')
      throw new SeamError('conflict', `${known.row.name} is here already`);
    if (known) {
      this.wish(known, 'run');
      return known;
    }
    if (this.byId.size >= maxTorrents)
      throw new SeamError(
        'too-large',
        `this node has ${maxTorrents} torrents; remove some first`,
      );
    const { metainfo, magnet } = wanted;
    const localName =
      metainfo && !download.folder ? await this.localName(metainfo.name) : null;
    const row = newRow(download, wanted, localName, Date.now());
    const entry = this.create(row, metainfo);
    for (const peer of magnet?.peers ?? [])
      entry.session.peers.book.add(peer, 'magnet');
    if (metainfo) await this.saveTorrentFile(entry);
    this.save(entry);
    this.startWanted();
    await this.store.safe();
    return entry;
  }

  /** A torrent of this node's own making, whose content lies where `row` says. */
  async adopt(
    row: TorrentRow,
    metainfo: Metainfo,
    created: readonly (FileStamp | undefined)[],
  ): Promise<Entry> {
    const entry = this.create(row, metainfo, created);
    await this.saveTorrentFile(entry);
    this.save(entry);
    this.startWanted();
    await this.store.safe();
    return entry;
  }

  wish(entry: Entry, wish: Wish, reason: string | null = null): void {
    entry.row = { ...entry.row, wish, reason };
    this.save(entry);
    this.owner.changed(entry.session);
    this.startWanted();
  }

  async pause(entry: Entry): Promise<void> {
    this.wish(entry, 'pause');
    this.owner.leave(entry.session);
    await entry.session.stop();
    this.owner.changed(entry.session);
    this.startWanted();
  }

  /** Ends a download: what there is of it is deleted, the entry stays. */
  async cancel(entry: Entry): Promise<void> {
    const { session } = entry;
    if (entry.row.completed_at !== null && session.complete)
      throw new SeamError(
        'conflict',
        `${entry.row.name} is complete: remove it instead`,
      );
    entry.row = { ...entry.row, completed_at: null };
    this.wish(entry, 'cancelled');
    this.owner.leave(session);
    // What lies in a folder of the owner's own stays there.
    if (entry.row.root) await session.stop();
    else await session.remove();
    this.owner.changed(session);
    this.startWanted();
  }

  async remove(entry: Entry, data: boolean): Promise<void> {
    const { session } = entry;
    // Nothing may start it again meanwhile.
    entry.row = { ...entry.row, wish: 'pause' };
    this.owner.leave(session);
    if (data && !entry.row.root) await session.remove();
    else await session.stop();
    const { torrent_file: file } = entry.row;
    if (file) await rm(join(this.owner.storage, file), { force: true });
    if (this.byId.get(session.id) !== entry) return;
    this.byId.delete(session.id);
    this.queue.forget(entry);
    this.store.remove(session.id);
    this.owner.unlist(session);
    this.owner.removed(session);
    this.startWanted();
  }

  /** Peers given by hand: `host:port` each. */
  addPeers(entry: Entry, peers: readonly string[]): void {
    for (const peer of peers) {
      const match = /^\[?(.+?)\]?:(\d+)$/.exec(peer);
      if (!match) continue;
      const address = { host: match[1], port: Number(match[2]) };
      entry.session.peers.book.add(address, 'manual');
    }
    this.owner.found();
  }

  save(entry: Entry): void {
    // It may have been removed while something of it was still going on.
    if (this.byId.get(entry.row.id) !== entry) return;
    this.store.save({
      ...entry.row,
      uploaded: entry.session.uploadedBytes,
      options: JSON.stringify(entry.options),
    });
  }

  // --- what happened ---

  /** A magnet link's metadata is here, as a .torrent. */
  gotMetadata(entry: Entry, metainfo: Metainfo, torrent: Uint8Array): void {
    const { session, options } = entry;
    entry.row = { ...entry.row, torrent, name: metainfo.name };
    selectFiles(options, metainfo);
    if (options.priorities)
      session.priorities = Uint8Array.from(options.priorities);
    void this.saveTorrentFile(entry).then(() => this.save(entry));
  }

  /** True when it was not complete before. */
  completed(entry: Entry): boolean {
    if (entry.row.completed_at !== null) return false;
    entry.row = { ...entry.row, completed_at: Date.now() };
    this.save(entry);
    this.log.log(`${entry.row.name} is complete`);
    this.queue.forget(entry);
    this.startWanted();
    return true;
  }

  // --- time ---

  everySecond(now: number): void {
    // Of a long list most are complete and connected with nobody: time alone changes nothing of them.
    const unfinished: Entry[] = [];
    for (const entry of this.byId.values()) {
      const { row, session } = entry;
      if (row.completed_at === null) unfinished.push(entry);
      if (session.peers.sockets.size === 0) continue;
      session.peers.tick();
      this.owner.changed(session);
    }
    this.lookAtDisk();
    if (unfinished.length > 0) {
      this.queue.watch(unfinished, now);
      this.startWanted();
    }
    const { settings } = this.owner;
    for (const entry of atGoal(this.byId.values(), settings, Date.now()))
      void this.pause(entry);
    if (now - this.savedAt > uploadedPeriod) this.saveUploaded();
  }

  /** Starts what should run and may, and has the rest wait. `strict`: also running ones beyond the limit. */
  startWanted(strict = false): void {
    const { owner } = this;
    const { begin, wait } = this.queue.plan(
      [...this.byId.values()],
      owner.settings.maxActiveDownloads,
      owner.now(),
      strict,
    );
    for (const entry of wait) {
      if (entry.queued) continue;
      entry.queued = true;
      owner.changed(entry.session);
      owner.leave(entry.session);
      void entry.session.stop();
    }
    for (const entry of begin) {
      entry.queued = false;
      void entry.session.start();
    }
  }

  // --- parts ---

  /** The entry of the same torrent, by whichever of its hashes. */
  private known({ metainfo, magnet }: Wanted): Entry | undefined {
    const { infoHashV1, infoHashV2 } = metainfo ?? (magnet as Magnet);
    for (const hash of [infoHashV1, infoHashV2?.subarray(0, 20)]) {
      const name = hash && Buffer.from(hash).toString('hex');
      const session = name && this.owner.byHash(name);
      if (session) return this.byId.get(session.id);
    }
    return undefined;
  }

  /** Another name where this one is taken by a torrent of ours or is that of the node's own folder. Files that were there before are looked at for what they hold. */
  private async localName(name: string): Promise<string | null> {
    if (/^\.node$/i.test(name)) name = `_${name}`;
    else if (!this.holdsName(name)) return null;
    return freeName(this.owner.storage, name, (each) => this.holdsName(each));
  }

  private create(
    row: TorrentRow,
    metainfo: Metainfo | undefined,
    created?: readonly (FileStamp | undefined)[],
  ): Entry {
    const options = JSON.parse(row.options) as TorrentOptions;
    const session = this.owner.session({
      id: row.id,
      metainfo,
      magnet: row.magnet ? readMagnet(row.magnet) : undefined,
      root: row.root ?? this.owner.storage,
      localName: row.local_name ?? undefined,
      ...(created ? { created } : {}),
      ...(options.priorities ? { priorities: options.priorities } : {}),
      sequential: options.sequential ?? false,
      superSeeding: options.superSeeding ?? false,
      downloadLimit: options.downloadLimit ?? 0,
      uploadLimit: options.uploadLimit ?? 0,
    });
    session.uploadedBefore = row.uploaded;
    const entry: Entry = { row, session, options, queued: false };
    this.byId.set(row.id, entry);
    this.owner.list(session);
    this.addPeers(entry, options.peers ?? []);
    this.owner.changed(session);
    return entry;
  }

  /** The .torrent beside the content, so that other programs can take it from the folder. */
  private async saveTorrentFile(entry: Entry): Promise<void> {
    const { row } = entry;
    if (!row.torrent || row.torrent_file) return;
    const { storage } = this.owner;
    const name = await freeName(storage, `${row.name}.torrent`);
    try {
      await writeFile(join(storage, name), row.torrent, { flag: 'wx' });
      entry.row = { ...entry.row, torrent_file: name };
    } catch (error) {
      this.log.warn(`${name} was not written: ${(error as Error).message}`);
    }
  }

  /** Files that somebody else has changed are noticed though nobody reads them. */
  private lookAtDisk(): void {
    for (let looks = 0; looks < looksAtOnce; looks++) {
      this.looking ??= this.byId.values();
      const { value } = this.looking.next();
      if (value) value.session.lookAtFile();
      else this.looking = undefined;
    }
  }

  private saveUploaded(): void {
    this.savedAt = this.owner.now();
    for (const entry of this.byId.values()) {
      const { uploadedBytes, id } = entry.session;
      if (uploadedBytes === entry.row.uploaded) continue;
      entry.row = { ...entry.row, uploaded: uploadedBytes };
      this.store.saveUploaded(id, uploadedBytes);
    }
  }
}
