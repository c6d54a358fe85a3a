/**
 * A stand-in for the node, for looking at the page and for measuring it with thousands of downloads. It
 * serves the built page with the node's own security headers and answers the REST API from a made-up
 * world. `serve-fake-node.mts` runs it by hand.
 */
import { readFile } from 'node:fs/promises';
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, resolve } from 'node:path';
import {
  catalogueEntry,
  download,
  downloadFiles,
  hashOf,
  logOf,
  libraryItem,
  moved,
  peersOf,
  piecesOf,
  random,
  ring,
  sourcesOf,
  traits,
  treeOf,
  type Download,
  type Entry,
  type State,
  type Trait,
} from './fake-world.ts';

interface Publication {
  readonly id: string;
  readonly name: string;
  readonly size: number;
  readonly files: number;
  readonly state: string;
  readonly doneBytes: number;
  readonly infoHash?: string;
  readonly replicas?: {
    readonly stored: number;
    readonly wanted: number;
    readonly reason?: 'too-few-nodes';
  };
}

export interface FakeOptions {
  readonly port?: number;
  readonly downloads?: number;
  readonly catalogue?: number;
  readonly nodes?: number;
  /** Download events a second. */
  readonly changes?: number;
  readonly password?: string;
  /** Folder of the built page. */
  readonly root?: string;
}

const types: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.woff': 'font/woff',
  '.webmanifest': 'application/manifest+json',
};
const policy =
  "default-src 'self';script-src 'self';style-src 'self' 'unsafe-inline';img-src 'self' data: blob:;media-src 'self' blob:;frame-src 'self';frame-ancestors 'self';base-uri 'self';font-src 'self' https: data:;form-action 'self';object-src 'none';script-src-attr 'none'";
const ports = [
  { name: 'web', port: 8080, next: 8080, fixed: true },
  { name: 'tracker', port: 6969, next: 6969, fixed: false },
  { name: 'peer', port: 6881, next: 51_413, fixed: false },
  { name: 'ring', port: 7000, next: 7000, fixed: false },
];
const folders = {
  storage: '/home/casa/Storage',
  freeBytes: 310e9,
  totalBytes: 1e12,
  shares: ['/media/films', '/home/casa/Music'],
};
const browsers = (now: number) => [
  {
    id: 'a1',
    createdAt: new Date(now - 86_400_000).toISOString(),
    seenAt: new Date(now).toISOString(),
    address: '192.168.1.20',
    agent:
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/149.0 Safari/537.36',
    current: true,
  },
  {
    id: 'b2',
    createdAt: new Date(now - 9 * 86_400_000).toISOString(),
    seenAt: new Date(now - 7_200_000).toISOString(),
    address: '192.168.1.31',
    agent: 'Mozilla/5.0 (Android 15; Mobile; rv:140.0) Firefox/140.0',
    current: false,
  },
];
/** Events are sent in bursts this far apart, ms. */
const beat = 100;

