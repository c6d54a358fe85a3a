/**
 * One client's HTTP connection to the tracker without its socket, bytes in and bytes out.
 * Keep-alive and pipelining; requests may come in any pieces. What is no request gets a status and
 * is closed.
 *
 * Leaves to its owner: the socket, closing it when its `deadline` is over, and pausing it while it
 * does not take its answers.
 */
import { parseAddress, type AddressLength } from './address';
import { MAX_ANSWER, put, REFUSALS } from './http-answer';
import { MAX_HEAD, readHead } from './http-head';
import { BUFFER, type HttpTracker } from './http-tracker';

/** Takes bytes that are the connection's to send. They are overwritten afterwards, unless it returns false: not yet written out. */
export type Sink = (bytes: Uint8Array) => boolean;

/** Bytes taken while a request waits for its swarm. */
const MAX_HELD = 64 * 1024;
/** Milliseconds in which a request must have come whole. */
const HEAD_TIME = 20_000;
/** Milliseconds that a connection may be idle between requests. */
const IDLE_TIME = 60_000;

const nothing = new Uint8Array(0);

export class HttpTrackerConnection {
  /** Nothing more is read; the owner closes once all is sent. */
  closing = false;
  /** When the owner should close the connection, in the caller's milliseconds. */
  deadline: number;
  /** Swarms that a request waits for. Not empty: read no more, see to them, then call `resume`. */
  waitsFor: readonly Uint8Array[] = [];
  private readonly tracker: HttpTracker;
  private readonly proxied: boolean;
  private readonly ip = new Uint8Array(16);
  private readonly ipLength: AddressLength;
  private forced = false;
  private pending = nothing;
  private filled = 0;

  /** `remote` is the other end's address; `proxied` says that it is a proxy whose X-Forwarded-For is believed. Throws RangeError where `remote` is no address. */
  constructor(
    tracker: HttpTracker,
    remote: string,
    now: number,
    proxied = false,
  ) {
    this.tracker = tracker;
    this.proxied = proxied;
    const length = parseAddress(remote, this.ip);
    if (length === 0) throw new RangeError(`no address: ${remote}`);
    this.ipLength = length;
    this.deadline = now + HEAD_TIME;
  }

  /** Bytes from the client. Answers go to `sink`, several at a time. */
  receive(chunk: Uint8Array, now: number, sink: Sink): void {
    if (this.closing) return;
    if (this.filled === 0) {
      const used = this.read(chunk, now, sink);
      if (!this.closing && used < chunk.length)
        this.append(chunk.subarray(used));
      return;
    }
    const before = this.filled;
    this.append(chunk);
    if (this.waitsFor.length > 0) {
      this.closing = this.filled > MAX_HELD;
      return;
    }
    // Without an empty line in what is new no request can have become complete.
    const whole = hasEmptyLine(this.pending, before - 2, this.filled);
    if (whole || this.filled > MAX_HEAD) this.readPending(now, sink);
  }

  /** Answers the request that waited with what is known by now, and goes on. */
  resume(now: number, sink: Sink): void {
    if (this.closing || this.waitsFor.length === 0) return;
    this.waitsFor = [];
    this.forced = true;
    this.readPending(now, sink);
  }

  private readPending(now: number, sink: Sink): void {
    const used = this.read(this.pending.subarray(0, this.filled), now, sink);
    this.pending.copyWithin(0, used, this.filled);
    this.filled -= used;
    if (this.filled === 0 || this.closing) {
      this.pending = nothing;
      this.filled = 0;
    }
  }

  /** Reads all whole requests and returns how many bytes they took. */
  private read(bytes: Uint8Array, now: number, sink: Sink): number {
    const { tracker } = this;
    const { head } = tracker;
    let used = 0;
    let at = 0;
    while (used < bytes.length && !this.closing) {
      if (bytes[used] === 13 || bytes[used] === 10) {
        used++; // an empty line before a request
        continue;
      }
      const end = readHead(bytes, used, bytes.length, head);
      if (end === 0) break;
      if (end < 0) {
        tracker.counters.junk++;
        this.closing = true;
        at = put(tracker.out, at, REFUSALS[-end]);
        break;
      }
      this.setAddress(bytes);
      const written = tracker.answer(bytes, at, now, this.forced);
      if (written < 0) {
        this.waitsFor = tracker.unknown;
        break;
      }
      this.forced = false;
      at = written;
      this.closing = !head.keepAlive;
      this.deadline = now + IDLE_TIME;
      used = end;
      if (at > BUFFER - MAX_ANSWER) at = this.flush(at, sink);
    }
    // A request that has begun has its own time from its first byte on.
    if (used < bytes.length && (used > 0 || this.filled === 0))
      this.deadline = Math.min(this.deadline, now + HEAD_TIME);
    this.flush(at, sink);
    return used;
  }

  private flush(at: number, sink: Sink): number {
    const { tracker } = this;
    if (at > 0 && !sink(tracker.out.subarray(0, at))) tracker.renew();
    return 0;
  }

  private setAddress(bytes: Uint8Array): void {
    const { request, head } = this.tracker;
    if (this.proxied && head.forwardedTo > 0) {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
        .toString('latin1', head.forwardedFrom, head.forwardedTo)
        .split(',')
        .at(-1);
      const length = parseAddress(text?.trim() ?? '', request.ip);
      if (length !== 0) {
        request.ipLength = length;
        return;
      }
    }
    request.ip.set(this.ip);
    request.ipLength = this.ipLength;
  }

  private append(chunk: Uint8Array): void {
    const needed = this.filled + chunk.length;
    if (needed > this.pending.length) {
      const grown = new Uint8Array(Math.max(needed, 2048, this.filled * 2));
      grown.set(this.pending.subarray(0, this.filled));
      this.pending = grown;
    }
    this.pending.set(chunk, this.filled);
    this.filled = needed;
  }
}

/** Is there a line feed at or after `from` that ends an empty line, or one right before? */
function hasEmptyLine(bytes: Uint8Array, from: number, to: number): boolean {
  for (let i = Math.max(from, 1); i < to; i++) {
    if (bytes[i] !== 10) continue;
    const before = bytes[i - 1] === 13 ? i - 2 : i - 1;
    if (before < 0 || bytes[before] === 10) return true;
  }
  return false;
}
