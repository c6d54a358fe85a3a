/** Documents in the order of a key, ready to be read from either end. New ones are put in when it is read. */

/** So few are put in one by one: moving what comes after them is cheaper than going through all. */
const few = 64;

export class SortedOrder {
  private entries = new Int32Array(1_024);
  private length = 0;
  private fresh: number[] = [];

  /** Documents not merged in yet, beyond which that is done at once: many little pauses instead of a long one. */
  private get enough(): number {
    return Math.max(1_000, this.length >> 4);
  }

  /** Negative where `a` comes before `b`; keys of documents do not change. Those that `keep` does not want are left out. */
  constructor(
    private readonly compare: (a: number, b: number) => number,
    private readonly keep: (document: number) => boolean,
  ) {}

  add(document: number): void {
    if (this.fresh.push(document) >= this.enough) this.merge();
  }

  /** All that are kept, in order, perhaps with some that no longer are; good until the next `add`. */
  read(): Int32Array {
    if (this.fresh.length > few) this.merge();
    else for (const document of this.fresh.splice(0)) this.insert(document);
    return this.entries.subarray(0, this.length);
  }

  private insert(document: number): void {
    if (!this.keep(document)) return;
    if (this.length === this.entries.length) {
      const grown = new Int32Array(this.length * 2);
      grown.set(this.entries);
      this.entries = grown;
    }
    const { entries, compare } = this;
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (compare(entries[middle], document) < 0) low = middle + 1;
      else high = middle;
    }
    entries.copyWithin(low + 1, low, this.length++);
    entries[low] = document;
  }

  private merge(): void {
    const { compare, keep } = this;
    const order = this.entries.subarray(0, this.length);
    const fresh = this.fresh.filter(keep).sort(compare);
    this.fresh = [];
    const all = new Int32Array(order.length + fresh.length + 1_024);
    let k = 0;
    let j = 0;
    for (const document of order) {
      if (!keep(document)) continue;
      while (j < fresh.length && compare(fresh[j], document) < 0)
        all[k++] = fresh[j++];
      all[k++] = document;
    }
    while (j < fresh.length) all[k++] = fresh[j++];
    this.entries = all;
    this.length = k;
  }
}
