/**
 * The packets that are under way on one connection: which are acknowledged,
 * which count as lost, and how many more may follow. Loss is told by order: a
 * packet is lost when enough packets that were sent after it have arrived. How
 * many is enough is learnt: it doubles when a packet that was sent again turns
 * out to have been only late.
 */
import { Ledbat } from './ledbat';
import { seqDistance, UTP_HEADER, type UtpPacket } from './packet';
import { RoundTrip } from './round-trip';

const SLOTS = 4_096;
const FIRST_REORDERING = 3;
const MAX_REORDERING = 128;

export interface SentPacket {
  readonly type: number;
  readonly seq: number;
  /** Header and payload. */
  readonly bytes: Uint8Array;
  sentAt: number;
  /** Counts transmissions on the whole connection. */
  order: number;
  sends: number;
  acked: boolean;
  lost: boolean;
}

export class SendWindow {
  /** The next packet's number. */
  next: number;
  /** The oldest packet that is not acknowledged; `next` when there is none. */
  oldest: number;
  /** Payload bytes sent, neither acknowledged nor lost. */
  flight = 0;
  readonly congestion: Ledbat;
  readonly roundTrip = new RoundTrip();
  readonly #slots = new Array<SentPacket | undefined>(SLOTS).fill(undefined);
  #order = 0;
  #highestAcked = -1;
  /** Losses of packets sent before this are the same congestion. */
  #recoverUntil = 0;
  #windowBefore = 0;
  #reordering = FIRST_REORDERING;
  #lostCount = 0;
  #leastTime = Infinity;

  constructor(first: number, congestion: Ledbat) {
    this.next = first;
    this.oldest = first;
    this.congestion = congestion;
  }

  get isEmpty(): boolean {
    return this.oldest === this.next;
  }

  get hasSlot(): boolean {
    return seqDistance(this.next, this.oldest) < SLOTS - 1;
  }

  /** A new packet with the next number; it is not sent by this. */
  add(type: number, bytes: Uint8Array): SentPacket {
    const packet: SentPacket = {
      type,
      seq: this.next,
      bytes,
      sentAt: 0,
      order: 0,
      sends: 0,
      acked: false,
      lost: false,
    };
    this.#slots[this.next % SLOTS] = packet;
    this.next = (this.next + 1) & 0xffff;
    return packet;
  }

  /** The packet goes out now. */
  sent(packet: SentPacket, now: number): void {
    if (packet.lost) this.#lostCount--;
    if (packet.lost || packet.sends === 0) this.flight += sizeOf(packet);
    packet.lost = false;
    packet.sends++;
    packet.sentAt = now;
    packet.order = this.#order++;
  }

  /** The oldest packet to be sent again, if there is one. */
  nextLost(): SentPacket | undefined {
    if (this.#lostCount === 0) return undefined;
    for (let seq = this.oldest; seq !== this.next; seq = (seq + 1) & 0xffff) {
      const packet = this.#slots[seq % SLOTS];
      if (packet?.lost) return packet;
    }
    return undefined;
  }

  /** The newest packet that is under way. */
  newest(): SentPacket | undefined {
    for (let seq = this.next; seq !== this.oldest;) {
      seq = (seq - 1) & 0xffff;
      const packet = this.#slots[seq % SLOTS];
      if (packet !== undefined && !packet.acked) return packet;
    }
    return undefined;
  }

  /** Whether this acknowledges nothing that was never sent. */
  isPlausible(ack: number): boolean {
    const behind = seqDistance(ack, this.oldest);
    return behind < seqDistance(this.next, this.oldest) && behind >= -SLOTS;
  }

  /** Whether a packet that answers this number answers one of ours that is under way, or the last. */
  isRecent(ack: number): boolean {
    const behind = seqDistance(ack, this.oldest);
    return behind >= -1 && behind <= seqDistance(this.next, this.oldest);
  }

  /** Takes in what a packet acknowledges; true when anything was new. */
  acknowledge(packet: UtpPacket, now: number): boolean {
    const before = this.flight;
    let bytes = 0;
    let any = false;
    while (
      this.oldest !== this.next &&
      seqDistance(packet.ack, this.oldest) >= 0
    ) {
      const slot = this.oldest % SLOTS;
      const sent = this.#slots[slot];
      this.#slots[slot] = undefined;
      this.oldest = (this.oldest + 1) & 0xffff;
      if (sent === undefined || sent.acked) continue;
      any = true;
      bytes += this.#arrived(sent, now);
    }
    const highest = this.#readMask(packet, now);
    any ||= highest.any;
    bytes += highest.bytes;
    if (!any) return false;
    this.roundTrip.heard();
    const full = before + this.#packetSize * 2 >= this.congestion.window;
    if (bytes > 0) this.congestion.acked(bytes, full);
    if (highest.any || packet.sackTo > packet.sackFrom) this.#findLost();
    return true;
  }

  /** No answer for the whole time-out: all that is under way counts as lost. */
  timedOut(): void {
    this.roundTrip.timedOut();
    this.congestion.timedOut();
    for (let seq = this.oldest; seq !== this.next; seq = (seq + 1) & 0xffff) {
      const packet = this.#slots[seq % SLOTS];
      if (packet !== undefined) this.#lose(packet);
    }
    this.#recoverUntil = this.#order;
    this.#windowBefore = 0;
  }

  get #packetSize(): number {
    return this.congestion.packet;
  }

