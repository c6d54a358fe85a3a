/** Values read lately, by their digest; what was used longest ago makes room. */
export class ValueCache {
  private readonly values = new Map<string, Uint8Array>();
  private bytes = 0;

  constructor(private readonly maxBytes: number) {}

  get(digest: string): Uint8Array | undefined {
    const value = this.values.get(digest);
    if (value === undefined) return undefined;
    this.values.delete(digest);
    this.values.set(digest, value);
    return value;
  }

  put(digest: string, value: Uint8Array): void {
    if (value.length > this.maxBytes || this.values.has(digest)) return;
    this.values.set(digest, value);
    this.bytes += value.length;
    for (const [oldest, old] of this.values) {
      if (this.bytes <= this.maxBytes) return;
      this.values.delete(oldest);
      this.bytes -= old.length;
    }
  }
}
