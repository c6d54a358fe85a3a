import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import fc from 'fast-check';
import { AnnounceTable } from './announce-table';
import { readUrlData, UdpTracker, type UdpTrackerOptions } from './udp-tracker';

const seed = new Uint32Array([1, 2, 3, 4]);
const hex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const CONNECT = '00000417271019800000000001020304';

class Service {
  readonly table = new AnnounceTable({ seed });
  readonly udp: UdpTracker;

  constructor(options: Partial<UdpTrackerOptions> = {}) {
    this.udp = new UdpTracker({ table: this.table, secret: seed, ...options });
  }

  send(datagram: Uint8Array, from = '10.0.0.1', now = 0): Buffer {
    const length = this.udp.receive(datagram, from, now);
    return Buffer.from(this.udp.out.subarray(0, length));
  }

  connect(from?: string, now?: number): Uint8Array {
    const answer = this.send(hex(CONNECT), from, now);
    expect(answer).toHaveLength(16);
    expect(answer.toString('hex', 0, 8)).toBe('0000000001020304');
    return answer.subarray(8);
  }

  announce(fields: Announce = {}, now = 0) {
    const from = fields.from ?? '10.0.0.1';
    const id = this.connect(from, now);
    return this.send(announceDatagram(id, fields), from, now);
  }
}

interface Announce {
  from?: string;
  id?: number;
  port?: number;
  left?: number;
  event?: number;
  numwant?: number;
  ip?: number;
  tail?: Uint8Array;
}

function announceDatagram(connection: Uint8Array, f: Announce): Buffer {
  const d = Buffer.alloc(98);
  d.set(connection);
  d.writeUInt32BE(1, 8);
  d.writeUInt32BE(0xabcdef01, 12);
  d.fill(1, 16, 36);
  d.fill(f.id ?? 1, 36, 56);
  d.writeUInt32BE(f.left ?? 5, 68);
  d.writeUInt32BE(f.event ?? 0, 80);
  d.writeUInt32BE(f.ip ?? 0, 84);
  d.writeInt32BE(f.numwant ?? -1, 92);
  d.writeUInt16BE(f.port ?? 6881, 96);
  return Buffer.concat([d, f.tail ?? new Uint8Array(0)]);
}

