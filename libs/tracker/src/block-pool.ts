/**
 * Memory for blocks of entries whose sizes are powers of two, by the buddy method: what is freed
 * joins with its other half, so that swarms which grow leave no holes of sizes that nobody wants,
 * and pages that are wholly free are given back. A block is named by a number, its place counted
 * in entries over all pages.
 */

/** Entries of a page. */
const PAGE_ENTRIES = 1 << 16;
const PAGE_ORDER = 16;
/** The smallest block has 2 entries. */
const LEAST_ORDER = 1;
const NONE = 0xffffffff;
const empty: Uint32Array = new Uint32Array(0);

export class BlockPool {
  private readonly words: number;
  private readonly pages: Uint32Array[] = [];
  /** For each pair of entries of a page: order + 1 of the free block that begins there, else 0. */
  private readonly freeOrders: Uint8Array[] = [];
  /** The first free block of each order; each holds the next and the one before in its first two words. */
  private readonly heads = new Uint32Array(PAGE_ORDER + 1).fill(NONE);
  private readonly vacant: number[] = [];
  private resident = 0;

  /** `words` of 32 bits make an entry. */
  constructor(words: number) {
    this.words = words;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.resident * PAGE_ENTRIES * this.words * 4;
  }

  /** The page in which a block lies. */
  page(block: number): Uint32Array {
    return this.pages[block >>> PAGE_ORDER];
  }

  /** Where in its page the block begins, in words. */
  offset(block: number): number {
    return (block & (PAGE_ENTRIES - 1)) * this.words;
  }

  /** A block of 2^order entries whose words hold anything. */
  allocate(order: number): number {
    let size = Math.max(order, LEAST_ORDER);
    const wanted = size;
    while (size < PAGE_ORDER && this.heads[size] === NONE) size++;
    if (this.heads[size] === NONE) this.addPage();
    const block = this.heads[size];
    this.unlink(block, size);
    while (size > wanted) {
      size--;
      this.link(block + (1 << size), size);
    }
    return block;
  }

  free(block: number, order: number): void {
    let start = block;
    let size = Math.max(order, LEAST_ORDER);
    while (size < PAGE_ORDER) {
      const buddy = start ^ (1 << size);
      if (this.freeOrderOf(buddy) !== size + 1) break;
      this.unlink(buddy, size);
      start = Math.min(start, buddy);
      size++;
    }
    // One free page is kept for the next to grow.
    if (size === PAGE_ORDER && this.heads[PAGE_ORDER] !== NONE) {
      const page = start >>> PAGE_ORDER;
      this.pages[page] = empty;
      this.vacant.push(page);
      this.resident--;
    } else this.link(start, size);
  }

  private addPage(): void {
    const page = this.vacant.pop() ?? this.pages.length;
    this.pages[page] = new Uint32Array(PAGE_ENTRIES * this.words);
    this.freeOrders[page] ??= new Uint8Array(PAGE_ENTRIES / 2);
    this.resident++;
    this.link(page * PAGE_ENTRIES, PAGE_ORDER);
  }

  private freeOrderOf(block: number): number {
    return this.freeOrders[block >>> PAGE_ORDER][
      (block & (PAGE_ENTRIES - 1)) >> 1
    ];
  }

  private setFreeOrder(block: number, value: number): void {
    const orders = this.freeOrders[block >>> PAGE_ORDER];
    orders[(block & (PAGE_ENTRIES - 1)) >> 1] = value;
  }

  private link(block: number, order: number): void {
    const next = this.heads[order];
    const at = this.offset(block);
    const page = this.page(block);
    page[at] = next;
    page[at + 1] = NONE;
    if (next !== NONE) this.page(next)[this.offset(next) + 1] = block;
    this.heads[order] = block;
    this.setFreeOrder(block, order + 1);
  }

  private unlink(block: number, order: number): void {
    const at = this.offset(block);
    const page = this.page(block);
    const next = page[at];
    const before = page[at + 1];
    if (next !== NONE) this.page(next)[this.offset(next) + 1] = before;
    if (before !== NONE) this.page(before)[this.offset(before)] = next;
    else this.heads[order] = next;
    this.setFreeOrder(block, 0);
  }
}
