/**
 * The tracker over HTTP without a socket: `HttpTracker` is the service, `HttpTrackerConnection`
 * one client's connection, bytes in and bytes out. Keep-alive and pipelining; requests may come
 * in any pieces. Bad announces get a bencoded failure with status 200, as clients expect; what is
 * no request gets a status and is closed.
 *
 * Leaves to its owner: sockets, closing those whose `deadline` is over, and pausing a socket that
 * does not take its answers.
 */
import { parseAddress, type AddressLength } from './address';
import { AnnounceRequest } from './announce-request';
import type { AnnounceTable } from './announce-table';
import {
  type AnswerExtras,
  headRoom,
  MAX_ANSWER,
  type Persistence,
  put,
  refusal,
  writeAnnounceAnswer,
  writeFailure,
  writeHead,
  writeScrapeAnswer,
} from './http-answer';
import { MAX_HEAD, readHead, type RequestHead } from './http-head';
import {
  MAX_SCRAPE_HASHES,
  readAnnounceQuery,
  readScrapeQuery,
} from './tracker-query';

/** Is the swarm known well enough to be answered of? */
export type Known = (infoHash: Uint8Array) => boolean;

/** Why an info-hash (and, in private trackers, a passkey) is not served, or undefined where it is. */
export type Admission = (
  infoHash: Uint8Array,
  passkey: string,
) => string | undefined;

export interface HttpTrackerOptions extends AnswerExtras {
  readonly table: AnnounceTable;
  /** Asked for each announce and each info-hash of a scrape. Where given, `/PASSKEY/announce` is served too. */
  readonly admit?: Admission;
  /** Where it says no, the request waits for `resume`: see `HttpTrackerConnection.waitsFor`. */
  readonly known?: Known;
  /** Text of `GET /`. */
  readonly page?: string;
}

/** What happened so far; for metrics. */
export interface TrackerCounters {
  announces: number;
  scrapes: number;
  /** Announces and scrapes that were answered with a failure for their form. */
  malformed: number;
  /** Refused by `admit`. */
  refused: number;
  /** What was no request or datagram of the protocol at all. */
  junk: number;
}

/** Takes bytes that are the connection's to send. They are overwritten afterwards, unless it returns false: not yet written out. */
export type Sink = (bytes: Uint8Array) => boolean;

const BUFFER = 128 * 1024;
/** Bytes taken while a request waits for its swarm. */
const MAX_HELD = 64 * 1024;
/** Instead of the end of a body: there is nothing at this path; the swarm must be asked for first. */
const NOT_FOUND = -1;
const HOLD = -2;
/** Milliseconds in which a request must have come whole. */
const HEAD_TIME = 20_000;
/** Milliseconds that a connection may be idle between requests. */
const IDLE_TIME = 60_000;

const STATUS: Record<number, Uint8Array> = {
  400: refusal(400, 'Bad Request'),
  404: refusal(404, 'Not Found'),
  405: refusal(405, 'Method Not Allowed'),
  414: refusal(414, 'URI Too Long'),
  431: refusal(431, 'Request Header Fields Too Large'),
  505: refusal(505, 'HTTP Version Not Supported'),
};

export class HttpTracker {
  readonly counters: TrackerCounters = {
    announces: 0,
    scrapes: 0,
    malformed: 0,
    refused: 0,
    junk: 0,
  };
  /** The answers being written; shared by all connections. */
  out = new Uint8Array(BUFFER);
  readonly request = new AnnounceRequest();
  readonly head: RequestHead = {
    pathFrom: 0,
    pathTo: 0,
    queryFrom: 0,
    queryTo: 0,
    keepAlive: false,
    old: false,
    forwardedFrom: 0,
    forwardedTo: 0,
  };
  private readonly hashes = new Uint8Array(MAX_SCRAPE_HASHES * 20);
  private readonly page: Uint8Array;
  readonly options: HttpTrackerOptions;
  private known: Known | undefined;
  /** Info-hashes for whose sake `answer` held the request back. */
  unknown: Uint8Array[] = [];

  constructor(options: HttpTrackerOptions) {
    this.options = options;
    this.page = new Uint8Array(
      Buffer.from(options.page ?? 'BitTorrent tracker\n').subarray(0, 4096),
    );
  }