export class FakeNode {
  readonly downloads = new Map<string, Download>();
  private readonly publications = new Map<string, Publication>();
  private readonly streams = new Set<ServerResponse>();
  private readonly started = Date.now();
  private readonly chance = random(7);
  private options: Required<FakeOptions>;
  private readonly server: Server;
  private readonly timer: ReturnType<typeof setInterval>;
  private settings = {
    name: 'casa-grande',
    downloadLimit: 0,
    uploadLimit: 2_000_000,
    maxActiveDownloads: 5,
    seedRatio: 2,
    seedMinutes: 0,
    encryption: 'preferred',
    limitLocal: true,
    utp: true,
    alternative: 'schedule',
    alternativeDownloadLimit: 1_000_000,
    alternativeUploadLimit: 250_000,
    schedule: [
      { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00' },
      { days: [5, 6], from: '22:00', to: '02:00' },
    ],
    alternativeNow: false,
  };
  private signedIn = false;
  private readonly seeders = new Map<string, number>();
  private sequence = 0;
  private ticks = 0;
  private turn = 0;

  private constructor(options: Required<FakeOptions>) {
    this.options = options;
    for (let n = 0; n < options.downloads; n++) {
      const item = download(n, this.started);
      this.downloads.set(item.id, item);
    }
    this.server = createServer((request, response) => {
      this.handle(request, response).catch((error: unknown) => {
        this.problem(response, 500, String(error));
      });
    });
    this.timer = setInterval(() => this.tick(), beat);
  }

  static start(options: FakeOptions = {}): Promise<FakeNode> {
    const fake = new FakeNode({
      port: 0,
      downloads: 40,
      catalogue: 500,
      nodes: 8,
      changes: 30,
      password: '',
      root: resolve(process.cwd(), 'dist/apps/web/browser'),
      ...options,
    });
    return new Promise((ready) =>
      fake.server.listen(fake.options.port, '127.0.0.1', () => ready(fake)),
    );
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** Cuts every event stream; `back` lets the page in again. */
  interrupt(): void {
    for (const stream of this.streams) stream.destroy();
  }

  close(): Promise<void> {
    clearInterval(this.timer);
    this.server.closeAllConnections();
    return new Promise((done) => this.server.close(() => done()));
  }

  send(type: string, data: unknown): void {
    const text = `id: fake.${++this.sequence}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`;
    for (const stream of this.streams) stream.write(text);
  }

  /** The ring has so many nodes from now on. */
  resizeRing(nodes: number): void {
    this.options = { ...this.options, nodes };
    this.send('ring', ring(nodes, 0));
  }

  /** The swarm of this file has so many seeders from now on. */
  announce(infoHash: string, seeders: number): void {
    this.seeders.set(infoHash, seeders);
    this.send('catalogue', { version: this.seeders.size });
  }

  put(item: Download): Download {
    this.downloads.set(item.id, item);
    this.send('download', item);
    return item;
  }

  private tick(): void {
    this.ticks++;
    const all = [...this.downloads.values()];
    const count = Math.min(
      all.length,
      Math.round((this.options.changes * beat) / 1000),
    );
    const seconds = all.length / Math.max(1, this.options.changes);
    for (let i = 0; i < count; i++) {
      const item = all[this.turn++ % all.length];
      const next = moved(item, seconds, this.chance());
      if (next !== item) this.put(next);
    }
    if (this.ticks % 30 === 0)
      this.send('ring', ring(this.options.nodes, this.ticks / 30));
  }

  private async handle(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://fake');
    const [, api, ...path] = url.pathname.split('/').map(decodeURIComponent);
    response.setHeader('X-Content-Type-Options', 'nosniff');
    if (api === 'health')
      return this.json(response, { status: 'ok', version: '0.1.0' });
    if (api !== 'api') {
      response.setHeader('Content-Security-Policy', policy);
      return this.page(url.pathname, response);
    }
    if (path[0] === 'session') return this.session(request, response);
    if (this.options.password && !this.signedIn)
      return this.problem(response, 401, 'sign in first');
    if (path[0] === 'sessions') return this.json(response, this.sessions());
    if (path[0] === 'events') return this.events(request, response);
    return this.api(request, response, path, url.searchParams);
  }

  private async api(
    request: IncomingMessage,
    response: ServerResponse,
    [what, id, action, ...rest]: string[],
    query: URLSearchParams,
  ): Promise<void> {
    const { method } = request;
    if (what === 'catalogue')
      return this.catalogue(response, id, action, query);
    if (what === 'ring')
      return this.json(response, ring(this.options.nodes, 0));
    if (what === 'publications') {
      const items = [...this.publications.values()];
      return this.json(response, { total: items.length, items });
    }
    if (what === 'library') {
      if (id) return this.content(response, rest);
      const items = [...this.downloads.values()]
        .filter((d) => d.completedAt)
        .map(libraryItem);
      return this.json(response, { total: items.length, items });
    }
    if (what === 'uploads') return this.upload(request, response, id);
    if (what === 'settings' && id === 'ports')
      return this.json(response, { total: ports.length, items: ports });
    if (what === 'settings' && id === 'folders')
      return this.json(response, folders);
    if (what === 'settings') {
      if (method === 'PATCH')
        this.settings = {
          ...this.settings,
          ...JSON.parse(await text(request)),
        };
      return this.json(response, this.settings);
    }
    if (what === 'downloads') {
      if (!id && method === 'POST') return this.add(request, response);
      const item = this.downloads.get(id);
      if (!item)
        return this.problem(response, 404, 'there is no such download');
      return this.download(request, response, item, action);
    }
    return this.problem(response, 404, 'there is no such route');
  }

  private catalogue(
    response: ServerResponse,
    id: string | undefined,
    action: string | undefined,
    query: URLSearchParams,
  ): void {
    const all = Array.from({ length: this.options.catalogue }, (_, n) => {
      const entry = catalogueEntry(n, this.started);
      const seeders = this.seeders.get(entry.infoHash) ?? entry.seeders;
      return { ...entry, seeders };
    });
    if (id === 'facets') return this.json(response, facets(all, query));
    if (id) {
      const entry = all.find(({ infoHash }) => infoHash === id);
      if (!entry) return this.problem(response, 404, 'nobody has published it');
      const magnet = `magnet:?xt=urn:btih:${id}&dn=${encodeURIComponent(entry.name)}&tr=http%3A%2F%2F192.168.1.20%3A6969%2Fannounce`;
      if (action === 'magnet') return this.json(response, { magnet });
      const tree = treeOf(entry.name, entry.size, entry.files);
      return this.json(response, {
        ...entry,
        versions: [
          entry,
          {
            ...entry,
            infoHash: hashOf(2),
            publisher: { id: 1003, name: 'portátil de Miguel' },
            publishedAt: '2026-03-01T12:00:00Z',
          },
        ],
        tree,
        pieceLength: 1_048_576,
        pieces: Math.ceil(entry.size / 1_048_576),
        private: false,
        format: 'hybrid',
        magnet,
      });
    }
    const found = all.filter((entry) => passes(entry, query));
    const sort = query.get('sort') ?? 'date';
    const sign = query.get('order') === 'asc' ? 1 : -1;
    const key = (e: (typeof found)[number]) =>
      sort === 'name'
        ? e.name
        : sort === 'size'
          ? e.size
          : sort === 'seeders'
            ? e.seeders
            : e.publishedAt;
    found.sort((a, b) =>
      key(a) < key(b) ? -sign : key(a) > key(b) ? sign : 0,
    );
    const offset = Number(query.get('offset') ?? 0);
    const limit = Number(query.get('limit') ?? 100);
    this.json(response, {
      total: found.length,
      items: found.slice(offset, offset + limit),
    });
  }

  private async add(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const body = request.headers['content-type']?.startsWith('application/json')
      ? JSON.parse(await text(request))
      : (await text(request), {});
    const magnet = /urn:btih:([0-9a-f]{40})/i.exec(body.magnet ?? '')?.[1];
    const id = body.infoHash ?? magnet ?? hashOf(99_000 + this.downloads.size);
    if (this.downloads.has(id))
      return this.problem(response, 409, 'this download is here already');
    const n =
      Array.from({ length: this.options.catalogue }, (_, i) => i).find(
        (i) => hashOf(i) === id,
      ) ?? 0;
    const item: Download = {
      ...download(n, Date.now()),
      id,
      infoHash: id,
      state: 'downloading',
      completedBytes: 0,
      downloadRate: 2_000_000,
      peers: 4,
      published: false,
      addedAt: new Date().toISOString(),
    };
    this.json(response, this.put(item), 201);
  }

  private download(
    request: IncomingMessage,
    response: ServerResponse,
    item: Download,
    action: string | undefined,
  ): void | Promise<void> {
    const list = (items: readonly unknown[]) =>
      this.json(response, { total: items.length, items });
    if (request.method === 'DELETE') {
      this.downloads.delete(item.id);
      this.send('download-removed', { id: item.id });
      response.writeHead(204).end();
      return;
    }
    if (request.method === 'PATCH') {
      return text(request).then((body) => {
        const change = JSON.parse(body);
        delete change.files;
        this.json(response, this.put({ ...item, ...change }));
      });
    }
    const become: Record<string, State> = {
      pause: 'paused',
      resume: item.completedBytes === item.size ? 'seeding' : 'downloading',
      cancel: 'cancelled',
      retry: 'downloading',
      recheck: 'checking',
    };
    if (request.method === 'POST' && action && become[action]) {
      const downloadRate = become[action] === 'downloading' ? 3_000_000 : 0;
      const rest = { ...item };
      delete rest.reason;
      delete rest.eta;
      return this.json(
        response,
        this.put({ ...rest, state: become[action], downloadRate }),
      );
    }
    if (action === 'files') return list(downloadFiles(item));
    if (action === 'peers') return list(peersOf(item));
    if (action === 'trackers') return list(sourcesOf(Date.now()));
    if (action === 'log') return list(logOf(this.started));
    if (action === 'pieces') return this.json(response, piecesOf(item));
    return this.json(response, item);
  }

  /** An upload is begun with its list of files, and published when its bytes are here. */
  private async upload(
    request: IncomingMessage,
    response: ServerResponse,
    id: string | undefined,
  ): Promise<void> {
    if (!id && request.method === 'POST') {
      const { id, name, files } = JSON.parse(await text(request));
      const publication = {
        id,
        name,
        size: files.reduce(
          (sum: number, file: { size: number }) => sum + file.size,
          0,
        ),
        files: files.length,
        state: 'receiving',
        doneBytes: 0,
      };
      this.tell(publication);
      return this.json(response, { ...publication, offset: 0 }, 201);
    }
    const known = this.publications.get(id ?? '');
    if (!known) return this.problem(response, 404, 'there is no such upload');
    const { length } = Buffer.from(await text(request));
    const doneBytes = known.doneBytes + length;
    response.setHeader('Upload-Offset', String(doneBytes));
    response.writeHead(204).end();
    this.tell({ ...known, doneBytes });
    if (doneBytes >= known.size) await this.publish({ ...known, doneBytes: 0 });
  }

  private async publish(publication: Publication): Promise<void> {
    const base = { ...publication, state: 'hashing' };
    for (let step = 1; step <= 4; step++) {
      this.tell({ ...base, doneBytes: (base.size * step) / 4 });
      await new Promise((next) => setTimeout(next, 120));
    }
    this.tell({ ...base, state: 'publishing' });
    await new Promise((next) => setTimeout(next, 150));
    const alone = this.options.nodes < 3;
    this.tell({
      ...base,
      state: 'published',
      infoHash: hashOf(1),
      replicas: {
        stored: Math.min(3, this.options.nodes),
        wanted: 3,
        ...(alone ? { reason: 'too-few-nodes' as const } : {}),
      },
    });
  }

  private tell(publication: Publication): void {
    this.publications.set(publication.id, publication);
    this.send('publication', publication);
  }

  private content(response: ServerResponse, path: string[]): void {
    const name = path.at(-1) ?? '';
    if (/\.(txt|md)$/.test(name)) {
      response.setHeader('Content-Type', 'text/plain; charset=utf-8');
      response.end(
        `These are the first lines of ${name}.\n\nSecond paragraph: ñ, é, 風.\n`,
      );
    } else if (/\.(jpg|png|svg)$/.test(name)) {
      response.setHeader('Content-Type', 'image/svg+xml');
      response.end(
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 300"><rect width="400" height="300" fill="#88a"/><circle cx="200" cy="150" r="90" fill="#fc8"/></svg>',
      );
    } else this.problem(response, 404, 'there is no such file');
  }

  private events(_request: IncomingMessage, response: ServerResponse): void {
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
    });
    const data = {
      downloads: [...this.downloads.values()],
      publications: [...this.publications.values()],
    };
    response.write(
      `id: fake.${this.sequence}\nevent: snapshot\ndata: ${JSON.stringify(data)}\n\n`,
    );
    this.streams.add(response);
    response.on('close', () => this.streams.delete(response));
  }

