/** Trackers, web seeds and nodes as torrents and magnet links list them: trimmed, unique, bounded. */
import { asList, asText, type BencodeValue } from '@dnd/bencode';
import { MAX_ADDRESSES, MAX_URL_BYTES } from './limits';
import type { Metainfo } from './metainfo';

/** A host name or address (IPv6 without brackets) and a port 1 … 65535. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** BEP 12 tiers without empty or repeated entries; `announce` when the list has none. */
export function readTiers(
  list: BencodeValue | undefined,
  announce: BencodeValue | undefined,
): Metainfo['announce'] {
  const tiers = (asList(list) ?? []).map((tier) =>
    (asList(tier) ?? [tier]).map((url) => asText(url) ?? ''),
  );
  const found = uniqueTiers(tiers);
  return found.length > 0 ? found : uniqueTiers([[asText(announce) ?? '']]);
}

/** Tiers with every address once, where it comes first. */
export function uniqueTiers(tiers: readonly (readonly string[])[]): string[][] {
  const seen = new Set<string>();
  return tiers
    .map((tier) =>
      tier.map((url) => url.trim()).filter((url) => isNew(url, seen)),
    )
    .filter((tier) => tier.length > 0);
}

/** BEP 19 addresses over HTTP(S), spaces escaped; the rest is dropped. */
export function uniqueWebSeeds(urls: readonly string[]): string[] {
  const seen = new Set<string>();
  return urls
    .map((url) => url.trim().replaceAll(' ', '%20'))
    .filter((url) => /^https?:\/\/./i.test(url) && isNew(url, seen));
}

function isNew(url: string, seen: Set<string>): boolean {
  const known = url === '' || seen.has(url);
  if (known || seen.size >= MAX_ADDRESSES) return false;
  if (url.length > MAX_URL_BYTES) return false;
  seen.add(url);
  return true;
}

/** Endpoints with every one once. */
export function uniqueEndpoints(
  endpoints: readonly (Endpoint | undefined)[],
): Endpoint[] {
  const seen = new Map<string, Endpoint>();
  for (const endpoint of endpoints) {
    if (endpoint === undefined || seen.size >= MAX_ADDRESSES) continue;
    const key = formatEndpoint(endpoint);
    if (!seen.has(key)) seen.set(key, endpoint);
  }
  return [...seen.values()];
}

/** `host:port`, an IPv6 address in brackets. */
export function formatEndpoint({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Reads `host:port` or `[IPv6]:port`; undefined for anything else. */
export function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text);
  if (!match) return undefined;
  return endpoint(match[1] ?? match[2], Number(match[3]));
}

/** The endpoint if host and port can be one. */
export function endpoint(host: string, port: number): Endpoint | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return undefined;
  return isHost(host) ? { host, port } : undefined;
}

const IPV4_PART = '(?:25[0-5]|2[0-4]\\d|1?\\d?\\d)';
const IPV4 = new RegExp(`^(?:${IPV4_PART}\\.){3}${IPV4_PART}$`);
const HOST_NAME =
  /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_-]{1,63})*\.?$/i;

function isHost(host: string): boolean {
  if (/^[\d.]+$/.test(host)) return IPV4.test(host);
  if (host.includes(':')) {
    return /^[0-9a-f:.]+$/i.test(host) && URL.canParse(`http://[${host}]/`);
  }
  return HOST_NAME.test(host);
}
