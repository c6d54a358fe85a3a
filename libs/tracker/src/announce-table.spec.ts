import fc from 'fast-check';
import { parseAddress } from './address';
import { AnnounceEvent, AnnounceRequest } from './announce-request';
import type { AnnounceEventCode } from './announce-request';
import { AnnounceTable, type AnnounceTableOptions } from './announce-table';

const SEED = new Uint32Array([1, 2, 3, 4]);

interface Ask {
  hash?: number;
  ip?: string;
  port?: number;
  id?: number;
  key?: number;
  event?: AnnounceEventCode;
  left?: number;
  numwant?: number;
}

function request(ask: Ask): AnnounceRequest {
  const r = new AnnounceRequest();
  r.infoHash.fill(ask.hash ?? 1);
  r.peerId.fill(ask.id ?? 1);
  const length = parseAddress(ask.ip ?? '10.0.0.1', r.ip);
  if (length === 0) throw new Error(`no address: ${ask.ip}`);
  r.ipLength = length;
  r.port = ask.port ?? 6881;
  r.event = ask.event ?? AnnounceEvent.none;
  r.complete = (ask.left ?? 1) === 0;
  r.key = ask.key ?? 0;
  r.hasKey = ask.key !== undefined;
  r.numwant = ask.numwant ?? -1;
  return r;
}

/** A table with its answers as text, `ip:port` or `[ip]:port`. */
class Tracker {
  readonly table: AnnounceTable;
  private readonly out = new Uint8Array(200 * 18);

  constructor(options: Partial<AnnounceTableOptions> = {}) {
    this.table = new AnnounceTable({ seed: SEED, ...options });
  }

  announce(ask: Ask, now = 0) {
    const { complete, incomplete, downloaded, peers4, peers6 } =
      this.table.announce(request(ask), now);
    const end4 = this.table.writePeers(4, this.out, 0);
    expect(end4).toBe(peers4 * 6);
    const peers = [...this.out.subarray(0, end4)]
      .join('.')
      .match(/(\d+\.?){6}/g);
    const text = (peers ?? []).map((six) => {
      const [a, b, c, d, high, low] = six.split('.').map(Number);
      return `${a}.${b}.${c}.${d}:${high * 256 + low}`;
    });
    const end6 = this.table.writePeers(16, this.out, 0);
    expect(end6).toBe(peers6 * 18);
    for (let at = 0; at < end6; at += 18)
      text.push(`v6#${this.out[at + 15]}:${this.out[at + 17]}`);
    return { complete, incomplete, downloaded, peers: text };
  }

  scrape(hash = 1, now = 0) {
    const counts = {
      complete: 0,
      incomplete: 0,
      downloaded: 0,
      downloaders: 0,
    };
    this.table.scrape(new Uint8Array(20).fill(hash), 0, now, counts);
    return counts;
  }
}

