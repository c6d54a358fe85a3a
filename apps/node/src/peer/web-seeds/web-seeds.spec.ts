/** Web seeds against real servers, good and bad ones. */
import { encode, type Encodable } from '@dnd/bencode';
import { Bitfield, FileLayout, parseTorrent } from '@dnd/metainfo';
import { Swarm, type SwarmPeer } from '@dnd/swarm';
import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type * as DistanceModule from '../distance';
import {
  atEnd,
  endAll,
  resolveTo,
  WebServer,
  type Answer,
} from '../testing/web-server';
import type { ActiveTorrent } from '../torrent/active-torrent';
import { WebSeed } from './web-seed';
import { WebSeeds, type WebSeedState } from './web-seeds';

/** Addresses of this machine that stand for one on the Internet and for one next to us. */
const far = '127.0.0.2';
const near = '127.0.0.3';

jest.mock('../distance', () => {
  const real = jest.requireActual<typeof DistanceModule>('../distance');
  const { Distance, distanceOf } = real;
  const places = new Map<string, DistanceModule.Distance>([
    ['127.0.0.2', Distance.far],
    ['127.0.0.3', Distance.near],
  ]);
  return {
    ...real,
    distanceOf: (host: string) => places.get(host) ?? distanceOf(host),
  };
});

const pieceLength = 65_536;

afterEach(() => {
  endAll();
  jest.restoreAllMocks();
  jest.useRealTimers();
});

/** First byte and one past the last. */
function rangeOf({ headers }: IncomingMessage): [number, number] {
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
  return [Number(from), Number(to) + 1];
}

/** Answers with what is asked for, under headers that may be others. */
const serve =
  (content: Buffer, change: Record<string, string | number> = {}): Answer =>
  (request, response) => {
    const [from, end] = rangeOf(request);
    response
      .writeHead(206, {
        'Content-Length': end - from,
        'Content-Range': `bytes ${from}-${end - 1}/${content.length}`,
        ...change,
      })
      .end(content.subarray(from, end));
  };

interface Plan {
  readonly content?: Buffer;
  readonly urls?: readonly string[];
  readonly files?: Encodable;
}

/** A torrent of which nothing is there yet, with its web seeds at work. */
class Wanted {
  readonly content: Buffer;
  readonly swarm: Swarm;
  readonly seeds: WebSeeds;
  readonly metainfo: ReturnType<typeof parseTorrent>;
  readonly layout: FileLayout;

  constructor({ content, urls = [], files }: Plan) {
    this.content = content ?? randomBytes(300_000);
    const whole = this.content;
    const at = (piece: number, from: Buffer): Buffer =>
      from.subarray(piece * pieceLength, (piece + 1) * pieceLength);
    const pieceCount = Math.ceil(whole.length / pieceLength);
    const hashes = Array.from({ length: pieceCount }, (_, piece) =>
      createHash('sha1').update(at(piece, whole)).digest(),
    );
    this.metainfo = parseTorrent(
      encode({
        info: {
          name: 'content',
          'piece length': pieceLength,
          pieces: Buffer.concat(hashes),
          ...(files ? { files } : { length: whole.length }),
        },
        'url-list': [...urls],
      }),
    );
    this.layout = new FileLayout(this.metainfo);
    const received = Buffer.alloc(whole.length);
    const swarm: Swarm = new Swarm({
      pieceCount,
      pieceSize: (piece) => this.layout.pieceSize(piece),
      have: new Bitfield(pieceCount),
      random: Math.random,
      now: performance.now(),
      host: {
        reserve: () => true,
        target: (piece, begin, length) =>
          at(piece, received).subarray(begin, begin + length),
        verify: (piece) =>
          setImmediate(() => {
            const right = at(piece, received).equals(at(piece, whole));
            if (right) swarm.verified(piece);
            else swarm.corrupt(piece);
            swarm.settle();
          }),
        discard: () => undefined,
        serve: () => undefined,
        disconnect: (peer, _reason, ban) => this.seeds.dismissed(peer, ban),
        finished: () => undefined,
      },
    });
    this.swarm = swarm;
    const active = {
      swarm,
      get complete() {
        return swarm.uploadOnly;
      },
      settle: () => swarm.settle(),
    };
    this.seeds = new WebSeeds(
      this.metainfo,
      this.layout,
      active as unknown as ActiveTorrent,
      () => performance.now(),
    );
    atEnd(() => this.seeds.end());
  }

