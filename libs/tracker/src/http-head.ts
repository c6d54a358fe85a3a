/**
 * The head of an HTTP/1 request, read from bytes in one pass and described by offsets, nothing
 * copied. As much of RFC 9112 as a tracker needs: GET, keep-alive, pipelining. A request with a
 * body is refused, for a tracker has no use for one.
 */

/** Bytes of a request line and its headers together. */
export const MAX_HEAD = 24 * 1024;
/** Bytes of a request line: room for a scrape of 200 info-hashes. */
export const MAX_LINE = 16 * 1024;

/** Where a request's parts stand in the bytes it was read from; filled anew by each `readHead`. */
export interface RequestHead {
  pathFrom: number;
  pathTo: number;
  queryFrom: number;
  queryTo: number;
  keepAlive: boolean;
  /** Keep-alive must be confirmed: HTTP/1.0. */
  old: boolean;
  /** The value of X-Forwarded-For. */
  forwardedFrom: number;
  forwardedTo: number;
}

const LF = 10;
const CR = 13;
const SPACE = 32;

/**
 * Reads a head that begins at `from`. Returns the offset after it; 0 while it is incomplete; or a
 * negative HTTP status when it is to be refused and the connection closed.
 */
export function readHead(
  bytes: Uint8Array,
  from: number,
  to: number,
  head: RequestHead,
): number {
  const lineEnd = findLineEnd(bytes, from, to);
  if (lineEnd < 0) return to - from > MAX_LINE ? -414 : 0;
  if (lineEnd - from > MAX_LINE) return -414;
  const refused = readRequestLine(
    bytes,
    from,
    textEnd(bytes, from, lineEnd),
    head,
  );
  if (refused < 0) return refused;
  head.forwardedFrom = head.forwardedTo = 0;
  for (let at = lineEnd + 1; ;) {
    const end = findLineEnd(bytes, at, to);
    if (end < 0) return to - from > MAX_HEAD ? -431 : 0;
    if (end - from > MAX_HEAD) return -431;
    const text = textEnd(bytes, at, end);
    if (text === at) return end + 1;
    if (!readHeader(bytes, at, text, head)) return -400;
    at = end + 1;
  }
}

function findLineEnd(bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) if (bytes[i] === LF) return i;
  return -1;
}

/** The end of a line's text: a carriage return before the line feed is not part of it. */
function textEnd(bytes: Uint8Array, from: number, lineEnd: number): number {
  return lineEnd > from && bytes[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
}

/** 0, or a negative status. */
function readRequestLine(
  bytes: Uint8Array,
  from: number,
  to: number,
  head: RequestHead,
): number {
  if (!startsWith(bytes, from, to, 'GET '))
    return isOtherMethod(bytes, from, to);
  let at = from + 4;
  if (bytes[at] !== 47) at = skipOrigin(bytes, at, to);
  if (at < 0) return -400;
  head.pathFrom = at;
  let query = -1;
  while (at < to && bytes[at] !== SPACE) {
    if (bytes[at] < SPACE) return -400;
    if (query < 0 && bytes[at] === 63) query = at;
    at++;
  }
  head.pathTo = query < 0 ? at : query;
  head.queryFrom = query < 0 ? at : query + 1;
  head.queryTo = at;
  if (to - at !== 9 || !startsWith(bytes, at, to, ' HTTP/')) return -400;
  if (bytes[at + 6] !== 49) return -505;
  if (bytes[at + 7] !== 46) return -400;
  head.old = bytes[at + 8] === 48;
  head.keepAlive = !head.old;
  return 0;
}

function isOtherMethod(bytes: Uint8Array, from: number, to: number): number {
  let at = from;
  while (at < to && bytes[at] >= 65 && bytes[at] <= 90) at++;
  return at > from && at < to && bytes[at] === SPACE ? -405 : -400;
}

/** The path's beginning after `http://host` as proxies write it, or −1. */
function skipOrigin(bytes: Uint8Array, from: number, to: number): number {
  if (!startsWith(bytes, from, to, 'http://')) return -1;
  for (let at = from + 7; at < to && bytes[at] > SPACE; at++)
    if (bytes[at] === 47) return at;
  return -1;
}

/** False where the request must be refused. */
function readHeader(
  bytes: Uint8Array,
  from: number,
  to: number,
  head: RequestHead,
): boolean {
  const first = bytes[from] | 32;
  // A folded line, or none of the names that matter.
  if (first <= SPACE + 1) return false;
  if (first !== 99 && first !== 120 && first !== 116) return true;
  if (isHeader(bytes, from, to, 'connection:')) {
    if (contains(bytes, from + 11, to, 'close')) head.keepAlive = false;
    else if (contains(bytes, from + 11, to, 'keep-alive'))
      head.keepAlive = true;
    return true;
  }
  if (isHeader(bytes, from, to, 'x-forwarded-for:')) {
    head.forwardedFrom = from + 16;
    head.forwardedTo = to;
    return true;
  }
  if (isHeader(bytes, from, to, 'content-length:'))
    return isZero(bytes, from + 15, to);
  return !isHeader(bytes, from, to, 'transfer-encoding:');
}

function isZero(bytes: Uint8Array, from: number, to: number): boolean {
  let zeros = 0;
  for (let i = from; i < to; i++) {
    if (bytes[i] === 48) zeros++;
    else if (bytes[i] !== SPACE) return false;
  }
  return zeros > 0;
}

/** Is this the header with that lower-case name? */
function isHeader(
  bytes: Uint8Array,
  from: number,
  to: number,
  name: string,
): boolean {
  if (to - from < name.length) return false;
  for (let i = 0; i < name.length; i++) {
    const c = bytes[from + i];
    const lower = c >= 65 && c <= 90 ? c + 32 : c;
    if (lower !== name.charCodeAt(i)) return false;
  }
  return true;
}

function startsWith(
  bytes: Uint8Array,
  from: number,
  to: number,
  text: string,
): boolean {
  if (to - from < text.length) return false;
  for (let i = 0; i < text.length; i++)
    if (bytes[from + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** Does the lower-case word stand anywhere in the value, in any case? */
function contains(
  bytes: Uint8Array,
  from: number,
  to: number,
  word: string,
): boolean {
  for (let i = from; i + word.length <= to; i++)
    if (isHeader(bytes, i, to, word)) return true;
  return false;
}