describe('AnnounceTable', () => {
  it('tells peers of each other and never of themselves', () => {
    const t = new Tracker();
    expect(t.announce({ id: 1, ip: '10.0.0.1' }).peers).toEqual([]);
    expect(t.announce({ id: 2, ip: '10.0.0.2' }).peers).toEqual([
      '10.0.0.1:6881',
    ]);
    expect(t.announce({ id: 1, ip: '10.0.0.1' }).peers).toEqual([
      '10.0.0.2:6881',
    ]);
    // The same client over another address: its own id is not handed to it.
    expect(t.announce({ id: 1, ip: '10.9.0.1' }).peers).toEqual([
      '10.0.0.2:6881',
    ]);
  });

  it('keeps one entry for ten announces, and for one that changes its port', () => {
    const t = new Tracker();
    for (let i = 0; i < 10; i++) t.announce({ id: 1 });
    t.announce({ id: 1, port: 7000 });
    expect(t.announce({ id: 2, ip: '10.0.0.2' }).peers).toEqual([
      '10.0.0.1:7000',
    ]);
  });

  it('lets a peer move to another address only with its key', () => {
    const t = new Tracker();
    t.announce({ id: 1, ip: '10.0.0.1', key: 77 });
    t.announce({ id: 1, ip: '10.0.0.3', key: 78 });
    expect(t.scrape().incomplete).toBe(2);
    t.announce({ id: 1, ip: '10.0.0.4', key: 77 });
    expect(t.announce({ id: 2, ip: '10.0.0.2' }).peers.sort()).toEqual([
      '10.0.0.3:6881',
      '10.0.0.4:6881',
    ]);
  });

  it('gives seeds no seeds, nor partial seeds', () => {
    const t = new Tracker();
    t.announce({ id: 1, ip: '10.0.0.1', left: 0 });
    t.announce({ id: 2, ip: '10.0.0.2', left: 5, event: AnnounceEvent.paused });
    t.announce({ id: 3, ip: '10.0.0.3', left: 5 });
    const seed = t.announce({ id: 4, ip: '10.0.0.4', left: 0 });
    expect(seed.peers).toEqual(['10.0.0.3:6881']);
    expect(t.announce({ id: 3, ip: '10.0.0.3' }).peers).toHaveLength(3);
    expect(t.scrape()).toEqual({
      complete: 2,
      incomplete: 2,
      downloaded: 0,
      downloaders: 1,
    });
  });

  it('gives seeds to a starter that claims to lack nothing: it may not know the size yet', () => {
    const t = new Tracker();
    t.announce({ id: 1, ip: '10.0.0.1', left: 0 });
    const starter = { id: 2, ip: '10.0.0.2', left: 0 };
    const event = AnnounceEvent.started;
    expect(t.announce({ ...starter, event }).peers).toEqual(['10.0.0.1:6881']);
    expect(t.announce(starter).peers).toEqual([]);
  });

  it('counts a completed download once', () => {
    const t = new Tracker();
    t.announce({ id: 1 });
    const done = { id: 1, left: 0, event: AnnounceEvent.completed };
    expect(t.announce(done).downloaded).toBe(1);
    expect(t.announce(done).downloaded).toBe(1);
    expect(t.scrape()).toMatchObject({ complete: 1, incomplete: 0 });
  });

  it('forgets who stops, and a stop of a stranger makes nothing negative', () => {
    const t = new Tracker();
    t.announce({ id: 1 });
    t.announce({ id: 2, port: 9, event: AnnounceEvent.stopped });
    expect(t.scrape().incomplete).toBe(1);
    t.announce({ id: 1, event: AnnounceEvent.stopped });
    t.announce({ id: 1, event: AnnounceEvent.stopped });
    expect(t.scrape()).toMatchObject({ complete: 0, incomplete: 0 });
    expect(t.announce({ id: 3, ip: '10.0.0.9' }).peers).toEqual([]);
  });

  it('puts the own subnet first and varies the rest', () => {
    const t = new Tracker();
    for (let i = 1; i <= 120; i++)
      t.announce({ id: i, ip: `10.1.${i}.1`, numwant: 0 });
    for (let i = 121; i <= 124; i++)
      t.announce({ id: i, ip: `10.7.7.${i}`, numwant: 0 });
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++) {
      const { peers } = t.announce({ id: 200, ip: '10.7.7.7' });
      expect(peers).toHaveLength(50);
      expect(new Set(peers).size).toBe(50);
      for (const near of peers.slice(0, 4))
        expect(near).toMatch(/^10\.7\.7\.12[1-4]:/);
      for (const peer of peers) seen.add(peer);
    }
    expect(seen.size).toBe(124);
  });

  it('varies answers where all peers share one subnet', () => {
    const t = new Tracker();
    for (let i = 1; i <= 120; i++)
      t.announce({ id: i, ip: '127.0.0.1', port: 7000 + i });
    const seen = new Set<string>();
    for (let i = 0; i < 40; i++)
      for (const peer of t.announce({ id: 200, ip: '127.0.0.1', port: 1 })
        .peers)
        seen.add(peer);
    expect(seen.size).toBe(120);
  });

  it.each([
    [0, 0],
    [1, 1],
    [-1, 50],
    [200, 200],
    [100_000, 200],
  ])('takes numwant %i as %i', (numwant, given) => {
    const t = new Tracker();
    for (let i = 0; i < 250; i++)
      t.announce({ id: i, ip: `10.1.1.${i}`, numwant: 0 });
    expect(t.announce({ id: 251, numwant }).peers).toHaveLength(given);
  });

  it('keeps IPv4 and IPv6 peers in one swarm', () => {
    const t = new Tracker();
    t.announce({ id: 1, ip: '10.0.0.1' });
    t.announce({ id: 2, ip: '2001:db8::7', port: 9 });
    expect(t.announce({ id: 3, ip: '2001:db8::8' }).peers.sort()).toEqual([
      '10.0.0.1:6881',
      'v6#7:9',
    ]);
    expect(t.scrape().incomplete).toBe(3);
    // One client over both families does not hear of itself.
    expect(t.announce({ id: 2, ip: '10.0.0.2' }).peers).not.toContain('v6#7:9');
  });

  it('keeps a peer for its interval and hands out nobody whose time is over', () => {
    const t = new Tracker({ interval: 100 });
    t.announce({ id: 1, ip: '10.0.0.1' }, 500);
    const later = (s: number) =>
      t.announce({ id: 2, ip: '10.0.0.2' }, s * 1000).peers;
    expect(later(101)).toHaveLength(1);
    expect(later(210)).toHaveLength(1);
    expect(later(212)).toHaveLength(0);
    expect(t.table.stats.peers).toBe(1);
  });

  it('expires in slices and gives the room back', () => {
    const t = new Tracker({ interval: 60 });
    for (let hash = 0; hash < 200; hash++)
      for (let id = 0; id < 10; id++)
        t.announce({ hash, id, ip: `10.0.0.${id}` }, 0);
    expect(t.table.stats).toMatchObject({ swarms: 200, peers: 2000 });
    t.table.sweep(300_000, 500);
    const { peers } = t.table.stats;
    expect(peers).toBeLessThan(2000);
    expect(peers).toBeGreaterThan(1000);
    for (let i = 0; i < 5; i++) t.table.sweep(300_000, 500);
    expect(t.table.stats).toMatchObject({ swarms: 0, peers: 0, seeds: 0 });
  });

  it('holds no more peers than allowed, in a swarm and in all', () => {
    const small = new Tracker({ peersPerSwarm: 10 });
    for (let i = 0; i < 50; i++) small.announce({ id: i, port: 1000 + i });
    expect(small.scrape().incomplete).toBe(10);
    const table = new Tracker({ maxPeers: 5, maxSwarms: 3 });
    for (let i = 0; i < 9; i++) table.announce({ id: i, port: 1000 + i });
    for (let i = 2; i < 9; i++) table.announce({ hash: i });
    expect(table.table.stats.peers).toBe(5);
    expect(table.table.stats.swarms).toBeLessThanOrEqual(3);
  });

  it('keeps completed counts of empty swarms', () => {
    const t = new Tracker({ interval: 60 });
    t.announce({ id: 1, left: 0, event: AnnounceEvent.completed });
    t.announce({ id: 1, left: 0, event: AnnounceEvent.stopped });
    t.table.sweep(1e7);
    expect(t.scrape().downloaded).toBe(1);
  });
});

