import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import fc from 'fast-check';
import {
  parseAnnounceAnswer,
  parseScrapeAnswer,
  TrackerAnswerError,
  TrackerFailure,
} from './tracker-answer';

const latin1 = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));
const caught = (run: () => unknown): unknown => {
  try {
    return run();
  } catch (error) {
    return error;
  }
};

describe('announce answers', () => {
  it('reads both families and everything around them, keys unsorted', () => {
    const answer = parseAnnounceAnswer(
      latin1(
        'd5:peers12:\x01\x02\x03\x04\x1a\xe1\x05\x06\x07\x08\0\0' +
          '6:peers618:\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\0\x09' +
          '8:intervali1800e12:min intervali60e8:completei2e10:incompletei3e' +
          '10:tracker id2:\xffx11:external ip4:\x09\x08\x07\x06' +
          '15:warning message4:hum!e\n',
      ),
    );
    expect(answer).toEqual({
      peers: [
        { host: '1.2.3.4', port: 6881 },
        { host: '2001:db8::1', port: 9 },
      ],
      interval: 1800,
      minInterval: 60,
      complete: 2,
      incomplete: 3,
      trackerId: '\xffx',
      externalIp: '9.8.7.6',
      warning: 'hum!',
    });
  });

  it('reads trackers that are named, as far as they are any', () => {
    const read = (list: string) =>
      parseAnnounceAnswer(latin1(`d13:announce-list${list}5:peers0:e`))
        .trackers;
    expect(read('ll1:a1:bei5elel1:ci7eee')).toEqual([['a', 'b'], ['c']]);
    for (const none of ['le', 'i1e', '1:a', 'llee'])
      expect(read(none)).toBeUndefined();
    const many = `l${'1:a'.repeat(40)}e`;
    expect(read(`l${many}${many}${many}e`)?.flat()).toHaveLength(50);
  });

  it.each(['i-5e', 'i0e', '4:soon', 'le'])(
    'takes the interval %s for none',
    (interval) => {
      const answer = parseAnnounceAnswer(latin1(`d8:interval${interval}e`));
      expect(answer).toEqual({ peers: [] });
    },
  );

  it('bounds absurd intervals', () => {
    for (const digits of [13, 18])
      expect(
        parseAnnounceAnswer(latin1(`d8:intervali${'9'.repeat(digits)}ee`))
          .interval,
      ).toBe(604_800);
  });

  it('throws the tracker’s own words', () => {
    const failure = caught(() =>
      parseAnnounceAnswer(latin1('d14:failure reason2:no8:retry in5:nevere')),
    );
    expect(failure).toBeInstanceOf(TrackerFailure);
    expect(failure).toMatchObject({ message: 'no', retryMinutes: 'never' });
  });

  it('answers or throws its own errors for any bytes', () => {
    const piece = fc.constantFrom(
      'd',
      'e',
      'l',
      'i1e',
      '5:peers',
      '6:peers6',
      '2:ip',
      '4:port',
      '5:files',
      '6:abcdef',
      '20:',
      '8:interval',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          fc
            .array(piece, { maxLength: 30 })
            .map((p) => latin1(`d${p.join('')}`)),
        ),
        (bytes) => {
          for (const parse of [parseAnnounceAnswer, parseScrapeAnswer]) {
            const result = caught(() => parse(bytes));
            if (result instanceof Error)
              expect(
                result instanceof TrackerAnswerError ||
                  result instanceof TrackerFailure,
              ).toBe(true);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('scrape answers', () => {
  it('reads info-hashes of any bytes', () => {
    const key = '\x80\xff\0'.padEnd(20, 'a');
    const answer = parseScrapeAnswer(
      latin1(`d5:filesd20:${key}d8:completei1e10:incompletei2eeee`),
    );
    expect([...answer]).toEqual([
      [
        Buffer.from(key, 'latin1').toString('hex'),
        { complete: 1, incomplete: 2, downloaded: 0 },
      ],
    ]);
  });
});

interface Wanted {
  error?: string;
  failure_reason?: string;
  retry_in_minutes?: number | string;
  peers?: [string, number][];
  peers6?: [string, number][];
  peer_ids?: string[];
  connect_to?: [string, number][];
  interval?: number;
  min_interval?: number;
  complete?: number;
  incomplete?: number;
  downloaded?: number;
  external_ip?: string | null;
  tracker_id?: string;
  warning?: string;
}

const file = join(workspaceRoot, '../shared/cases/tracker.json');
(existsSync(file) ? describe : describe.skip)('collected cases', () => {
  const { http_announce_answers, http_scrape_answers } = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8'))
    : { http_announce_answers: [{}], http_scrape_answers: [{}] };

  // Content-Encoding is undone before the body gets here.
  const bodies = (
    http_announce_answers as { id: string; body_hex: string; expect: Wanted }[]
  ).filter(({ id }) => id !== 'gzip');

  it.each(bodies)('announce $id', ({ body_hex, expect: wanted }) => {
    const result = caught(() =>
      parseAnnounceAnswer(new Uint8Array(Buffer.from(body_hex, 'hex'))),
    );
    if (
      wanted.failure_reason !== undefined ||
      wanted.error === 'tracker-failure'
    ) {
      expect(result).toBeInstanceOf(TrackerFailure);
      const failure = result as TrackerFailure;
      expect(failure.message).toBe(wanted.failure_reason);
      expect(failure.retryMinutes).toBe(wanted.retry_in_minutes);
      expect(failure.interval).toBe(wanted.interval);
      expect(failure.minInterval).toBe(wanted.min_interval);
      return;
    }
    if (wanted.error !== undefined) {
      expect(result).toBeInstanceOf(TrackerAnswerError);
      expect((result as TrackerAnswerError).code).toBe(wanted.error);
      return;
    }
    const answer = result as ReturnType<typeof parseAnnounceAnswer>;
    const listed = wanted.connect_to ?? wanted.peers;
    if (listed || wanted.peers6)
      expect(answer.peers.map((p) => [p.host, p.port])).toEqual([
        ...(listed ?? []),
        ...(wanted.peers6 ?? []),
      ]);
    if (wanted.peer_ids)
      expect(
        answer.peers.map((p) => Buffer.from(p.peerId ?? []).toString('hex')),
      ).toEqual(wanted.peer_ids);
    const same = (value: unknown, expected: unknown) => {
      if (expected !== undefined) expect(value ?? null).toBe(expected);
    };
    same(answer.interval, wanted.interval);
    same(answer.minInterval, wanted.min_interval);
    same(answer.complete, wanted.complete);
    same(answer.incomplete, wanted.incomplete);
    same(answer.downloaded, wanted.downloaded);
    same(answer.externalIp, wanted.external_ip);
    same(answer.trackerId, wanted.tracker_id);
    same(answer.warning, wanted.warning);
  });

  it.each(
    http_scrape_answers as {
      id: string;
      body_hex: string;
      asked: string[];
      expect: Record<string, unknown>;
    }[],
  )('scrape $id', ({ body_hex, asked, expect: wanted }) => {
    const result = caught(() =>
      parseScrapeAnswer(new Uint8Array(Buffer.from(body_hex, 'hex'))),
    );
    if (wanted['error'] !== undefined) {
      expect(result).toBeInstanceOf(TrackerFailure);
      return;
    }
    const answer = result as ReturnType<typeof parseScrapeAnswer>;
    for (const hash of asked)
      expect(answer.get(hash) ?? null).toEqual(wanted[hash]);
  });
});