describe('UdpTracker', () => {
  it('answers announces with peers of the asker’s family', () => {
    const s = new Service();
    s.announce({ id: 1, from: '10.0.0.1', port: 258, left: 0 });
    s.announce({ id: 2, from: '2001:db8::1', port: 259 });
    expect(s.announce({ id: 3, from: '10.0.0.3' }).toString('hex')).toBe(
      '00000001abcdef01000007080000000200000001' + '0a0000010102',
    );
    expect(s.announce({ id: 4, from: '2001:db8::2' }).toString('hex', 20)).toBe(
      '20010db80000000000000000000000010103',
    );
  });

  it('binds a connection id to the address, for 100 s at least and 6 min at most', () => {
    for (const start of [0, 1, 60_000, 119_999]) {
      const s = new Service();
      const id = s.connect('10.0.0.1', start);
      const action = (from: string, now: number) =>
        s.send(announceDatagram(id, {}), from, now).readUInt32BE(0);
      expect(action('10.0.0.1', start + 100_000)).toBe(1);
      expect(action('10.0.0.2', start)).toBe(3);
      expect(action('10.0.0.1', start + 360_000)).toBe(3);
      expect(s.table.stats.peers).toBe(1);
    }
  });

  it('gives different ids to different addresses and under different secrets', () => {
    const ids = new Set<string>();
    for (let i = 0; i < 200; i++)
      ids.add(
        Buffer.from(new Service().connect(`10.0.0.${i}`)).toString('hex'),
      );
    const other = new Service({ secret: new Uint32Array([9, 2, 3, 4]) });
    ids.add(Buffer.from(other.connect('10.0.0.0')).toString('hex'));
    expect(ids.size).toBe(201);
  });

  it('never answers more than it was asked before the address is proven', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 300 }),
          fc
            .tuple(
              fc.constantFrom(
                CONNECT,
                '112233445566778800000001',
                '112233445566778800000002',
                '0000041727101980000000ff',
              ),
              fc.uint8Array({ maxLength: 200 }),
            )
            .map(([head, rest]) => new Uint8Array([...hex(head), ...rest])),
        ),
        (datagram) => {
          const s = new Service();
          expect(s.send(datagram).length).toBeLessThanOrEqual(datagram.length);
          expect(s.table.stats).toMatchObject({ swarms: 0, peers: 0 });
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([16, 60, 97])(
    'stores nothing of an announce cut at %i bytes',
    (n) => {
      const s = new Service();
      const datagram = announceDatagram(s.connect(), {}).subarray(0, n);
      expect(s.send(datagram).readUInt32BE(0)).toBe(3);
      expect(s.table.stats.peers).toBe(0);
    },
  );

  it('believes the socket’s address only, and stores no port 0', () => {
    const s = new Service();
    s.announce({ id: 1, ip: 0x09090909 });
    s.announce({ id: 2, from: '10.0.0.2', port: 0 });
    expect(s.announce({ id: 3, from: '10.0.0.3' }).toString('hex', 20)).toBe(
      '0a0000011ae1',
    );
  });

  it('answers the same datagram twice and keeps one peer', () => {
    const s = new Service();
    const datagram = announceDatagram(s.connect(), {});
    expect(s.send(datagram)).toEqual(s.send(datagram));
    expect(s.table.stats.peers).toBe(1);
  });

  it('fits a datagram: 200 IPv4 peers, 67 IPv6 peers', () => {
    const s = new Service();
    for (let i = 1; i <= 250; i++) {
      s.announce({ id: i, from: `10.0.${i}.1` });
      s.announce({ id: i, from: `2001:db8::${i}` });
    }
    expect(s.announce({ id: 0, numwant: 5000 })).toHaveLength(20 + 200 * 6);
    expect(
      s.announce({ id: 0, numwant: 5000, from: '2001:db8:1::' }),
    ).toHaveLength(20 + 67 * 18);
  });

  it('scrapes 74 hashes in the order asked', () => {
    const s = new Service();
    s.announce({ left: 0, event: 1 });
    const hashes = Buffer.alloc(80 * 20);
    for (let i = 0; i < 80; i++) hashes.fill(80 - i, i * 20, i * 20 + 20);
    hashes.fill(1, 0, 20);
    const ask = (bytes: Uint8Array) =>
      s.send(Buffer.concat([s.connect(), hex('0000000201020304'), bytes]));
    const answer = ask(hashes);
    expect(answer).toHaveLength(8 + 74 * 12);
    expect(answer.toString('hex', 0, 32)).toBe(
      '0000000201020304' + '000000010000000100000000' + '0'.repeat(24),
    );
    expect(ask(new Uint8Array(0)).readUInt32BE(0)).toBe(3);
    expect(ask(new Uint8Array(19)).readUInt32BE(0)).toBe(3);
  });

  it('answers an unknown action of a proven address with an error', () => {
    const s = new Service();
    const answer = s.send(
      Buffer.concat([s.connect(), hex('0000000901020304')]),
    );
    expect(answer.toString('hex', 0, 8)).toBe('0000000301020304');
  });

  it('answers of a swarm that is not known yet when it is told to', () => {
    const s = new Service({ known: (hash) => hash[0] === 9 });
    const datagram = announceDatagram(s.connect(), {});
    expect(s.send(datagram)).toHaveLength(0);
    expect(s.udp.waitsFor).toEqual([new Uint8Array(20).fill(1)]);
    expect(s.table.stats.peers).toBe(0);
    expect(s.udp.receive(datagram, '10.0.0.1', 0, true)).toBe(20);
    expect(s.udp.waitsFor).toEqual([]);
    // Nobody makes us ask whose address is not proven.
    s.udp.receive(datagram, '10.0.0.2', 0);
    expect(s.udp.waitsFor).toEqual([]);
  });

  it('reads the passkey from BEP 41 options', () => {
    const s = new Service({
      admit: (_, passkey) => (passkey === 'good' ? undefined : 'who are you?'),
    });
    const option = (url: string) =>
      Buffer.from([2, url.length, ...Buffer.from(url)]);
    expect(s.announce({}).toString('latin1', 8)).toBe('who are you?');
    expect(
      s.announce({ tail: option('/good/announce?x=1') }).readUInt32BE(0),
    ).toBe(1);
    expect(s.udp.counters).toMatchObject({ announces: 1, refused: 1 });
  });
});

describe('BEP 41 options', () => {
  it.each([
    ['020c2f6469723f613d6226633d64', '/dir?a=b&c=d'],
    ['02042f64697202083f613d6226633d64', '/dir?a=b&c=d'],
    ['7f0361626302042f646972', '/dir'],
    ['0200', ''],
    ['0002042f646972', undefined],
    ['02ff2f', undefined],
    ['02', undefined],
    ['010101', undefined],
  ])('reads %s as %j', (options, url) => {
    expect(readUrlData(hex(options), 0)).toBe(url);
  });
});

const cases = join(workspaceRoot, '../shared/cases/tracker.json');
(existsSync(cases) ? describe : describe.skip)('collected cases', () => {
  const { udp_to_server, bep41_options } = existsSync(cases)
    ? JSON.parse(readFileSync(cases, 'utf8'))
    : { udp_to_server: [{}], bep41_options: [{}] };

  it.each(
    udp_to_server as { id: string; datagram_hex: string; reply: string }[],
  )('datagram $id: $reply', ({ datagram_hex, reply }) => {
    const s = new Service();
    const datagram = hex(datagram_hex);
    const answer = s.send(datagram);
    expect(answer.length).toBeLessThanOrEqual(datagram.length);
    if (reply === 'none') expect(answer).toHaveLength(0);
    if (answer.length > 0) {
      expect(answer.readUInt32BE(0)).toBe(3);
      expect(answer.subarray(4, 8)).toEqual(
        Buffer.from(datagram.subarray(12, 16)),
      );
    }
    expect(s.table.stats.swarms).toBe(0);
  });

  it.each(
    bep41_options as {
      id: string;
      options_hex: string;
      url_data: string | null;
    }[],
  )('options $id', ({ options_hex, url_data }) => {
    expect(readUrlData(hex(options_hex), 0) ?? null).toBe(url_data);
  });
});
