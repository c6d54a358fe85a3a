/**
 * The query of an announce or a scrape, read byte by byte: an info-hash is 20 bytes of any value
 * and no text. Escapes may be upper or lower case or needless, `+` is a space, unknown keys are
 * passed over, and of a key given twice the last counts (but for info_hash). Nothing is allocated
 * on the way that succeeds; a refusal is a sentence that the client's user can act on.
 */
import { hexDigit } from './address';
import { AnnounceEvent, type AnnounceRequest } from './announce-request';

/** Info-hashes in one scrape. */
export const MAX_SCRAPE_HASHES = 200;

const KEYS = {
  compact: 1,
  event: 2,
  info_hash: 3,
  key: 4,
  left: 5,
  no_peer_id: 6,
  numwant: 7,
  peer_id: 8,
  port: 9,
} as const;
type Key = (typeof KEYS)[keyof typeof KEYS];

/** Known keys by their length, as bytes. */
const keysByLength: { readonly name: Uint8Array; readonly key: Key }[][] = [];
for (const [name, key] of Object.entries(KEYS))
  (keysByLength[name.length] ??= []).push({ name: Buffer.from(name), key });

const EVENTS = new Map<string, AnnounceRequest['event']>([
  ['completed', AnnounceEvent.completed],
  ['started', AnnounceEvent.started],
  ['stopped', AnnounceEvent.stopped],
  ['paused', AnnounceEvent.paused],
]);

const AMPERSAND = 38;
const EQUALS = 61;
const PERCENT = 37;
const PLUS = 43;

/** A value that needs no place of its own; longer ones are cut. */
const scratch = new Uint8Array(64);

/** Which parameters an announce has named. */
let seen = 0;

/**
 * Fills `request` (but for the address) from the query in `bytes`, `from` to `to` − 1. Returns
 * undefined, or why the announce is refused.
 */
export function readAnnounceQuery(
  bytes: Uint8Array,
  from: number,
  to: number,
  request: AnnounceRequest,
): string | undefined {
  request.reset();
  seen = 0;
  let left = -1;
  for (let at = from; at < to;) {
    const end = fieldEnd(bytes, at, to);
    const equals = keyEnd(bytes, at, end);
    const key = keyAt(bytes, at, equals);
    const start = equals < end ? equals + 1 : end;
    at = end + 1;
    if (key === 0) continue;
    if (key === KEYS.left) left = readCount(bytes, start, end);
    else {
      const refusal = readField(key, bytes, start, end, request);
      if (refusal !== undefined) return refusal;
    }
    seen |= 1 << key;
  }
  if (!has(KEYS.info_hash)) return 'info_hash is missing';
  if (!has(KEYS.peer_id)) return 'peer_id is missing';
  if (!has(KEYS.port)) return 'port is missing';
  request.complete =
    left === 0 ||
    (!has(KEYS.left) && request.event === AnnounceEvent.completed);
  return undefined;
}

/** Writes the info-hashes of a scrape one after another to `hashes`; returns how many, or why the scrape is refused. */
export function readScrapeQuery(
  bytes: Uint8Array,
  from: number,
  to: number,
  hashes: Uint8Array,
): number | string {
  let count = 0;
  for (let at = from; at < to;) {
    const end = fieldEnd(bytes, at, to);
    const equals = keyEnd(bytes, at, end);
    if (keyAt(bytes, at, equals) === KEYS.info_hash) {
      if ((count + 1) * 20 > hashes.length)
        return `more than ${hashes.length / 20} info_hash in one scrape`;
      const start = equals < end ? equals + 1 : end;
      const length = decode(bytes, start, end, hashes, count * 20, 20);
      if (length !== 20) return wrongLength('info_hash', length);
      count++;
    }
    at = end + 1;
  }
  return count === 0
    ? 'info_hash is missing: this tracker has no scrape of everything'
    : count;
}

function has(key: Key): boolean {
  return (seen & (1 << key)) !== 0;
}

