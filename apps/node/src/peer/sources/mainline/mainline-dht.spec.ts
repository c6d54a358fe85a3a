import type { DhtContact } from 'bittorrent-dht';
import { randomBytes } from 'node:crypto';
import { MainlineDht, type DhtTorrent } from './mainline-dht';

/** Nodes whose datagrams reach each other in memory; nothing leaves the process. */
class Network {
  readonly nodes = new Map<string, TestNode>();
  sent = 0;

  add(
    bootstrap: readonly DhtContact[],
    memory?: MainlineDht['memory'],
  ): TestNode {
    const node = new TestNode(this, this.nodes.size + 1, bootstrap, memory);
    this.nodes.set(node.host, node);
    return node;
  }

  async close(): Promise<void> {
    for (const { dht } of this.nodes.values()) await dht.stop();
  }
}

class TestNode {
  readonly host: string;
  readonly port = 6881;
  readonly dht: MainlineDht;
  readonly torrents = new Map<string, TestTorrent>();
  private waiting: (() => void)[] = [];

  constructor(
    network: Network,
    number: number,
    bootstrap: readonly DhtContact[],
    memory: MainlineDht['memory'] | undefined,
  ) {
    this.host = `10.0.0.${number}`;
    this.dht = new MainlineDht(
      {
        port: this.port,
        now: () => performance.now(),
        send: (datagram, host) => {
          network.sent++;
          const copy = Buffer.from(datagram);
          setImmediate(() =>
            network.nodes.get(host)?.dht.received(copy, this.host, this.port),
          );
        },
        byHash: (hash) => this.torrents.get(hash),
        found: () => this.waiting.splice(0).forEach((go) => go()),
      },
      memory,
      bootstrap,
    );
  }

  has(torrent: TestTorrent): void {
    this.torrents.set(torrent.hash, torrent);
    this.dht.started(torrent);
  }

  /** Ticks, as the engine does every second, until something holds. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      this.dht.tick();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

class TestTorrent implements DhtTorrent {
  readonly found: string[] = [];
  readonly wantsConnections = true;
  readonly complete = false;
  readonly local: DhtTorrent['local'];
  readonly isPrivate: boolean;
  readonly metainfo: object | undefined;
  readonly peers = {
    sockets: { size: 0 },
    book: {
      add: ({ host, port }: { host: string; port: number }): boolean => {
        this.found.push(`${host}:${port}`);
        return true;
      },
    },
  };

  constructor(
    readonly hash: string,
    kind: 'open' | 'private' | 'unknown' = 'open',
  ) {
    this.isPrivate = kind === 'private';
    this.metainfo = kind === 'unknown' ? undefined : {};
    this.local = { infoHashV1: Buffer.from(hash, 'hex'), uploadOnly: false };
  }
}

const newHash = (): string => randomBytes(20).toString('hex');

let network: Network;
beforeEach(() => (network = new Network()));
afterEach(() => network.close());

/** `count` nodes that know each other by the first. */
async function joined(count: number): Promise<TestNode[]> {
  const first = network.add([{ host: '10.0.0.2', port: 6881 }]);
  const nodes = [first];
  while (nodes.length < count) nodes.push(network.add([first]));
  for (const node of nodes)
    await node.until(() => node.dht.nodeCount >= count - 1);
  return nodes;
}

it('one who asks is told who has announced', async () => {
  const [, , seeder, asker] = await joined(6);
  const hash = newHash();
  const seeded = new TestTorrent(hash);
  seeder.has(seeded);
  await seeder.until(() => seeder.dht.stateOf(seeded)?.state === 'ok');
  const wanted = new TestTorrent(hash, 'unknown');
  asker.has(wanted);
  await asker.until(() => wanted.found.length > 0);
  expect(new Set(wanted.found)).toEqual(new Set([`${seeder.host}:6881`]));
});

it('a torrent without metadata is looked up and not announced', async () => {
  const [, first, second] = await joined(4);
  const hash = newHash();
  const unknown = new TestTorrent(hash, 'unknown');
  first.has(unknown);
  await first.until(() => first.dht.stateOf(unknown)?.state === 'ok');
  const other = new TestTorrent(hash);
  second.has(other);
  await second.until(() => second.dht.stateOf(other)?.state === 'ok');
  expect(other.found).toEqual([]);
});

it('private torrents cause not one message', async () => {
  const [node] = await joined(3);
  const secret = new TestTorrent(newHash(), 'private');
  node.has(secret);
  const { sent } = network;
  for (let i = 0; i < 100; i++) node.dht.tick();
  expect(node.dht.stateOf(secret)).toBeUndefined();
  expect(network.sent).toBe(sent);
});

it('nodes and the own id are known again after a restart, without a bootstrap', async () => {
  const [, , node] = await joined(5);
  const { memory } = node.dht;
  expect(memory.nodes.length).toBeGreaterThanOrEqual(4);
  await node.dht.stop();
  const again = network.add([], memory);
  await again.until(() => again.dht.nodeCount >= 4);
  expect(again.dht.memory.id).toBe(memory.id);
});

it('takes any message, hostile ones too', async () => {
  const [first, second] = await joined(2);
  for (const text of [
    'd1:ad2:id20:aaaaaaaaaaaaaaaaaaaa6:targeti5ee1:q9:find_node1:t2:aa1:y1:qe',
    'd1:ad2:id20:aaaaaaaaaaaaaaaaaaaa9:info_hashi5e4:porti1e5:tokeni1ee1:q13:announce_peer1:t2:aa1:y1:qe',
    'd1:rd2:idi5ee1:t2:aa1:y1:re',
    `d1:t2:aa1:y1:q1:q4:ping1:a${'l'.repeat(2000)}`,
    'd',
    '',
  ])
    first.dht.received(Buffer.from(text, 'latin1'), '10.0.0.9', 1);
  const hash = newHash();
  const seeded = new TestTorrent(hash);
  second.has(seeded);
  await second.until(() => second.dht.stateOf(seeded)?.state === 'ok');
});
