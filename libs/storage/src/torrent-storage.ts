/**
 * One torrent on the disk. `have` says which pieces are verified AND written; nothing else is ever read
 * out, and nothing that was not verified is ever written. Knows nothing of peers, and starts nothing
 * on its own but the storing of resume data.
 *
 * A piece's way: `reserve` → bytes into `target` → `finish` → verified, or corrupt and still reserved.
 */
import { Bitfield, FileLayout, type Metainfo } from '@dnd/metainfo';
import type { Disk } from './disk';
import { FileLedger } from './file-ledger';
import { type HashUnit, Want } from './hasher';
import { PieceDigests } from './piece-digests';
import { type Loan, PieceReader } from './piece-reader';
import { PieceWriter } from './piece-writer';
import { type FileNotice, recall } from './resume-recall';
import { Reservations } from './reservations';
import type { ResumeRecord } from './resume-record';
import { StorageError } from './storage-error';
import type { CheckOptions, StorageOptions } from './storage-options';
import { hashPieces } from './piece-jobs';
import { type FileStamp, TorrentFiles } from './torrent-files';

const BLOCK = 16_384;

export class TorrentStorage {
  readonly metainfo: Metainfo;
  readonly layout: FileLayout;
  /** Verified pieces; the caller reads, only this class writes. */
  readonly have: Bitfield;
  /** What was found missing or changed at the start. */
  readonly notices: readonly FileNotice[];
  readonly #disk: Disk;
  readonly #files: TorrentFiles;
  readonly #digests: PieceDigests;
  readonly #ledger: FileLedger;
  readonly #reader: PieceReader;
  readonly #options: StorageOptions;
  readonly #unchecked: Bitfield;
  readonly #reserved: Reservations;
  readonly #finishing = new Set<Promise<unknown>>();
  readonly #writer: PieceWriter;
  #writes: Promise<unknown> = Promise.resolve();
  #checking: Promise<unknown> = Promise.resolve();
  #closed = false;

  /**
   * Looks at what lies on the disk; reads no content. When `needsCheck` is true afterwards, call `check`:
   * until then those pieces are neither had nor can they be reserved.
   * Throws StorageError `outside`, `too-large`, `read-only`, `io`.
   */
  static async open(options: StorageOptions): Promise<TorrentStorage> {
    const { metainfo, disk } = options;
    if (metainfo.pieceLength > disk.memory.limit) {
      const detail = `pieces of ${metainfo.pieceLength} bytes do not fit into ${disk.memory.limit}`;
      throw new StorageError('too-large', detail);
    }
    const layout = new FileLayout(metainfo);
    const files = new TorrentFiles(disk, metainfo, options.root, options.name);
    const record = options.created
      ? fullRecord(metainfo, options.created)
      : disk.resume?.get(metainfo.id);
    const written = disk.resume?.written(metainfo.id) ?? [];
    const found = await files.findAll(record?.files);
    const known = recall({
      layout,
      files: metainfo.files,
      record,
      written,
      found,
    });
    const storage = new TorrentStorage(options, layout, files, known, found);
    if (!storage.needsCheck) storage.#ledger.judge();
    await storage.#settle();
    if (options.created) storage.#ledger.begins();
    return storage;
  }