  /** A web seed that is not in the list. */
  alone(
    url: string,
    silence?: number,
  ): { seed: WebSeed; failed: Promise<unknown[]> } {
    const { swarm, metainfo, layout } = this;
    const { promise, resolve } = Promise.withResolvers<unknown[]>();
    const owner = {
      swarm,
      now: () => performance.now(),
      settle: () => swarm.settle(),
      worked: () => undefined,
      failed: (...why: unknown[]) => resolve(why),
    };
    const seed = new WebSeed(url, metainfo, layout, owner, silence);
    atEnd(() => seed.end());
    return { seed, failed: promise };
  }

  async complete(): Promise<void> {
    await until(() => this.swarm.uploadOnly);
  }

  /** What becomes of the web seed that is listed so far down. */
  async given(up: 'off' | 'error', index = 0): Promise<WebSeedState> {
    await until(() => this.seeds.states[index].state === up);
    return this.seeds.states[index];
  }
}

/** Waits as long as the test may take. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe('what is asked of a web seed', () => {
  it('each byte once, on two connections that are kept', async () => {
    const content = randomBytes(9_000_000);
    const server = await WebServer.listen(serve(content));
    const wanted = new Wanted({ content, urls: [server.at('/x')] });
    await wanted.complete();
    const lengths = server.asked.map(rangeOf).map(([from, end]) => end - from);
    expect(lengths.reduce((sum, each) => sum + each)).toBe(content.length);
    expect(lengths.length).toBeGreaterThan(2);
    expect(server.sockets).toHaveLength(2);
  });

  it('the next while an answer is under way, but not for a little', async () => {
    const content = randomBytes(9_000_000);
    const answers: (() => void)[] = [];
    const server = await WebServer.listen((request, response) =>
      answers.push(() => serve(content)(request, response)),
    );
    const { seed } = new Wanted({ content }).alone(server.at('/x'));
    const ask = async (from: number, count: number): Promise<void> => {
      for (let at = from; at < from + count * 16_384; at += 16_384)
        seed.request(Math.floor(at / pieceLength), at % pieceLength, 16_384);
      await new Promise((resolve) => setImmediate(resolve));
    };
    const mebibyte = 1024 * 1024;
    await ask(0, 1);
    await until(() => server.asked.length === 1);
    // One block less than is worth it, and then that one: asked for together.
    await ask(mebibyte, 63);
    await ask(2 * mebibyte - 16_384, 1);
    await until(() => server.asked.length === 2);
    // No third beside these two: it follows the first answer.
    await ask(4 * mebibyte, 64);
    answers[0]();
    await until(() => server.asked.length === 3);
    expect(server.asked.map(rangeOf)).toEqual([
      [0, 16_384],
      [mebibyte, 2 * mebibyte],
      [4 * mebibyte, 5 * mebibyte],
    ]);
    expect(server.sockets).toHaveLength(2);
  });

  it('at most 4 MiB at once', async () => {
    const content = randomBytes(9_000_000);
    const server = await WebServer.listen(serve(content));
    const { seed } = new Wanted({ content }).alone(server.at('/x'));
    const [block, most] = [16_384, 4 * 1024 * 1024];
    for (let at = 0; at < most + block; at += block)
      seed.request(Math.floor(at / pieceLength), at % pieceLength, block);
    await until(() => server.asked.length === 2);
    expect(server.asked.map(rangeOf)).toEqual([
      [0, most],
      [most, most + block],
    ]);
  });

  it('not what only fills pieces up', async () => {
    const content = Buffer.concat([
      randomBytes(50_000),
      Buffer.alloc(pieceLength - 50_000),
      randomBytes(70_000),
    ]);
    const files: Encodable = [
      { length: 50_000, path: ['a'] },
      { length: pieceLength - 50_000, path: ['.pad', '15536'], attr: 'p' },
      { length: 70_000, path: ['b'] },
    ];
    const server = await WebServer.listen((request, response) => {
      const first = request.url === '/content/a';
      const file = content.subarray(...(first ? [0, 50_000] : [pieceLength]));
      serve(file)(request, response);
    });
    const wanted = new Wanted({ content, files, urls: [server.at('/')] });
    await wanted.complete();
    expect(new Set(server.paths)).toEqual(
      new Set(['/content/a', '/content/b']),
    );
  });

  it('of the first eight in the list', async () => {
    const servers = await Promise.all(
      Array.from({ length: 12 }, () => WebServer.listen(() => undefined)),
    );
    const content = randomBytes(64 * pieceLength);
    const urls = servers.map((server) => server.at('/x'));
    const wanted = new Wanted({ content, urls });
    const asked = (): number =>
      servers.filter((server) => server.asked.length > 0).length;
    await until(() => asked() === 8);
    expect(wanted.seeds.states.map(({ url }) => url)).toEqual(urls.slice(0, 8));
    expect(servers.map(({ sockets }) => sockets.length)).toEqual([
      ...Array<number>(8).fill(1),
      ...Array<number>(4).fill(0),
    ]);
  });

  it('again, where the kept connection was just closed', async () => {
    const content = randomBytes(900_000);
    const server = await WebServer.listen((request, response) => {
      const isSecond = server.asked.length === 2;
      if (isSecond) request.socket.resetAndDestroy();
      else serve(content)(request, response);
    });
    const wanted = new Wanted({ content, urls: [server.at('/x')] });
    await wanted.complete();
    expect(server.sockets).toHaveLength(2);
  });
});

describe('redirects', () => {
  /** Asked for at once. */
  const content = randomBytes(10_000);

  const redirect =
    (location: string): Answer =>
    (_request, response) =>
      void response
        .writeHead(302, { Location: location, 'Content-Length': 4 })
        .end('away');

  /** Counts down to the file. */
  const steps: Answer = (request, response) => {
    const left = Number(request.url?.slice(1));
    const answer = left > 0 ? redirect(`/${left - 1}`) : serve(content);
    answer(request, response);
  };

  it('are followed five times', async () => {
    const server = await WebServer.listen(steps);
    await new Wanted({ content, urls: [server.at('/5')] }).complete();
    expect(server.paths).toEqual(['/5', '/4', '/3', '/2', '/1', '/0']);
    expect(server.sockets).toHaveLength(1);
  });

  it('are not followed six times', async () => {
    const server = await WebServer.listen(steps);
    const wanted = new Wanted({ content, urls: [server.at('/6')] });
    expect(await wanted.given('off')).toMatchObject({
      message: 'it redirects in circles',
    });
    expect(server.paths).toEqual(['/6', '/5', '/4', '/3', '/2', '/1']);
  });

  it('are not waited for where their page has no end', async () => {
    const server = await WebServer.listen((request, response) => {
      if (request.url === '/file') return serve(content)(request, response);
      response.writeHead(302, { Location: '/file' }).write('moved');
    });
    await new Wanted({ content, urls: [server.at('/x')] }).complete();
    expect(server.paths).toEqual(['/x', '/file']);
  });

  it.each([
    ['the Internet', far, 'this machine', '127.0.0.1', 'here'],
    ['the Internet', far, 'a name of this machine', 'localhost', 'here'],
    ['the Internet', far, 'a name that leads here', 'rebound.example', 'here'],
    ['the Internet', far, 'the local network', near, 'near'],
    ['the Internet', far, 'a name of a neighbour', 'nas.example', 'near'],
    ['the local network', near, 'this machine', '127.0.0.1', 'here'],
  ])('lead never from %s (%s) to %s (%s)', async (_, from, __, to, place) => {
    resolveTo({ 'rebound.example': ['127.0.0.1'], 'nas.example': [near] });
    const address = place === 'near' ? near : '127.0.0.1';
    const inner = await WebServer.listen(serve(content), address);
    const outer = await WebServer.listen(redirect(inner.at('/x', to)), from);
    const wanted = new Wanted({ content, urls: [outer.at('/x')] });
    expect(await wanted.given('off')).toMatchObject({
      message:
        place === 'near'
          ? 'it redirects into the local network'
          : 'it redirects into this machine',
    });
    expect(outer.asked).toHaveLength(1);
    expect(inner.sockets).toEqual([]);
  });

  it.each([
    ['from a neighbour to another one', near, near],
    ['from a neighbour to the Internet', near, far],
    ['from this machine to a neighbour', '127.0.0.1', near],
    ['on the Internet', far, far],
  ])('lead %s', async (_, from, to) => {
    const target = await WebServer.listen(serve(content), to);
    const first = await WebServer.listen(redirect(target.at('/x')), from);
    await new Wanted({ content, urls: [first.at('/x')] }).complete();
  });

  it('do not bring a query to this machine, on a kept connection neither', async () => {
    // By the time of the second request the name leads elsewhere.
    resolveTo({ 'rebound.example': ['127.0.0.1', far] });
    const server = await WebServer.listen(redirect('/x?do=it'));
    const url = server.at('/x', 'rebound.example');
    expect(await new Wanted({ urls: [url] }).given('off')).toMatchObject({
      message: expect.stringContaining('query'),
    });
    expect(server.paths).toEqual(['/x']);
  });

  it('take credentials along on the same server, and to no other', async () => {
    const other = await WebServer.listen(serve(content));
    const server = await WebServer.listen((request, response) => {
      const next = { '/1': '/2', '/2': server.at('/3') }[request.url ?? ''];
      redirect(next ?? other.at('/4'))(request, response);
    });
    const url = server.at('/1').replace('//', '//me:secret@');
    await new Wanted({ content, urls: [url] }).complete();
    const basic = `Basic ${Buffer.from('me:secret').toString('base64')}`;
    const shown = (of: WebServer): (string | undefined)[] =>
      of.asked.map(({ headers }) => headers.authorization);
    expect(shown(server)).toEqual([basic, basic, basic]);
    expect(shown(other)).toEqual([undefined]);
  });
});

