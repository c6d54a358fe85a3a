/** A web server for files, as nginx is one: ranges, percent-encoded names, kept connections; and, where a test wants it, one that does less. */
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Scene } from './scene';

export interface FileServerOptions {
  /** Answers with the whole file whatever is asked. */
  readonly noRanges?: boolean;
  /** What is served in the place of the right bytes. */
  readonly spoil?: (bytes: Buffer) => Buffer;
  /** Requests that are answered with 503 before it serves. */
  readonly busy?: number;
  /** Leads from `/moved/…` to `/…`. */
  readonly redirects?: boolean;
}

export class FileServer {
  /** Paths as they were asked for, with their ranges. */
  readonly asked: string[] = [];
  private busy: number;

  private constructor(
    private readonly server: Server,
    private readonly files: ReadonlyMap<string, Buffer>,
    private readonly options: FileServerOptions,
  ) {
    this.busy = options.busy ?? 0;
  }

  /** `files` by path from the root, without a slash before it. */
  static async listen(
    scene: Scene,
    files: Readonly<Record<string, Buffer>>,
    options: FileServerOptions = {},
  ): Promise<FileServer> {
    const server = createServer((request, response) =>
      self.answer(request, response),
    );
    const self = new FileServer(
      server,
      new Map(Object.entries(files)),
      options,
    );
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    scene.atEnd(() => {
      server.closeAllConnections();
      server.close();
    });
    return self;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const { url = '/', headers } = request;
    const { noRanges, spoil, redirects } = this.options;
    this.asked.push(`${url} ${headers.range ?? ''}`);
    if (this.busy > 0) {
      this.busy--;
      response.writeHead(503, { 'Retry-After': 600 }).end();
      return;
    }
    if (redirects && url.startsWith('/moved/')) {
      response.writeHead(302, { Location: url.slice('/moved'.length) }).end();
      return;
    }
    const file = this.files.get(decodeURIComponent(url.slice(1)));
    if (!file) {
      response.writeHead(404).end('not here');
      return;
    }
    const bytes = spoil ? spoil(file) : file;
    const [, first, last] =
      /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '') ?? [];
    if (first === undefined || noRanges) {
      response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes);
      return;
    }
    const from = Number(first);
    const to = Math.min(last ? Number(last) : Infinity, bytes.length - 1);
    if (from > to) {
      response
        .writeHead(416, { 'Content-Range': `bytes */${bytes.length}` })
        .end();
      return;
    }
    response
      .writeHead(206, {
        'Accept-Ranges': 'bytes',
        'Content-Length': to - from + 1,
        'Content-Range': `bytes ${from}-${to}/${bytes.length}`,
      })
      .end(bytes.subarray(from, to + 1));
  }
}
