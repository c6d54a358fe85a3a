/** Magnet links (BEP 9, BEP 53; v2 hashes as BEP 52's multihash), read and written. */
import {
  type Endpoint,
  formatEndpoint,
  parseEndpoint,
  uniqueEndpoints,
  uniqueTiers,
  uniqueWebSeeds,
} from './addresses';
import { decodeBase32 } from './base32';
import type { Metainfo } from './metainfo';
import { MetainfoError } from './metainfo-error';
import { torrentId } from './parse-info';

export interface Magnet {
  /** 20 bytes; at least one of the two hashes is there. */
  readonly infoHashV1?: Uint8Array;
  /** 32 bytes. */
  readonly infoHashV2?: Uint8Array;
  /** As `Metainfo.id`. */
  readonly id: string;
  /** For show only: never a path as it stands. */
  readonly name?: string;
  /** Each `tr` is a tier of its own; HTTP(S) and UDP only. */
  readonly announce: Metainfo['announce'];
  readonly webSeeds: readonly string[];
  /** `x.pe`: addresses, or host names. */
  readonly peers: readonly Endpoint[];
  /** `dht`. */
  readonly nodes: readonly Endpoint[];
  /** BEP 53 `so`: ascending file indexes; absent for all files. */
  readonly selectedFiles?: readonly number[];
}

const MAX_MAGNET_CHARACTERS = 2 * 1024 * 1024;
/** Above any file index of a torrent this program reads. */
const MAX_FILE_INDEX = 1_000_000;
const TRACKER = /^(?:https?|udp):\/\/./i;

/**
 * Reads a magnet link, or a bare info-hash (40 or 64 hex digits, 32 of base 32). Parameters that are
 * unknown or malformed are passed over, but for `xt`. Throws MetainfoError `invalid-magnet` or `too-large`.
 */
export function parseMagnet(uri: string): Magnet {
  if (uri.length > MAX_MAGNET_CHARACTERS) throw new MetainfoError('too-large');
  const query = /^magnet:(?:\/{2,3})?\?(.*)$/is.exec(uri)?.[1];
  const parameters =
    query === undefined ? bareHash(uri) : readParameters(query);
  const hashes = readHashes(parameters.filter(isNamed('xt', true)));
  const all = (name: string, numbered = false) =>
    parameters.filter(isNamed(name, numbered)).map(({ value }) => value);
  const name = all('dn').find((value) => value !== '');
  const selectedFiles = readSelection(all('so'));
  return {
    ...hashes,
    ...(name !== undefined && { name }),
    announce: uniqueTiers(
      all('tr', true)
        .filter((url) => TRACKER.test(url))
        .map((url) => [url]),
    ),
    webSeeds: uniqueWebSeeds(all('ws', true)),
    peers: uniqueEndpoints(all('x.pe').map(parseEndpoint)),
    nodes: uniqueEndpoints(all('dht').map(parseEndpoint)),
    ...(selectedFiles.length > 0 && { selectedFiles }),
  };
}

/** What `formatMagnet` needs; a Metainfo or a Magnet will do. */
export type MagnetParts = Partial<Omit<Magnet, 'id'>>;

/** The link, hashes first. Throws MetainfoError `invalid-magnet` when there is no hash. */
export function formatMagnet(parts: MagnetParts): string {
  const { infoHashV1, infoHashV2, selectedFiles = [] } = parts;
  if (!infoHashV1 && !infoHashV2) throw new MetainfoError('invalid-magnet');
  const parameters = [
    ...(infoHashV1 ? [`xt=urn:btih:${hex(infoHashV1)}`] : []),
    ...(infoHashV2 ? [`xt=urn:btmh:1220${hex(infoHashV2)}`] : []),
    ...(parts.name ? [`dn=${escape(parts.name)}`] : []),
    ...(parts.announce ?? []).flat().map((url) => `tr=${escape(url)}`),
    ...(parts.webSeeds ?? []).map((url) => `ws=${escape(url)}`),
    ...(parts.peers ?? []).map((peer) => `x.pe=${formatEndpoint(peer)}`),
    ...(parts.nodes ?? []).map((node) => `dht=${formatEndpoint(node)}`),
    ...(selectedFiles.length > 0 ? [`so=${formatRanges(selectedFiles)}`] : []),
  ];
  return `magnet:?${parameters.join('&')}`;
}