  /**
   * Answers the request that `head` describes, at `at` in `out`; returns the end, or a negative
   * number where it has to wait for `unknown`, unless `forced`. The asker's address stands in `request`.
   */
  answer(bytes: Uint8Array, at: number, now: number, forced: boolean): number {
    const { head, out } = this;
    const persistence: Persistence = !head.keepAlive
      ? 'close'
      : head.old
        ? 'keep'
        : 'plain';
    const body = at + headRoom(persistence);
    this.known = forced ? undefined : this.options.known;
    const end = this.writeBody(bytes, body, now);
    if (end === HOLD) return end;
    if (end === NOT_FOUND) {
      head.keepAlive = false;
      return put(out, at, STATUS[404]);
    }
    return writeHead(out, at, end, persistence);
  }

  /** The buffer has been handed out and must not be touched again. */
  renew(): void {
    this.out = new Uint8Array(BUFFER);
  }

  private writeBody(bytes: Uint8Array, at: number, now: number): number {
    const { pathFrom: from, pathTo: to } = this.head;
    if (endsWith(bytes, from, to, '/announce')) {
      if (to - from === 9) return this.announce(bytes, at, now, '');
      if (this.options.admit)
        return this.announce(bytes, at, now, passkey(bytes, from, to - 9));
    } else if (endsWith(bytes, from, to, '/scrape')) {
      if (to - from === 7 || this.options.admit)
        return this.scrape(bytes, at, now, passkey(bytes, from, to - 7));
    } else if (to - from === 1) return put(this.out, at, this.page);
    return NOT_FOUND;
  }

  private announce(
    bytes: Uint8Array,
    at: number,
    now: number,
    key: string,
  ): number {
    const { head, request, counters, options, out } = this;
    const fault = readAnnounceQuery(
      bytes,
      head.queryFrom,
      head.queryTo,
      request,
    );
    if (fault !== undefined) {
      counters.malformed++;
      return writeFailure(out, at, fault);
    }
    const refused = options.admit?.(request.infoHash, key);
    if (refused !== undefined) {
      counters.refused++;
      return writeFailure(out, at, refused);
    }
    if (this.known?.(request.infoHash) === false) {
      this.unknown = [request.infoHash.slice()];
      return HOLD;
    }
    counters.announces++;
    const { table } = options;
    const result = table.announce(request, now);
    return writeAnnounceAnswer(out, at, table, request, result, options);
  }

  private scrape(
    bytes: Uint8Array,
    at: number,
    now: number,
    key: string,
  ): number {
    const { head, hashes, out, counters, options } = this;
    const asked = readScrapeQuery(bytes, head.queryFrom, head.queryTo, hashes);
    if (typeof asked === 'string') {
      counters.malformed++;
      return writeFailure(out, at, asked);
    }
    const count = this.admitted(asked, key);
    if (this.known) {
      this.unknown = [];
      for (let k = 0; k < count; k++) {
        const hash = hashes.slice(20 * k, 20 * k + 20);
        if (!this.known(hash)) this.unknown.push(hash);
      }
      if (this.unknown.length > 0) return HOLD;
    }
    counters.scrapes++;
    return writeScrapeAnswer(out, at, options.table, hashes, count, now);
  }

  /** Closes up the info-hashes of a scrape to those that are served; returns how many. */
  private admitted(asked: number, key: string): number {
    const { hashes, options } = this;
    if (options.admit === undefined) return asked;
    let count = 0;
    for (let k = 0; k < asked; k++) {
      const hash = hashes.subarray(20 * k, 20 * k + 20);
      if (options.admit(hash, key) !== undefined) continue;
      hashes.copyWithin(20 * count++, 20 * k, 20 * k + 20);
    }
    return count;
  }
}

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
  private pending = new Uint8Array(0);
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
      this.pending = new Uint8Array(0);
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
        at = put(tracker.out, at, STATUS[-end]);
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

function endsWith(
  bytes: Uint8Array,
  from: number,
  to: number,
  text: string,
): boolean {
  const start = to - text.length;
  if (start < from) return false;
  for (let i = 0; i < text.length; i++)
    if (bytes[start + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** The path before `/announce` without its slash, at most 64 characters. */
function passkey(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let i = from + 1; i < to && text.length < 64; i++)
    text += String.fromCharCode(bytes[i]);
  return text;
}
