/**
 * Streaming: which pieces readers wait for. Each reader has a window ahead of its place; pieces in a
 * window are wanted before all others, the nearest first. A window that nobody asks from is forgotten.
 */

/** Of the swarm, what streaming needs. */
export interface DeadlineSwarm {
  need(first: number, count: number, deadline: number): void;
  needNothing(): void;
}

interface Window {
  /** First and last piece. */
  first: number;
  last: number;
  /** When it was asked for last, milliseconds. */
  at: number;
}

/** How far ahead of a reader pieces are fetched, bytes. */
const ahead = 16 * 1024 * 1024;
const mostPieces = 256;
const forgottenAfter = 15_000;
const mostReaders = 16;
/** Between the deadlines of one piece and the next, milliseconds. */
const step = 100;

export class ReadWindows {
  private windows: Window[] = [];

  constructor(
    private readonly swarm: DeadlineSwarm,
    private readonly pieceLength: number,
  ) {}

  /** A reader stands at byte `offset` of the torrent and will read at most up to `end`. */
  reads(offset: number, end: number, now: number): void {
    const first = Math.floor(offset / this.pieceLength);
    const last = Math.min(
      first + mostPieces,
      Math.floor((Math.min(end, offset + ahead) - 1) / this.pieceLength),
    );
    // Whoever goes on reads inside its own window.
    this.windows = this.windows.filter(
      (window) =>
        now - window.at < forgottenAfter &&
        !(first >= window.first && first <= window.last + 1),
    );
    this.windows.unshift({ first, last, at: now });
    this.windows.length = Math.min(this.windows.length, mostReaders);
    this.apply(now);
  }

  private apply(now: number): void {
    this.swarm.needNothing();
    for (const { first, last } of this.windows)
      for (let piece = first; piece <= last; piece++)
        this.swarm.need(piece, 1, now + (piece - first) * step);
  }
}
