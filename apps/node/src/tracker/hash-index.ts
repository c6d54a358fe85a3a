/**
 * Numbers for info-hashes: an open hash table of 20-byte keys that makes no garbage when it is asked,
 * so that the path of an announce has no strings. Numbers are small, are used again after `remove`,
 * and index the arrays of whoever keeps facts about a swarm. The seed keeps strangers from choosing
 * info-hashes that collide.
 */
const words = 5;
const none = -1;

export class HashIndex {
  /** Keys kept. */
  size = 0;
  /** Numbers are below this; grows up to `limit`. */
  capacity: number;
  private keys: Uint32Array;
  /** Number + 1 at its place; 0 is empty. */
  private places: Int32Array;
  private readonly free: number[] = [];
  private used = 0;
  private readonly key = new Uint32Array(words);

  /** `seed` has two random words; at most `limit` keys. */
  constructor(
    private readonly seed: Uint32Array,
    private readonly limit: number,
  ) {
    this.capacity = Math.min(1024, limit);
    this.keys = new Uint32Array(this.capacity * words);
    this.places = new Int32Array(placesFor(this.capacity));
  }

  /** The number of the info-hash that stands at `at`, or −1. */
  find(bytes: Uint8Array, at = 0): number {
    this.load(bytes, at);
    const { places } = this;
    const mask = places.length - 1;
    for (
      let place = this.home(this.key, 0) & mask;
      ;
      place = (place + 1) & mask
    ) {
      const entry = places[place] - 1;
      if (entry < 0) return none;
      if (this.is(entry)) return entry;
    }
  }

  /** As `find`, but enters what is new; −1 where `limit` are kept already. */
  add(bytes: Uint8Array, at = 0): number {
    const found = this.find(bytes, at);
    if (found >= 0 || this.size >= this.limit) return found;
    if (this.free.length === 0 && this.used === this.capacity) this.grow();
    const entry = this.free.pop() ?? this.used++;
    this.keys.set(this.key, entry * words);
    this.place(entry);
    this.size++;
    return entry;
  }

  remove(entry: number): void {
    const { places, keys } = this;
    const mask = places.length - 1;
    let gap = this.home(keys, entry * words) & mask;
    while (places[gap] !== entry + 1) gap = (gap + 1) & mask;
    // Those behind move up, so that no search ends at the gap.
    for (let at = (gap + 1) & mask; places[at] !== 0; at = (at + 1) & mask) {
      const home = this.home(keys, (places[at] - 1) * words) & mask;
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      places[gap] = places[at];
      gap = at;
    }
    places[gap] = 0;
    this.free.push(entry);
    this.size--;
  }

  /** The 20 bytes of a number that is in use. */
  bytes(entry: number): Buffer {
    const bytes = Buffer.allocUnsafe(words * 4);
    this.write(entry, bytes, 0);
    return bytes;
  }

  /** As `bytes`, put down at `at`. */
  write(entry: number, out: Buffer, at: number): void {
    for (let i = 0; i < words; i++)
      out.writeUInt32BE(this.keys[entry * words + i], at + 4 * i);
  }

  private load(bytes: Uint8Array, at: number): void {
    for (let i = 0; i < words; i++, at += 4)
      this.key[i] =
        (bytes[at] << 24) |
        (bytes[at + 1] << 16) |
        (bytes[at + 2] << 8) |
        bytes[at + 3];
  }

  private is(entry: number): boolean {
    const { keys, key } = this;
    for (let i = 0, at = entry * words; i < words; i++, at++)
      if (keys[at] !== key[i]) return false;
    return true;
  }

  private home(of: Uint32Array, at: number): number {
    let mixed = this.seed[0];
    for (let i = 0; i < words; i++) {
      mixed = Math.imul(mixed ^ of[at + i], 0x9e3779b1);
      mixed ^= mixed >>> 15;
    }
    mixed = Math.imul(mixed ^ this.seed[1], 0x85ebca6b);
    return mixed ^ (mixed >>> 13);
  }

  private place(entry: number): void {
    const { places } = this;
    const mask = places.length - 1;
    let place = this.home(this.keys, entry * words) & mask;
    while (places[place] !== 0) place = (place + 1) & mask;
    places[place] = entry + 1;
  }

  private grow(): void {
    this.capacity = Math.min(this.capacity * 2, this.limit);
    const keys = new Uint32Array(this.capacity * words);
    keys.set(this.keys);
    this.keys = keys;
    this.places = new Int32Array(placesFor(this.capacity));
    for (let entry = 0; entry < this.used; entry++) this.place(entry);
  }
}

/** A power of two that stays half empty. */
const placesFor = (capacity: number): number =>
  2 ** Math.ceil(Math.log2(capacity * 2));
