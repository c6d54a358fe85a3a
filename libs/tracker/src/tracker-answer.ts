/**
 * What a tracker's answers mean to a client. Real answers have unsorted keys, bytes after the
 * dictionary, peers in three forms and absurd numbers: all that can be understood is taken. Peers
 * that nobody could connect to are left out.
 */
import {
  asBytes,
  asDictionary,
  asList,
  asNumber,
  asText,
  BencodeError,
  type BencodeDictionary,
  type BencodeValue,
  decodePrefix,
} from '@dnd/bencode';
import { formatAddress, type AddressLength } from './address';

export interface TrackerPeer {
  /** An address, or a DNS name where the tracker gave one. */
  readonly host: string;
  readonly port: number;
  /** 20 bytes; only in answers that are not compact. */
  readonly peerId?: Uint8Array;
}

export interface AnnounceAnswer {
  readonly peers: readonly TrackerPeer[];
  /** Seconds, positive and at most a week; absent where the tracker names none. */
  readonly interval?: number;
  readonly minInterval?: number;
  readonly complete?: number;
  readonly incomplete?: number;
  readonly downloaded?: number;
  /** BEP 24: our own address as the tracker sees it. */
  readonly externalIp?: string;
  /** To be sent back as `trackerId`; each character stands for a byte. */
  readonly trackerId?: string;
  readonly warning?: string;
  /** Other trackers of the same swarm, in tiers (BEP 12). */
  readonly trackers?: readonly (readonly string[])[];
}

export interface ScrapeEntry {
  readonly complete: number;
  readonly incomplete: number;
  readonly downloaded: number;
  /** BEP 21. */
  readonly downloaders?: number;
}

/** By info-hash as 40 lower-case hex digits; what the tracker does not know is absent. */
export type ScrapeAnswer = ReadonlyMap<string, ScrapeEntry>;

export type TrackerAnswerErrorCode =
  'bencoding' | 'not-a-dictionary' | 'invalid-peers';

/** The answer makes no sense: count a failure and ask another tracker. */
export class TrackerAnswerError extends Error {
  override readonly name = 'TrackerAnswerError';
  readonly code: TrackerAnswerErrorCode;

  constructor(code: TrackerAnswerErrorCode, detail: string) {
    super(`${code}: ${detail}`);
    this.code = code;
  }
}

/** The tracker understood and says no; the message is its own words. */
export class TrackerFailure extends Error {
  override readonly name = 'TrackerFailure';
  /** BEP 31: minutes to wait, or never to ask again. */
  readonly retryMinutes: number | 'never' | undefined;
  /** Seconds, where the failure names them all the same. */
  readonly interval: number | undefined;
  readonly minInterval: number | undefined;

  constructor(
    reason: string,
    retryMinutes?: number | 'never',
    interval?: number,
    minInterval?: number,
  ) {
    super(reason);
    this.retryMinutes = retryMinutes;
    this.interval = interval;
    this.minInterval = minInterval;
  }
}

/** Trackers taken from one answer. */
const MAX_TRACKERS = 50;
/** Peers taken from one answer. */
const MAX_PEERS = 2000;
const MAX_BYTES = 1024 * 1024;
const LONGEST = 7 * 86_400;

/** Reads the body of an HTTP announce answer. Throws TrackerAnswerError or TrackerFailure. */
export function parseAnnounceAnswer(body: Uint8Array): AnnounceAnswer {
  const answer = dictionaryOf(body);
  throwFailure(answer);
  const external = asBytes(answer.get('external ip'));
  const trackerId = asBytes(answer.get('tracker id'));
  return defined({
    peers: [
      ...readPeers(answer.get('peers'), 4),
      ...readPeers(answer.get('peers6'), 16),
    ].slice(0, MAX_PEERS),
    interval: seconds(answer.get('interval')),
    minInterval: seconds(answer.get('min interval')),
    complete: count(answer.get('complete')),
    incomplete: count(answer.get('incomplete')),
    downloaded: count(answer.get('downloaded')),
    externalIp:
      external?.length === 4 || external?.length === 16
        ? formatAddress(external, 0, external.length)
        : undefined,
    trackerId: trackerId && Buffer.from(trackerId).toString('latin1'),
    warning: asText(answer.get('warning message')),
    trackers: tiersOf(answer.get('announce-list')),
  });
}

