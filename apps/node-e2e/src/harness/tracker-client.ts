/** An announce by HTTP (BEP 3, BEP 23) as any client sends it, and the peers in its reply. */
import { asBytes, asText, decodeDictionary } from '@dnd/bencode';
import { get } from 'node:http';
import { randomBytes } from 'node:crypto';

export interface Announce {
  readonly infoHash: string;
  readonly port?: number;
  readonly left?: number;
  readonly event?: 'started' | 'stopped' | 'completed';
  readonly peerId?: Buffer;
}

const escapeBytes = (bytes: Buffer): string =>
  [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');

const fetchBytes = (url: string, ms: number): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: ms }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve(Buffer.concat(parts)));
      response.on('error', reject);
    });
    request.on('timeout', () =>
      request.destroy(new Error(`${url.slice(0, 60)}: no answer in ${ms} ms`)),
    );
    request.on('error', reject);
  });

/** Peers as `host:port`. Throws for a failure reason. */
export async function announce(
  url: string,
  { infoHash, port = 9, left = 1, event, peerId = randomBytes(20) }: Announce,
  ms = 10_000,
): Promise<string[]> {
  const query = [
    `info_hash=${escapeBytes(Buffer.from(infoHash, 'hex'))}`,
    `peer_id=${escapeBytes(peerId)}`,
    `port=${port}&uploaded=0&downloaded=0&left=${left}&compact=1&numwant=50`,
    ...(event ? [`event=${event}`] : []),
  ].join('&');
  const { dictionary } = decodeDictionary(
    await fetchBytes(`${url}?${query}`, ms),
  );
  const failure = asText(dictionary.get('failure reason'));
  if (failure !== undefined) throw new Error(`the tracker says: ${failure}`);
  const peers = Buffer.from(
    asBytes(dictionary.get('peers')) ?? new Uint8Array(0),
  );
  return Array.from({ length: peers.length / 6 }, (_, i) => {
    const at = i * 6;
    return `${peers.subarray(at, at + 4).join('.')}:${peers.readUInt16BE(at + 4)}`;
  });
}

/** The numbers of a swarm (BEP 48). */
export async function scrape(
  announceUrl: string,
  infoHash: string,
): Promise<{ complete: number; incomplete: number; downloaded: number }> {
  const url = announceUrl.replace(/announce$/, 'scrape');
  const query = `info_hash=${escapeBytes(Buffer.from(infoHash, 'hex'))}`;
  const body = (await fetchBytes(`${url}?${query}`, 10_000)).toString('latin1');
  const count = (name: string): number =>
    Number(new RegExp(`${name}i(\\d+)e`).exec(body)?.[1] ?? NaN);
  return {
    complete: count('8:complete'),
    incomplete: count('10:incomplete'),
    downloaded: count('10:downloaded'),
  };
}

/** The peers of a swarm, asked for by somebody who comes and goes and is nobody's peer afterwards. */
export async function peersAt(
  url: string,
  infoHash: string,
  ms?: number,
): Promise<string[]> {
  const peerId = randomBytes(20);
  const peers = await announce(url, { infoHash, peerId, event: 'started' }, ms);
  await announce(url, { infoHash, peerId, event: 'stopped' }, ms).catch(
    () => undefined,
  );
  return peers;
}
