/**
 * Which pieces were written since a torrent's record was stored: a line each, at the end of a file.
 * They are worth a look after a kill and promise nothing, so nobody waits for them: threads of libuv
 * write them, a damaged line is skipped, and one that does not reach the disk costs a second download.
 */
import * as fs from 'node:fs';
import { promisify } from 'node:util';

/** Lines out of date, from which on the file is made anew. */
const mostOutdated = 4_096;
const line = /^([0-9a-f]{40,64}) (\d{1,10})$/gm;

const open = promisify(fs.open);
/** All of it, in as many calls as that takes. */
const write = promisify(fs.writeFile);
const rename = promisify(fs.rename);

export class WrittenLog {
  readonly #path: string;
  readonly #delay: number;
  /** By the torrent's id. */
  readonly #pieces = new Map<string, Set<number>>();
  #fd: number;
  #linesInFile = 0;
  /** Lines on their way to it. */
  #notes: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #working = false;
  #closed = false;

  /** `delay`: milliseconds in which lines are gathered. Throws where there can be no such file. */
  constructor(path: string, delay: number) {
    this.#path = path;
    this.#delay = delay;
    this.#fd = fs.openSync(path, 'a');
    const text = fs.readFileSync(path, 'latin1');
    for (const [, id, piece] of text.matchAll(line)) {
      this.#of(id).add(Number(piece));
      this.#linesInFile++;
    }
  }

  pieces(id: string): number[] {
    return [...(this.#pieces.get(id) ?? [])];
  }

  add(id: string, piece: number): void {
    this.#of(id).add(piece);
    this.#notes.push(`${id} ${piece}\n`);
    this.#soon();
  }

  /** The torrent's record has been stored: these are left. */
  replace(id: string, pieces: Iterable<number>): void {
    const known = this.#pieces.get(id);
    this.#pieces.delete(id);
    for (const piece of pieces)
      if (known?.has(piece)) this.#of(id).add(piece);
      else this.add(id, piece);
    this.#soon();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    try {
      fs.writeSync(this.#fd, this.#takeNotes());
    } catch {
      // The disk is full, say.
    }
    if (!this.#working) fs.closeSync(this.#fd);
  }

  get #outdated(): number {
    let current = 0;
    for (const { size } of this.#pieces.values()) current += size;
    return this.#linesInFile - current;
  }

  #of(id: string): Set<number> {
    let pieces = this.#pieces.get(id);
    if (!pieces) this.#pieces.set(id, (pieces = new Set()));
    return pieces;
  }

  #soon(): void {
    if (this.#timer || this.#working || this.#closed) return;
    if (this.#delay === 0) return void this.#work();
    this.#timer = setTimeout(() => void this.#work(), this.#delay);
    this.#timer.unref();
  }

  async #work(): Promise<void> {
    this.#timer = undefined;
    this.#working = true;
    try {
      if (this.#outdated > mostOutdated) await this.#beginAnew();
      else if (this.#notes.length > 0) await write(this.#fd, this.#takeNotes());
    } catch {
      // The disk is full, say.
    }
    this.#working = false;
    if (this.#closed) fs.closeSync(this.#fd);
    else if (this.#notes.length > 0) this.#soon();
  }

  /** Begins with a new line: a full disk may have cut the last one. */
  #takeNotes(): string {
    const notes = this.#notes.splice(0);
    this.#linesInFile += notes.length;
    return `\n${notes.join('')}`;
  }

  async #beginAnew(): Promise<void> {
    this.#notes = [];
    const lines: string[] = [];
    for (const [id, pieces] of this.#pieces)
      for (const piece of pieces) lines.push(`${id} ${piece}\n`);
    const next = `${this.#path}.next`;
    const fd = await open(next, 'w');
    try {
      await write(fd, lines.join(''));
      await rename(next, this.#path);
    } catch (error) {
      fs.closeSync(fd);
      throw error;
    }
    fs.closeSync(this.#fd);
    this.#fd = fd;
    this.#linesInFile = lines.length;
  }
}