/** Reads the body of an HTTP scrape answer. Throws TrackerAnswerError or TrackerFailure. */
export function parseScrapeAnswer(body: Uint8Array): ScrapeAnswer {
  const answer = dictionaryOf(body);
  throwFailure(answer);
  const files = new Map<string, ScrapeEntry>();
  for (const [key, value] of asDictionary(answer.get('files')) ?? []) {
    const entry = asDictionary(value);
    if (entry === undefined || key.length !== 20) continue;
    files.set(
      Buffer.from(key, 'latin1').toString('hex'),
      defined({
        complete: count(entry.get('complete')) ?? 0,
        incomplete: count(entry.get('incomplete')) ?? 0,
        downloaded: count(entry.get('downloaded')) ?? 0,
        downloaders: count(entry.get('downloaders')),
      }),
    );
  }
  return files;
}

/** Reads whole compact entries (6 or 18 bytes) from `at` on; a tail too short for one is passed over. */
export function readCompactPeers(
  bytes: Uint8Array,
  at: number,
  length: AddressLength,
): TrackerPeer[] {
  const peers: TrackerPeer[] = [];
  for (let i = at; i + length + 2 <= bytes.length; i += length + 2) {
    const port = (bytes[i + length] << 8) | bytes[i + length + 1];
    if (port !== 0) peers.push({ host: formatAddress(bytes, i, length), port });
  }
  return peers.slice(0, MAX_PEERS);
}

function dictionaryOf(body: Uint8Array): BencodeDictionary {
  let value: BencodeValue;
  try {
    value = decodePrefix(body, { maxBytes: MAX_BYTES, maxDepth: 10 }).value;
  } catch (error) {
    if (error instanceof BencodeError)
      throw new TrackerAnswerError('bencoding', error.message);
    throw error;
  }
  const dictionary = asDictionary(value);
  if (dictionary === undefined)
    throw new TrackerAnswerError(
      'not-a-dictionary',
      'the answer is no dictionary',
    );
  return dictionary;
}

function throwFailure(answer: BencodeDictionary): void {
  const reason = asText(answer.get('failure reason'));
  if (reason === undefined) return;
  throw new TrackerFailure(
    reason,
    retryOf(answer.get('retry in')),
    seconds(answer.get('interval')),
    seconds(answer.get('min interval')),
  );
}

/** BEP 31 says a number of minutes, and shows it as a string: both are taken. */
function retryOf(
  value: BencodeValue | undefined,
): number | 'never' | undefined {
  const text = asText(value);
  if (text === 'never') return 'never';
  const minutes =
    text !== undefined && /^\d{1,6}$/.test(text)
      ? Number(text)
      : asNumber(value);
  return minutes !== undefined && minutes > 0
    ? Math.min(minutes, LONGEST / 60)
    : undefined;
}

function readPeers(
  value: BencodeValue | undefined,
  length: AddressLength,
): TrackerPeer[] {
  const compact = asBytes(value);
  if (compact !== undefined) {
    if (compact.length % (length + 2) !== 0)
      throw new TrackerAnswerError(
        'invalid-peers',
        `${compact.length} bytes are no entries of ${length + 2}`,
      );
    return readCompactPeers(compact, 0, length);
  }
  return (asList(value) ?? []).flatMap((entry) => {
    const peer = asDictionary(entry);
    const host = asText(peer?.get('ip'));
    const port = asNumber(peer?.get('port'));
    if (!host || host.length > 255 || port === undefined) return [];
    if (port < 1 || port > 65_535) return [];
    const peerId = asBytes(peer?.get('peer id'));
    return [peerId?.length === 20 ? { host, port, peerId } : { host, port }];
  });
}

function tiersOf(value: BencodeValue | undefined): string[][] | undefined {
  let left = MAX_TRACKERS;
  const tiers = asList(value)?.flatMap((tier) => {
    const urls = (asList(tier) ?? [])
      .map(asText)
      .filter((url) => url !== undefined)
      .slice(0, left);
    left -= urls.length;
    return urls.length > 0 ? [urls] : [];
  });
  return tiers?.length ? tiers : undefined;
}

function seconds(value: BencodeValue | undefined): number | undefined {
  if (typeof value === 'bigint') return value > 0n ? LONGEST : undefined;
  const number = asNumber(value);
  return number !== undefined && number > 0
    ? Math.min(number, LONGEST)
    : undefined;
}

function count(value: BencodeValue | undefined): number | undefined {
  const number = asNumber(value);
  return number !== undefined && number >= 0 ? number : undefined;
}

/** The same without the properties that are undefined. */
function defined<T extends object>(fields: {
  [K in keyof T]: T[K] | undefined;
}): T {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined),
  ) as T;
}
