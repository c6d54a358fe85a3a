import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import { AnnounceTable } from './announce-table';
import type { AnnounceFacts } from './tracker-url';
import { UdpTracker } from './udp-tracker';
import { UdpTrackerClient, type UdpClientOutput } from './udp-tracker-client';

const facts: AnnounceFacts = {
  infoHash: new Uint8Array(20).fill(0x61),
  peerId: new Uint8Array(Buffer.from('-XX0001-123456789012')),
  port: 6881,
  downloaded: 100,
  left: 200,
  uploaded: 300,
  event: 'started',
  key: 0xdeadbeef,
};
const hex = (bytes: Uint8Array | undefined) =>
  Buffer.from(bytes ?? []).toString('hex');
const unhex = (text: string) => new Uint8Array(Buffer.from(text, 'hex'));
const sent = (outputs: readonly UdpClientOutput[]) =>
  outputs.flatMap((o) => (o.type === 'send' ? [o.bytes] : []));

/** A client whose transactions are 01020304, 0a0b0c0d, 3, 4, ... */
function client(attempts?: number, family: 4 | 16 = 4) {
  let next = 2;
  const first = [0x01020304, 0x0a0b0c0d];
  return new UdpTrackerClient({
    // The request draws before its connection does.
    random: () => (first.length > 0 ? first.pop() : ++next) ?? 0,
    family,
    ...(attempts !== undefined && { attempts }),
  });
}

const CONNECT = '00000417271019800000000001020304';
const CONNECTED = '00000000010203041122334455667788';
const ANNOUNCE =
  '1122334455667788000000010a0b0c0d61616161616161616161616161616161616161612d5858303030312d313233343536373839303132000000000000006400000000000000c8000000000000012c0000000200000000deadbeefffffffff1ae1';

function connected(c: UdpTrackerClient, now = 0) {
  expect(
    sent(c.handle({ type: 'announce', call: 1, facts }, now)).map(hex),
  ).toEqual([CONNECT]);
  return c.handle({ type: 'datagram', bytes: unhex(CONNECTED) }, now);
}

describe('UdpTrackerClient', () => {
  it('connects, announces and reads the answer', () => {
    const c = client();
    expect(sent(connected(c)).map(hex)).toEqual([ANNOUNCE]);
    expect(
      c.handle(
        {
          type: 'datagram',
          bytes: unhex(
            '000000010a0b0c0d000007080000000300000005010203041ae1050607080050',
          ),
        },
        9,
      ),
    ).toEqual([
      {
        type: 'announced',
        call: 1,
        answer: {
          interval: 1800,
          incomplete: 3,
          complete: 5,
          peers: [
            { host: '1.2.3.4', port: 6881 },
            { host: '5.6.7.8', port: 80 },
          ],
        },
      },
    ]);
    expect(c.wakeAt).toBe(Infinity);
  });

  it('asks again on the same connection within a minute, and connects anew after it', () => {
    const c = client();
    connected(c);
    const again = (now: number) =>
      sent(
        c.handle(
          { type: 'scrape', call: now, infoHashes: [facts.infoHash] },
          now,
        ),
      );
    expect(hex(again(59_999)[0])).toMatch(/^112233445566778800000002/);
    expect(hex(again(60_000)[0])).toMatch(/^000004172710198000000000/);
  });

  it('repeats after 15 · 2ⁿ s and gives up after n = 8', () => {
    const c = client();
    c.handle({ type: 'announce', call: 1, facts }, 0);
    let now = 0;
    for (let n = 0; n < 9; n++) {
      expect(c.wakeAt - now).toBe(15_000 * 2 ** n);
      expect(c.handle({ type: 'tick' }, c.wakeAt - 1)).toEqual([]);
      now = c.wakeAt;
      const outputs = c.handle({ type: 'tick' }, now);
      if (n < 8) expect(sent(outputs).map(hex)).toEqual([CONNECT]);
      else
        expect(outputs).toEqual([
          {
            type: 'failed',
            call: 1,
            reason: 'the tracker does not answer',
            timedOut: true,
          },
        ]);
    }
    expect(c.wakeAt).toBe(Infinity);
  });

  it('takes a late answer after a repetition, and asks for a new connection when the old one is over', () => {
    const c = client();
    connected(c);
    expect(sent(c.handle({ type: 'tick' }, 15_000)).map(hex)).toEqual([
      ANNOUNCE,
    ]);
    expect(sent(c.handle({ type: 'tick' }, 45_000))).toHaveLength(1);
    expect(hex(sent(c.handle({ type: 'tick' }, 105_000))[0])).toMatch(
      /^00000417/,
    );
    const late = c.handle(
      {
        type: 'datagram',
        bytes: unhex('000000010a0b0c0d000007080000000000000000'),
      },
      106_000,
    );
    expect(late).toMatchObject([{ type: 'announced', call: 1 }]);
  });

  it('tries a new connection where an error may mean the old one', () => {
    const c = client();
    connected(c);
    c.handle(
      {
        type: 'datagram',
        bytes: unhex('000000010a0b0c0d000007080000000000000000'),
      },
      0,
    );
    const [second] = sent(c.handle({ type: 'announce', call: 2, facts }, 5));
    const error = Buffer.concat([
      unhex('00000003'),
      second.subarray(12, 16),
      Buffer.from('bad id'),
    ]);
    expect(
      hex(sent(c.handle({ type: 'datagram', bytes: error }, 6))[0]),
    ).toMatch(/^00000417/);
  });

  it('fails with the tracker’s words', () => {
    const c = client();
    connected(c);
    expect(
      c.handle(
        {
          type: 'datagram',
          bytes: Buffer.concat([
            unhex('000000030a0b0c0d'),
            Buffer.from('not here'),
          ]),
        },
        1,
      ),
    ).toEqual([
      { type: 'failed', call: 1, reason: 'not here', timedOut: false },
    ]);
  });

  it('forgets what is cancelled', () => {
    const c = client();
    connected(c);
    c.handle({ type: 'cancel', call: 1 }, 1);
    expect(c.wakeAt).toBe(Infinity);
  });

  it('sends path and query as BEP 41 options', () => {
    const c = client();
    c.handle({ type: 'announce', call: 1, facts, urlData: '/dir?a=b&c=d' }, 0);
    const [bytes] = sent(
      c.handle({ type: 'datagram', bytes: unhex(CONNECTED) }, 0),
    );
    expect(hex(bytes.subarray(98))).toBe('020c2f6469723f613d6226633d64');
  });

  it('understands our own tracker', () => {
    const seed = new Uint32Array([5, 6, 7, 8]);
    const tracker = new UdpTracker({
      table: new AnnounceTable({ seed }),
      secret: seed,
    });
    const ask = (
      c: UdpTrackerClient,
      address: string,
      input: Parameters<UdpTrackerClient['handle']>[0],
    ) => {
      let outputs = c.handle(input, 0);
      for (let turn = 0; turn < 4 && sent(outputs).length > 0; turn++) {
        const length = tracker.receive(sent(outputs)[0], address, 0);
        outputs = c.handle(
          { type: 'datagram', bytes: tracker.out.slice(0, length) },
          0,
        );
      }
      return outputs[0];
    };
    ask(client(), '10.0.0.1', {
      type: 'announce',
      call: 1,
      facts: { ...facts, left: 0, event: 'completed' },
    });
    const other = {
      ...facts,
      peerId: new Uint8Array(20),
      port: 7,
      event: undefined,
    };
    expect(
      ask(client(), '10.0.0.2', { type: 'announce', call: 2, facts: other }),
    ).toMatchObject({
      type: 'announced',
      answer: {
        complete: 1,
        incomplete: 1,
        peers: [{ host: '10.0.0.1', port: 6881 }],
      },
    });
    expect(
      ask(client(), '10.0.0.2', {
        type: 'scrape',
        call: 3,
        infoHashes: [facts.infoHash, new Uint8Array(20)],
      }),
    ).toMatchObject({
      type: 'scraped',
      answer: new Map([
        ['61'.repeat(20), { complete: 1, downloaded: 1, incomplete: 1 }],
        ['00'.repeat(20), { complete: 0, downloaded: 0, incomplete: 0 }],
      ]),
    });
  });
});

