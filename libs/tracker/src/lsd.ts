/**
 * Local service discovery (BEP 14): the datagrams that peers of one network shout to each other.
 * A peer's address is the datagram's source with the port of the header. Private torrents are
 * neither announced nor believed, which is the owner's business, as is the pace: a torrent every
 * five minutes, at most a datagram a minute.
 */

export const LSD_PORT = 6771;
export const LSD_HOST_V4 = '239.192.152.143';
export const LSD_HOST_V6 = 'ff15::efc0:988f';
/** Bytes of a datagram. */
export const LSD_MAX_BYTES = 1400;

export interface LsdAnnounce {
  /** TCP port on which the peer listens, 1–65535. */
  readonly port: number;
  /** 40 lower-case hex digits each. */
  readonly infoHashes: readonly string[];
  /** What its sender knows its own datagrams by. */
  readonly cookie?: string;
}

const START = 'BT-SEARCH * HTTP/1.1';

/** The datagrams that announce these torrents: as many as 1,400 bytes a datagram ask for. */
export function encodeLsd(
  announce: LsdAnnounce,
  family: 4 | 6 = 4,
): Uint8Array[] {
  const host = family === 4 ? LSD_HOST_V4 : `[${LSD_HOST_V6}]`;
  const head = `${START}\r\nHost: ${host}:${LSD_PORT}\r\nPort: ${announce.port}\r\n`;
  const cookie =
    announce.cookie === undefined ? '' : `cookie: ${announce.cookie}\r\n`;
  const end = `${cookie}\r\n\r\n`;
  const line = 'Infohash: \r\n'.length + 40;
  const each = Math.floor((LSD_MAX_BYTES - head.length - end.length) / line);
  const datagrams: Uint8Array[] = [];
  for (let at = 0; at < announce.infoHashes.length; at += each) {
    const lines = announce.infoHashes
      .slice(at, at + each)
      .map((hash) => `Infohash: ${hash}\r\n`);
    datagrams.push(
      new Uint8Array(Buffer.from(head + lines.join('') + end, 'latin1')),
    );
  }
  return datagrams;
}

/** What a datagram announces; undefined where it is none of ours to understand, or carries `ownCookie`. */
export function parseLsd(
  datagram: Uint8Array,
  ownCookie?: string,
): LsdAnnounce | undefined {
  if (datagram.length > LSD_MAX_BYTES) return undefined;
  const [start, ...lines] = Buffer.from(datagram)
    .toString('latin1')
    .split(/\r?\n/);
  if (start !== START) return undefined;
  let port = 0;
  let cookie: string | undefined;
  const infoHashes = new Set<string>();
  for (const line of lines) {
    if (line === '') break;
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1).trim();
    switch (line.slice(0, Math.max(colon, 0)).toLowerCase()) {
      case 'port':
        port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
        break;
      case 'infohash':
        if (/^[0-9a-f]{40}$/i.test(value)) infoHashes.add(value.toLowerCase());
        break;
      case 'cookie':
        cookie = value;
    }
  }
  if (port < 1 || port > 65_535 || infoHashes.size === 0) return undefined;
  if (cookie !== undefined && cookie === ownCookie) return undefined;
  return { port, infoHashes: [...infoHashes], ...(cookie && { cookie }) };
}