it('a name that leads into this machine or next to it is not asked with a query', async () => {
  resolveTo({ 'rebound.example': ['127.0.0.1'], 'nas.example': [near] });
  const here = await WebServer.listen(() => undefined);
  const neighbour = await WebServer.listen(() => undefined, near);
  const urls = [
    here.at('/x?do=it', 'rebound.example'),
    neighbour.at('/x?do=it', 'nas.example'),
  ];
  const wanted = new Wanted({ urls });
  for (const index of [0, 1])
    expect((await wanted.given('off', index)).message).toContain('query');
  expect([...here.sockets, ...neighbour.sockets]).toEqual([]);
});

describe('an answer that is of no use', () => {
  const content = randomBytes(10_000);
  const length = content.length;

  it.each<[string, Answer, RegExp]>([
    [
      'that begins elsewhere',
      serve(content, { 'Content-Range': `bytes 1-${length - 1}/${length}` }),
      /another file/,
    ],
    [
      'that ends elsewhere',
      serve(content, { 'Content-Range': `bytes 0-${length - 2}/${length}` }),
      /another file/,
    ],
    [
      'of a file of another size',
      serve(content, {
        'Content-Range': `bytes 0-${length - 1}/${length + 1}`,
      }),
      /another file/,
    ],
    [
      'without a range',
      (_, response) => void response.writeHead(206).end(content),
      /another file/,
    ],
    [
      'that has gone',
      (_, response) => void response.writeHead(410).end(),
      /410/,
    ],
  ])('%s is the last one', async (_, answer, words) => {
    const server = await WebServer.listen(answer);
    const wanted = new Wanted({ content, urls: [server.at('/x')] });
    expect((await wanted.given('off')).message).toMatch(words);
    expect(wanted.swarm.down.total).toBe(0);
    expect(server.asked).toHaveLength(1);
  });

  it.each<[string, Answer, RegExp]>([
    [
      'that is shorter than it says',
      (request, response) => {
        const [from, end] = rangeOf(request);
        const range = `bytes ${from}-${end - 1}/${length}`;
        response
          .writeHead(206, { 'Content-Range': range })
          .end(content.subarray(from, end - 1));
      },
      /less than was asked/,
    ],
    [
      'with headers without end',
      (_, response) =>
        void response.writeHead(206, { 'X-Much': 'x'.repeat(99_999) }).end(),
      /header/i,
    ],
    [
      'that changes the protocol',
      ({ socket }) =>
        void socket.write(
          'HTTP/1.1 101 Other\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello',
        ),
      /101/,
    ],
    [
      'that leads nowhere',
      (_, response) =>
        void response.writeHead(302, { Location: 'http://[' }).end(),
      /URL/,
    ],
    [
      'that is an error',
      (_, response) => void response.writeHead(500).end(),
      /500/,
    ],
  ])('%s is not the last one', async (_, answer, words) => {
    const server = await WebServer.listen(answer);
    const wanted = new Wanted({ content, urls: [server.at('/x')] });
    expect((await wanted.given('error')).message).toMatch(words);
    await until(() => server.sockets.every(({ destroyed }) => destroyed));
  });

  it('is not one that calls the very bytes compressed, as servers do of archives', async () => {
    const answer = serve(content, { 'Content-Encoding': 'x-gzip' });
    const server = await WebServer.listen(answer);
    await new Wanted({ content, urls: [server.at('/x.tar.gz')] }).complete();
  });

  it('is not one that goes on without end, of which no more is read', async () => {
    const server = await WebServer.listen((request, response) => {
      const [from, end] = rangeOf(request);
      response.writeHead(206, {
        'Content-Range': `bytes ${from}-${end - 1}/${length}`,
      });
      response.write(content.subarray(from, end));
      const more = Buffer.alloc(65_536);
      const goOn = (): void => {
        if (response.write(more)) setImmediate(goOn);
      };
      response.on('drain', goOn);
      goOn();
    });
    await new Wanted({ content, urls: [server.at('/x')] }).complete();
    await until(() => server.sockets.every(({ destroyed }) => destroyed));
  });
});

