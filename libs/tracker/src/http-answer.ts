/**
 * The tracker's answers over HTTP, written into a buffer that the caller owns: bencoded
 * dictionaries with sorted keys (BEP 3, 7, 23, 24, 31, 48) and the head before them. Each
 * function writes at an offset and returns the end of what it wrote.
 */
import { formatAddress } from './address';
import { MAX_NUMWANT, type AnnounceRequest } from './announce-request';
import type {
  AnnounceResult,
  AnnounceTable,
  ChosenPeer,
  SwarmCounts,
} from './announce-table';
import { MAX_SCRAPE_HASHES } from './tracker-query';

/** What goes into announce answers besides the numbers and peers. */
export interface AnswerExtras {
  /** BEP 3 "tracker id"; sent back by clients. At most 64 characters. */
  trackerId?: string;
  /** Shown to users by some clients. At most 200 characters. */
  warning?: string;
}

/** Tiers of announce URLs, the best first (BEP 12). */
export type Tiers = readonly (readonly string[])[];

/** Further trackers named in one answer, and characters of a URL; what is more is left out. */
const MAX_TRACKERS = 16;
const MAX_TRACKER_URL = 200;

/** The longest answer is one of 200 peers as dictionaries, or a scrape of 200 info-hashes. */
export const MAX_ANSWER =
  1024 +
  MAX_TRACKERS * (MAX_TRACKER_URL + 8) +
  Math.max(MAX_NUMWANT, MAX_SCRAPE_HASHES) * 130;

const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

const DICTIONARY = ascii('d');
const TRACKERS = ascii('13:announce-list');
const COMPLETE = ascii('8:completei');
const DOWNLOADED = ascii('e10:downloadedi');
const EXTERNAL_4 = ascii('e11:external ip4:');
const EXTERNAL_16 = ascii('e11:external ip16:');
const INCOMPLETE = ascii('10:incompletei');
const INTERVAL = ascii('e8:intervali');
const MIN_INTERVAL = ascii('e12:min intervali');
const PEERS = ascii('e5:peers');
const PEERS_6 = ascii('6:peers6');
const TRACKER_ID = ascii('10:tracker id');
const WARNING = ascii('15:warning message');
const PEER_IP = ascii('d2:ip');
const PEER_ID = ascii('7:peer id20:');
const PORT = ascii('4:porti');
const FILES = ascii('d5:filesd');
const FILE = ascii('d8:completei');
const DOWNLOADERS = ascii('e11:downloadersi');
const FILE_INCOMPLETE = ascii('e10:incompletei');

const COLON = 58;
const END = 101;
const LIST = 108;

/**
 * The announce answer for what `table.announce` has just returned. `trackers` are others that serve the
 * same swarms, told as `announce-list` as a .torrent would: no BEP has it, and who does not know it skips it.
 */
export function writeAnnounceAnswer(
  out: Uint8Array,
  start: number,
  table: AnnounceTable,
  request: AnnounceRequest,
  result: AnnounceResult,
  extras: AnswerExtras,
  trackers?: Tiers,
): number {
  let at = put(out, start, DICTIONARY);
  if (trackers) at = writeTrackers(out, at, trackers);
  at = put(out, at, COMPLETE);
  at = putNumber(out, at, result.complete);
  at = put(out, at, DOWNLOADED);
  at = putNumber(out, at, result.downloaded);
  at = put(out, at, request.ipLength === 4 ? EXTERNAL_4 : EXTERNAL_16);
  for (let i = 0; i < request.ipLength; i++) out[at++] = request.ip[i];
  at = put(out, at, INCOMPLETE);
  at = putNumber(out, at, result.incomplete);
  at = put(out, at, INTERVAL);
  at = putNumber(out, at, result.interval);
  at = put(out, at, MIN_INTERVAL);
  at = putNumber(out, at, result.minInterval);
  at = put(out, at, PEERS);
  at = request.compact
    ? writeCompact(out, at, table, result)
    : writeList(out, at, table, request, result);
  if (extras.trackerId !== undefined)
    at = putText(out, put(out, at, TRACKER_ID), extras.trackerId, 64);
  if (extras.warning !== undefined)
    at = putText(out, put(out, at, WARNING), extras.warning, 200);
  out[at++] = END;
  return at;
}

