/**
 * One uTP connection (BEP 29): an ordered stream of bytes each way on top of
 * datagrams, with congestion control that yields to other traffic. A machine
 * without I/O: the multiplexer hands it packets and the time, it sends through
 * the multiplexer.
 *
 * The owner writes while `writable`, and may pause reading: the remote is then
 * held back once 1 MiB waits. Bytes given to `write` are kept by reference
 * until they are sent for the first time.
 */
import { Ledbat } from './ledbat';
import {
  UTP_HEADER,
  UtpType,
  writeHeader,
  writeSelectiveAck,
  writeTimes,
  type UtpPacket,
} from './packet';
import { ReceiveWindow } from './receive-window';
import { SendWindow, sizeOf, type SentPacket } from './send-window';
import { UnsentBytes } from './unsent-bytes';
import { UtpError } from './utp-error';

export interface UtpEvents {
  onConnect(): void;
  /** The next bytes, whole packets' payloads; they may be kept. */
  onData(bytes: Uint8Array): void;
  /** `writable` again, after it was not. */
  onWritable(): void;
  /** The remote writes nothing more. */
  onEnd(): void;
  /** Told once; nothing follows. */
  onClose(error: UtpError | undefined): void;
}

/** What a socket needs of the multiplexer. */
export interface UtpHost {
  send(datagram: Uint8Array, address: string): void;
  /** `tick` the socket at this time or before. */
  wakeBy(at: number): void;
  /** A remote that dialled us is proven: its events are set by this. */
  proven(socket: UtpSocket, now: number): void;
  /** The socket is over: no packet is for it any more. */
  forget(socket: UtpSocket): void;
  /** A number that no connection to this address comes to us by; the socket goes by it from now on. */
  renumber(socket: UtpSocket): number;
}

export interface UtpSocketOptions {
  readonly address: string;
  /** The id that comes to us; who dials sends by the one after it, who is dialled by the one before. */
  readonly receiveId: number;
  readonly dials: boolean;
  /** Our first packet's number. */
  readonly firstSeq: number;
  /** Payload bytes of a full packet. */
  readonly packetSize: number;
}

type State = 'syn-sent' | 'syn-received' | 'connected' | 'closed';

const RECEIVE_LIMIT = 1_048_576;
const SEND_LIMIT = 4_194_304;
const WRITE_HIGH = 262_144;
const WRITE_LOW = 131_072;
const ACK_DELAY = 20;
/** While packets are missing and nothing comes, what came is told again: after so long first, then each time twice as long. */
const FIRST_REMINDER = 500;
/** Whoever has sent nothing 4 s after the last of them is gone: libtorrent leaves without a word when a packet was lost three times. */
const REMINDERS = 3;
const SYN_TRIES = 4;
const MAX_TIMEOUTS = 5;
const LINGER = 10_000;
const PROVEN_WITHIN = 10_000;

export class UtpSocket {
  readonly address: string;
  events: UtpEvents | undefined;
  readonly #host: UtpHost;
  #receiveId: number;
  readonly #dials: boolean;
  readonly #packetSize: number;
  readonly #send: SendWindow;
  readonly #receive = new ReceiveWindow(RECEIVE_LIMIT);
  #state: State;
  #paused = false;

  readonly #unsent = new UnsentBytes();
  #wasFull = false;
  #ending = false;
  #finSent = false;
  #endTold = false;

  #peerWindow = RECEIVE_LIMIT;
  /** Microseconds between the remote's stamp and our clock, at its last packet. */
  #delay = 0;
  #acksDue = 0;
  #ackAt = Infinity;
  #reminders = 0;
  #retryAt = Infinity;
  #probeAt = Infinity;
  #expiresAt = Infinity;
  #timeouts = 0;

  constructor(host: UtpHost, options: UtpSocketOptions) {
    this.#host = host;
    this.address = options.address;
    this.#receiveId = options.receiveId;
    this.#dials = options.dials;
    this.#packetSize = options.packetSize;
    const congestion = new Ledbat(options.packetSize, SEND_LIMIT);
    this.#send = new SendWindow(options.firstSeq, congestion);
    this.#state = 'syn-received';
  }

  /** The id of packets that come to us. */
  get receiveId(): number {
    return this.#receiveId;
  }

