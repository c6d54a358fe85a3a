/** A client of Server-Sent Events: keeps all that came, waits for those that match. */
import { get, type ClientRequest } from 'node:http';
import { eventually } from './eventually';

export interface ServerEvent {
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
}

export class ServerEvents {
  readonly events: ServerEvent[] = [];
  closed = false;

  private constructor(private readonly request: ClientRequest) {}

  static open(
    url: string,
    headers: Readonly<Record<string, string>>,
  ): Promise<ServerEvents> {
    return new Promise((resolve, reject) => {
      const request = get(url, { agent: false, headers }, (response) => {
        const type = response.headers['content-type'] ?? '';
        if (!type.startsWith('text/event-stream')) {
          request.destroy();
          reject(new Error(`${url}: ${response.statusCode} ${type}`));
          return;
        }
        const stream = new ServerEvents(request);
        let rest = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          const blocks = (rest + chunk).split('\n\n');
          rest = blocks.pop() ?? '';
          for (const block of blocks) stream.take(block);
        });
        response.on('close', () => (stream.closed = true));
        response.on('error', () => (stream.closed = true));
        resolve(stream);
      });
      request.on('error', reject);
    });
  }

  /** The first event that matches, past or to come. */
  first(
    what: string,
    matches: (event: ServerEvent) => boolean,
    ms?: number,
  ): Promise<ServerEvent> {
    return eventually(what, () => this.events.find(matches), ms);
  }

  close(): void {
    this.request.destroy();
  }

  private take(block: string): void {
    const fields = new Map(
      block
        .split('\n')
        .filter((line) => !line.startsWith(':'))
        .map((line): [string, string] => {
          const [name, ...value] = line.split(': ');
          return [name, value.join(': ')];
        }),
    );
    const data = fields.get('data');
    if (data === undefined) return;
    this.events.push({
      id: fields.get('id') ?? '',
      type: fields.get('event') ?? 'message',
      data: JSON.parse(data) as unknown,
    });
  }
}