  private constructor(
    options: StorageOptions,
    layout: FileLayout,
    files: TorrentFiles,
    known: ReturnType<typeof recall>,
    found: readonly (FileStamp | undefined)[],
  ) {
    this.#options = options;
    this.#disk = options.disk;
    this.metainfo = options.metainfo;
    this.layout = layout;
    this.#files = files;
    this.have = known.have;
    this.#unchecked = known.unchecked;
    this.notices = known.notices;
    this.#digests = new PieceDigests(options.metainfo, layout);
    this.#reserved = new Reservations(layout, options.disk.memory);
    this.#ledger = new FileLedger({
      id: options.metainfo.id,
      layout,
      files,
      have: this.have,
      disk: options.disk,
      stamps: found,
      checkpointMs: options.checkpointMs ?? 10_000,
      onFault: (error) => options.onFault?.(error),
      onUnsafe: (pieces, error) => this.#lose(pieces, error),
      onGone: (fileIndex, error) => this.#loseFile(fileIndex, error),
    });
    this.#writer = new PieceWriter({
      layout,
      inTurn: (work) => this.#inTurn(work),
      isWritten: (piece) => this.have.has(piece),
      write: (...stretch) => this.#writeFile(...stretch),
      written: (pieces) => this.#written(pieces),
    });
    this.#reader = new PieceReader({
      layout,
      files,
      cache: options.disk.cache,
      ledger: this.#ledger,
      onLost: (fileIndex, error) => this.#loseFile(fileIndex, error),
    });
  }

  /** Something lies on the disk that has not been looked at: `check` first. */
  get needsCheck(): boolean {
    return this.#unchecked.count > 0;
  }

  /** Bytes of pieces that are not had yet, pads included. */
  get missingBytes(): number {
    let bytes = 0;
    for (let piece = 0; piece < this.layout.pieceCount; piece++) {
      if (!this.have.has(piece)) bytes += this.layout.pieceSize(piece);
    }
    return bytes;
  }

  /** Files whose names are taken by something that is not this torrent's; they cannot be finished there. */
  get conflicts(): readonly string[] {
    return this.#ledger.conflicts();
  }

  /** Where a file's bytes are now, for whoever opens finished files by path; undefined when it is not whole and named. */
  finishedPath(fileIndex: number): string | undefined {
    return this.#ledger.finished(fileIndex)
      ? this.#files.path(fileIndex)
      : undefined;
  }

  /** Where a file's bytes are now, whole or not, for whoever reads verified ranges by path; undefined when there are none. It changes when the file becomes whole. */
  dataPath(fileIndex: number): string | undefined {
    return this.#files.dataPath(fileIndex);
  }

  // --- download ---

  /** Takes memory for the piece (true also when it has some); false when the shared budget is used up, when the piece is had, or while the torrent `needsCheck`, or (v2 from a magnet link) its hash is not known yet. Padding stands there already. */
  reserve(piece: number): boolean {
    if (this.#closed) return false;
    if (this.#reserved.has(piece)) return this.#reserved.add(piece);
    const wanted = this.layout.pieceSize(piece) > 0 && !this.have.has(piece);
    if (this.needsCheck || !wanted) return false;
    if (!this.#digests.expected(piece)) return false;
    return this.#reserved.add(piece);
  }

  /** Where a block's bytes belong, good until `finish` or `discard`; undefined when the piece is not reserved or being finished, or the range is not in it. */
  target(piece: number, begin: number, length: number): Uint8Array | undefined {
    return this.#reserved.target(piece, begin, length);
  }

  /**
   * Hashes the piece and, when it is right, writes it; then the piece is had and its memory given back.
   * `corrupt`: nothing is written and the piece stays reserved with its bytes, for `blockDigests`, for other
   * blocks in their place, or for `discard`. Throws StorageError (`disk-full` ...) when it cannot be
   * written: it stays reserved and `finish` may be called again. Throws `not-had` when not reserved.
   */
  finish(piece: number): Promise<'verified' | 'corrupt'> {
    const run = this.#finish(piece);
    this.#finishing.add(run);
    const done = () => this.#finishing.delete(run);
    run.then(done, done);
    return run;
  }

  /** Gives the piece's memory back without keeping anything. */
  discard(piece: number): void {
    this.#reserved.discard(piece);
  }

  /** SHA-1 of each 16 KiB block (20 bytes each) of a reserved piece as it stands, or of one that is had. */
  async blockDigests(piece: number): Promise<Uint8Array> {
    if (!this.#reserved.has(piece)) return this.#hashHad(piece, Want.blocks);
    const held = this.#reserved.hold(piece);
    try {
      const { memory } = held;
      const length = held.bytes.length;
      const unit = { want: Want.blocks, width: 0, memory, length };
      const [{ digests }] = await this.#disk.hasher.hash([unit], {
        urgent: true,
      });
      return digests;
    } finally {
      this.#reserved.letGo(held);
    }
  }

  // --- reading ---

  /**
   * Copies verified bytes to `into` at once when they are in memory; false when they are not (`read` brings
   * them) or the piece is not had. No garbage, no waiting: for the path of a block to a peer.
   */
  readNow(piece: number, begin: number, into: Uint8Array): boolean {
    return this.have.has(piece) && this.#reader.copyNow(piece, begin, into);
  }

  /**
   * Verified blocks, `begin` being the first one's, where they lie in memory, with the disk's `blockGap` bytes
   * before each; undefined when they are not all there (`read` brings them), or as much is lent as can be.
   * What is lent keeps its content until it is given back, even when the piece is lost.
   */
  lendNow(piece: number, begin: number, length: number): Loan | undefined {
    return this.have.has(piece)
      ? this.#reader.lendNow(piece, begin, length)
      : undefined;
  }

  /**
   * Verified bytes, through the shared read-ahead cache. Throws StorageError: `not-had`, and what the disk
   * says; where a file vanished, was cut or changed, its pieces are not had any more (`onLost`).
   */
  async read(
    piece: number,
    begin: number,
    length: number,
    into: Uint8Array = new Uint8Array(length),
  ): Promise<Uint8Array> {
    if (this.#closed) throw closed();
    const size = this.layout.pieceSize(piece);
    const inside = begin >= 0 && length >= 0 && begin + length <= size;
    if (!inside || !this.have.has(piece)) {
      throw new StorageError('not-had', `piece ${piece} is not there`);
    }
    const bytes = into.subarray(0, length);
    await this.#reader.copy(piece, begin, bytes);
    if (!this.have.has(piece)) {
      throw new StorageError('not-had', `piece ${piece} was lost`);
    }
    return bytes;
  }

  /**
   * Looks whether a finished file is as it was when it was verified, which reading it does too; where it
   * vanished, was cut or changed, its pieces are not had any more (`onLost`). For files that nobody reads.
   */
  async look(fileIndex: number): Promise<void> {
    if (!this.#closed) await this.#reader.look(fileIndex);
  }

  /** BEP 52: SHA-256 of each 16 KiB leaf (32 bytes each) of a piece that is had, for `hashes` messages. */
  leaves(piece: number): Promise<Uint8Array> {
    return this.#hashHad(piece, Want.leaves);
  }

  // --- checking and keeping ---

  /**
   * Hashes what lies on the disk and corrects `have`. Pieces in reserve are left out. One check at a time;
   * throws StorageError `aborted` (what was not reached still needs it), `workers`, `read-only`, `io`.
   */
  check(options: CheckOptions = {}): Promise<void> {
    const run = this.#checking.then(() => this.#check(options));
    this.#checking = run.catch(() => undefined);
    return run;
  }

  /**
   * Names finished files, makes all written pieces durable and stores the resume data. Happens by itself;
   * call it when the torrent is complete to hear of errors, and to retry after `disk-full`.
   * Throws StorageError, `exists` among them.
   */
  async flush(): Promise<void> {
    await this.#inTurn(() => this.#ledger.settle(this.#same, true));
    await this.#ledger.store(false);
    this.#ledger.throwUnsettled();
  }

  /** Waits for what is under way, stores the resume data and lets all memory and files go. Throws as `flush`. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#checking;
    await Promise.allSettled(this.#finishing);
    await this.#writes;
    this.#reserved.discardAll();
    try {
      await this.#ledger.settle(this.#same, true);
      await this.#ledger.store(true);
    } finally {
      this.#ledger.stop();
      this.#reader.forgetAll();
      await this.#files.close();
    }
  }

  /** Closes and removes all that the torrent has on the disk, and its resume data. Throws StorageError. */
  async remove(): Promise<void> {
    await this.close().catch(() => undefined);
    await this.#files.remove();
    this.#disk.resume?.remove(this.metainfo.id);
  }

  async #check(options: CheckOptions): Promise<void> {
    if (this.#closed) throw closed();
    const pieces: number[] = [];
    for (let piece = 0; piece < this.layout.pieceCount; piece++) {
      if (this.#reserved.has(piece)) continue;
      if (options.all) this.#unchecked.add(piece);
      if (this.#unchecked.has(piece)) pieces.push(piece);
    }
    if (options.all) await this.#inTurn(() => this.#ledger.look());
    const lost: number[] = [];
    let done = 0;
    await hashPieces({
      hasher: this.#disk.hasher,
      layout: this.layout,
      pieces,
      signal: options.signal,
      path: (fileIndex) => this.#files.dataPath(fileIndex),
      unit: (piece, ranges) => this.#digests.unit(piece, { ranges }),
      makeRoom: () => this.#disk.handles.makeRoom(),
      onDigests: (piece, digests) => {
        const ok =
          digests !== undefined && this.#digests.matches(piece, digests);
        this.#unchecked.delete(piece);
        if (ok && this.have.add(piece)) this.#ledger.gained(piece, false);
        if (!ok && this.have.has(piece)) lost.push(piece);
        options.onProgress?.(++done, pieces.length);
      },
    }).finally(() => {
      const detail = `${lost.length} pieces are not what they were`;
      if (lost.length > 0)
        this.#lose(lost, new StorageError('changed', detail));
    });
    this.#ledger.judge();
    await this.#inTurn(() => this.#settle());
    await this.#ledger.store(false);
  }

  async #finish(piece: number): Promise<'verified' | 'corrupt'> {
    if (this.#closed) throw closed();
    const held = this.#reserved.hold(piece);
    try {
      if (!held.verified) {
        const { hasher } = this.#disk;
        const unit = this.#digests.unit(piece, { memory: held.memory });
        const digests =
          hasher.hashNow(unit) ??
          (await hasher.hash([unit], { urgent: true }))[0].digests;
        if (!this.#digests.matches(piece, digests)) return 'corrupt';
        held.verified = true;
      }
      await this.#writer.write(held);
      held.discarded = true;
      return 'verified';
    } finally {
      this.#reserved.letGo(held);
    }
  }

  async #written(pieces: readonly number[]): Promise<void> {
    for (const piece of pieces) {
      this.have.add(piece);
      this.#ledger.gained(piece, true);
    }
    await this.#settle();
  }

  /** A file that vanished is begun anew, once. */
  async #writeFile(
    fileIndex: number,
    position: number,
    parts: readonly Uint8Array[],
  ): Promise<void> {
    this.#ledger.begin();
    for (let again = true; ; again = false) {
      try {
        await this.#files.write(fileIndex, position, parts);
        return;
      } catch (error) {
        const failure = error as StorageError;
        if (failure.code === 'missing') this.#losePieces(fileIndex, failure);
        if (failure.code !== 'missing' || !again) {
          throw await this.#explain(failure);
        }
      }
    }
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const run = this.#writes.then(work);
    this.#writes = run.catch(() => undefined);
    return run;
  }

  /** A full disk, with how much is missing; a vanished file's other pieces are lost with it. */
  async #explain(error: StorageError): Promise<StorageError> {
    if (error.code !== 'disk-full') return error;
    const free = await this.#disk.fs.free(this.#options.root).catch(() => 0);
    const missingBytes = Math.max(0, this.missingBytes - free);
    const { path, cause } = error;
    return new StorageError('disk-full', error.message, {
      path,
      cause,
      missingBytes,
    });
  }

  readonly #same = async (
    paths: readonly [string, string],
  ): Promise<boolean> => {
    const units: HashUnit[] = [];
    for (const [index, path] of paths.entries()) {
      const { size } = (await this.#disk.fs.lstat(path)) ?? { size: 0 };
      units.push({
        want: Want.sha1,
        width: 0,
        length: size,
        ranges: [index, 0, size],
      });
    }
    const [a, b] = await this.#disk.hasher.hash(units, {}, paths);
    return (
      !a.failure && !b.failure && Buffer.compare(a.digests, b.digests) === 0
    );
  };

  /** Gives finished files their names; what fails is told and tried again by `flush`. */
  async #settle(): Promise<void> {
    await this.#ledger.settle(this.#same);
  }

  async #hashHad(piece: number, want: number): Promise<Uint8Array> {
    if (!this.have.has(piece)) {
      throw new StorageError('not-had', `piece ${piece} is not there`);
    }
    // A piece read into memory is the simplest way to blocks that cross files.
    const size = this.layout.pieceSize(piece);
    const content =
      want === Want.leaves ? this.#contentSize(piece, size) : size;
    const memory = new SharedArrayBuffer(Math.max(size, BLOCK));
    await this.read(piece, 0, size, new Uint8Array(memory, 0, size));
    const unit = { want, width: 0, memory, length: content };
    return (await this.#disk.hasher.hash([unit]))[0].digests;
  }

  /** Bytes of the piece before its padding. */
  #contentSize(piece: number, size: number): number {
    let end = 0;
    this.layout.each(
      this.layout.pieceOffset(piece),
      size,
      (_f, _o, length, at) => {
        end = at + length;
      },
    );
    return end;
  }

  #loseFile(fileIndex: number, error: StorageError): void {
    this.#losePieces(fileIndex, error);
    this.#inTurn(async () => {
      await this.#files.lost(fileIndex);
      // What was being written meanwhile went the same way.
      if (this.#files.dataPath(fileIndex) === undefined)
        this.#losePieces(fileIndex, error);
    }).catch(() => undefined);
  }

  #losePieces(fileIndex: number, error: StorageError): void {
    const { first, end } = this.layout.piecesOf(fileIndex);
    const pieces: number[] = [];
    for (let piece = first; piece < end; piece++) {
      if (!this.have.has(piece)) continue;
      pieces.push(piece);
      if (error.code === 'changed') this.#unchecked.add(piece);
    }
    this.#lose(pieces, error);
  }

  #lose(pieces: readonly number[], error: StorageError): void {
    const gone = pieces.filter((piece) => this.have.delete(piece));
    if (gone.length === 0) return;
    for (const piece of gone) this.#reader.forget(piece);
    this.#ledger.lostPieces(gone);
    this.#options.onLost?.(gone, error);
  }
}

function closed(): StorageError {
  return new StorageError('closed', 'the torrent is closed');
}

function fullRecord(
  metainfo: Metainfo,
  files: ResumeRecord['files'],
): ResumeRecord {
  const pieces = Bitfield.full(metainfo.pieceCount).bytes;
  return { pieces, files, writing: false };
}
