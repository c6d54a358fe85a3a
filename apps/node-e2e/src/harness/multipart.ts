/** multipart/form-data as browsers send it (RFC 7578), with a known length, and with names a browser would not send. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';

export interface FilePart {
  /** Name of the form field. */
  readonly field: string;
  /** Sent as it is, but for the three characters that browsers escape. */
  readonly filename: string;
  readonly content: Uint8Array | { readonly path: string };
}

export interface Multipart {
  readonly type: string;
  readonly length: number;
  readonly body: Readable;
}

export async function multipart(
  fields: Readonly<Record<string, string>>,
  files: readonly FilePart[],
): Promise<Multipart> {
  const boundary = `----e2e${Math.random().toString(36).slice(2)}`;
  const pieces: (Uint8Array | { readonly path: string })[] = [];
  for (const [name, value] of Object.entries(fields))
    pieces.push(
      Buffer.from(
        `--${boundary}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
      ),
    );
  for (const { field, filename, content } of files) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${field}"; filename="${escaped(filename)}"\r\nContent-Type: application/octet-stream\r\n\r\n`;
    pieces.push(Buffer.from(head), content, Buffer.from('\r\n'));
  }
  pieces.push(Buffer.from(`--${boundary}--\r\n`));
  let length = 0;
  for (const piece of pieces)
    length += 'path' in piece ? (await stat(piece.path)).size : piece.length;
  return {
    type: `multipart/form-data; boundary=${boundary}`,
    length,
    body: Readable.from(stream(pieces), { objectMode: false }),
  };
}

async function* stream(
  pieces: readonly (Uint8Array | { readonly path: string })[],
): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) {
    if ('path' in piece) yield* createReadStream(piece.path);
    else yield piece;
  }
}

const escaped = (name: string): string =>
  name.replace(/"/g, '%22').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
