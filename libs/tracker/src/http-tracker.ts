/**
 * The tracker over HTTP: answers to announces and scrapes whose heads have been read (for the bytes
 * before that see `HttpTrackerConnection`). Bad announces get a bencoded failure with status 200,
 * as clients expect.
 */
import { AnnounceEvent, AnnounceRequest } from './announce-request';
import type { AnnounceTable } from './announce-table';
import {
  type AnswerExtras,
  headRoom,
  type Persistence,
  put,
  REFUSALS,
  type Tiers,
  writeAnnounceAnswer,
  writeFailure,
  writeHead,
  writeScrapeAnswer,
} from './http-answer';
import type { RequestHead } from './http-head';
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
  /** Other trackers of the same swarms: clients are told when they start. */
  readonly trackers?: () => Tiers | undefined;
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

/** Bytes of the buffer that answers are written to. */
export const BUFFER = 128 * 1024;
/** Instead of the end of a body: there is nothing at this path; the swarm must be asked for first. */
const NOT_FOUND = -1;
const HOLD = -2;

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
      return put(out, at, REFUSALS[404]);
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
    const isStart = request.event === AnnounceEvent.started;
    return writeAnnounceAnswer(
      out,
      at,
      table,
      request,
      result,
      options,
      isStart ? options.trackers?.() : undefined,
    );
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