function writeTrackers(out: Uint8Array, start: number, tiers: Tiers): number {
  let left = MAX_TRACKERS;
  let at = put(out, start, TRACKERS);
  out[at++] = LIST;
  for (const tier of tiers) {
    const urls = tier
      .filter((url) => url.length <= MAX_TRACKER_URL)
      .slice(0, left);
    if (urls.length === 0) continue;
    left -= urls.length;
    out[at++] = LIST;
    for (const url of urls) at = putText(out, at, url, MAX_TRACKER_URL);
    out[at++] = END;
  }
  out[at++] = END;
  return at;
}

function writeCompact(
  out: Uint8Array,
  start: number,
  table: AnnounceTable,
  result: AnnounceResult,
): number {
  let at = putNumber(out, start, result.peers4 * 6);
  out[at++] = COLON;
  at = table.writePeers(4, out, at);
  if (result.peers6 === 0) return at;
  at = put(out, at, PEERS_6);
  at = putNumber(out, at, result.peers6 * 18);
  out[at++] = COLON;
  return table.writePeers(16, out, at);
}

const peer: ChosenPeer = {
  ip: new Uint8Array(16),
  ipLength: 4,
  port: 0,
  peerId: new Uint8Array(20),
};

function writeList(
  out: Uint8Array,
  start: number,
  table: AnnounceTable,
  request: AnnounceRequest,
  result: AnnounceResult,
): number {
  let at = start;
  out[at++] = LIST;
  for (let k = 0; k < result.peers4 + result.peers6; k++) {
    if (k < result.peers4) table.peerAt(4, k, peer);
    else table.peerAt(16, k - result.peers4, peer);
    at = put(out, at, PEER_IP);
    at = putText(out, at, formatAddress(peer.ip, 0, peer.ipLength), 45);
    if (!request.noPeerId) {
      at = put(out, at, PEER_ID);
      at = put(out, at, peer.peerId);
    }
    at = putNumber(out, put(out, at, PORT), peer.port);
    out[at++] = END;
    out[at++] = END;
  }
  out[at++] = END;
  return at;
}

/** A refusal in words; `retryMinutes` (BEP 31) asks the client to wait so long, or for ever. */
export function writeFailure(
  out: Uint8Array,
  start: number,
  reason: string,
  retryMinutes?: number | 'never',
): number {
  let at = putText(out, put(out, start, FAILURE), reason, 200);
  if (retryMinutes !== undefined)
    at = putText(out, put(out, at, RETRY), String(retryMinutes), 16);
  out[at++] = END;
  return at;
}

const FAILURE = ascii('d14:failure reason');
const RETRY = ascii('8:retry in');

/** The scrape answer for `count` info-hashes; each stands once, sorted. */
export function writeScrapeAnswer(
  out: Uint8Array,
  start: number,
  table: AnnounceTable,
  hashes: Uint8Array,
  count: number,
  now: number,
): number {
  let at = put(out, start, FILES);
  for (const offset of sortedOnce(hashes, count)) {
    table.scrape(hashes, offset, now, counts);
    out[at++] = 50;
    out[at++] = 48;
    out[at++] = COLON;
    for (let i = 0; i < 20; i++) out[at++] = hashes[offset + i];
    at = putNumber(out, put(out, at, FILE), counts.complete);
    at = putNumber(out, put(out, at, DOWNLOADED), counts.downloaded);
    at = putNumber(out, put(out, at, DOWNLOADERS), counts.downloaders);
    at = putNumber(out, put(out, at, FILE_INCOMPLETE), counts.incomplete);
    out[at++] = END;
    out[at++] = END;
  }
  out[at++] = END;
  out[at++] = END;
  return at;
}