describe('a server that is silent', () => {
  it.each([
    ['from the beginning', 0],
    ['in the midst of a block', 20_000],
  ])('%s is let go of, for others to be asked', async (_, sent) => {
    const content = randomBytes(300_000);
    const silent = await WebServer.listen((request, response) => {
      if (sent === 0) return;
      const [from, end] = rangeOf(request);
      response.writeHead(206, {
        'Content-Length': end - from,
        'Content-Range': `bytes ${from}-${end - 1}/${content.length}`,
      });
      response.write(content.subarray(from, from + sent));
    });
    const wanted = new Wanted({ content });
    const bad = wanted.alone(silent.at('/x'), 100);
    wanted.swarm.settle();
    const why = await bad.failed;
    expect(why).toEqual(['the web seed is silent', false, 0]);
    bad.seed.end();
    wanted.swarm.removePeer(bad.seed.peer);
    await until(() => silent.sockets.every(({ destroyed }) => destroyed));
    const server = await WebServer.listen(serve(content));
    wanted.alone(server.at('/x'));
    wanted.swarm.settle();
    await wanted.complete();
  });
});

describe('a web seed that has failed', () => {
  /** Timers of ours wait for `jest.advanceTimersByTime`, those of the connections do not. */
  beforeEach(() =>
    jest.useFakeTimers({
      doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance'],
    }),
  );

  const fails: Answer = (_, response) => void response.writeHead(500).end();

  it('rests, longer each time', async () => {
    const server = await WebServer.listen(fails);
    const wanted = new Wanted({ urls: [server.at('/x')] });
    await wanted.given('error');
    for (const [index, rest] of [10_000, 20_000, 40_000].entries()) {
      jest.advanceTimersByTime(rest - 1);
      expect(wanted.seeds.states[0].state).toBe('error');
      jest.advanceTimersByTime(1);
      expect(wanted.seeds.states[0].state).toBe('working');
      await wanted.given('error');
      expect(server.asked).toHaveLength(index + 2);
    }
  });

  it.each([
    ['as long as it asks for', '120', 120_000],
    ['an hour, where it asks for a year', '31536000', 3_600_000],
    [
      'as always, where it names a day',
      'Mon, 01 Jan 2035 00:00:00 GMT',
      10_000,
    ],
    ['as always, where it asks for nothing sensible', '-5', 10_000],
  ])('rests %s', async (_, retryAfter, rest) => {
    const server = await WebServer.listen(
      (__, response) =>
        void response.writeHead(503, { 'Retry-After': retryAfter }).end(),
    );
    const wanted = new Wanted({ urls: [server.at('/x')] });
    await wanted.given('error');
    jest.advanceTimersByTime(rest - 1);
    expect(wanted.seeds.states[0].state).toBe('error');
    jest.advanceTimersByTime(1);
    expect(wanted.seeds.states[0].state).toBe('working');
  });

  it('is asked again though the swarm let it go before the end', async () => {
    let works = false;
    const content = randomBytes(300_000);
    const server = await WebServer.listen((request, response) => {
      if (works) serve(content)(request, response);
    });
    const wanted = new Wanted({ content, urls: [server.at('/x')] });
    await until(() => server.asked.length === 1);
    const [{ peer }] = wanted.seeds.working;
    works = true;
    wanted.swarm.removePeer(peer);
    wanted.seeds.dismissed(peer, false);
    jest.advanceTimersByTime(10_000);
    await wanted.complete();
  });

  it.each([
    ['while it rests', 0],
    ['while it is at work again', 10_000],
  ])('is let alone for good when it is found out %s', async (_, rest) => {
    const server = await WebServer.listen((request, response) => {
      if (server.asked.length === 1) fails(request, response);
    });
    const wanted = new Wanted({ urls: [server.at('/x')] });
    const [{ peer }] = wanted.seeds.working as { peer: SwarmPeer }[];
    await wanted.given('error');
    jest.advanceTimersByTime(rest);
    wanted.seeds.dismissed(peer, true);
    expect(await wanted.given('off')).toMatchObject({
      message: expect.stringContaining('not the torrent’s'),
    });
    jest.advanceTimersByTime(3_600_000);
    expect(wanted.seeds.working).toEqual([]);
  });
});
