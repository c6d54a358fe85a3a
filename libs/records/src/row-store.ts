/**
 * Memory for a great many small tables of rows of one size, in large pages: buffers of their own
 * would cost several times what they hold. A table is a chain of blocks of four rows; the first
 * block is the one that is filled, all others are full. A row is known by its number in the store.
 */
const BLOCK_ROWS = 4;
const PAGE_ROWS = 16_384;
const PAGE_SHIFT = 14;
const PAGE_BLOCKS = PAGE_ROWS / BLOCK_ROWS;

export interface Chain {
  /** Number of the first block; -1 for none. */
  head: number;
  /** Rows. */
  count: number;
}

export class RowStore {
  private readonly pages: Uint8Array[] = [];
  private readonly views: DataView[] = [];
  private next = new Int32Array(PAGE_BLOCKS);
  private used = 0;
  private freed = -1;
  private rows = new Int32Array(64);

  constructor(private readonly rowBytes: number) {}

  /** The page that holds a row. */
  page(row: number): Uint8Array {
    return this.pages[row >> PAGE_SHIFT] as Uint8Array;
  }

  view(row: number): DataView {
    return this.views[row >> PAGE_SHIFT] as DataView;
  }

  /** Where in its page a row begins. */
  at(row: number): number {
    return (row & (PAGE_ROWS - 1)) * this.rowBytes;
  }

  /** The bytes of a row; not a copy. */
  bytes(row: number): Uint8Array {
    const at = this.at(row);
    return this.page(row).subarray(at, at + this.rowBytes);
  }

  /** The rows of a chain, the last first; good until the next call. */
  rowsOf(chain: Chain): Int32Array {
    if (this.rows.length < chain.count)
      this.rows = new Int32Array(chain.count * 2);
    const { rows } = this;
    let n = 0;
    let last = (chain.count - 1) % BLOCK_ROWS;
    for (let block = chain.head; n < chain.count; block = this.after(block)) {
      for (let i = last; i >= 0; i--) rows[n++] = block * BLOCK_ROWS + i;
      last = BLOCK_ROWS - 1;
    }
    return rows;
  }

  /** Adds a row to a chain. */
  push(chain: Chain, bytes: Uint8Array): void {
    if (chain.count % BLOCK_ROWS === 0) {
      const block = this.take();
      this.next[block] = chain.head;
      chain.head = block;
    }
    const row = chain.head * BLOCK_ROWS + (chain.count % BLOCK_ROWS);
    this.page(row).set(bytes, this.at(row));
    chain.count++;
  }

  /** Takes a row out of its chain; the last row takes its place. */
  remove(chain: Chain, row: number): void {
    const last = chain.head * BLOCK_ROWS + ((chain.count - 1) % BLOCK_ROWS);
    if (row !== last) this.page(row).set(this.bytes(last), this.at(row));
    chain.count--;
    if (chain.count % BLOCK_ROWS !== 0) return;
    const block = chain.head;
    chain.head = chain.count === 0 ? -1 : this.after(block);
    this.next[block] = this.freed;
    this.freed = block;
  }

  private after(block: number): number {
    return this.next[block] as number;
  }

  private take(): number {
    if (this.freed >= 0) {
      const block = this.freed;
      this.freed = this.after(block);
      return block;
    }
    if (this.used === this.pages.length * PAGE_BLOCKS) {
      const page = new Uint8Array(PAGE_ROWS * this.rowBytes);
      this.pages.push(page);
      this.views.push(new DataView(page.buffer));
      if (this.used >= this.next.length) {
        const next = new Int32Array(this.next.length * 2);
        next.set(this.next);
        this.next = next;
      }
    }
    return this.used++;
  }
}
