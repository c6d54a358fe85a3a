import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import fc from 'fast-check';
import { encodeLsd, LSD_MAX_BYTES, parseLsd } from './lsd';

const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

describe('LSD datagrams', () => {
  it('writes what BEP 14 shows', () => {
    const [datagram] = encodeLsd({
      port: 6881,
      infoHashes: [A],
      cookie: 'abc',
    });
    expect(Buffer.from(datagram).toString()).toBe(
      'BT-SEARCH * HTTP/1.1\r\nHost: 239.192.152.143:6771\r\nPort: 6881\r\n' +
        `Infohash: ${A}\r\ncookie: abc\r\n\r\n\r\n`,
    );
    expect(
      Buffer.from(encodeLsd({ port: 1, infoHashes: [B] }, 6)[0]).toString(),
    ).toContain('Host: [ff15::efc0:988f]:6771\r\n');
  });

  it('reads back any announce, in datagrams of at most 1,400 bytes', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 65_535 }),
        fc.uniqueArray(fc.stringMatching(/^[0-9a-f]{40}$/), {
          minLength: 1,
          maxLength: 60,
        }),
        (port, infoHashes) => {
          const datagrams = encodeLsd({ port, infoHashes, cookie: 'me' });
          const read = datagrams.map((d) => parseLsd(d, 'you'));
          expect(read.flatMap((m) => m?.infoHashes ?? [])).toEqual(infoHashes);
          for (const [i, d] of datagrams.entries()) {
            expect(d.length).toBeLessThanOrEqual(LSD_MAX_BYTES);
            expect(read[i]).toMatchObject({ port, cookie: 'me' });
            expect(parseLsd(d, 'me')).toBeUndefined();
          }
        },
      ),
    );
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1500 }), (bytes) => {
        expect(parseLsd(bytes)).toBeUndefined();
      }),
    );
  });
});

const cases = join(workspaceRoot, '../shared/cases/http_lsd.json');
(existsSync(cases) ? describe : describe.skip)('collected cases', () => {
  const { lsd_datagrams } = existsSync(cases)
    ? JSON.parse(readFileSync(cases, 'utf8'))
    : { lsd_datagrams: [{ id: 'none' }] };

  it.each(
    lsd_datagrams as {
      id: string;
      ascii: string;
      expect: {
        ignored?: boolean;
        port?: number;
        info_hashes?: string[];
        cookie?: string;
      };
    }[],
  )('$id', ({ id, ascii, expect: wanted }) => {
    const own = id === 'own-cookie';
    const bytes = own
      ? encodeLsd({ port: 6881, infoHashes: [A], cookie: 'abc' })[0]
      : Buffer.from(ascii, 'latin1');
    const read = parseLsd(bytes, own ? 'abc' : undefined);
    if (wanted.ignored) expect(read).toBeUndefined();
    else
      expect(read).toEqual({
        port: wanted.port,
        infoHashes: wanted.info_hashes,
        ...(wanted.cookie && { cookie: wanted.cookie }),
      });
  });
});
