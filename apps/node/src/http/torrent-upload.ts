/** Reads a multipart body whose part `torrent` is a .torrent; bounded, held in memory. */
import type { Request } from 'express';
import { SeamError } from '../rpc/seam-error';
import { multipartParser } from './multipart-parser';

export const maxTorrent = 10 * 1024 * 1024;
/** Bytes of a text part: the indexes of 10,000 files. */
const maxField = 64 * 1024;

export interface TorrentUpload {
  readonly torrent: Uint8Array;
  readonly fields: Readonly<Record<string, string>>;
}

export function readTorrentUpload(request: Request): Promise<TorrentUpload> {
  return new Promise((resolve, reject) => {
    const fields: Record<string, string> = {};
    let torrent: Buffer | undefined;
    const fail = (error: unknown): void => {
      request.unpipe(parser);
      request.resume();
      reject(
        error instanceof SeamError
          ? error
          : new SeamError(
              'bad-input',
              `the upload is damaged: ${String((error as Error).message)}`,
            ),
      );
    };
    const parser = multipartParser({
      headers: request.headers,
      limits: {
        files: 1,
        fields: 20,
        fieldSize: maxField,
        fileSize: maxTorrent,
      },
    });
    parser.on('field', (name, value) => (fields[name] = value));
    parser.on('file', (name, stream) => {
      const parts: Buffer[] = [];
      stream.on('error', fail);
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('limit', () =>
        fail(new SeamError('too-large', 'a .torrent has at most 10 MiB')),
      );
      stream.on('end', () => {
        if (name === 'torrent') torrent = Buffer.concat(parts);
      });
    });
    parser.on('close', () => {
      if (torrent) resolve({ torrent, fields });
      else fail(new SeamError('bad-input', 'the part "torrent" is missing'));
    });
    parser.on('error', fail);
    request.on('aborted', () =>
      fail(new SeamError('bad-input', 'the upload was broken off')),
    );
    request.pipe(parser);
  });
}
