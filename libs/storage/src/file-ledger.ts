/**
 * The books of one torrent's files: which are whole and get their names, which bytes are not durable yet,
 * and the resume data that follows from it. Order of a checkpoint: sync the files, look at them, and
 * only then store a record that claims their pieces.
 */
import type { Bitfield, FileLayout } from '@dnd/metainfo';
import type { Disk } from './disk';
import { StorageError, toStorageError } from './storage-error';
import type { FileStamp, TorrentFiles } from './torrent-files';

export interface FileLedgerOptions {
  readonly id: string;
  readonly layout: FileLayout;
  readonly files: TorrentFiles;
  /** Changed by the owner, together with a call of `gained` or `lostPieces`. */
  readonly have: Bitfield;
  readonly disk: Disk;
  readonly stamps: readonly (FileStamp | undefined)[];
  readonly checkpointMs: number;
  readonly onFault: (error: StorageError) => void;
  /** Bytes of the file are had, and it is not there any more. */
  readonly onGone: (fileIndex: number, error: StorageError) => void;
  /** These pieces were written and are not on the disk all the same. */
  readonly onUnsafe: (pieces: readonly number[], error: StorageError) => void;
}

type SameContent = (paths: readonly [string, string]) => Promise<boolean>;

export class FileLedger {
  readonly #o: FileLedgerOptions;
  readonly #stamps: (FileStamp | undefined)[];
  /** By file: pieces not had. */
  readonly #missing: Uint32Array;
  /** Pieces that the stored record claims (or may claim). */
  readonly #durable: Bitfield;
  /** Had, but not durable; the number tells a piece that was lost and written again. */
  readonly #unsynced = new Map<number, number>();
  /** Whole files without their name; and those whose naming failed. */
  readonly #unnamed = new Set<number>();
  readonly #unsettled = new Map<number, StorageError>();
  /** Files to look at again at the next checkpoint; the number tells what was written while one was under way. */
  readonly #stale = new Map<number, number>();
  #sequence = 0;
  #changed = false;
  /** The stored record says that files may be written to. */
  #writing = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #storing: Promise<void> = Promise.resolve();

