/**
 * How many blocks to keep requested from one peer. It is measured in rounds: from a block to the first
 * one that was requested after it, so that a round is never shorter than the way there and back, however
 * blocks come in bursts. As long as a larger window makes the peer faster it doubles; then it goes back
 * to the smallest that was as fast, or to what `aheadSeconds` of the peer's rate are, if that is more.
 * Every few rounds it tries again. A peer that let requests time out is asked for one block at a time
 * until it answers.
 */
import { BLOCK_LENGTH } from './partial-piece';

const START = 8;
const LEAST = 2;
/** More than a second's blocks, or than these, 8 MiB, only a line that is long as well as fast makes use of. */
const PLENTY_MS = 1_000;
const PLENTY = 512;
/** Rounds without a gain that end the search. */
const FLAT_ROUNDS = 2;
const GAIN = 1.1;
/** The search begins anew after so many rounds, and not before so long, ms. */
const REST_ROUNDS = 8;
const REST = 5_000;
/** A round that takes longer than this was asked for too early, ms. */
const DEEP = 2_000;

export class RequestWindow {
  /** Blocks. */
  size = START;
  #growing = true;
  /** Blocks per millisecond of the best round, and the window it was reached with. */
  #bestRate = 0;
  #bestSize = START;
  #flat = 0;
  #rounds = 0;
  #restUntil = 0;
  /** Blocks per millisecond of the last round; 0 before the first. */
  #rate = 0;
  /** The shortest way there and back so far, ms. */
  #shortest = Infinity;
  // The round that runs.
  #blocks = 0;
  #since = -1;

  /** A block has come, asked for `latency` ms ago. `limit`: the largest window that makes sense with this peer. */
  onBlock(now: number, latency: number, limit: number): void {
    this.#shortest = Math.min(this.#shortest, latency);
    if (this.#growing && this.size < this.#most(limit)) this.size++;
    if (this.#since < 0) return this.#begin(now);
    this.#blocks++;
    if (now - latency >= this.#since && now > this.#since) this.#endRound(now);
  }

  /** Now and then, with the peer's rate in bytes per second. */
  adapt(rate: number, aheadSeconds: number, limit: number): void {
    if (!this.#growing) {
      const ahead = Math.ceil((rate * aheadSeconds) / BLOCK_LENGTH) + LEAST;
      const target = Math.max(this.#bestSize, ahead);
      this.size += Math.trunc((target - this.size) / 2);
    }
    this.size = Math.max(LEAST, Math.min(this.size, this.#most(limit)));
  }

  /** What a faster peer could make use of, if it is as far away as it seems: twice what is on the way when nothing stands in a queue. */
  #most(limit: number): number {
    const rate = this.#rate;
    if (rate === 0) return limit;
    const near = Math.min(PLENTY, Math.max(START, rate * PLENTY_MS));
    return Math.min(
      limit,
      Math.ceil(Math.max(near, 2 * rate * this.#shortest)),
    );
  }

  /** Its requests timed out. */
  collapse(): void {
    this.size = 1;
    this.#bestSize = LEAST;
    this.#growing = false;
    this.#since = -1;
  }

  /** It answers again, or has just unchoked us: find its window anew. */
  restart(): void {
    this.size = Math.max(this.size, START);
    this.#search();
    this.#since = -1;
  }

  #search(): void {
    this.#growing = true;
    this.#flat = 0;
    this.#bestRate = 0;
    this.#bestSize = this.size;
  }

  #begin(now: number): void {
    this.#since = now;
    this.#blocks = 0;
  }

  #endRound(now: number): void {
    const took = now - this.#since;
    const rate = this.#blocks / took;
    const size = this.#blocks;
    this.#rate = rate;
    this.#begin(now);
    if (took > DEEP) {
      // More than any line needs: the blocks only stand in a queue, and late in the end game.
      this.#bestSize = Math.max(LEAST, Math.round(rate * (DEEP / 2)));
      this.#rest(now);
      return;
    }
    if (!this.#growing) {
      if (++this.#rounds >= REST_ROUNDS && now >= this.#restUntil)
        this.#search();
      return;
    }
    if (rate > this.#bestRate * GAIN) {
      this.#bestRate = rate;
      this.#bestSize = size;
      this.#flat = 0;
    } else if (++this.#flat >= FLAT_ROUNDS) {
      this.#rest(now);
    }
  }

  #rest(now: number): void {
    this.#growing = false;
    this.#rounds = 0;
    this.#restUntil = now + REST;
  }
}
