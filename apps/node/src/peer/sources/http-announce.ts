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
  for (let hops = 0; hops <= mostRedirects; hops++) {
    const response = await request(url, signal);
    const { statusCode = 0, headers } = response;
    if (statusCode >= 300 && statusCode < 400 && headers.location) {
      response.resume();
      const next = new URL(headers.location, url);
      const refusal = refuseTrackerUrl(next.origin + next.pathname);
      if (refusal)
        throw new Error(`it redirects where we do not go: ${refusal}`);
      url = next.href;
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

function request(url: string, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const get = url.startsWith('https:') ? httpsGet : httpGet;
    const headers = {
      'User-Agent': 'D&D BitTorrent',
      'Accept-Encoding': 'gzip',
      Connection: 'close',
    };
    get(url, { signal, headers, agent: false }, resolve).on('error', (error) =>
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