function readField(
  key: Key,
  bytes: Uint8Array,
  from: number,
  to: number,
  request: AnnounceRequest,
): string | undefined {
  switch (key) {
    case KEYS.info_hash: {
      if (has(key)) return 'info_hash is given more than once';
      const length = decode(bytes, from, to, request.infoHash, 0, 20);
      return length === 20 ? undefined : wrongLength('info_hash', length);
    }
    case KEYS.peer_id: {
      const length = decode(bytes, from, to, request.peerId, 0, 20);
      return length === 20 ? undefined : wrongLength('peer_id', length);
    }
    case KEYS.port:
      request.port = readCount(bytes, from, to);
      return request.port >= 1 && request.port <= 65_535
        ? undefined
        : 'port must be a number from 1 to 65535';
    case KEYS.event:
      request.event = readEvent(bytes, from, to);
      return undefined;
    case KEYS.numwant:
      request.numwant = Math.min(readCount(bytes, from, to), 1_000_000);
      return undefined;
    case KEYS.key:
      request.key = readKey(bytes, from, to);
      request.hasKey = to > from;
      return undefined;
    case KEYS.compact:
      request.compact = readCount(bytes, from, to) !== 0;
      return undefined;
    case KEYS.no_peer_id:
      request.noPeerId = readCount(bytes, from, to) === 1;
      return undefined;
    default:
      return undefined;
  }
}

function wrongLength(name: string, length: number): string {
  return length < 0
    ? `${name} holds a broken percent escape`
    : `${name} must be 20 bytes, this one has ${length}`;
}

function fieldEnd(bytes: Uint8Array, from: number, to: number): number {
  let end = from;
  while (end < to && bytes[end] !== AMPERSAND) end++;
  return end;
}

function keyEnd(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && bytes[at] !== EQUALS) at++;
  return at;
}

function keyAt(bytes: Uint8Array, from: number, to: number): Key | 0 {
  for (let i = from; i < to; i++)
    if (bytes[i] === PERCENT) {
      const length = decode(bytes, from, to, keyBytes, 0, keyBytes.length);
      return length < 0 ? 0 : plainKeyAt(keyBytes, 0, length);
    }
  return plainKeyAt(bytes, from, to);
}

const keyBytes = new Uint8Array(16);

function plainKeyAt(bytes: Uint8Array, from: number, to: number): Key | 0 {
  const known = keysByLength[to - from];
  if (known === undefined) return 0;
  for (let k = 0; k < known.length; k++) {
    const { name, key } = known[k];
    let i = 0;
    while (i < name.length && name[i] === bytes[from + i]) i++;
    if (i === name.length) return key;
  }
  return 0;
}

/** Undoes the escapes of a value into `into` at `at`, at most `room` bytes; returns the whole length, or −1 for a broken escape. */
function decode(
  bytes: Uint8Array,
  from: number,
  to: number,
  into: Uint8Array,
  at: number,
  room: number,
): number {
  let length = 0;
  for (let i = from; i < to; i++) {
    let value = bytes[i];
    if (value === PERCENT) {
      if (i + 2 >= to) return -1;
      const high = hexDigit(bytes[i + 1]);
      const low = hexDigit(bytes[i + 2]);
      if (high < 0 || low < 0) return -1;
      value = high * 16 + low;
      i += 2;
    } else if (value === PLUS) value = 32;
    if (length < room) into[at + length] = value;
    length++;
  }
  return length;
}

/** A number of decimal digits, or −1 for anything else. Beyond 10¹⁵ all are the same. */
function readCount(bytes: Uint8Array, from: number, to: number): number {
  const length = decode(bytes, from, to, scratch, 0, scratch.length);
  if (length <= 0 || length > scratch.length) return -1;
  let value = 0;
  for (let i = 0; i < length; i++) {
    const digit = scratch[i] - 48;
    if (digit < 0 || digit > 9) return -1;
    value = Math.min(value * 10 + digit, 1e15);
  }
  return value;
}

function readEvent(
  bytes: Uint8Array,
  from: number,
  to: number,
): AnnounceRequest['event'] {
  if (to === from) return AnnounceEvent.none;
  const length = decode(bytes, from, to, scratch, 0, scratch.length);
  if (length <= 0 || length > 9) return AnnounceEvent.none;
  const name = String.fromCharCode(...scratch.subarray(0, length));
  return EVENTS.get(name) ?? AnnounceEvent.none;
}

/** Up to eight hexadecimal digits are the number that UDP announces carry; other keys are hashed to 32 bits (FNV-1a). */
function readKey(bytes: Uint8Array, from: number, to: number): number {
  const length = decode(bytes, from, to, scratch, 0, scratch.length);
  const end = Math.min(Math.max(length, 0), scratch.length);
  let value = 0;
  let hex = end > 0 && end <= 8;
  for (let i = 0; i < end && hex; i++) {
    const digit = hexDigit(scratch[i]);
    hex = digit >= 0;
    value = ((value << 4) | digit) >>> 0;
  }
  if (hex) return value;
  let hash = 0x811c9dc5;
  for (let i = 0; i < end; i++) hash = Math.imul(hash ^ scratch[i], 0x01000193);
  return hash >>> 0;
}