  constructor(options: FileLedgerOptions) {
    this.#o = options;
    this.#stamps = [...options.stamps];
    this.#durable = options.have.clone();
    this.#missing = new Uint32Array(options.files.count);
    for (let index = 0; index < options.files.count; index++) {
      if (!options.files.stored(index)) continue;
      const { first, end } = options.layout.piecesOf(index);
      for (let piece = first; piece < end; piece++) {
        if (!options.have.has(piece)) this.#missing[index]++;
      }
      if (this.#missing[index] === 0) this.#unnamed.add(index);
    }
  }

  /** The file is whole and has its name. */
  finished(index: number): boolean {
    const { files } = this.#o;
    const whole = files.stored(index) && this.#missing[index] === 0;
    return whole && files.place(index) === 'final';
  }

  /** How a finished file looked when it was last known to be right. */
  restingStamp(index: number): FileStamp | undefined {
    const stale = this.#stale.has(index);
    return this.finished(index) && !stale ? this.#stamps[index] : undefined;
  }

  conflicts(): string[] {
    const { files } = this.#o;
    const paths: string[] = [];
    for (let index = 0; index < files.count; index++) {
      const failed = this.#unsettled.get(index)?.code === 'exists';
      if (failed || files.place(index) === 'foreign') {
        paths.push(files.path(index));
      }
    }
    return paths;
  }

  /** After all that was found has been hashed: a file with a right piece in it is the torrent's. */
  judge(): void {
    const { files, layout, have } = this.#o;
    for (let index = 0; index < files.count; index++) {
      if (files.place(index) !== 'candidate') continue;
      const { first, end } = layout.piecesOf(index);
      let own = first === end && this.#stamps[index]?.size === 0;
      for (let piece = first; piece < end && !own; piece++) {
        own = have.has(piece);
      }
      files.judge(index, own);
      if (!own) this.#stamps[index] = undefined;
    }
  }

  /** Looks at all files anew: some may be gone, others may have come. */
  async look(): Promise<void> {
    const found = await this.#o.files.findAll(this.#stamps);
    found.forEach((stamp, index) => (this.#stamps[index] = stamp));
    this.#changed = true;
  }

  /** To be called before a write: from now on the files may be ahead of the record. Throws StorageError. */
  begin(): void {
    if (this.#writing) return;
    this.#put(true);
    this.#writing = true;
  }

  /** The piece is had: just `written`, or found on the disk. */
  gained(piece: number, written: boolean): void {
    const { files, id, disk } = this.#o;
    this.#unsynced.set(piece, ++this.#sequence);
    this.#eachFile(piece, (index) => {
      if (!written) files.soil(index);
      this.#stale.set(index, ++this.#sequence);
      if (--this.#missing[index] === 0) this.#unnamed.add(index);
    });
    if (written) disk.resume?.addWritten(id, piece);
    this.#change();
  }

  /** All that is had was never stored: it has to be synced and claimed first. */
  begins(): void {
    const { layout, files, have } = this.#o;
    this.#durable.clear();
    for (let piece = 0; piece < layout.pieceCount; piece++) {
      if (have.has(piece)) this.#unsynced.set(piece, ++this.#sequence);
    }
    for (let index = 0; index < files.count; index++) {
      if (!files.stored(index)) continue;
      files.soil(index);
      this.#stale.set(index, ++this.#sequence);
    }
    this.#change();
  }

  /** These pieces are not had any more. */
  lostPieces(pieces: readonly number[]): void {
    for (const piece of pieces) {
      this.#unsynced.delete(piece);
      this.#durable.delete(piece);
      this.#eachFile(piece, (index) => {
        this.#missing[index]++;
        this.#unnamed.delete(index);
        this.#unsettled.delete(index);
      });
    }
    this.#change();
  }

  /** Names the files that are whole. What fails is told once, and tried again only with `retry`. */
  async settle(same: SameContent, retry = false): Promise<void> {
    if (retry)
      for (const index of this.#unsettled.keys()) this.#unnamed.add(index);
    let named = false;
    for (const index of [...this.#unnamed]) {
      const { files, have } = this.#o;
      // Empty files come with the last piece, not before anything is there.
      if (files.length(index) === 0 && !have.complete) continue;
      this.#unnamed.delete(index);
      if (files.place(index) === 'final') continue;
      try {
        await files.settle(index, same);
        named = true;
        this.#unsettled.delete(index);
        this.#stale.set(index, ++this.#sequence);
        this.#change();
      } catch (error) {
        const failure = toStorageError(error, files.path(index));
        const known = this.#unsettled.get(index)?.code;
        this.#unsettled.set(index, failure);
        if (failure.code === 'missing') this.#o.onGone(index, failure);
        if (known !== failure.code) this.#o.onFault(failure);
      }
    }
    if (named && this.#o.have.complete) await this.#o.files.tidy();
  }

  /** Throws what kept a whole file from its name. */
  throwUnsettled(): void {
    for (const error of this.#unsettled.values()) throw error;
  }

  /** Makes durable what is had and stores the record; `last`: nothing will be written any more. Throws StorageError. */
  store(last: boolean): Promise<void> {
    const run = this.#storing.then(() => this.#store(last));
    this.#storing = run.catch(() => undefined);
    return run;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  async #store(last: boolean): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (!this.#changed && !(last && this.#writing)) return;
    this.#changed = false;
    try {
      const claims = [...this.#unsynced];
      await this.#syncFiles();
      for (const [piece, sequence] of claims) {
        if (this.#unsynced.get(piece) !== sequence) continue;
        this.#unsynced.delete(piece);
        this.#durable.add(piece);
      }
      const writing = !last && !this.#o.have.complete;
      this.#put(writing);
      this.#writing = writing;
    } catch (error) {
      this.#change();
      throw error;
    }
  }

  async #syncFiles(): Promise<void> {
    const { files } = this.#o;
    const stale = [...this.#stale];
    for (const [index] of stale) {
      if (!files.stored(index)) continue;
      try {
        await files.sync(index);
      } catch (error) {
        // What the system could not write it may have thrown away: it has to come again.
        this.#o.onUnsafe(this.#unsyncedOf(index), error as StorageError);
        throw error;
      }
    }
    for (const [index, sequence] of stale) {
      if (!files.stored(index)) continue;
      const stamp = await files.stamp(index);
      if (!stamp && files.dataPath(index) !== undefined) this.#gone(index);
      this.#stamps[index] = stamp;
      if (this.#stale.get(index) === sequence) this.#stale.delete(index);
    }
  }

  #gone(index: number): void {
    const path = this.#o.files.path(index);
    const detail = `${path}: the file is gone`;
    this.#o.onGone(index, new StorageError('missing', detail, { path }));
  }

  #unsyncedOf(index: number): number[] {
    const { first, end } = this.#o.layout.piecesOf(index);
    const pieces = [...this.#unsynced.keys()];
    return pieces.filter((piece) => piece >= first && piece < end);
  }

  #put(writing: boolean): void {
    const { disk, id } = this.#o;
    const record = {
      pieces: this.#durable.bytes,
      files: this.#stamps,
      writing,
    };
    disk.resume?.put(id, record, this.#unsynced.keys());
  }

  #change(): void {
    this.#changed = true;
    if (this.#timer || this.#stopped) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.store(false).catch((error: unknown) =>
        this.#o.onFault(toStorageError(error, this.#o.id)),
      );
    }, this.#o.checkpointMs);
    this.#timer.unref();
  }

  #eachFile(piece: number, visit: (fileIndex: number) => void): void {
    const { layout } = this.#o;
    const size = layout.pieceSize(piece);
    layout.each(layout.pieceOffset(piece), size, visit);
  }
}
