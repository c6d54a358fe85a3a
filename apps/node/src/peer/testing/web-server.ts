/** For specs: HTTP servers of this machine, and names that lead to them. */
import dns from 'node:dns';
import { once } from 'node:events';
import {
  createServer,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

const ends: (() => void)[] = [];

export const atEnd = (end: () => void): void => void ends.push(end);

/** To be called after each test. */
export function endAll(): void {
  for (const end of ends.splice(0)) end();
}

export type Answer = (
  request: IncomingMessage,
  response: ServerResponse,
) => void;

/** On an address of this machine, until `endAll`. */
export class WebServer {
  readonly asked: IncomingMessage[] = [];
  readonly sockets: Socket[] = [];
  private readonly server = createServer((request, response) => {
    this.asked.push(request);
    this.answer(request, response);
  });

  private constructor(
    private readonly answer: Answer,
    private readonly host: string,
  ) {
    this.server.on('connection', (socket) => this.sockets.push(socket));
    atEnd(() => {
      this.server.closeAllConnections();
      this.server.close();
    });
  }

  static async listen(answer: Answer, host = '127.0.0.1'): Promise<WebServer> {
    const self = new WebServer(answer, host);
    await once(self.server.listen(0, host), 'listening');
    return self;
  }

  at(path: string, host = this.host): string {
    const { port } = this.server.address() as AddressInfo;
    return `http://${host}:${port}${path}`;
  }

  get paths(): (string | undefined)[] {
    return this.asked.map(({ url }) => url);
  }
}

/** Names lead to these addresses, each time to the next one. */
export function resolveTo(names: Record<string, string[]>): void {
  const real = dns.lookup;
  const fake = (
    host: string,
    options: dns.LookupOptions,
    done: never,
  ): void => {
    const found = names[host];
    if (!found) return real(host, options, done);
    const address = found.length > 1 ? found.shift() : found[0];
    real(address as string, options, done);
  };
  jest.spyOn(dns, 'lookup').mockImplementation(fake as never);
}
