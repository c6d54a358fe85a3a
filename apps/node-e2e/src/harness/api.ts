/**
 * A node's REST API. Every answer is checked on its way: an undocumented route, status or content type
 * and a JSON body that is not as /api/openapi.json describes it fail the test that asked.
 */
import { request, type IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import { multipart, type FilePart } from './multipart';
import type {
  CataloguePage,
  CatalogueDetail,
  Download,
  List,
  Publication,
  Ring,
} from './answers';
import { OpenApi } from './openapi';
import { ServerEvents } from './server-events';

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
  readonly body?: Readable | Uint8Array | string;
  /** False for a request that the document does not describe on purpose. */
  readonly documented?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  /** The body as JSON; undefined when it is something else. */
  readonly json: unknown;
}

export interface Upload {
  readonly fields?: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, FilePart['content']>>;
}

/** An error answer, as RFC 9457 has it. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  constructor(
    readonly answer: Answer,
    what: string,
  ) {
    super(`${what}: ${answer.status} ${answer.bytes.toString().slice(0, 500)}`);
  }
}

const patience = 60_000;

export class Api {
  private document: Promise<OpenApi> | undefined;

  constructor(readonly origin: string) {}

  /** `METHOD path` under the origin; any status is an answer. */
  async ask(
    method: string,
    path: string,
    question: Question = {},
  ): Promise<Answer> {
    const response = await this.open(method, path, question);
    const parts: Buffer[] = [];
    for await (const part of response.body) parts.push(part as Buffer);
    const bytes = Buffer.concat(parts);
    const isJson = /[/+]json/.test(response.headers['content-type'] ?? '');
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      bytes,
      json:
        isJson && bytes.length > 0
          ? (JSON.parse(bytes.toString()) as unknown)
          : undefined,
    };
    if (question.documented !== false && path !== '/api/openapi.json')
      (await this.openApi()).check(method, path, answer);
    return answer;
  }

  /** As `ask`, but rejects with ProblemError unless the status is 2xx; the JSON body. */
  async call<T>(
    method: string,
    path: string,
    question: Question = {},
  ): Promise<T> {
    const answer = await this.ask(method, path, question);
    if (answer.status >= 300)
      throw new ProblemError(answer, `${method} ${path}`);
    return answer.json as T;
  }

  /** The body as a stream, for what is too large to hold. */
  open(
    method: string,
    path: string,
    { headers = {}, json, body }: Question = {},
  ): Promise<{
    status: number;
    headers: IncomingHttpHeaders;
    body: Readable;
  }> {
    const content = json === undefined ? body : JSON.stringify(json);
    const type =
      json === undefined ? {} : { 'content-type': 'application/json' };
    const length =
      typeof content === 'string' || content instanceof Uint8Array
        ? { 'content-length': String(Buffer.byteLength(content)) }
        : {};
    return new Promise((resolve, reject) => {
      const sent = request(
        `${this.origin}${path}`,
        {
          method,
          agent: false,
          timeout: patience,
          // A refusal before the body's end must not end in a broken connection.
          headers: { connection: 'keep-alive', ...type, ...length, ...headers },
        },
        (response) => {
          response.once('close', () => sent.destroy());
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: response,
          });
        },
      );
      sent.on('error', reject);
      sent.on('timeout', () =>
        sent.destroy(new Error(`${method} ${path}: no answer`)),
      );
      if (content instanceof Readable) {
        content.on('error', (error) => sent.destroy(error));
        content.pipe(sent);
      } else sent.end(content);
    });
  }

  openApi(): Promise<OpenApi> {
    this.document ??= this.ask('GET', '/api/openapi.json').then(
      ({ json }) => new OpenApi(json),
    );
    return this.document;
  }

  events(path = '/api/events', lastEventId?: string): Promise<ServerEvents> {
    return ServerEvents.open(
      `${this.origin}${path}`,
      lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
    );
  }

  async publish({ fields = {}, files }: Upload): Promise<Publication> {
    const form = await multipart(
      fields,
      Object.entries(files).map(([filename, content]) => ({
        field: 'files',
        filename,
        content,
      })),
    );
    return this.call('POST', '/api/publications', {
      headers: {
        'content-type': form.type,
        'content-length': String(form.length),
      },
      body: form.body,
    });
  }

  async askWithTorrent(
    torrent: Uint8Array,
    fields: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const form = await multipart(fields, [
      { field: 'torrent', filename: 'a.torrent', content: torrent },
    ]);
    return this.ask('POST', '/api/downloads', {
      headers: {
        'content-type': form.type,
        'content-length': String(form.length),
      },
      body: form.body,
    });
  }

  add(json: {
    infoHash?: string;
    magnet?: string;
    peers?: string[];
    files?: number[];
    sequential?: boolean;
  }): Promise<Download> {
    return this.call('POST', '/api/downloads', { json });
  }

  download(id: string): Promise<Download> {
    return this.call('GET', `/api/downloads/${id}`);
  }

  act(
    id: string,
    action: 'pause' | 'resume' | 'cancel' | 'retry' | 'recheck',
  ): Promise<Download> {
    return this.call('POST', `/api/downloads/${id}/${action}`);
  }

  files(id: string): Promise<
    List<{
      path: string;
      size: number;
      completedBytes: number;
      priority: number;
      url: string;
    }>
  > {
    return this.call('GET', `/api/downloads/${id}/files`);
  }

  catalogue(query = ''): Promise<CataloguePage> {
    return this.call('GET', `/api/catalogue${query}`);
  }

  entry(infoHash: string): Promise<CatalogueDetail> {
    return this.call('GET', `/api/catalogue/${infoHash}`);
  }

  async torrent(infoHash: string): Promise<Buffer> {
    const path = `/api/catalogue/${infoHash}/torrent`;
    const answer = await this.ask('GET', path);
    if (answer.status !== 200) throw new ProblemError(answer, path);
    return answer.bytes;
  }

  ring(): Promise<Ring> {
    return this.call('GET', '/api/ring');
  }

  settings(change: Readonly<Record<string, unknown>>): Promise<unknown> {
    return this.call('PATCH', '/api/settings', { json: change });
  }
}
