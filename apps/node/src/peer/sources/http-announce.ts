/** One announce to a tracker over HTTP(S): bounded in time, size and redirects. */
import {
  announceUrl,
  refuseTrackerUrl,
  type AnnounceFacts,
} from '@dnd/tracker';
import { get as httpGet, type IncomingMessage } from 'node:http';
import { get as httpsGet } from 'node:https';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { Distance, distanceOf, lookupUnless } from '../distance';

const timeOut = 20_000;
const mostBytes = 1024 * 1024;
const mostRedirects = 5;
const unpack = promisify(gunzip);

/** The answer's body. Throws Error with words for the list of trackers. */
export async function httpAnnounce(
  tracker: string,
  facts: AnnounceFacts,
): Promise<Uint8Array> {
  const signal = AbortSignal.timeout(timeOut);
  let url = announceUrl(tracker, facts);
  let nearest: Distance = Distance.here;
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const response = await request(url, nearest, signal);
    const { statusCode = 0, headers, socket } = response;
    if (statusCode >= 300 && statusCode < 400 && headers.location) {
      nearest = distanceOf(socket.remoteAddress ?? '');
      response.destroy();
      url = new URL(headers.location, url).href;
      const refusal = refuse(url, nearest);
      if (refusal) throw refusal;
      continue;
    }
    const body = await read(response);
    // A failure reason may come with any status.
    if (statusCode >= 400 && body[0] !== 0x64)
      throw new Error(`the tracker answers ${statusCode}`);
    return body;
  }
  throw new Error('the tracker redirects in circles');
}

/** Why this is not asked: what no tracker is, or a redirect to what is nearer than whoever sends there. `host`: the address of the URL's host. */
function refuse(
  url: string,
  nearest: Distance,
  host?: string,
): Error | undefined {
  // The query is our own.
  const { origin, pathname, hostname } = new URL(url);
  const refusal =
    distanceOf(host ?? hostname) < nearest
      ? 'it leads from farther off into this machine or its network'
      : refuseTrackerUrl(origin + pathname, host);
  return refusal === undefined
    ? undefined
    : new Error(`it leads where we do not go: ${refusal}`);
}

function request(
  url: string,
  nearest: Distance,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const get = url.startsWith('https:') ? httpsGet : httpGet;
    const headers = {
      'User-Agent': 'D&D BitTorrent',
      'Accept-Encoding': 'gzip',
      Connection: 'close',
    };
    const lookup = lookupUnless((address) => refuse(url, nearest, address));
    const options = { signal, headers, lookup, agent: false };
    get(url, options, resolve).on('error', (error) =>
      reject(signal.aborted ? new Error('the tracker does not answer') : error),
    );
  });
}

async function read(response: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > mostBytes) {
      response.destroy();
      throw new Error('the tracker’s answer is too long');
    }
    chunks.push(chunk);
  }
  const body = Buffer.concat(chunks, length);
  if (response.headers['content-encoding'] !== 'gzip') return body;
  return unpack(body, { maxOutputLength: mostBytes });
}
