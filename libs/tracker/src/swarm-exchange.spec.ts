import fc from 'fast-check';
import { AnnounceEvent, AnnounceRequest } from './announce-request';
import { AnnounceTable, type AnnounceTableOptions } from './announce-table';
import type { SwarmCopy } from './swarm-exchange';
import { readSwarmUpdate, SwarmUpdateError } from './swarm-update';

const HASH = new Uint8Array(20).fill(1);
const SECOND = 1000;

interface Said {
  host: number;
  left?: number;
  event?: 'stopped' | 'completed' | 'paused';
}

/** One node's table, and what it shows. */
class Node {
  readonly table: AnnounceTable;

  constructor(origin: number, options: Partial<AnnounceTableOptions> = {}) {
    const seed = new Uint32Array([origin, 2, 3, 4]);
    this.table = new AnnounceTable({ seed, origin, interval: 100, ...options });
  }

  announce({ host, left, event }: Said, now: number) {
    const r = new AnnounceRequest();
    r.infoHash.fill(1);
    r.peerId.fill(host);
    r.ip.set([10, 0, 0, host]);
    r.port = 1000 + host;
    r.complete = left === 0;
    r.event = event ? AnnounceEvent[event] : AnnounceEvent.none;
    return { ...this.table.announce(r, now) };
  }

  /** Hosts that a stranger is told of. */
  hosts(now: number): number[] {
    const r = new AnnounceRequest();
    r.infoHash.fill(1);
    r.peerId.fill(255);
    r.ip.set([10, 9, 9, 9]);
    r.numwant = 200;
    this.table.announce(r, now); // port 0: not entered
    const out = new Uint8Array(1200);
    const end = this.table.writePeers(4, out, 0);
    const hosts: number[] = [];
    for (let at = 0; at < end; at += 6) hosts.push(out[at + 3]);
    return hosts.sort((a, b) => a - b);
  }

  scrape(now: number) {
    const counts = {
      complete: 0,
      incomplete: 0,
      downloaded: 0,
      downloaders: 0,
    };
    this.table.scrape(HASH, 0, now, counts);
    return counts;
  }
}

/** Passes one node's waiting changes on, and returns how many bytes that took. */
function pass(
  from: Node,
  to: Node,
  now: number,
  feed: 'local' | 'all' = 'local',
) {
  let bytes = 0;
  for (const update of from.table.changes(feed, now)) {
    to.table.merge(update.infoHash, update.bytes, now);
    bytes += update.bytes.length;
  }
  return bytes;
}

