/**
 * Buffers in which runs of piece messages are framed for the wire, used again and again. Bounded: what
 * is beyond the limit is left to the garbage collector.
 */
const block = 16_384;
/** Length prefix, id, piece and begin of a piece message, bytes. */
export const frameHeader = 13;
/** Blocks that a buffer of each size holds. */
const sizes = [1, 4, 16].map((count) => count * (block + frameHeader));
const keptEach = 48;

export class FramePool {
  private readonly free: Buffer[][] = sizes.map(() => []);

  /** A buffer of at least `length` bytes with any content. */
  take(length: number): Buffer {
    const index = sizes.findIndex((size) => size >= length);
    if (index < 0) return Buffer.allocUnsafeSlow(length);
    return this.free[index].pop() ?? Buffer.allocUnsafeSlow(sizes[index]);
  }

  /** Nobody reads it any more. */
  give(buffer: Buffer): void {
    const index = sizes.indexOf(buffer.length);
    if (index >= 0 && this.free[index].length < keptEach)
      this.free[index].push(buffer);
  }

  /** Lets go of everything. */
  trim(): void {
    for (const buffers of this.free) buffers.length = 0;
  }
}
