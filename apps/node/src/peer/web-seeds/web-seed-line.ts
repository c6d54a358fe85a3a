/**
 * One connection with a web seed (BEP 19, GetRight style), kept from one range request to the next: it
 * brings stretches of the torrent, whichever files they lie in.
 */
import type { FileLayout, Metainfo } from '@dnd/metainfo';
import {
  Agent as HttpAgent,
  get as httpGet,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, get as httpsGet } from 'node:https';
import { Distance, distanceOf, lookupUnless } from '../distance';

/** A stretch of one file, or zeros where `path` is undefined. */
interface Part {
  readonly url: string | undefined;
  readonly from: number;
  readonly length: number;
  readonly fileLength: number;
}

const mostRedirects = 5;
/** A redirect's page of so many bytes is read for the connection to be kept. */
const longestPage = 16_384;

export class WebSeedLine {
  private readonly agent: HttpAgent;
  private ended = false;
  /** Under way, or the last one. */
  private asking: ClientRequest | undefined;

  constructor(
    private readonly url: string,
    private readonly metainfo: Metainfo,
    private readonly layout: FileLayout,
    /** Milliseconds without a byte after which it is given up. */
    private readonly silence: number,
  ) {
    const options = { keepAlive: true, maxSockets: 1, timeout: silence };
    this.agent = url.startsWith('https:')
      ? new HttpsAgent(options)
      : new HttpAgent(options);
  }

  end(): void {
    this.ended = true;
    // A signal would reach the kept connection too, where nobody hears its error.
    this.asking?.destroy();
    this.agent.destroy();
  }

  /** Hands the bytes on as they come; throws WebSeedError, or what the connection died of. */
  async fetch(
    start: number,
    length: number,
    write: (bytes: Uint8Array) => void,
  ): Promise<void> {
    for (const part of this.parts(start, length)) {
      if (part.url === undefined) write(Buffer.alloc(part.length));
      else await this.fetchPart(part, write);
      if (this.ended) return;
    }
  }

  /** The files that a stretch of the torrent lies in, pads and gaps as zeros. */
  private parts(start: number, length: number): Part[] {
    const parts: Part[] = [];
    let end = 0;
    const zeros = (count: number): void => {
      if (count > 0)
        parts.push({ url: undefined, from: 0, length: count, fileLength: 0 });
    };
    this.layout.each(start, length, (fileIndex, from, count, at) => {
      zeros(at - end);
      end = at + count;
      const file = this.metainfo.files[fileIndex];
      parts.push({
        url: fileUrl(this.url, this.metainfo, file.path),
        from,
        length: count,
        fileLength: file.length,
      });
    });
    zeros(length - end);
    return parts;
  }

  private async fetchPart(
    part: Part,
    write: (bytes: Uint8Array) => void,
  ): Promise<void> {
    const response = await this.open(part);
    checkAnswer(response, part);
    // Read to its end, an answer leaves the connection to the next one.
    const ends = Number(response.headers['content-length']) === part.length;
    let left = part.length;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      if (this.ended) return;
      write(chunk.subarray(0, left));
      left -= Math.min(left, chunk.length);
      if (left === 0 && !ends) break;
    }
    if (left > 0)
      throw new WebSeedError('the web seed sent less than was asked for');
  }

  /** Follows redirects, but never to what is nearer than whoever sends there. */
  private async open(part: Part): Promise<IncomingMessage> {
    let url = part.url as string;
    let nearest: Distance = Distance.here;
    for (let hops = 0; hops <= mostRedirects; hops++) {
      const response = await this.get(url, part, nearest);
      const { statusCode = 0, headers, socket } = response;
      if (statusCode < 300 || statusCode >= 400 || !headers.location)
        return response;
      nearest = distanceOf(socket.remoteAddress ?? '');
      if (Number(headers['content-length']) <= longestPage) response.resume();
      else response.destroy();
      url = redirected(headers.location, url);
      const refusal = refuseWebSeed(url, nearest);
      if (refusal) throw new WebSeedError(refusal, true);
    }
    throw new WebSeedError('it redirects in circles', true);
  }

  private get(
    url: string,
    part: Part,
    nearest: Distance,
  ): Promise<IncomingMessage> {
    const secure = url.startsWith('https:');
    const own = secure === this.url.startsWith('https:');
    const refuse = (address: string): WebSeedError | undefined => {
      const refusal = refuseWebSeed(url, nearest, address);
      return refusal ? new WebSeedError(refusal, true) : undefined;
    };
    return new Promise((resolve, reject) => {
      let answer: IncomingMessage | undefined;
      let kept = false;
      const request = (secure ? httpsGet : httpGet)(
        url,
        {
          ...(own ? { agent: this.agent } : {}),
          timeout: this.silence,
          lookup: lookupUnless(refuse),
          headers: {
            Range: `bytes=${part.from}-${part.from + part.length - 1}`,
            'Accept-Encoding': 'identity',
            'User-Agent': 'D&D BitTorrent',
          },
        },
        (response) => resolve((answer = response)),
      );
      this.asking = request;
      request.on('socket', (socket) => {
        kept = !socket.connecting;
        // A kept connection is not looked up again.
        if (!kept || socket.destroyed) return;
        const refusal = refuse(socket.remoteAddress ?? '');
        if (refusal) request.destroy(refusal);
      });
      request.on('timeout', () => {
        const silent = new WebSeedError('the web seed is silent');
        answer?.destroy(silent);
        request.destroy(silent);
      });
      request.on('upgrade', (_answer, socket) => {
        socket.destroy();
        reject(new WebSeedError('the web seed answers 101'));
      });
      request.on('error', (error: NodeJS.ErrnoException) => {
        const closed = kept && error.code === 'ECONNRESET';
        // It let go of the kept connection in the moment in which it was asked.
        if (closed && !answer && !this.ended)
          resolve(this.get(url, part, nearest));
        else reject(error);
      });
    });
  }
}