const counts: SwarmCounts = {
  complete: 0,
  incomplete: 0,
  downloaded: 0,
  downloaders: 0,
};

/** Offsets of the different hashes in the order of their bytes. */
function sortedOnce(hashes: Uint8Array, count: number): number[] {
  const offsets = Array.from({ length: count }, (_, k) => k * 20);
  if (count === 1) return offsets;
  const compare = (a: number, b: number) =>
    Buffer.compare(hashes.subarray(a, a + 20), hashes.subarray(b, b + 20));
  offsets.sort(compare);
  return offsets.filter(
    (at, k) => k === 0 || compare(offsets[k - 1], at) !== 0,
  );
}

const OK = ascii(
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ',
);
const PLAIN_END = ascii('\r\n\r\n');
const CLOSE_END = ascii('\r\nConnection: close\r\n\r\n');
const KEEP_END = ascii('\r\nConnection: keep-alive\r\n\r\n');

/** How the head says what becomes of the connection. */
export type Persistence = 'plain' | 'close' | 'keep';

const HEAD_ENDS: Record<Persistence, Uint8Array> = {
  plain: PLAIN_END,
  close: CLOSE_END,
  keep: KEEP_END,
};

/** Bytes that a head takes before a body of 100 to 999 bytes: where a body is best written first. */
export function headRoom(persistence: Persistence): number {
  return OK.length + 3 + HEAD_ENDS[persistence].length;
}

/** Puts the head before a body that stands from `start + headRoom` to `end`, moving the body if its length has not three digits. */
export function writeHead(
  out: Uint8Array,
  start: number,
  end: number,
  persistence: Persistence,
): number {
  const room = headRoom(persistence);
  const length = end - start - room;
  const shift =
    (length > 9999
      ? 5
      : length > 999
        ? 4
        : length > 99
          ? 3
          : length > 9
            ? 2
            : 1) - 3;
  if (shift !== 0) out.copyWithin(start + room + shift, start + room, end);
  const at = putNumber(out, put(out, start, OK), length);
  put(out, at, HEAD_ENDS[persistence]);
  return end + shift;
}

/** A whole answer with another status than 200, after which the connection is closed. */
function refusal(status: number, text: string): Uint8Array {
  const body = `${text}\n`;
  const allow = status === 405 ? 'Allow: GET\r\n' : '';
  return ascii(
    `HTTP/1.1 ${status} ${text}\r\n${allow}Content-Type: text/plain\r\n` +
      `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
  );
}

/** Whole answers with another status than 200, after which the connection is closed. */
export const REFUSALS: Record<number, Uint8Array> = {
  400: refusal(400, 'Bad Request'),
  404: refusal(404, 'Not Found'),
  405: refusal(405, 'Method Not Allowed'),
  414: refusal(414, 'URI Too Long'),
  431: refusal(431, 'Request Header Fields Too Large'),
  505: refusal(505, 'HTTP Version Not Supported'),
};

/** Copies a short run of bytes. */
export function put(out: Uint8Array, at: number, bytes: Uint8Array): number {
  for (let i = 0; i < bytes.length; i++) out[at + i] = bytes[i];
  return at + bytes.length;
}

/** A number of at most 15 digits. */
export function putNumber(out: Uint8Array, at: number, value: number): number {
  let digits = 1;
  for (let power = 10; power <= value; power *= 10) digits++;
  let rest = value;
  for (let i = at + digits - 1; i >= at; i--) {
    const tenth = Math.floor(rest / 10);
    out[i] = 48 + rest - tenth * 10;
    rest = tenth;
  }
  return at + digits;
}

/** A bencoded string of printable ASCII; others become "?". */
function putText(
  out: Uint8Array,
  start: number,
  text: string,
  limit: number,
): number {
  const length = Math.min(text.length, limit);
  let at = putNumber(out, start, length);
  out[at++] = COLON;
  for (let i = 0; i < length; i++) {
    const c = text.charCodeAt(i);
    out[at++] = c >= 32 && c < 127 ? c : 63;
  }
  return at;
}
