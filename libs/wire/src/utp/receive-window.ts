/**
 * Puts the packets of one direction in order. Holds what came early and what
 * the owner does not take yet, at most `limit` bytes and 4,096 packets; what
 * would be more is refused and comes again.
 */
import { seqDistance } from './packet';

const SLOTS = 4_096;
/** Bytes of the longest mask sent: 512 packets. */
const MAX_MASK = 64;

export class ReceiveWindow {
  /** The last packet of the unbroken row. */
  ack = 0;
  readonly #limit: number;
  readonly #slots = new Array<Uint8Array | undefined>(SLOTS).fill(undefined);
  /** Packets that came early. */
  #early = 0;
  /** The highest packet that came early; means nothing when there is none. */
  #highest = 0;
  #earlyBytes = 0;
  #ready: Uint8Array[] = [];
  #readyBytes = 0;
  #endSeq = -1;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes there is room for: what the remote is told. */
  get room(): number {
    return Math.max(0, this.#limit - this.#readyBytes - this.#earlyBytes);
  }

  get hasGap(): boolean {
    return this.#early > 0;
  }

  /** The remote's last packet and all before it are here and taken. */
  get ended(): boolean {
    return this.ack === this.#endSeq && this.#ready.length === 0;
  }

  /** `bytes` are kept by reference; false for what was had or cannot be kept. */
  accept(seq: number, bytes: Uint8Array, last: boolean): boolean {
    const ahead = seqDistance(seq, this.ack);
    if (ahead <= 0 || ahead >= SLOTS) return false;
    if (this.#endSeq >= 0 && seqDistance(seq, this.#endSeq) > 0) return false;
    const slot = seq % SLOTS;
    if (this.#slots[slot] !== undefined) return false;
    if (ahead > 1 && bytes.length > this.room) return false;
    // The next in row is taken even when full: the remote asks whether there is room.
    if (bytes.length > this.room && this.#readyBytes > 0) return false;
    if (last) this.#endSeq = seq;
    if (ahead === 1) {
      this.#advance(bytes);
      if (this.#early > 0) this.#collect();
      return true;
    }
    this.#slots[slot] = bytes;
    if (this.#early === 0 || seqDistance(seq, this.#highest) > 0) {
      this.#highest = seq;
    }
    this.#early++;
    this.#earlyBytes += bytes.length;
    return true;
  }

  /** The next bytes in order, or undefined. */
  take(): Uint8Array | undefined {
    const bytes = this.#ready.shift();
    if (bytes !== undefined) this.#readyBytes -= bytes.length;
    return bytes;
  }

  /** The mask of a selective acknowledgement: bit 0 is the packet after the missing one. */
  mask(): Uint8Array | undefined {
    if (this.#early === 0) return undefined;
    const bits = seqDistance(this.#highest, this.ack) - 1;
    const words = Math.min(Math.ceil(bits / 32), MAX_MASK / 4);
    const mask = new Uint8Array(words * 4);
    for (let i = 0; i < mask.length * 8; i++) {
      const slot = (this.ack + 2 + i) % SLOTS;
      if (this.#slots[slot] !== undefined) mask[i >> 3] |= 1 << (i & 7);
    }
    return mask;
  }

  #advance(bytes: Uint8Array): void {
    this.ack = (this.ack + 1) & 0xffff;
    if (bytes.length === 0) return;
    this.#ready.push(bytes);
    this.#readyBytes += bytes.length;
  }

  #collect(): void {
    for (;;) {
      const slot = (this.ack + 1) % SLOTS;
      const bytes = this.#slots[slot];
      if (bytes === undefined) return;
      this.#slots[slot] = undefined;
      this.#early--;
      this.#earlyBytes -= bytes.length;
      this.#advance(bytes);
    }
  }
}