  #readMask(packet: UtpPacket, now: number): { any: boolean; bytes: number } {
    let any = false;
    let bytes = 0;
    const { sackFrom, sackTo } = packet;
    const outstanding = seqDistance(this.next, packet.ack) - 2;
    const bits = Math.min((sackTo - sackFrom) * 8, outstanding);
    for (let i = 0; i < bits; i++) {
      const byte = packet.bytes[sackFrom + (i >> 3)];
      if ((byte & (1 << (i & 7))) === 0) continue;
      const seq = (packet.ack + 2 + i) & 0xffff;
      const sent = this.#slots[seq % SLOTS];
      if (sent === undefined || sent.seq !== seq || sent.acked) continue;
      any = true;
      bytes += this.#arrived(sent, now);
    }
    return { any, bytes };
  }

  #arrived(packet: SentPacket, now: number): number {
    const size = sizeOf(packet);
    if (packet.lost) this.#lostCount--;
    else this.flight -= size;
    packet.acked = true;
    packet.lost = false;
    this.#highestAcked = Math.max(this.#highestAcked, packet.order);
    const time = now - packet.sentAt;
    if (packet.sends === 1) {
      this.roundTrip.sample(time);
      this.#leastTime = Math.min(this.#leastTime, time);
    } else if (time < this.#leastTime * 0.8) this.#wasOnlyLate();
    return size;
  }

  /** The acknowledgement is too early to be of the second sending. */
  #wasOnlyLate(): void {
    this.#reordering = Math.min(this.#reordering * 2, MAX_REORDERING);
    if (this.#windowBefore > this.congestion.window) {
      this.congestion.window = this.#windowBefore;
    }
    this.#windowBefore = 0;
  }

  #findLost(): void {
    let worst = -1;
    const edge = this.#highestAcked - this.#reordering;
    for (let seq = this.oldest; seq !== this.next; seq = (seq + 1) & 0xffff) {
      const packet = this.#slots[seq % SLOTS];
      if (packet === undefined || packet.acked || packet.lost) continue;
      if (packet.order > edge) continue;
      worst = Math.max(worst, packet.order);
      this.#lose(packet);
    }
    if (worst < this.#recoverUntil) return;
    this.#recoverUntil = this.#order;
    this.#windowBefore = this.congestion.window;
    this.congestion.lost();
  }

  #lose(packet: SentPacket): void {
    if (packet.acked || packet.lost || packet.sends === 0) return;
    packet.lost = true;
    this.#lostCount++;
    this.flight -= sizeOf(packet);
  }
}

/** Payload bytes. */
export function sizeOf(packet: SentPacket): number {
  return packet.bytes.length - UTP_HEADER;
}
