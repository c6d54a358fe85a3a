import { AnnounceEvent, AnnounceRequest } from './announce-request';
import { AnnounceTable, type AnnounceTableOptions } from './announce-table';
import type { ChangedPeer, SwarmCopy } from './swarm-exchange';

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

  constructor(options: Partial<AnnounceTableOptions> = {}) {
    const seed = new Uint32Array([1, 2, 3, 4]);
    this.table = new AnnounceTable({
      seed,
      shared: true,
      interval: 100,
      ...options,
    });
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

interface Told extends ChangedPeer {
  readonly host: number;
}

/** What waits to be told. */
function changes(node: Node, now: number, most?: number) {
  const told: { hash: number; completed: number; peers: Told[] }[] = [];
  const sink = {
    swarm: (infoHash: Uint8Array, completed: number) =>
      void told.push({ hash: infoHash[0], completed, peers: [] }),
    peer: (peer: ChangedPeer) =>
      void told.at(-1)?.peers.push({ ...peer, host: peer.ip[3] }),
  };
  expect(node.table.changes(sink, now, most)).toBe(told.length);
  return told;
}

const hostsOf = (told: ReturnType<typeof changes>) =>
  told.flatMap(({ peers }) => peers.map(({ host }) => host)).sort();

describe('changes', () => {
  it('tell who came, completed and left, each once', () => {
    const node = new Node();
    node.announce({ host: 1, left: 0, event: 'completed' }, 0);
    node.announce({ host: 2 }, 0);
    const [told, ...more] = changes(node, 0);
    expect(more).toEqual([]);
    expect(told).toMatchObject({ hash: 1, completed: 1 });
    expect(told.peers).toMatchObject([
      { host: 1, port: 1001, seed: true, gone: false, seconds: 210 },
      { host: 2, port: 1002, seed: false, gone: false, seconds: 210 },
    ]);
    expect(changes(node, 0)).toEqual([]);
    node.announce({ host: 1, event: 'stopped' }, 6 * SECOND);
    expect(changes(node, 6 * SECOND)).toMatchObject([
      {
        completed: 0,
        peers: [{ host: 1, gone: true, seed: false, seconds: 204 }],
      },
    ]);
  });

  it('tell a mere refresh only when half of the interval is over', () => {
    const node = new Node();
    node.announce({ host: 1 }, 0);
    changes(node, 0);
    node.announce({ host: 1 }, 49 * SECOND);
    expect(changes(node, 49 * SECOND)).toEqual([]);
    node.announce({ host: 1 }, 51 * SECOND);
    const [{ peers }] = changes(node, 51 * SECOND);
    expect(peers).toMatchObject([{ host: 1, seconds: 210 }]);
  });

  it('tell a stop of a peer that announced elsewhere', () => {
    const node = new Node();
    node.announce({ host: 3 }, 0);
    node.announce({ host: 1, event: 'stopped' }, 0);
    expect(hostsOf(changes(node, 0))).toEqual([1, 3]);
    expect(node.hosts(0)).toEqual([3]);
  });

  it('tell the last word of a peer that stops and comes back', () => {
    const node = new Node();
    for (const event of [undefined, 'stopped', undefined] as const)
      node.announce({ host: 1, ...(event && { event }) }, 0);
    expect(changes(node, 0)).toMatchObject([{ peers: [{ gone: false }] }]);
    expect(node.hosts(0)).toEqual([1]);
  });

  it('lets no gravestone come to life past the limit', () => {
    const node = new Node({ maxPeers: 2 });
    for (const host of [1, 2]) node.announce({ host }, 0);
    node.announce({ host: 1, event: 'stopped' }, 0);
    node.announce({ host: 3 }, 0);
    node.table.copy(HASH, copyOf(peer(1)), 30, 40 * SECOND);
    expect(node.hosts(40 * SECOND)).toEqual([2, 3]);
    expect(node.table.stats.peers).toBe(2);
  });

  it('come in batches of whole swarms and forget nothing', () => {
    const node = new Node();
    const r = new AnnounceRequest();
    for (let i = 1; i <= 100; i++) {
      r.infoHash.fill(i);
      for (r.port = 1; r.port <= 3; r.port++) {
        r.peerId.fill(r.port);
        node.table.announce(r, 0);
      }
    }
    const batches = Array.from({ length: 6 }, () => changes(node, 0, 60));
    expect(batches.map(({ length }) => length)).toEqual([
      20, 20, 20, 20, 20, 0,
    ]);
    const told = batches.flat();
    expect(new Set(told.map(({ hash }) => hash)).size).toBe(100);
    expect(told.every(({ peers }) => peers.length === 3)).toBe(true);
  });

  it('come of shared tables only', () => {
    const node = new Node({ shared: false });
    node.announce({ host: 1 }, 0);
    expect(changes(node, 0)).toEqual([]);
  });

  it('show IPv6 peers whole', () => {
    const node = new Node();
    const r = new AnnounceRequest();
    r.ip.set(Array.from({ length: 16 }, (_, i) => 0xf0 + i));
    r.ipLength = 16;
    r.peerId.set(Array.from({ length: 20 }, (_, i) => i));
    r.port = 65_535;
    node.table.announce(r, 0);
    const seen: unknown[] = [];
    node.table.changes(
      {
        swarm: () => undefined,
        peer: ({ ip, peerId, port }) =>
          void seen.push([[...ip], [...peerId], port]),
      },
      0,
    );
    expect(seen).toEqual([[[...r.ip], [...r.peerId], 65_535]]);
  });
});

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

describe('copies', () => {
  it('live only as long as they are said to', () => {
    const node = new Node();
    node.table.copy(HASH, copyOf(peer(1), peer(2, true)), 30, 0);
    expect(node.hosts(30 * SECOND)).toEqual([1, 2]);
    expect(node.scrape(30 * SECOND)).toMatchObject({
      complete: 1,
      incomplete: 1,
    });
    expect(node.hosts(31 * SECOND)).toEqual([]);
  });

  it('do not speak against what clients said here', () => {
    const node = new Node();
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
    const node = new Node();
    node.table.copy(HASH, copyOf(peer(1)), 30, 0);
    expect(changes(node, 0)).toEqual([]);
    node.announce({ host: 1 }, 0);
    expect(hostsOf(changes(node, 0))).toEqual([1]);
    expect(node.hosts(100 * SECOND)).toEqual([1]);
  });

  it('lend their numbers where they are a part of a large swarm', () => {
    const node = new Node();
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
    const node = new Node();
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