interface ModelPeer {
  id: number;
  seed: boolean;
  partial: boolean;
  counted: boolean;
  until: number;
}

const step = fc.record({
  hash: fc.integer({ min: 1, max: 3 }),
  host: fc.integer({ min: 1, max: 12 }),
  v6: fc.boolean(),
  event: fc.constantFrom<AnnounceEventCode>(0, 0, 0, 1, 2, 3, 4),
  left: fc.integer({ min: 0, max: 1 }),
  wait: fc.constantFrom(0, 0, 0, 1000, 40_000, 200_000),
  sweep: fc.boolean(),
});

it('matches a naive table under any announces', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120 }),
      fc.boolean(),
      (steps, shared) => {
        const t = new Tracker({
          interval: 60,
          ...(shared ? { origin: 5 } : {}),
        });
        const swarms = new Map<number, Map<string, ModelPeer>>();
        const done = new Map<number, number>();
        let now = 0;
        for (const { hash, host, v6, event, left, wait, sweep } of steps) {
          now += wait;
          if (sweep) t.table.sweep(now, 50);
          const swarm = swarms.get(hash) ?? new Map<string, ModelPeer>();
          swarms.set(hash, swarm);
          for (const [name, peer] of swarm)
            if (Math.floor(now / 1000) > peer.until) swarm.delete(name);
          const ip = v6 ? `2001:db8::${host.toString(16)}` : `10.0.0.${host}`;
          const name = v6 ? `v6#${host}:${host}` : `${ip}:${host}`;
          const id = host + (v6 ? 100 : 0);
          const answer = t.announce(
            { hash, ip, id, port: host, event, left },
            now,
          );
          const known = swarm.get(name);
          if (event === AnnounceEvent.stopped) swarm.delete(name);
          else {
            const counted =
              known?.counted === true ||
              (event === AnnounceEvent.completed && left === 0);
            if (counted && known?.counted !== true)
              done.set(hash, (done.get(hash) ?? 0) + 1);
            swarm.set(name, {
              id,
              seed: left === 0,
              partial: event === AnnounceEvent.paused,
              counted,
              until: Math.ceil(now / 1000) + 150,
            });
          }
          const all = [...swarm];
          const seeds = all.filter(([, p]) => p.seed).length;
          expect(answer.complete).toBe(seeds);
          expect(answer.incomplete).toBe(all.length - seeds);
          const source =
            (left === 0 && event !== AnnounceEvent.started) ||
            event === AnnounceEvent.paused;
          const expected = all
            .filter(
              ([other, p]) =>
                other !== name && !(source && (p.seed || p.partial)),
            )
            .map(([other]) => other);
          expect(answer.peers.sort()).toEqual(
            event === AnnounceEvent.stopped ? [] : expected.sort(),
          );
        }
        const live = [...swarms.values()].flatMap((s) => [...s.values()]);
        const due = live.filter((p) => Math.floor(now / 1000) > p.until);
        expect(t.table.stats.peers).toBeGreaterThanOrEqual(
          live.length - due.length,
        );
        // Gravestones remember who completed, so a shared table may count fewer.
        for (const [hash, count] of done) {
          const { downloaded } = t.scrape(hash, now);
          if (!shared) expect(downloaded).toBe(count);
          else expect(downloaded).toBeLessThanOrEqual(count);
        }
      },
    ),
    { numRuns: 150 },
  );
});