interface Parameter {
  /** Lower case, a `.N` behind it cut off. */
  readonly name: string;
  readonly numbered: boolean;
  readonly value: string;
}

function readParameters(query: string): Parameter[] {
  return query.split('&').map((part) => {
    const equals = part.indexOf('=');
    const key = equals < 0 ? part : part.slice(0, equals);
    const value = equals < 0 ? '' : part.slice(equals + 1);
    const [, name, number] = /^(.*?)(\.\d+)?$/s.exec(key.toLowerCase()) ?? [];
    return {
      name: name ?? '',
      numbered: number !== undefined,
      // Web forms write a space as `+`; in addresses a plus is a plus.
      value: unescape(name === 'dn' ? value.replaceAll('+', ' ') : value),
    };
  });
}

function isNamed(
  name: string,
  numbered: boolean,
): (parameter: Parameter) => boolean {
  return (parameter) =>
    parameter.name === name && (numbered || !parameter.numbered);
}

/** Percent-decoded as far as that is possible. */
function unescape(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function escape(text: string): string {
  const wellFormed = Buffer.from(text).toString();
  return encodeURIComponent(wellFormed);
}

function bareHash(text: string): Parameter[] {
  const prefix = /^[0-9a-f]{64}$/i.test(text)
    ? 'urn:btmh:1220'
    : /^(?:[0-9a-f]{40}|[a-z2-7]{32})$/i.test(text)
      ? 'urn:btih:'
      : undefined;
  if (prefix === undefined) throw new MetainfoError('invalid-magnet');
  return [{ name: 'xt', numbered: false, value: prefix + text }];
}

/** The first hash of each version; a malformed BitTorrent hash spoils the link, other networks' do not. */
function readHashes(
  topics: readonly Parameter[],
): Pick<Magnet, 'infoHashV1' | 'infoHashV2' | 'id'> {
  let infoHashV1: Uint8Array | undefined;
  let infoHashV2: Uint8Array | undefined;
  for (const { value } of topics) {
    const [, kind, text] = /^urn:(btih|btmh):(.*)$/is.exec(value) ?? [];
    if (kind === undefined) continue;
    if (kind.toLowerCase() === 'btih') infoHashV1 ??= readV1Hash(text);
    else infoHashV2 ??= readV2Hash(text);
  }
  if (!infoHashV1 && !infoHashV2) {
    throw new MetainfoError('invalid-magnet', 'no info-hash');
  }
  return {
    ...(infoHashV1 && { infoHashV1 }),
    ...(infoHashV2 && { infoHashV2 }),
    id: torrentId(infoHashV1, infoHashV2),
  };
}

function readV1Hash(text: string): Uint8Array {
  if (/^[0-9a-f]{40}$/i.test(text)) return fromHex(text);
  const bytes = text.length === 32 ? decodeBase32(text) : undefined;
  if (bytes) return bytes;
  throw new MetainfoError('invalid-magnet', 'malformed btih');
}

/** A multihash: 12 (SHA-256), 20 (32 bytes), then the hash. */
function readV2Hash(text: string): Uint8Array {
  if (/^1220[0-9a-f]{64}$/i.test(text)) return fromHex(text.slice(4));
  throw new MetainfoError('invalid-magnet', 'malformed btmh');
}

function readSelection(values: readonly string[]): number[] {
  const selected = new Set<number>();
  for (const item of values.flatMap((value) => value.split(','))) {
    const [, from, to = from] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(item) ?? [];
    if (from === undefined || Number(to) >= MAX_FILE_INDEX) continue;
    for (let n = Number(from); n <= Number(to); n++) selected.add(n);
  }
  return [...selected].sort((a, b) => a - b);
}

/** `0,2-4` */
function formatRanges(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  const ranges: string[] = [];
  for (let i = 0; i < sorted.length;) {
    let end = i;
    while (sorted[end + 1] === sorted[end] + 1) end++;
    ranges.push(i === end ? `${sorted[i]}` : `${sorted[i]}-${sorted[end]}`);
    i = end + 1;
  }
  return ranges.join(',');
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function fromHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'));
}