  private sessions(): unknown {
    const items = this.options.password === '' ? [] : browsers(this.started);
    return { total: items.length, items, canChangePassword: true };
  }

  private async session(
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const required = this.options.password !== '';
    if (request.method === 'DELETE') {
      this.signedIn = false;
      response.writeHead(204).end();
      return;
    }
    if (request.method === 'POST') {
      this.signedIn =
        JSON.parse(await text(request)).password === this.options.password;
      if (!this.signedIn)
        return this.problem(response, 401, 'this is not the password');
    }
    this.json(response, { required, signedIn: !required || this.signedIn });
  }

  private async page(path: string, response: ServerResponse): Promise<void> {
    const file = path.includes('.') ? path : '/index.html';
    const body = await readFile(join(this.options.root, file)).catch(
      () => undefined,
    );
    if (!body) return this.problem(response, 404, 'there is no such file');
    response.setHeader(
      'Content-Type',
      types[extname(file)] ?? 'application/octet-stream',
    );
    response.end(body);
  }

  private json(response: ServerResponse, body: unknown, status = 200): void {
    response
      .writeHead(status, { 'Content-Type': 'application/json' })
      .end(JSON.stringify(body));
  }

  private problem(
    response: ServerResponse,
    status: number,
    detail: string,
  ): void {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response
      .writeHead(status, { 'Content-Type': 'application/problem+json' })
      .end(
        JSON.stringify({
          type: 'about:blank',
          title: 'Problem',
          status,
          detail,
        }),
      );
  }
}

/** `without`: a filter that does not count. */
function passes(
  entry: Entry,
  query: URLSearchParams,
  without?: Trait,
): boolean {
  const words = (query.get('search') ?? '').toLowerCase().split(/\s+/);
  const name = entry.name.toLowerCase();
  return (
    words.every((word) => name.includes(word)) &&
    (Object.keys(traits) as Trait[]).every(
      (trait) =>
        trait === without ||
        !query.has(trait) ||
        traits[trait](entry) === query.get(trait),
    )
  );
}

function facets(all: readonly Entry[], query: URLSearchParams) {
  const count = (trait: Trait): [string, Entry[]][] => {
    const groups = Object.groupBy(
      all.filter((entry) => passes(entry, query, trait)),
      traits[trait],
    );
    return Object.entries(groups).map(([name, group = []]) => [name, group]);
  };
  return {
    kinds: count('kind').map(([kind, { length }]) => ({ kind, count: length })),
    publishers: count('publisher').map(([, group]) => ({
      ...group[0].publisher,
      count: group.length,
    })),
    health: count('health').map(([health, { length }]) => ({
      health,
      count: length,
    })),
  };
}

async function text(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('latin1').length > 0
    ? Buffer.concat(parts).toString()
    : '{}';
}
