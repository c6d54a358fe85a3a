/**
 * One file of a torrent as an HTTP answer with Range (RFC 9110). Only bytes that the peer calls
 * verified are read; for others the answer waits while the swarm fetches them, so that a film plays
 * while it downloads and seeking works.
 */
import type { Request, Response } from 'express';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Peer } from '../peer/peer';
import { contentHeaders } from './content';
import { sendProblem } from './problem';

export interface ByteRange {
  /** First byte. */
  readonly start: number;
  /** One past the last byte. */
  readonly end: number;
}

/** `whole` for no Range, several ranges or another unit (all may be ignored); undefined when it cannot be met. */
export function parseRange(
  header: string | undefined,
  size: number,
): ByteRange | 'whole' | undefined {
  const match = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return 'whole';
  const [first, last] = [match[1], match[2]].map((text) =>
    text === '' ? undefined : Number(text),
  );
  if (first === undefined) {
    const start = Math.max(0, size - (last as number));
    return last === 0 || size === 0 ? undefined : { start, end: size };
  }
  if (first >= size || (last !== undefined && last < first)) return undefined;
  return { start: first, end: Math.min(size, (last ?? size - 1) + 1) };
}

export async function sendFile(
  peer: Peer,
  infoHash: string,
  path: string,
  request: Request,
  response: Response,
): Promise<void> {
  const { size } = await peer.extent(infoHash, path, Number.MAX_SAFE_INTEGER);
  const etag = `"${createHash('sha1').update(`${infoHash}/${path}`).digest('base64url')}"`;
  const name = path.split('/').at(-1) as string;
  response.type(/\.[^.]+$/.exec(name)?.[0] ?? 'application/octet-stream');
  const type = response.get('Content-Type') ?? 'application/octet-stream';
  response.set({
    ...contentHeaders(name, type),
    'Accept-Ranges': 'bytes',
    ETag: etag,
    'Cache-Control': 'private, max-age=0',
  });
  const matches =
    request.get('If-Range') === undefined || request.get('If-Range') === etag;
  const range = matches ? parseRange(request.get('Range'), size) : 'whole';
  if (range === undefined) {
    response.set('Content-Range', `bytes */${size}`);
    return sendProblemRange(response, size);
  }
  const { start, end } = range === 'whole' ? { start: 0, end: size } : range;
  if (range !== 'whole')
    response
      .status(206)
      .set('Content-Range', `bytes ${start}-${end - 1}/${size}`);
  response.set('Content-Length', String(end - start));
  if (request.method === 'HEAD' || start === end) return void response.end();
  await sendBytes(peer, infoHash, path, { start, end }, response);
}

async function sendBytes(
  peer: Peer,
  infoHash: string,
  path: string,
  range: ByteRange,
  response: Response,
): Promise<void> {
  let closed = false;
  response.on('close', () => (closed = true));
  try {
    for (let at = range.start; at < range.end && !closed;) {
      const extent = await peer.extent(infoHash, path, at);
      const length = Math.min(extent.available, range.end - at);
      if (length === 0) continue;
      const file = createReadStream(extent.path, {
        start: at,
        end: at + length - 1,
        highWaterMark: 256 * 1024,
      });
      await pipeline(file, response, { end: false });
      at += length;
    }
    response.end();
  } catch (error) {
    // The status is gone already: a broken connection is the one honest sign that is left.
    if (response.headersSent) response.destroy();
    else sendProblem(response, error);
  }
}

function sendProblemRange(response: Response, size: number): void {
  response.status(416).type('application/problem+json').removeHeader('ETag');
  response.send(
    JSON.stringify({
      type: 'about:blank',
      title: 'Range Not Satisfiable',
      status: 416,
      detail: `the file has ${size} bytes`,
    }),
  );
}