  /** The id of packets that we send, but for a SYN. */
  get sendId(): number {
    return (this.#receiveId + (this.#dials ? 1 : -1)) & 0xffff;
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  get closed(): boolean {
    return this.#state === 'closed';
  }

  /** Whether more bytes are welcome: fewer than 256 KiB wait to be sent. */
  get writable(): boolean {
    return !this.closed && !this.#ending && this.#unsent.length < WRITE_HIGH;
  }

  /** Bytes that wait to be sent for the first time. */
  get waiting(): number {
    return this.#unsent.length;
  }

  /** Bytes that may be under way, and the queueing delay that they cause (µs): for the curious. */
  get congestion(): { window: number; queueDelay: number } {
    const { window, queueDelay } = this.#send.congestion;
    return { window, queueDelay };
  }

  get wakeAt(): number {
    return Math.min(this.#ackAt, this.#retryAt, this.#probeAt, this.#expiresAt);
  }

  /** Dials. */
  connect(now: number): void {
    this.#state = 'syn-sent';
    const packet = this.#send.add(UtpType.syn, new Uint8Array(UTP_HEADER));
    this.#transmit(packet, now);
  }

  /** Answers a SYN; also when it comes again. */
  answer(syn: UtpPacket, now: number): void {
    if (this.#expiresAt === Infinity) this.#expire(now + PROVEN_WITHIN);
    this.#receive.ack = syn.seq;
    this.#noteDelay(syn, now);
    this.#sendState(now);
  }

  /** Takes the bytes, by reference, whether `writable` or not; one call, so that packets are full. */
  write(chunks: readonly Uint8Array[], now: number): void {
    if (this.closed || this.#ending) return;
    for (const bytes of chunks) this.#unsent.push(bytes);
    if (this.#unsent.length >= WRITE_HIGH) this.#wasFull = true;
    this.#pump(now);
  }

  /** Nothing more will be written: what waits is sent, then the end. */
  end(now: number): void {
    if (this.closed || this.#ending) return;
    this.#ending = true;
    this.#pump(now);
  }

  /** Ends at once, both ways. */
  destroy(now: number): void {
    if (!this.closed) this.#abandon(now, 'closed');
  }

  pause(): void {
    this.#paused = true;
  }

  resume(now: number): void {
    if (!this.#paused) return;
    const wasShut = this.#receive.room < this.#packetSize;
    this.#paused = false;
    this.#deliver();
    if (wasShut && this.connected) this.#sendState(now);
  }

  /** A packet for this connection, not a SYN. */
  handle(packet: UtpPacket, now: number): void {
    if (this.closed) return;
    if (packet.type === UtpType.reset) return this.#onReset(packet);
    if (!this.#send.isPlausible(packet.ack)) return;
    if (this.#state === 'syn-sent' && !this.#onAnswer(packet)) return;
    if (this.#state === 'syn-received' && !this.#onProof(packet, now)) return;
    this.#noteDelay(packet, now);
    if (packet.delay !== 0) this.#send.congestion.sample(packet.delay, now);
    if (this.#send.acknowledge(packet, now)) this.#onProgress(now);
    this.#peerWindow = packet.window;
    // Whoever has no room but answers is alive.
    if (packet.window < this.#packetSize) this.#timeouts = 0;
    if (packet.type !== UtpType.state) this.#onPayload(packet, now);
    if (this.closed) return;
    this.#pump(now);
    this.#finishIfDone(now);
  }

  tick(now: number): void {
    if (this.closed) return;
    if (now >= this.#expiresAt) return this.#close(new UtpError('timed-out'));
    if (now >= this.#ackAt) {
      if (this.#reminders >= REMINDERS) return this.#abandon(now, 'timed-out');
      if (this.#receive.hasGap) this.#reminders++;
      this.#sendState(now);
    }
    if (now >= this.#retryAt) this.#onTimeout(now);
    else if (now >= this.#probeAt) this.#probe(now);
    if (!this.closed) this.#host.wakeBy(this.wakeAt);
  }

  /** The answer to our SYN names the number before its first packet. */
  #onAnswer(packet: UtpPacket): boolean {
    if (packet.type !== UtpType.state) return false;
    if (packet.ack !== ((this.#send.next - 1) & 0xffff)) return false;
    this.#receive.ack = (packet.seq - 1) & 0xffff;
    this.#state = 'connected';
    this.events?.onConnect();
    return !this.closed;
  }

  /** The remote has seen our answer: its address is its own. */
  #onProof(packet: UtpPacket, now: number): boolean {
    if (packet.ack !== ((this.#send.next - 1) & 0xffff)) return false;
    this.#state = 'connected';
    this.#expiresAt = Infinity;
    this.#host.proven(this, now);
    this.events?.onConnect();
    return !this.closed;
  }

  #onReset(packet: UtpPacket): void {
    if (!this.#send.isRecent(packet.ack)) return;
    const over = this.#finSent && this.#endTold;
    this.#close(over ? undefined : new UtpError('reset'));
  }

  #onPayload(packet: UtpPacket, now: number): void {
    const last = packet.type === UtpType.fin;
    const bytes = packet.bytes.subarray(packet.payloadFrom);
    const hadGap = this.#receive.hasGap;
    this.#reminders = 0;
    const fresh = this.#receive.accept(packet.seq, bytes, last);
    this.#deliver();
    if (this.closed) return;
    this.#acksDue++;
    const atOnce = !fresh || last || hadGap || this.#receive.hasGap;
    if (atOnce || this.#acksDue >= 2) this.#sendState(now);
    else this.#arm(now + ACK_DELAY, 'ack');
  }

  #deliver(): void {
    while (!this.#paused && !this.closed) {
      const bytes = this.#receive.take();
      if (bytes === undefined) break;
      this.events?.onData(bytes);
    }
    if (this.#endTold || this.closed || !this.#receive.ended) return;
    this.#endTold = true;
    this.events?.onEnd();
  }

  /** New packets arrived at the remote. */
  #onProgress(now: number): void {
    this.#timeouts = 0;
    this.#retryAt = Infinity;
    this.#probeAt = Infinity;
    if (!this.#send.isEmpty) this.#armRetry(now);
  }

  /** Sends what the windows allow: first what was lost, then what is new. */
  #pump(now: number): void {
    if (this.#state !== 'connected') return;
    for (;;) {
      const room = this.#room();
      const lost = this.#send.nextLost();
      if (lost !== undefined) {
        if (sizeOf(lost) > room && this.#send.flight > 0) break;
        this.#transmit(lost, now);
      } else if (!this.#sendNew(room, now)) break;
    }
    if (this.#unsent.length > 0 && this.#send.isEmpty) this.#armRetry(now);
    this.#tellWritable();
  }

  #room(): number {
    const limit = Math.min(this.#send.congestion.window, this.#peerWindow);
    return limit - this.#send.flight;
  }

  #sendNew(room: number, now: number): boolean {
    if (!this.#send.hasSlot) return false;
    if (this.#unsent.length === 0) {
      if (!this.#ending || this.#finSent) return false;
      this.#finSent = true;
      const fin = new Uint8Array(UTP_HEADER);
      this.#transmit(this.#send.add(UtpType.fin, fin), now);
      return false;
    }
    let size = Math.min(this.#packetSize, this.#unsent.length);
    if (size > room) {
      // A window smaller than a packet is used when nothing else is under way.
      if (this.#send.flight > 0 || room <= 0) return false;
      size = Math.floor(room);
    }
    this.#transmit(
      this.#send.add(UtpType.data, this.#unsent.cut(size, UTP_HEADER)),
      now,
    );
    return true;
  }

  #tellWritable(): void {
    if (!this.#wasFull || this.#unsent.length > WRITE_LOW) return;
    this.#wasFull = false;
    if (!this.#ending) this.events?.onWritable();
  }

  #transmit(packet: SentPacket, now: number): void {
    this.#send.sent(packet, now);
    const { type, seq, bytes } = packet;
    this.#fill(bytes, type, seq, now);
    if (!this.#receive.hasGap) this.#acked();
    if (this.#retryAt === Infinity) this.#armRetry(now);
    else if (type !== UtpType.syn) this.#armProbe(now);
    this.#host.send(bytes, this.address);
  }

  #sendState(now: number): void {
    const mask = this.#receive.mask();
    const extra = mask === undefined ? 0 : 2 + mask.length;
    const bytes = new Uint8Array(UTP_HEADER + extra);
    this.#fill(bytes, UtpType.state, this.#send.next, now);
    if (mask !== undefined) writeSelectiveAck(bytes, mask);
    this.#acked();
    if (this.#receive.hasGap)
      this.#arm(now + FIRST_REMINDER * 2 ** this.#reminders, 'ack');
    this.#host.send(bytes, this.address);
  }

  #sendBare(type: number, now: number): void {
    const bytes = new Uint8Array(UTP_HEADER);
    this.#fill(bytes, type, this.#send.next, now);
    this.#host.send(bytes, this.address);
  }

  #acked(): void {
    this.#acksDue = 0;
    this.#ackAt = Infinity;
  }

  #fill(bytes: Uint8Array, type: number, seq: number, now: number): void {
    const id = type === UtpType.syn ? this.#receiveId : this.sendId;
    const { ack, room } = this.#receive;
    writeHeader(bytes, type, id, seq, ack);
    writeTimes(bytes, microseconds(now), this.#delay, room);
  }

  #noteDelay(packet: UtpPacket, now: number): void {
    this.#delay = (microseconds(now) - packet.timestamp) >>> 0;
  }

  #onTimeout(now: number): void {
    this.#timeouts++;
    const tries = this.#state === 'syn-sent' ? SYN_TRIES : MAX_TIMEOUTS;
    if (this.#timeouts >= tries) return this.#close(new UtpError('timed-out'));
    this.#retryAt = Infinity;
    this.#probeAt = Infinity;
    if (this.#send.isEmpty) {
      // The remote has had no room for long: one packet asks whether it has now.
      this.#peerWindow = Math.max(this.#peerWindow, this.#packetSize);
    } else this.#send.timedOut();
    if (this.#state === 'connected') return this.#pump(now);
    const syn = this.#send.nextLost();
    if (syn === undefined) return;
    // By another id: libtorrent makes a second connection of a SYN that comes again, and then neither works.
    this.#receiveId = this.#host.renumber(this);
    this.#transmit(syn, now);
  }

  /** Nothing came for two round trips: the newest packet again, whose answer tells what is missing. */
  #probe(now: number): void {
    this.#probeAt = Infinity;
    const newest = this.#send.newest();
    if (newest === undefined || newest.lost) return;
    this.#send.sent(newest, now);
    this.#fill(newest.bytes, newest.type, newest.seq, now);
    this.#host.send(newest.bytes, this.address);
  }

  #armRetry(now: number): void {
    this.#arm(now + this.#send.roundTrip.timeout, 'retry');
    this.#armProbe(now);
  }

  #armProbe(now: number): void {
    const { mean } = this.#send.roundTrip;
    if (mean > 0) this.#arm(now + 2 * mean + ACK_DELAY, 'probe');
  }

  #expire(at: number): void {
    this.#expiresAt = at;
    this.#host.wakeBy(at);
  }

  #arm(at: number, which: 'ack' | 'retry' | 'probe'): void {
    if (which === 'ack') this.#ackAt = Math.min(this.#ackAt, at);
    else if (which === 'retry') this.#retryAt = at;
    else this.#probeAt = at;
    this.#host.wakeBy(at);
  }

  /** Both ends have said all and know it, or ours has and the other end is slow. */
  #finishIfDone(now: number): void {
    if (!this.#finSent || !this.#send.isEmpty || this.closed) return;
    if (this.#endTold) return this.#close(undefined);
    if (this.#expiresAt === Infinity) this.#expire(now + LINGER);
  }

  /** Over, and the remote is told: it need not find out by itself. */
  #abandon(now: number, code: UtpError['code']): void {
    this.#sendBare(UtpType.reset, now);
    this.#close(new UtpError(code));
  }

  #close(error: UtpError | undefined): void {
    this.#state = 'closed';
    this.#unsent.clear();
    this.#ackAt = Infinity;
    this.#retryAt = Infinity;
    this.#probeAt = Infinity;
    this.#expiresAt = Infinity;
    this.#host.forget(this);
    this.events?.onClose(error);
  }
}

/** Milliseconds of any clock as 32 bits of microseconds. */
export function microseconds(now: number): number {
  return (Math.floor(now * 1_000) % 0x1_0000_0000) >>> 0;
}