describe('changes and merge', () => {
  it('show another node’s peers, their state and their end', () => {
    const [a, b] = [new Node(1), new Node(2)];
    a.announce({ host: 1, left: 0, event: 'completed' }, 0);
    a.announce({ host: 2 }, 0);
    expect(pass(a, b, 0)).toBe(2 + 8 + 2 * 41);
    expect(b.hosts(0)).toEqual([1, 2]);
    expect(b.scrape(0)).toEqual({
      complete: 1,
      incomplete: 1,
      downloaded: 1,
      downloaders: 1,
    });
    expect(pass(a, b, 0)).toBe(0);
    a.announce({ host: 1, event: 'stopped' }, SECOND);
    pass(a, b, SECOND);
    expect(b.hosts(SECOND)).toEqual([2]);
    expect(b.hosts(300 * SECOND)).toEqual([]);
  });

  it('tell a mere refresh only when a quarter of the interval is over', () => {
    const [a, b] = [new Node(1), new Node(2)];
    a.announce({ host: 1 }, 0);
    pass(a, b, 0);
    a.announce({ host: 1 }, 20 * SECOND);
    expect(pass(a, b, 20 * SECOND)).toBe(0);
    a.announce({ host: 1 }, 26 * SECOND);
    expect(pass(a, b, 26 * SECOND)).toBeGreaterThan(0);
  });

  it('tell a stop that another node may know of', () => {
    const [a, b] = [new Node(1), new Node(2)];
    a.announce({ host: 1 }, 0);
    pass(a, b, 0);
    b.announce({ host: 3 }, 5 * SECOND);
    b.announce({ host: 1, event: 'stopped' }, 5 * SECOND);
    pass(b, a, 5 * SECOND);
    expect(a.hosts(5 * SECOND)).toEqual([3]);
    // The older word comes round again and raises nobody.
    const old = new Node(9);
    old.announce({ host: 1 }, 4 * SECOND);
    pass(old, a, 6 * SECOND);
    expect(a.hosts(6 * SECOND)).toEqual([3]);
    // The peer itself does.
    b.announce({ host: 1 }, 7 * SECOND);
    pass(b, a, 7 * SECOND);
    expect(a.hosts(7 * SECOND)).toEqual([1, 3]);
  });

  it('lets a peer stop and come back within one second', () => {
    const [a, b] = [new Node(1), new Node(2)];
    for (const event of [undefined, 'stopped', undefined] as const) {
      a.announce({ host: 1, ...(event && { event }) }, 0);
      pass(a, b, 0);
    }
    expect(b.hosts(0)).toEqual([1]);
  });

  it('keeps nobody alive by passing words round', () => {
    const nodes = [new Node(1), new Node(2), new Node(3)];
    nodes[0].announce({ host: 1 }, 0);
    for (let s = 0; s < 400; s++) {
      const from = nodes[s % 3];
      const snapshot = from.table.snapshot(HASH, s * SECOND);
      if (snapshot)
        for (const to of nodes) to.table.merge(HASH, snapshot, s * SECOND);
    }
    for (const node of nodes) expect(node.hosts(211 * SECOND)).toEqual([]);
  });

  it('count completed downloads once, however often they are told', () => {
    const [a, b] = [new Node(1), new Node(2)];
    a.announce({ host: 1, left: 0, event: 'completed' }, 0);
    b.announce({ host: 2, left: 0, event: 'completed' }, 0);
    for (let i = 0; i < 3; i++)
      for (const [from, to] of [
        [a, b],
        [b, a],
      ])
        to.table.merge(HASH, from.table.snapshot(HASH, 0) ?? HASH, 0);
    expect(a.scrape(0).downloaded).toBe(2);
    // A node that knew nothing learns it all from one of them.
    const c = new Node(3);
    c.table.merge(HASH, a.table.snapshot(HASH, 0) ?? HASH, 0);
    expect(c.scrape(0).downloaded).toBe(2);
  });

  it('refuses bytes that are no update, and believes no far future', () => {
    const node = new Node(1);
    const bad = [
      [],
      [2, 0],
      [1, 1, 0],
      [1, 65, ...new Array(520).fill(0)],
      [1, 0, 0, 9],
    ];
    for (const bytes of bad)
      expect(() => node.table.merge(HASH, Uint8Array.from(bytes), 0)).toThrow(
        SwarmUpdateError,
      );
    expect(() =>
      node.table.merge(HASH.subarray(1), Uint8Array.from([1, 0]), 0),
    ).toThrow(SwarmUpdateError);
    const ahead = new Node(2);
    ahead.announce({ host: 1 }, 1e6 * SECOND);
    pass(ahead, node, 0);
    expect(node.hosts(0)).toEqual([]);
  });

  it('lets no gravestone come to life past the limit', () => {
    const node = new Node(1, { maxPeers: 2 });
    for (const host of [1, 2]) node.announce({ host }, 0);
    node.announce({ host: 1, event: 'stopped' }, 0);
    node.announce({ host: 3 }, 0);
    const other = new Node(2);
    other.announce({ host: 1 }, 5 * SECOND);
    pass(other, node, 5 * SECOND);
    expect(node.hosts(5 * SECOND)).toEqual([2, 3]);
    expect(node.table.stats.peers).toBe(2);
  });

  it('survives any bytes', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat({ max: 3 }),
        (bytes, origins) => {
          const node = new Node(1);
          try {
            node.table.merge(HASH, Uint8Array.from([1, origins, ...bytes]), 0);
          } catch (error) {
            expect(error).toBeInstanceOf(SwarmUpdateError);
          }
          for (const host of node.hosts(0))
            expect(host).toBeGreaterThanOrEqual(0);
          expect(node.table.stats.peers).toBeLessThanOrEqual(5);
        },
      ),
    );
  });

  it('are the same everywhere once everybody has told everybody', () => {
    const event = fc.record({
      node: fc.nat({ max: 2 }),
      host: fc.integer({ min: 1, max: 5 }),
      left: fc.integer({ min: 0, max: 1 }),
      event: fc.constantFrom(
        undefined,
        undefined,
        'stopped',
        'completed',
        'paused',
      ),
      wait: fc.constantFrom(0, 1, 30, 90),
      tell: fc.nat({ max: 8 }),
    });
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const nodes = [new Node(1), new Node(2), new Node(3)];
        let now = 0;
        for (const { node, host, left, event, wait, tell } of events) {
          now += wait * SECOND;
          nodes[node].announce({ host, left, ...(event && { event }) }, now);
          if (tell < 3 && tell !== node) pass(nodes[node], nodes[tell], now);
        }
        const views = () =>
          nodes.map((n) =>
            JSON.stringify([n.hosts(now), { ...n.scrape(now) }]),
          );
        for (let round = 0; round < 3; round++)
          for (const from of nodes)
            for (const to of nodes) {
              const snapshot = from.table.snapshot(HASH, now);
              if (snapshot) to.table.merge(HASH, snapshot, now);
            }
        expect(new Set(views()).size).toBe(1);
      }),
    );
  });

  it('can be read by whoever passes them on in another form', () => {
    const node = new Node(7);
    node.announce({ host: 1, left: 0, event: 'completed' }, 5 * SECOND);
    node.announce({ host: 1, event: 'stopped' }, 6 * SECOND);
    const [{ bytes }] = node.table.changes('local', 6 * SECOND);
    expect(readSwarmUpdate(bytes)).toEqual({
      completed: [{ origin: 7, count: 1 }],
      peers: [
        {
          ip: new Uint8Array([10, 0, 0, 1]),
          port: 1001,
          peerId: new Uint8Array(20).fill(1),
          seed: false,
          partial: false,
          gone: true,
          seconds: 209,
          sequence: 6,
          origin: 7,
        },
      ],
    });
  });

  it('come in batches and forget nothing', () => {
    const [a, b] = [new Node(1), new Node(2)];
    const r = new AnnounceRequest();
    for (let i = 1; i <= 100; i++) {
      r.infoHash.fill(i);
      r.port = 1;
      a.table.announce(r, 0);
    }
    let batches = 0;
    for (;;) {
      const updates = a.table.changes('local', 0, 430);
      if (updates.length === 0) break;
      batches++;
      for (const { infoHash, bytes } of updates)
        b.table.merge(infoHash, bytes, 0);
    }
    expect(batches).toBe(10);
    expect(b.table.stats).toMatchObject({ swarms: 100, peers: 100 });
  });

  it('give a new version with each change, and none without', () => {
    const node = new Node(1);
    expect(node.table.version(HASH)).toBe(0);
    const versions = [
      () => node.announce({ host: 1 }, 0),
      () => node.announce({ host: 1, left: 0 }, 0),
      () => node.announce({ host: 1, event: 'stopped' }, 0),
    ].map((change) => (change(), node.table.version(HASH)));
    expect(new Set([0, ...versions]).size).toBe(4);
    node.hosts(0);
    expect(node.table.version(HASH)).toBe(versions[2]);
  });
});