interface Case {
  id: string;
  request_hex: string | null;
  response_hex: string;
  expect: Record<string, unknown>;
}

const file = join(workspaceRoot, '../shared/cases/tracker.json');
(existsSync(file) ? describe : describe.skip)('collected cases', () => {
  const cases: Case[] = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8')).udp
    : [];

  it.each(cases.length > 0 ? cases : [{ id: 'none' } as Case])('$id', (row) => {
    const wanted = row.expect;
    const response = unhex(row.response_hex);
    const c = client(undefined, row.id.endsWith('v6') ? 16 : 4);
    if (row.id.startsWith('connect')) {
      c.handle({ type: 'announce', call: 1, facts }, 0);
      const outputs = c.handle({ type: 'datagram', bytes: response }, 0);
      if (wanted['ignored']) {
        expect(outputs).toEqual([]);
        expect(
          sent(c.handle({ type: 'datagram', bytes: unhex(CONNECTED) }, 0)).map(
            hex,
          ),
        ).toEqual([ANNOUNCE]);
      } else if (wanted['error'])
        expect(outputs).toMatchObject([
          { type: 'failed', reason: wanted['error'] },
        ]);
      else
        expect(hex(sent(outputs)[0])).toMatch(
          new RegExp(`^${wanted['connection_id']}`),
        );
      return;
    }
    const scrape = row.id.startsWith('scrape');
    const infoHashes = [0x61, 0x62].map((b) => new Uint8Array(20).fill(b));
    c.handle(
      scrape
        ? { type: 'scrape', call: 1, infoHashes }
        : { type: 'announce', call: 1, facts },
      0,
    );
    const asked = sent(
      c.handle({ type: 'datagram', bytes: unhex(CONNECTED) }, 0),
    );
    if (row.request_hex !== null)
      expect(asked.map(hex)).toEqual([row.request_hex]);
    else response.set(asked[0].subarray(12, 16), 4);
    const [output] = c.handle({ type: 'datagram', bytes: response }, 0);
    if (wanted['ignored']) expect(output).toBeUndefined();
    else if (wanted['error'])
      expect(output).toMatchObject({ type: 'failed', reason: wanted['error'] });
    else if (scrape && output?.type === 'scraped')
      for (const [hash, entry] of Object.entries(wanted))
        expect(output.answer.get(hash) ?? null).toEqual(entry);
    else if (output?.type === 'announced') {
      const { peers, interval, incomplete, complete } = output.answer;
      const pairs = peers.map((p) => [p.host, p.port]);
      const list = wanted['peers'] ?? wanted['peers6'];
      if (list) expect(pairs).toEqual(list);
      if (wanted['peer_count'])
        expect(pairs).toHaveLength(Number(wanted['peer_count']));
      if (wanted['first_peer']) expect(pairs[0]).toEqual(wanted['first_peer']);
      if ('interval' in wanted) expect(interval).toBe(wanted['interval']);
      if ('leechers' in wanted)
        expect([incomplete, complete]).toEqual([
          wanted['leechers'],
          wanted['seeders'],
        ]);
    } else throw new Error(`unexpected: ${JSON.stringify(output)}`);
  });
});
