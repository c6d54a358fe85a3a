/**
 * How many blocks to keep requested from one peer. Starts small, grows by one with every block while
 * growing still makes the peer faster, then follows its measured rate, so that a second (or what
 * `aheadSeconds` says) of its bandwidth is always under way. A peer that let requests time out is
 * asked for one block at a time until it answers.
 */
import { BLOCK_LENGTH } from './partial-piece';

const START = 8;
const LEAST = 2;

export class RequestWindow {
  /** Blocks. */
  size = START;
  #growing = true;
  #bestRate = 0;
  #flat = 0;

  /** A block has come; `used`: the window was full. */
  onBlock(limit: number): void {
    if (this.#growing && this.size < limit) this.size++;
  }

  /** Now and then, with the peer's rate in bytes per second. */
  adapt(rate: number, aheadSeconds: number, limit: number): void {
    if (this.#growing) {
      if (rate > this.#bestRate * 1.1) {
        this.#bestRate = rate;
        this.#flat = 0;
      } else if (rate > 0 && ++this.#flat >= 4) {
        this.#growing = false;
      }
    }
    if (!this.#growing) {
      const target = Math.ceil((rate * aheadSeconds) / BLOCK_LENGTH) + LEAST;
      this.size += Math.round((target - this.size) / 2);
    }
    this.size = Math.max(LEAST, Math.min(this.size, limit));
  }

  /** Its requests timed out. */
  collapse(): void {
    this.size = 1;
    this.#growing = false;
    this.#bestRate = 0;
  }

  /** It answers again, or has just unchoked us: find its rate anew. */
  restart(): void {
    this.size = Math.max(this.size, START);
    this.#growing = true;
    this.#flat = 0;
    this.#bestRate = 0;
  }
}
