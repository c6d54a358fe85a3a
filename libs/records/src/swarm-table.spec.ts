import { betweenIncl } from '@dnd/chord';
import { Random } from '@dnd/sim';
import fc from 'fast-check';
import { GONE, packPeers, PEER_BYTES, SEED, unpackPeers } from './peer';
import { packAnswers, unpackAnswers } from './swarm-pack';
import { MAX_PEERS_GIVEN, MAX_PEERS_KEPT, SwarmTable } from './swarm-table';

const SWARM = 'ab'.repeat(20);
const A = '1'.repeat(40);
const B = '2'.repeat(40);
const RING = ['0'.repeat(40), 'f'.repeat(40)] as const;

function table(): SwarmTable {
  return new SwarmTable(new Random(1).uniform);
}

function peer(port: number, ttl = 60_000, flags = 0, address = [10, 0, 0, 1]) {
  const id = new Uint8Array(20).fill(port & 255);
  return { address: Uint8Array.from(address), port, id, flags, ttl };
}

function at(sequence: number, origin = A, late = 0) {
  return { sequence, origin, late };
}

function ports(t: SwarmTable, now: number, want = 200, seeds = true): number[] {
  const { peers } = t.read(SWARM, want, seeds, now);
  return unpackPeers(peers)
    .map(({ port }) => port)
    .sort((a, b) => a - b);
}

