import { decode } from '@dnd/bencode';
import fc from 'fast-check';
import { AnnounceTable } from './announce-table';
import { HttpTracker, type HttpTrackerOptions } from './http-tracker';
import { HttpTrackerConnection } from './http-tracker-connection';

const seed = new Uint32Array([1, 2, 3, 4]);
const escape = (bytes: Uint8Array) =>
  [...bytes].map((b) => `%${b.toString(16).padStart(2, '0')}`).join('');
const HASH = '%01'.repeat(20);

function query(overrides: Record<string, string | undefined> = {}): string {
  const fields: Record<string, string | undefined> = {
    info_hash: HASH,
    peer_id: 'aaaaaaaaaaaaaaaaaaaa',
    port: '6881',
    left: '5',
    ...overrides,
  };
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}=${value}`)
    .join('&');
}

const get = (target: string, headers = 'Host: x\r\n') =>
  `GET ${target} HTTP/1.1\r\n${headers}\r\n`;
const announceFrom = (overrides: Record<string, string | undefined> = {}) =>
  get(`/announce?${query(overrides)}`);

class Service {
  readonly table = new AnnounceTable({ seed });
  readonly http: HttpTracker;

  constructor(options: Partial<HttpTrackerOptions> = {}) {
    this.http = new HttpTracker({ table: this.table, ...options });
  }

  connect(remote = '10.0.0.1', proxied = false) {
    return new HttpTrackerConnection(this.http, remote, 0, proxied);
  }

  /** All bytes that answer one connection's bytes. */
  exchange(
    chunks: readonly (string | Uint8Array)[],
    remote?: string,
    proxied?: boolean,
  ) {
    const connection = this.connect(remote, proxied);
    const sent: Buffer[] = [];
    for (const chunk of chunks)
      connection.receive(Buffer.from(chunk as string), 0, (bytes) => {
        sent.push(Buffer.from(bytes));
        return true;
      });
    return { text: Buffer.concat(sent), connection };
  }

  /** The decoded answer to one announce. */
  ask(request: string, remote?: string, proxied?: boolean) {
    const { text } = this.exchange([request], remote, proxied);
    return decode(bodyOf(text), { strict: true }) as Map<string, unknown>;
  }
}

function bodyOf(response: Buffer): Buffer {
  const end = response.indexOf('\r\n\r\n') + 4;
  const length = /Content-Length: (\d+)\r\n/.exec(
    response.toString('latin1', 0, end),
  );
  expect(response.length - end).toBe(Number(length?.[1]));
  return response.subarray(end);
}

const text = (value: unknown) => Buffer.from(value as Uint8Array).toString();

describe('HTTP announce', () => {
  it('answers a canonical dictionary with compact peers', () => {
    const s = new Service();
    s.ask(announceFrom({ port: '258' }), '10.0.0.2');
    const { text: bytes } = s.exchange([
      announceFrom({ peer_id: 'b'.repeat(20) }),
    ]);
    expect(bytes.toString('latin1')).toBe(
      'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 117\r\n\r\n' +
        'd8:completei0e10:downloadedi0e11:external ip4:\n\0\0\x01' +
        '10:incompletei2e8:intervali1800e12:min intervali60e' +
        '5:peers6:\n\0\0\x02\x01\x02e',
    );
  });

  it('names other trackers to those who start, within bounds', () => {
    const long = 'http://a/'.padEnd(201, 'x');
    const url = 'http://b/'.padEnd(200, 'x');
    const many = Array.from({ length: 30 }, () => url);
    const s = new Service({ trackers: () => [[long], ['udp://c:1'], many] });
    const named = (event?: string) =>
      s
        .ask(announceFrom({ event, numwant: '200', compact: '0' }))
        .get('announce-list') as Uint8Array[][] | undefined;
    expect(named()).toBeUndefined();
    expect(named('completed')).toBeUndefined();
    const tiers = named('started')?.map((tier) => tier.map(text));
    expect(tiers).toEqual([['udp://c:1'], many.slice(0, 15)]);
    const alone = new Service({ trackers: () => undefined });
    expect(
      alone.ask(announceFrom({ event: 'started' })).has('announce-list'),
    ).toBe(false);
  });

  it('answers with dictionaries where compact=0 asks for them', () => {
    const s = new Service();
    s.ask(announceFrom({ port: '7' }), '10.0.0.2');
    s.ask(announceFrom({ port: '8', peer_id: 'c'.repeat(20) }), '2001:db8::1');
    const ask = { peer_id: 'b'.repeat(20), compact: '0' };
    const peers = (more = {}) =>
      (
        s.ask(announceFrom({ ...ask, ...more })).get('peers') as Map<
          string,
          unknown
        >[]
      ).map((peer) => [
        text(peer.get('ip')),
        peer.get('port'),
        peer.has('peer id'),
      ]);
    expect(peers()).toEqual([
      ['10.0.0.2', 7, true],
      ['2001:db8::1', 8, true],
    ]);
    expect(peers({ no_peer_id: '1' })[0]).toEqual(['10.0.0.2', 7, false]);
  });

  it('lists IPv6 peers in peers6', () => {
    const s = new Service();
    s.ask(announceFrom({ port: '7' }), '2001:db8::1');
    const answer = s.ask(announceFrom({ peer_id: 'b'.repeat(20) }));
    expect(
      Buffer.from(answer.get('peers6') as Uint8Array).toString('hex'),
    ).toBe('20010db80000000000000000000000010007');
    expect(answer.get('peers')).toHaveLength(0);
  });

  it.each([
    [{ info_hash: undefined }, 'info_hash is missing'],
    [{ info_hash: '' }, 'info_hash must be 20 bytes, this one has 0'],
    [{ info_hash: 'a'.repeat(19) }, 'info_hash must be 20 bytes'],
    [{ info_hash: 'a'.repeat(21) }, 'info_hash must be 20 bytes'],
    [{ info_hash: '%zz' }, 'broken percent escape'],
    [{ info_hash: 'a'.repeat(19) + '%4' }, 'broken percent escape'],
    [{ info_hash: `${HASH}&info_hash=${HASH}` }, 'more than once'],
    [{ peer_id: undefined }, 'peer_id is missing'],
    [{ peer_id: 'a'.repeat(19) }, 'peer_id must be 20 bytes'],
    [{ port: undefined }, 'port is missing'],
    [{ port: '0' }, 'port must be'],
    [{ port: '65536' }, 'port must be'],
    [{ port: '-1' }, 'port must be'],
    [{ port: 'text' }, 'port must be'],
    [{ port: '' }, 'port must be'],
  ])('refuses %j in words', (overrides, reason) => {
    const s = new Service();
    const answer = s.ask(announceFrom(overrides));
    expect(text(answer.get('failure reason'))).toContain(reason);
    expect(s.table.stats.peers).toBe(0);
    expect(s.http.counters).toMatchObject({ announces: 0, malformed: 1 });
  });

  it.each([
    { left: '-1' },
    { left: 'text' },
    { left: '1180591620717411303424' },
    { left: undefined },
    { event: 'dance' },
    { event: '' },
    { numwant: '-5' },
    { numwant: '9'.repeat(30) },
    { key: 'x'.repeat(500) },
    { compact: 'yes' },
    { foo: '%zz' },
    { ip: '9.9.9.9' },
    { '': '' },
  ])('answers %j', (overrides) => {
    const answer = new Service().ask(announceFrom(overrides));
    expect(answer.has('failure reason')).toBe(false);
    expect(answer.get('incomplete')).toBe(1);
  });

  it('reads left=0 as a seed, escaped or not', () => {
    for (const left of ['0', '%30', '00'])
      expect(new Service().ask(announceFrom({ left })).get('complete')).toBe(1);
  });

  it('takes the address from the socket, and from a proxy that is believed', () => {
    const forwarded = get(
      `/announce?${query({ ip: '9.9.9.9' })}`,
      'X-Forwarded-For: 6.6.6.6, 7.7.7.7\r\n',
    );
    const seen = (remote: string, proxied: boolean) =>
      [
        ...(new Service()
          .ask(forwarded, remote, proxied)
          .get('external ip') as Uint8Array),
      ].join('.');
    expect(seen('10.0.0.1', false)).toBe('10.0.0.1');
    expect(seen('::ffff:10.0.0.1', false)).toBe('10.0.0.1');
    expect(seen('10.0.0.1', true)).toBe('7.7.7.7');
  });

  it('takes every byte value of an info-hash in every way of writing it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 20, maxLength: 20 }),
        fc.array(fc.integer({ min: 0, max: 2 }), {
          minLength: 20,
          maxLength: 20,
        }),
        (hash, ways) => {
          const s = new Service();
          const plain = /[A-Za-z0-9\-._~]/;
          const written = [...hash]
            .map((b, i) => {
              const c = String.fromCharCode(b);
              const hex = b.toString(16).padStart(2, '0');
              if (ways[i] === 0 && plain.test(c)) return c;
              return `%${ways[i] === 1 ? hex.toUpperCase() : hex}`;
            })
            .join('');
          s.ask(announceFrom({ info_hash: written }));
          const counts = {
            complete: 0,
            incomplete: 0,
            downloaded: 0,
            downloaders: 0,
          };
          s.table.scrape(hash, 0, 0, counts);
          expect(counts.incomplete).toBe(1);
        },
      ),
    );
  });

  it('asks for admission and passes the passkey', () => {
    const asked: string[] = [];
    const s = new Service({
      admit: (hash, passkey) => {
        asked.push(`${hash[0]} ${passkey}`);
        return passkey === 'good' ? undefined : 'not registered';
      },
    });
    const to = (path: string) => s.ask(get(`${path}?${query()}`));
    expect(text(to('/announce').get('failure reason'))).toBe('not registered');
    expect(to('/good/announce').has('failure reason')).toBe(false);
    expect(asked).toEqual(['1 ', '1 good']);
    expect(s.http.counters.refused).toBe(1);
  });

  it('holds a request back until its swarm is known', () => {
    const known = new Set<number>();
    const s = new Service({ known: (hash) => known.has(hash[0]) });
    const connection = s.connect();
    let sent = '';
    const sink = (bytes: Uint8Array) => {
      sent += Buffer.from(bytes).toString('latin1');
      return true;
    };
    const send = (text: string) =>
      connection.receive(Buffer.from(text), 0, sink);
    send(get('/') + announceFrom() + get('/'));
    expect(sent.match(/HTTP/g)).toHaveLength(1);
    expect(connection.waitsFor).toEqual([new Uint8Array(20).fill(1)]);
    send(get('/'));
    expect(sent.match(/HTTP/g)).toHaveLength(1);
    known.add(3);
    connection.resume(0, sink);
    expect(sent.match(/HTTP/g)).toHaveLength(4);
    expect(s.http.counters.announces).toBe(1);
    // A scrape names all that it waits for.
    const hashes = [2, 3, 4].map((b) => `info_hash=${`%0${b}`.repeat(20)}`);
    send(get(`/scrape?${hashes.join('&')}`));
    expect(connection.waitsFor.map((hash) => hash[0])).toEqual([2, 4]);
    connection.resume(0, sink);
    expect(sent.match(/HTTP/g)).toHaveLength(5);
    // Whoever keeps sending while waiting is let go.
    send(announceFrom());
    for (let i = 0; i < 20; i++) send('x'.repeat(4096));
    expect(connection.closing).toBe(true);
  });

  it('leaves out of a scrape what is not admitted', () => {
    const s = new Service({
      admit: (hash) => (hash[0] === 1 ? 'no' : undefined),
    });
    const target = `/scrape?info_hash=${HASH}&info_hash=${'%02'.repeat(20)}`;
    const files = s.ask(get(target)).get('files') as Map<string, unknown>;
    expect([...files.keys()]).toEqual(['\x02'.repeat(20)]);
  });

  it('sends its tracker id and its warning', () => {
    const s = new Service({ trackerId: 'T1', warning: 'moving soon' });
    const answer = s.ask(announceFrom());
    expect(text(answer.get('tracker id'))).toBe('T1');
    expect(text(answer.get('warning message'))).toBe('moving soon');
  });
});

describe('HTTP scrape', () => {
  it('answers several hashes once each, sorted, and touches no swarm', () => {
    const s = new Service();
    s.ask(announceFrom({ left: '0', event: 'completed' }));
    const hashes = [1, 200, 3, 1].map((b) => new Uint8Array(20).fill(b));
    const target = `/scrape?${hashes.map((h) => `info_hash=${escape(h)}`).join('&')}`;
    const files = s.ask(get(target)).get('files') as Map<
      string,
      Map<string, unknown>
    >;
    expect([...files.keys()].map((key) => key.charCodeAt(0))).toEqual([
      1, 3, 200,
    ]);
    expect(Object.fromEntries([...files.values()][0])).toEqual({
      complete: 1,
      downloaded: 1,
      downloaders: 0,
      incomplete: 0,
    });
    expect(s.table.stats.swarms).toBe(1);
  });

  it('takes 200 hashes and refuses more, or none', () => {
    const s = new Service();
    const many = (n: number) =>
      s.ask(
        get(
          `/scrape?${Array.from({ length: n }, (_, i) => `info_hash=${escape(new Uint8Array(20).fill(i))}`).join('&')}`,
        ),
      );
    expect((many(200).get('files') as Map<string, unknown>).size).toBe(200);
    expect(text(many(201).get('failure reason'))).toContain('more than 200');
    expect(text(many(0).get('failure reason'))).toContain('missing');
    expect(
      text(s.ask(get('/scrape?info_hash=abc')).get('failure reason')),
    ).toContain('20 bytes');
  });
});

describe('HTTP connection', () => {
  const requests = fc.array(
    fc.constantFrom(
      announceFrom(),
      announceFrom({ port: '0' }),
      announceFrom({ peer_id: 'z'.repeat(20), port: '77', compact: '0' }),
      get('/'),
      get(
        `/scrape?info_hash=${HASH}`,
        'Connection: keep-alive\r\nContent-Length: 0\r\n',
      ),
      '\r\n',
    ),
    { minLength: 1, maxLength: 6 },
  );
  const last = fc.constantFrom(
    '',
    get('/nowhere'),
    'POST /announce HTTP/1.1\r\n\r\n',
    get('/', 'Connection: close\r\n'),
    '\0\x01junk\n\n',
    `GET / HTTP/1.0\r\n\r\n${get('/')}`,
  );

  it('answers the same however the bytes are cut', () => {
    fc.assert(
      fc.property(
        requests,
        last,
        fc.array(fc.nat({ max: 1500 }), { maxLength: 8 }),
        (sent, end, cuts) => {
          const bytes = Buffer.from(sent.join('') + end);
          const places = [
            ...new Set(cuts.filter((c) => c < bytes.length)),
          ].sort((a, b) => a - b);
          const chunks = [0, ...places].map((at, i) =>
            bytes.subarray(at, places[i] ?? bytes.length),
          );
          const whole = new Service().exchange([bytes]);
          const cut = new Service().exchange(chunks);
          expect(cut.text.toString('latin1')).toBe(
            whole.text.toString('latin1'),
          );
          expect(cut.connection.closing).toBe(whole.connection.closing);
        },
      ),
    );
  });

  it('answers a request that comes byte by byte', () => {
    const bytes = Buffer.from(announceFrom());
    const { text: answer } = new Service().exchange(
      [...bytes].map((b) => new Uint8Array([b])),
    );
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it.each([
    ['HTTP/1.1', '', false, undefined],
    ['HTTP/1.1', 'connection: Close\r\n', true, 'close'],
    ['HTTP/1.0', '', true, 'close'],
    ['HTTP/1.0', 'CONNECTION: keep-alive\r\n', false, 'keep-alive'],
  ])('keeps or closes %s with %j', (version, header, closes, said) => {
    const { text: answer, connection } = new Service().exchange([
      `GET / ${version}\r\n${header}\r\n`,
    ]);
    expect(connection.closing).toBe(closes);
    expect(/\r\nConnection: ([\w-]+)/.exec(answer.toString())?.[1]).toBe(said);
  });

  it.each([
    ['POST /announce HTTP/1.1\r\n\r\n', 405],
    ['HEAD / HTTP/1.1\r\n\r\n', 405],
    [get('/secret'), 404],
    [get('/x/announce'), 404],
    [`GET /${'a'.repeat(70_000)} HTTP/1.1\r\n\r\n`, 414],
    [`GET /${'a'.repeat(70_000)}`, 414],
    [get('/', `X: ${'a'.repeat(1_000_000)}\r\n`), 431],
    [get('/', 'x: y\r\n'.repeat(100_000)), 431],
    [get('/', 'Content-Length: 5\r\n'), 400],
    [get('/', 'Transfer-Encoding: chunked\r\n'), 400],
    [get('/', ' folded\r\n'), 400],
    ['GET / HTTP/2.0\r\n\r\n', 505],
    ['GET /\r\n\r\n', 400],
    ['GET noslash HTTP/1.1\r\n\r\n', 400],
    ['\x16\x03\x01\x02\n', 400],
    ['\x13BitTorrent protocol\n\n', 400],
  ])('refuses %.40j with status %i and closes', (request, status) => {
    for (const chunks of [[request], request.match(/[^]{1,4096}/g) ?? []]) {
      const { text: answer, connection } = new Service().exchange(chunks);
      expect(answer.toString()).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(connection.closing).toBe(true);
    }
  });

  it('answers more pipelined requests than its buffer holds', () => {
    const s = new Service();
    for (let i = 0; i < 200; i++)
      s.ask(
        announceFrom({
          port: `${1000 + i}`,
          peer_id: `${1000 + i}`.padStart(20, 'p'),
        }),
        `10.1.${i}.1`,
      );
    const sizes: number[] = [];
    let last = '';
    const many = announceFrom({ numwant: '200', compact: '0' }).repeat(40);
    s.connect().receive(Buffer.from(many), 0, (bytes) => {
      sizes.push(bytes.length);
      last = Buffer.from(bytes).toString('latin1');
      return sizes.length % 2 === 0; // every other time the buffer is kept
    });
    expect(sizes.length).toBeGreaterThan(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(128 * 1024);
    expect(last.endsWith('e')).toBe(true);
    expect(s.http.counters.announces).toBe(240);
  });

  it('says when a connection that dribbles or idles is to be closed', () => {
    const connection = new Service().connect();
    expect(connection.deadline).toBe(20_000);
    const sink = () => true;
    connection.receive(Buffer.from('GET / HT'), 5000, sink);
    connection.receive(Buffer.from('T'), 19_000, sink);
    expect(connection.deadline).toBe(20_000);
    connection.receive(Buffer.from('P/1.1\r\n\r\n'), 19_500, sink);
    expect(connection.deadline).toBe(79_500);
    connection.receive(Buffer.from('G'), 30_000, sink);
    expect(connection.deadline).toBe(50_000);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.uint8Array({ maxLength: 200 }),
            fc
              .constantFrom(
                'GET /announce?',
                'info_hash=',
                '%',
                '\r\n',
                '\n',
                ' HTTP/1.1',
                '&',
                '=',
              )
              .map((t) => new Uint8Array(Buffer.from(t))),
          ),
          { maxLength: 30 },
        ),
        (chunks) => {
          new Service().exchange(chunks);
        },
      ),
      { numRuns: 500 },
    );
  });
});
