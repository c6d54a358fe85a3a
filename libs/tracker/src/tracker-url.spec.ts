import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import fc from 'fast-check';
import { AnnounceRequest } from './announce-request';
import { readAnnounceQuery } from './tracker-query';
import {
  announceUrl,
  escapeBytes,
  refuseTrackerUrl,
  scrapeUrl,
  type AnnounceFacts,
} from './tracker-url';

const facts: AnnounceFacts = {
  infoHash: new Uint8Array(20).fill(0x20),
  peerId: new Uint8Array(Buffer.from('-DD0001-~._-aA9Zqqqq')),
  port: 6881,
  uploaded: 1,
  downloaded: 2,
  left: 2 ** 40,
  key: 0xabc,
};

it('writes an announce with all that is known', () => {
  expect(
    announceUrl('http://t.example:80/announce?x=1#frag', {
      ...facts,
      event: 'started',
      numwant: 80,
      trackerId: 'a\xff',
      ipv4: '1.2.3.4',
      ipv6: '2001:db8::1',
    }),
  ).toBe(
    `http://t.example:80/announce?x=1&info_hash=${'%20'.repeat(20)}` +
      '&peer_id=-DD0001-~._-aA9Zqqqq&port=6881&uploaded=1&downloaded=2' +
      '&left=1099511627776&compact=1&key=00000abc&event=started&numwant=80' +
      '&trackerid=a%FF&ipv4=1.2.3.4&ipv6=2001%3Adb8%3A%3A1',
  );
  expect(announceUrl('http://t.example', facts)).toMatch(
    /^http:\/\/t\.example\?info_hash=/,
  );
});

it('is read back by the tracker as it was meant', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.uint8Array({ minLength: 20, maxLength: 20 }),
      fc.integer({ min: 1, max: 65_535 }),
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.constantFrom('started', 'completed', 'stopped', 'paused'),
      (infoHash, peerId, port, key, event) => {
        const url = announceUrl('http://t/announce?a=b', {
          ...facts,
          infoHash,
          peerId,
          port,
          key,
          event,
          left: 0,
        });
        const bytes = Buffer.from(url, 'latin1');
        const request = new AnnounceRequest();
        expect(
          readAnnounceQuery(
            bytes,
            bytes.indexOf('?') + 1,
            bytes.length,
            request,
          ),
        ).toBeUndefined();
        expect(request).toMatchObject({
          infoHash,
          peerId,
          port,
          key,
          complete: true,
        });
        expect(request.event).toBe(
          { completed: 1, started: 2, stopped: 3, paused: 4 }[event],
        );
      },
    ),
  );
});

it('escapes as published', () => {
  const hash = Buffer.from('a2a15537542b22925ad10486bf7a8b2a9c42f0d1', 'hex');
  expect(escapeBytes(hash)).toBe(
    '%A2%A1U7T%2B%22%92Z%D1%04%86%BFz%8B%2A%9CB%F0%D1',
  );
});

it.each([
  ['http://example.com/announce', 'http://example.com/scrape'],
  [
    'http://example.com/x/announce.php?a=/announce',
    'http://example.com/x/scrape.php?a=/announce',
  ],
  ['http://example.com/a', undefined],
  ['http://example.com/x%064announce', undefined],
  ['udp://example.com:80/announce', 'udp://example.com:80/announce'],
])('scrapes %s at %s', (announce, scrape) => {
  expect(scrapeUrl(announce)).toBe(scrape);
});

it('scrapes several hashes at once', () => {
  const hash = new Uint8Array(20).fill(0x61);
  expect(scrapeUrl('http://t/announce?k=1', [hash, hash])).toBe(
    `http://t/scrape?k=1&info_hash=${'a'.repeat(20)}&info_hash=${'a'.repeat(20)}`,
  );
});

it.each([
  ['http://t.example/announce', true],
  ['https://t.example', true],
  ['udp://t.example:6969/announce', true],
  ['http://127.0.0.1:6969/announce', true],
  ['http://[::1]:6969/announce?key=1', true],
  ['udp://127.0.0.1:6969', true],
  ['http://127.0.0.1:6969/admin', false],
  ['http://localhost/x/announce', false],
  ['http://0x7f.1/admin', false],
  ['http://[::ffff:127.0.0.1]/admin', false],
  ['http://t.example/?info_hash=x', false],
  ['http://t.example/?a=b&EVENT=x', false],
  ['udp://t.example/announce', false],
  ['wss://t.example/', false],
  ['file:///etc/passwd', false],
  ['no url', false],
  [`http://t.example/${'a'.repeat(3000)}`, false],
])('asks %.40s: %s', (url, allowed) => {
  expect(refuseTrackerUrl(url) === undefined).toBe(allowed);
});

it.each([
  ['127.0.0.1', false],
  ['127.9.9.9', false],
  ['::1', false],
  ['::', false],
  ['::ffff:127.0.0.1', false],
  ['0.0.0.0', false],
  ['192.168.1.2', true],
  ['::2', true],
])('judges a name by its address %s', (host, allowed) => {
  const refusal = refuseTrackerUrl('http://t.example/admin', host);
  expect(refusal === undefined).toBe(allowed);
  expect(refuseTrackerUrl('http://t.example/announce', host)).toBeUndefined();
});

const file = join(workspaceRoot, '../shared/cases/tracker.json');
(existsSync(file) ? describe : describe.skip)('collected cases', () => {
  const cases = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8')).announce_to_scrape_url.rows
    : [{}];
  it.each(cases as { announce: string; scrape: string | null }[])(
    '$announce',
    ({ announce, scrape }) => {
      expect(scrapeUrl(announce) ?? null).toBe(scrape);
    },
  );
});