describe('a table of swarms', () => {
  it('gives peers back as they came, IPv4 and IPv6', () => {
    const t = table();
    const v6 = peer(2, 60_000, SEED, [32, 1, ...new Array(13).fill(0), 9]);
    t.announce(SWARM, packPeers([peer(1), v6]), 0, at(1), 0);
    const got = unpackPeers(t.read(SWARM, 10, true, 0).peers);
    const plain = ({ address, port, id, flags }: (typeof got)[number]) => ({
      address: [...address],
      port,
      id: [...id],
      flags,
    });
    const wanted = [peer(1), v6].map(plain);
    expect(got.map(plain)).toEqual(expect.arrayContaining(wanted));
    expect(got.length).toBe(2);
  });

  it('counts seeds and leechers, and leaves seeds and those who left out', () => {
    const t = table();
    const peers = [peer(1), peer(2, 60_000, SEED), peer(3, 60_000, GONE)];
    t.announce(SWARM, packPeers(peers), 0, at(1), 0);
    const { seeds, leechers } = t.read(SWARM, 0, true, 0);
    expect({ seeds, leechers }).toEqual({ seeds: 1, leechers: 1 });
    expect(ports(t, 0, 200, false)).toEqual([1]);
    expect(ports(t, 0)).toEqual([1, 2]);
  });

  it('logs a swarm when others would see it changed, and only then', () => {
    const t = table();
    const changes = (act: () => void): number => {
      const before = t.log.now;
      act();
      return t.log.since(before, 10)?.length ?? -1;
    };
    const tell =
      (sequence: number, flags: number, completed = 0) =>
      () => {
        const peers = packPeers([peer(1, 60_000, flags)]);
        t.announce(SWARM, peers, completed, at(sequence), 0);
      };
    expect(changes(tell(1, 0))).toBe(1);
    expect(changes(tell(2, 0))).toBe(0);
    expect(changes(tell(3, SEED))).toBe(1);
    expect(changes(tell(4, SEED, 1))).toBe(1);
    expect(changes(tell(5, GONE))).toBe(1);
    expect(changes(tell(6, GONE))).toBe(0);
    expect(changes(tell(7, 0))).toBe(1);
    expect(changes(() => t.sweep(4_096, 59_000))).toBe(0);
    expect(changes(() => t.sweep(4_096, 61_000))).toBe(1);
    expect(t.read(SWARM, 0, true, 61_000).leechers).toBe(0);
  });

  it('says which swarms are no longer as they are known, and how they are', () => {
    const t = table();
    const [same, grown, over, none] = ['1a', '2b', '3c', '4d'].map((byte) =>
      byte.repeat(20),
    );
    const peers = packPeers([peer(1), peer(2, 60_000, SEED)]);
    for (const swarm of [same, grown]) t.announce(swarm, peers, 1, at(1), 0);
    t.announce(over, packPeers([peer(3, 1_000)]), 0, at(1), 0);
    const known = [same, grown, over, none].map((s) => t.read(s, 0, true, 0));
    t.announce(grown, packPeers([peer(2, 60_000, GONE)]), 0, at(2), 0);
    const changed = unpackAnswers(t.changed(packAnswers(known), 2_000));
    expect(
      changed.map(({ swarm, seeds, leechers, completed }) => [
        swarm,
        seeds,
        leechers,
        completed,
      ]),
    ).toEqual([
      [grown, 0, 1, 1],
      [over, 0, 0, 0],
    ]);
    const nothing = { seeds: 1, leechers: 0, completed: 0, print: 0 };
    const told = packAnswers([
      { swarm: none, ...nothing, peers: new Uint8Array(0) },
    ]);
    expect(unpackAnswers(t.changed(told, 0))).toMatchObject([
      { swarm: none, seeds: 0 },
    ]);
  });

  it('sees that others are there though they are as many, on any replica alike', () => {
    const [one, other] = [table(), table()];
    const [first, second, third] = [1, 2, 3].map((port) => peer(port));
    const seed = peer(1, 60_000, SEED);
    one.announce(SWARM, packPeers([first, second]), 0, at(1), 0);
    other.announce(SWARM, packPeers([second]), 0, at(1), 0);
    other.announce(SWARM, packPeers([peer(1, 500)]), 0, at(2), 0);
    const known = packAnswers([one.read(SWARM, 0, true, 0)]);
    const news = (t: SwarmTable, now: number) => t.changed(known, now).length;
    expect([news(one, 0), news(other, 0)]).toEqual([0, 0]);
    other.announce(SWARM, packPeers([third]), 0, at(3), 0);
    // One has left by then, another has come.
    expect(other.read(SWARM, 0, true, 1_000)).toMatchObject({ leechers: 2 });
    expect(news(other, 1_000)).toBeGreaterThan(0);
    one.announce(SWARM, packPeers([seed, peer(2, 1, GONE)]), 0, at(4), 0);
    one.announce(SWARM, packPeers([first, second]), 0, at(5), 0);
    expect(news(one, 0)).toBe(0);
  });

  it('copies name the origins of their own peers, not all that were ever seen', () => {
    const [one, other] = [table(), table()];
    const origin = (i: number) => i.toString(16).padStart(40, '0');
    for (let i = 0; i < 3_000; i++) {
      const swarm = i < 2_990 ? origin(i) : SWARM;
      one.announce(swarm, packPeers([peer(i)]), 0, at(i, origin(i)), 0);
    }
    const last = ['ab'.padEnd(40, '0'), 'ac'.padEnd(40, '0')] as const;
    const { swarms, origins } = one.copy(...last, 10_000, 0);
    expect(origins).toHaveLength(10);
    other.paste(swarms, origins, 0, 0);
    expect(other.versions(SWARM)).toEqual(one.versions(SWARM));
  });

  it('ends a peer at its deadline, less the time its message was late', () => {
    const t = table();
    t.announce(SWARM, packPeers([peer(1, 1_000)]), 0, at(1, A, 400), 0);
    expect(ports(t, 580)).toEqual([1]);
    expect(ports(t, 601)).toEqual([]);
    expect(t.peers).toBe(0);
  });

  it('does not let an older message bring back who left', () => {
    const t = table();
    t.announce(SWARM, packPeers([peer(1, 60_000, GONE)]), 0, at(5), 0);
    t.announce(SWARM, packPeers([peer(1)]), 0, at(4), 10);
    expect(ports(t, 20)).toEqual([]);
    t.announce(SWARM, packPeers([peer(1)]), 0, at(6), 30);
    expect(ports(t, 40)).toEqual([1]);
  });

  it('counts a completed download once however often its message comes', () => {
    const t = table();
    const packed = packPeers([peer(1, 60_000, SEED)]);
    for (let i = 0; i < 3; i++) t.announce(SWARM, packed, 1, at(3), i);
    expect(t.read(SWARM, 0, true, 5).completed).toBe(1);
  });

  it('keeps at most 2,000 peers and gives at most 200, each once', () => {
    const t = table();
    const peers = Array.from({ length: 3_000 }, (_, i) =>
      peer(i + 1, 60_000 + i * 20),
    );
    t.announce(SWARM, packPeers(peers), 0, at(1), 0);
    expect(t.peers).toBe(MAX_PEERS_KEPT);
    const got = ports(t, 0, 5_000);
    expect(got.length).toBe(MAX_PEERS_GIVEN);
    expect(new Set(got).size).toBe(MAX_PEERS_GIVEN);
  });

  it('frees what is over by sweeping', () => {
    const t = table();
    for (let i = 0; i < 300; i++)
      t.announce(
        i.toString(16).padStart(3, '0').repeat(14).slice(0, 40),
        packPeers([peer(1, 500)]),
        0,
        at(1),
        0,
      );
    expect(t.swarms).toBe(300);
    t.sweep(4_096, 1_000);
    expect({ swarms: t.swarms, peers: t.peers }).toEqual({
      swarms: 0,
      peers: 0,
    });
  });

  it('is handed over page by page, whole, and never with more time than there was', () => {
    const swarm = fc
      .integer({ min: 0, max: 0xfff })
      .map((n) => n.toString(16).padStart(3, '0').padEnd(40, '7'));
    const put = fc.record({
      swarm,
      port: fc.integer({ min: 1, max: 9 }),
      ttl: fc.integer({ min: 100, max: 9_000 }),
    });
    const range = fc.tuple(swarm, swarm);
    fc.assert(
      fc.property(
        fc.array(put, { maxLength: 60 }),
        range,
        (puts, [from, to]) => {
          const one = table();
          puts.forEach(({ swarm: s, port, ttl }, i) =>
            one.announce(
              s,
              packPeers([peer(port, ttl)]),
              0,
              at(i + 1, i % 2 ? A : B),
              0,
            ),
          );
          const other = table();
          let start = from;
          for (let page = 0; page < 200; page++) {
            const { swarms, origins, more } = one.copy(start, to, 150, 50);
            other.paste(swarms, origins, 50, 70);
            const last = swarms.at(-1);
            if (!more || !last || last.swarm === to) break;
            start = last.swarm;
          }
          for (const { swarm: s } of puts) {
            const inside =
              from === to ||
              (from < to ? s > from && s <= to : s > from || s <= to);
            const had = one.versions(s);
            const got = other.versions(s);
            expect([...got.keys()].sort()).toEqual(
              inside ? [...had.keys()].sort() : [],
            );
            for (const [address, version] of got) {
              const original = had.get(address);
              expect(version.origin).toBe(original?.origin);
              expect(version.sequence).toBe(original?.sequence);
              expect(version.deadline).toBeLessThanOrEqual(
                original?.deadline ?? 0,
              );
            }
          }
        },
      ),
    );
  });

  it('comes to the same in whatever order replicas hear', () => {
    const event = fc.record({
      port: fc.integer({ min: 1, max: 3 }),
      sequence: fc.integer({ min: 1, max: 5 }),
      origin: fc.constantFrom(A, B),
    });
    fc.assert(
      fc.property(fc.array(event), fc.array(fc.nat()), (events, order) => {
        const shuffled = events
          .map((e, i) => ({ e, key: order[i] ?? i }))
          .sort((x, y) => x.key - y.key)
          .map(({ e }) => e);
        const states = [events, shuffled].map((list) => {
          const t = table();
          for (const { port, sequence, origin } of list)
            // What an origin says under one sequence is one thing.
            t.announce(
              SWARM,
              packPeers([
                peer(port, 1_000 * sequence, origin === A ? SEED : 0),
              ]),
              0,
              at(sequence, origin),
              0,
            );
          return [...t.versions(SWARM)].sort();
        });
        expect(states[0]).toEqual(states[1]);
      }),
    );
  });

  it('counts as a plain list of its peers does, whatever comes, goes and ends', () => {
    const event = fc.record({
      port: fc.integer({ min: 1, max: 6 }),
      flags: fc.constantFrom(0, SEED, GONE, GONE | SEED),
      ttl: fc.integer({ min: 0, max: 400 }),
      wait: fc.integer({ min: 0, max: 100 }),
      want: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const t = table();
        let now = 0;
        events.forEach(({ port, flags, ttl, wait, want }, i) => {
          now += wait;
          t.announce(SWARM, packPeers([peer(port, ttl, flags)]), 0, at(i), now);
          // Reading forgets whose time is over, or has no need to.
          if (want > 0) t.read(SWARM, want, true, now);
          const live = [...t.versions(SWARM).values()].filter(
            (each) => each.deadline > now && !(each.flags & GONE),
          );
          const seeds = live.filter((each) => each.flags & SEED).length;
          expect(t.read(SWARM, 0, true, now)).toMatchObject({
            seeds,
            leechers: live.length - seeds,
          });
          const counts = { swarms: 1, peers: live.length, seeds };
          expect(t.counts(...RING)).toEqual(counts);
        });
      }),
    );
  });

  it('counts what lies in a share of the ring', () => {
    const t = table();
    const ids = Array.from({ length: 300 }, (_, i) =>
      Math.imul(i + 1, 0x9e3779b1)
        .toString(16)
        .slice(-8)
        .padStart(40, '0'),
    ).concat(['1'.repeat(40), '2'.repeat(40), 'e'.repeat(40)]);
    ids.forEach((id, i) =>
      t.announce(id, packPeers([peer(1), peer(2, 60_000, SEED)]), 0, at(i), 0),
    );
    const cuts = ['0'.repeat(40), ids[7], ids[100], '1'.repeat(40), ids[301]];
    for (const from of cuts)
      for (const to of cuts) {
        const swarms = ids.filter((id) => betweenIncl(from, id, to)).length;
        const counts = { swarms, peers: 2 * swarms, seeds: swarms };
        expect(t.counts(from, to)).toEqual(counts);
      }
  });

  it('packs a peer in 39 bytes', () => {
    const t = table();
    t.announce(SWARM, packPeers([peer(1)]), 0, at(1), 0);
    expect(t.read(SWARM, 1, true, 0).peers.length).toBe(PEER_BYTES);
    expect(t.copy(...RING, 1_000, 0).swarms.length).toBe(1);
  });
});
