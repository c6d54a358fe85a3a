/** Documents in the order of a key, ready to be read from either end. New ones are merged in when it is read. */
export class SortedOrder {
  private order = new Int32Array(0);
  private fresh: number[] = [];

  /** Documents not merged in yet, beyond which that is done at once: many little pauses instead of a long one. */
  private get enough(): number {
    return Math.max(1_000, this.order.length >> 4);
  }

  /** Negative where `a` comes before `b`; keys of documents do not change. Those that `keep` does not want are left out. */
  constructor(
    private readonly compare: (a: number, b: number) => number,
    private readonly keep: (document: number) => boolean,
  ) {}

  add(document: number): void {
    if (this.fresh.push(document) >= this.enough) this.merge();
  }

  /** All that are kept, in order, perhaps with some that no longer are. */
  read(): Int32Array {
    if (this.fresh.length > 0) this.merge();
    return this.order;
  }

  private merge(): void {
    const { order, compare, keep } = this;
    const fresh = this.fresh.filter(keep).sort(compare);
    this.fresh = [];
    const all = new Int32Array(order.length + fresh.length);
    let k = 0;
    let j = 0;
    for (const document of order) {
      if (!keep(document)) continue;
      while (j < fresh.length && compare(fresh[j], document) < 0)
        all[k++] = fresh[j++];
      all[k++] = document;
    }
    while (j < fresh.length) all[k++] = fresh[j++];
    this.order = all.subarray(0, k);
  }
}