describe('copies', () => {
  const peer = (host: number, seed = false) => ({
    ip: new Uint8Array([10, 0, 0, host]),
    port: 1000 + host,
    peerId: new Uint8Array(20).fill(host),
    seed,
    partial: false,
  });
  const copyOf = (...peers: SwarmCopy['peers']): SwarmCopy => ({
    complete: peers.filter((p) => p.seed).length,
    incomplete: peers.filter((p) => !p.seed).length,
    downloaded: 0,
    peers,
  });

  it('live only as long as they are said to', () => {
    const node = new Node(1);
    node.table.copy(HASH, copyOf(peer(1), peer(2, true)), 30, 0);
    expect(node.hosts(30 * SECOND)).toEqual([1, 2]);
    expect(node.scrape(30 * SECOND)).toMatchObject({
      complete: 1,
      incomplete: 1,
    });
    expect(node.hosts(31 * SECOND)).toEqual([]);
  });

  it('do not speak against what clients said here', () => {
    const node = new Node(1);
    node.announce({ host: 1, left: 0 }, 0);
    node.announce({ host: 2 }, 0);
    node.announce({ host: 2, event: 'stopped' }, 0);
    node.table.copy(HASH, copyOf(peer(1), peer(2), peer(3)), 30, SECOND);
    expect(node.hosts(SECOND)).toEqual([1, 3]);
    expect(node.scrape(SECOND)).toMatchObject({ complete: 1, incomplete: 1 });
    expect(node.hosts(100 * SECOND)).toEqual([1]);
    // Long after the stop the peer must have come back elsewhere.
    node.table.copy(HASH, copyOf(peer(2)), 30, 100 * SECOND);
    expect(node.hosts(100 * SECOND)).toEqual([1, 2]);
  });

  it('are not told on, until the peer announces here', () => {
    const node = new Node(1);
    node.table.copy(HASH, copyOf(peer(1)), 30, 0);
    expect(node.table.changes('local', 0)).toEqual([]);
    expect(node.table.changes('all', 0)).toEqual([]);
    node.announce({ host: 1 }, 0);
    expect(node.table.changes('local', 0)).toHaveLength(1);
    expect(node.hosts(100 * SECOND)).toEqual([1]);
  });

  it('lend their numbers where they are a part of a large swarm', () => {
    const node = new Node(1);
    const part = {
      ...copyOf(peer(1)),
      complete: 300,
      incomplete: 700,
      downloaded: 9,
    };
    node.table.copy(HASH, part, 30, 0);
    expect(node.announce({ host: 5 }, 0)).toMatchObject({
      complete: 300,
      incomplete: 700,
      downloaded: 9,
    });
    expect(node.scrape(31 * SECOND)).toMatchObject({
      complete: 0,
      incomplete: 1,
      downloaded: 9,
    });
  });

  it('pass over peers that cannot be', () => {
    const node = new Node(1);
    const bad = [
      { ...peer(1), port: 0 },
      { ...peer(1), port: 70_000 },
      { ...peer(1), peerId: new Uint8Array(3) },
      { ...peer(1), ip: new Uint8Array(5) },
    ];
    node.table.copy(HASH, copyOf(...bad), 30, 0);
    expect(node.table.stats.peers).toBe(0);
  });
});