export class WebSeedError extends Error {
  override readonly name = 'WebSeedError';

  constructor(
    message: string,
    readonly forGood = false,
    readonly rest = 0,
  ) {
    super(message);
  }
}

function checkAnswer(response: IncomingMessage, part: Part): void {
  const { statusCode = 0, headers } = response;
  const whole = part.from === 0 && part.length === part.fileLength;
  if (statusCode === 206) {
    const range = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(
      headers['content-range'] ?? '',
    );
    const [, from, to, size] = range ?? [];
    const right =
      Number(from) === part.from &&
      Number(to) === part.from + part.length - 1 &&
      (size === '*' || Number(size) === part.fileLength);
    if (right) return;
    response.destroy();
    throw new WebSeedError('the web seed has another file there', true);
  }
  if (statusCode === 200 && whole) return;
  response.destroy();
  if (statusCode === 200)
    throw new WebSeedError('the web seed gives no ranges', true);
  const gone = [401, 403, 404, 410, 416].includes(statusCode);
  const rest = Number(headers['retry-after']) * 1000;
  throw new WebSeedError(
    `the web seed answers ${statusCode}`,
    gone,
    rest > 0 ? Math.min(rest, 3_600_000) : 0,
  );
}

/** BEP 19: a base that ends in "/" is followed by name and path, another one is the single file itself. */
export function fileUrl(
  base: string,
  metainfo: Metainfo,
  path: readonly string[],
): string {
  const isSingle = metainfo.files.length === 1 && path.length === 1;
  if (isSingle && !base.endsWith('/')) return base;
  const folder = base.endsWith('/') ? base : `${base}/`;
  return folder + path.map(encodeURIComponent).join('/');
}

/** Where a redirect leads; credentials go along only as long as it stays with the same server. */
function redirected(location: string, from: string): string {
  const [next, last] = [new URL(location, from), new URL(from)];
  if (next.origin === last.origin && next.username === '') {
    next.username = last.username;
    next.password = last.password;
  }
  return next.href;
}

/**
 * Why a web seed is not to be asked: other schemes, what is nearer than `nearest`, and on this machine
 * and in its network anything with a query. `host`: the address that the URL's host has.
 */
export function refuseWebSeed(
  text: string,
  nearest: Distance = Distance.here,
  host?: string,
): string | undefined {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'not a URL';
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return `the scheme ${url.protocol} is not for web seeds`;
  const distance = distanceOf(host ?? url.hostname);
  if (distance < nearest)
    return distance === Distance.here
      ? 'it redirects into this machine'
      : 'it redirects into the local network';
  if (distance < Distance.far && url.search !== '')
    return 'a web seed on this machine or in its network must have no query';
  return undefined;
}
