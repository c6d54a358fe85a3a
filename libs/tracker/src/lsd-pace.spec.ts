import { encodeLsd, LSD_MAX_BYTES } from './lsd';
import { LSD_DATAGRAM_GAP, LSD_TORRENT_GAP, LsdPace } from './lsd-pace';

const second = 1_000;
const hashes = (count: number, first = 0): string[] =>
  Array.from({ length: count }, (_, i) =>
    (first + i).toString(16).padStart(40, '0'),
  );

/** What is shouted, asked every second. */
function shouts(
  pace: LsdPace,
  torrents: () => readonly string[],
  from: number,
  until: number,
): { at: number; said: string[] }[] {
  const all: { at: number; said: string[] }[] = [];
  for (let at = from; at < until; at += second) {
    const said = pace.next(torrents, at);
    if (said.length > 0) all.push({ at, said });
  }
  return all;
}

describe('LsdPace', () => {
  it('shouts each torrent every five minutes', () => {
    const torrents = hashes(3);
    const heard = shouts(new LsdPace(), () => torrents, 0, 900 * second);
    expect(heard).toEqual(
      [0, 300, 600].map((at) => ({ at: at * second, said: torrents })),
    );
  });

  it('shouts a new one at once where it has been quiet for a minute, else after the minute', () => {
    const pace = new LsdPace();
    const torrents = hashes(1);
    expect(pace.next(() => torrents, 0)).toEqual(torrents);
    const [late] = hashes(1, 7);
    torrents.push(late);
    pace.added();
    expect(shouts(pace, () => torrents, second, 300 * second)).toEqual([
      { at: 60 * second, said: [late] },
    ]);
    const [later] = hashes(1, 8);
    torrents.push(later);
    pace.added();
    expect(pace.next(() => torrents, 299 * second)).toEqual([later]);
  });

  it('keeps a minute between datagrams and five between announces of one torrent, however many there are', () => {
    const torrents = hashes(70);
    const heard = shouts(new LsdPace(), () => torrents, 0, 3_600 * second);
    const lastOf = new Map<string, number>();
    let last = -Infinity;
    for (const { at, said } of heard) {
      expect(at - last).toBeGreaterThanOrEqual(LSD_DATAGRAM_GAP);
      last = at;
      for (const hash of said) {
        const gap = at - (lastOf.get(hash) ?? -Infinity);
        expect(gap).toBeGreaterThanOrEqual(LSD_TORRENT_GAP);
        lastOf.set(hash, at);
      }
      expect(encodeLsd({ port: 65_535, infoHashes: said }, 6)).toHaveLength(1);
    }
    expect(lastOf.size).toBe(70);
    for (const at of lastOf.values())
      expect(at).toBeGreaterThan((3_600 - 600) * second);
  });

  it('lets new ones go before those that were shouted already', () => {
    const pace = new LsdPace();
    const old = hashes(30);
    shouts(pace, () => old, 0, 290 * second);
    const fresh = hashes(5, 100);
    const torrents = [...old, ...fresh];
    pace.added();
    expect(pace.next(() => torrents, 400 * second).slice(0, 5)).toEqual(fresh);
  });

  it('looks at nothing while nothing can be due', () => {
    const pace = new LsdPace();
    let looks = 0;
    const torrents = (): string[] => {
      looks++;
      return hashes(1_000);
    };
    shouts(pace, torrents, 0, 120 * second);
    expect(looks).toBe(2);
  });

  it('asks for no datagram over 1,400 bytes', () => {
    const [datagram] = encodeLsd({
      port: 65_535,
      infoHashes: new LsdPace().next(() => hashes(1_000), 0),
      cookie: 'f'.repeat(64),
    });
    expect(datagram.length).toBeLessThanOrEqual(LSD_MAX_BYTES);
  });
});
