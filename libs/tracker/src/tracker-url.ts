/**
 * The addresses that a client asks: announce and scrape URLs with their queries (BEP 3, 7, 23,
 * 48), and which tracker URLs from a .torrent may be asked at all.
 */

/** Names of the events that a client tells. */
export type ClientEvent = 'started' | 'completed' | 'stopped' | 'paused';

/** What a client says of itself in an announce, over either protocol. */
export interface AnnounceFacts {
  /** 20 bytes: v1's hash, or v2's cut to 20. */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
  /** TCP port on which peers are heard. */
  readonly port: number;
  /** Bytes since the started event. */
  readonly uploaded: number;
  readonly downloaded: number;
  /** Bytes still to download. */
  readonly left: number;
  readonly event?: ClientEvent;
  /** Peers wanted; the tracker's default where absent. */
  readonly numwant?: number;
  /** 32 random bits that stay the same for a torrent's life, unseen by other peers. */
  readonly key: number;
  /** What the tracker last called itself (HTTP). */
  readonly trackerId?: string;
  /** BEP 7: our address of the family that the request does not go over (HTTP). */
  readonly ipv4?: string;
  readonly ipv6?: string;
}

/** The announce URL with its query added to the query it may have. */
export function announceUrl(announce: string, facts: AnnounceFacts): string {
  const fields = [
    `info_hash=${escapeBytes(facts.infoHash)}`,
    `peer_id=${escapeBytes(facts.peerId)}`,
    `port=${facts.port}`,
    `uploaded=${facts.uploaded}`,
    `downloaded=${facts.downloaded}`,
    `left=${facts.left}`,
    'compact=1',
    `key=${(facts.key >>> 0).toString(16).padStart(8, '0')}`,
  ];
  if (facts.event !== undefined) fields.push(`event=${facts.event}`);
  if (facts.numwant !== undefined) fields.push(`numwant=${facts.numwant}`);
  if (facts.trackerId !== undefined)
    fields.push(
      `trackerid=${escapeBytes(new Uint8Array(Buffer.from(facts.trackerId, 'latin1')))}`,
    );
  if (facts.ipv4 !== undefined) fields.push(`ipv4=${facts.ipv4}`);
  if (facts.ipv6 !== undefined)
    fields.push(`ipv6=${encodeURIComponent(facts.ipv6)}`);
  return withQuery(announce, fields);
}

/**
 * Where to scrape (BEP 48): `announce` right after the path's last slash becomes `scrape`.
 * Undefined where the path has another ending. UDP trackers scrape where they announce.
 */
export function scrapeUrl(
  announce: string,
  infoHashes: readonly Uint8Array[] = [],
): string | undefined {
  if (/^udp:/i.test(announce)) return announce;
  const query = announce.search(/[?#]/);
  const path = query < 0 ? announce : announce.slice(0, query);
  const slash = path.lastIndexOf('/') + 1;
  if (!path.startsWith('announce', slash)) return undefined;
  const scrape = `${path.slice(0, slash)}scrape${announce.slice(slash + 8)}`;
  return withQuery(
    scrape,
    infoHashes.map((hash) => `info_hash=${escapeBytes(hash)}`),
  );
}

/**
 * Why a tracker URL is not to be asked, or undefined where it may be. Refused are other schemes
 * than http, https and udp; queries that already say `info_hash` or `event`; and on loopback any
 * path but `/announce`, so that no .torrent makes us call other programs of this machine. `host`: the
 * address that the URL's host has, where it is known.
 */
export function refuseTrackerUrl(
  text: string,
  host?: string,
): string | undefined {
  if (text.length > 2048) return 'the URL is too long';
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'not a URL';
  }
  if (!['http:', 'https:', 'udp:'].includes(url.protocol))
    return `the scheme ${url.protocol} is not for trackers`;
  if (url.protocol === 'udp:' && url.port === '') return 'the port is missing';
  if (/[?&](info_hash|event)=/i.test(url.search))
    return 'the query already holds an announce';
  if (isLoopback(host ?? url.hostname))
    if (url.protocol !== 'udp:' && url.pathname !== '/announce')
      return 'a tracker on this machine must be asked at /announce';
  return undefined;
}

function isLoopback(host: string): boolean {
  return (
    /^localhost\.?$|\.localhost\.?$|^127\.|^0\.|^\[?::1?\]?$/i.test(host) ||
    /^\[?::ffff:(?:7f|127\.)/i.test(host)
  );
}

function withQuery(url: string, fields: readonly string[]): string {
  const base = url.split('#', 1)[0];
  if (fields.length === 0) return base;
  const joint = !base.includes('?') ? '?' : /[?&]$/.test(base) ? '' : '&';
  return base + joint + fields.join('&');
}

/** Bytes with all but letters, digits, `-`, `.`, `_` and `~` as upper-case escapes. */
export function escapeBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const c = String.fromCharCode(byte);
    text += /[A-Za-z0-9\-._~]/.test(c)
      ? c
      : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  return text;
}
