import type { Process } from './host';
import type { Endpoint, LinkFaults } from './network';
import { SimNetwork } from './network';
import { Random } from './random';
import { VirtualTime } from './virtual-time';

type Network = SimNetwork<Endpoint, string>;

/** Answers every question with its echo and writes down what it hears. */
class Echo implements Process<Endpoint, string> {
  readonly heard: string[] = [];
  wakeAt = Infinity;

  constructor(
    private readonly network: Network,
    readonly self: Endpoint,
  ) {}

  tick(now: number): void {
    this.heard.push(`tick ${now}`);
    this.wakeAt = Infinity;
  }

  request(call: number, _from: Endpoint, message: string): void {
    this.heard.push(message);
    this.network.reply(this.self, call, `echo ${message}`);
  }

  reply(call: number, message: string): void {
    this.heard.push(`${call} ${message}`);
  }

  unreachable(call: number): void {
    this.heard.push(`${call} unreachable`);
  }

  multicast(message: string): void {
    this.heard.push(`multicast ${message}`);
  }
}

function build(count: number, faults: Partial<LinkFaults> = {}, seed = 1) {
  const network: Network = new SimNetwork(
    new VirtualTime(),
    new Random(seed),
    faults,
  );
  const nodes = Array.from({ length: count }, (_, i) => {
    const self = { host: 'h', port: i };
    const echo = new Echo(network, self);
    const host = network.addHost(self);
    host.start(echo);
    return { self, echo, host };
  });
  return { network, nodes, time: network.time };
}

describe('SimNetwork', () => {
  it('carries questions, answers and multicasts', () => {
    const { network, nodes, time } = build(3);
    const [a, b, c] = nodes as [Node, Node, Node];
    network.request(a.self, b.self, 7, 'hello');
    network.multicast(a.self, 'all');
    time.run(100);
    expect(a.echo.heard).toEqual(['7 echo hello']);
    expect([...b.echo.heard].sort()).toEqual(['hello', 'multicast all']);
    expect(c.echo.heard).toEqual(['multicast all']);
  });

  it('says at once that a process is down, or nothing, as told', () => {
    const { network, nodes, time } = build(2);
    const [a, b] = nodes as [Node, Node];
    b.host.crash();
    network.request(a.self, b.self, 1, 'x');
    time.run(100);
    network.faults = { ...network.faults, refuse: 0 };
    network.request(a.self, b.self, 2, 'x');
    time.run(100);
    expect(a.echo.heard).toEqual(['1 unreachable']);
  });

  it('cuts one way, in parts, and heals', () => {
    const { network, nodes, time } = build(3);
    const [a, b, c] = nodes as [Node, Node, Node];
    network.cut(a.self, b.self);
    network.request(a.self, b.self, 1, 'lost');
    network.request(b.self, a.self, 2, 'heard, its answer lost');
    time.run(100);
    network.heal();
    network.partition([[a.self, b.self], [c.self]]);
    network.request(a.self, b.self, 3, 'inside');
    network.request(a.self, c.self, 4, 'across');
    time.run(100);
    expect(b.echo.heard).toEqual(['inside']);
    expect(c.echo.heard).toEqual([]);
    expect(a.echo.heard).toEqual(['heard, its answer lost', '3 echo inside']);
  });

  it('loses, doubles and reorders at about the rates asked for', () => {
    const { network, nodes, time } = build(2, {
      drop: 0.2,
      duplicate: 0.1,
      jitter: 50,
    });
    const [a, b] = nodes as [Node, Node];
    for (let i = 0; i < 2000; i++) network.request(a.self, b.self, i, `${i}`);
    time.run(60_000);
    const order = b.echo.heard.map(Number);
    expect(order.length).toBeGreaterThan(2000 * 0.8 * 1.1 - 120);
    expect(order.length).toBeLessThan(2000 * 0.8 * 1.1 + 120);
    expect(order).not.toEqual([...order].sort((x, y) => x - y));
  });

  it('keeps a paused process from running and then hands it what waited', () => {
    const { network, nodes, time } = build(2);
    const [a, b] = nodes as [Node, Node];
    b.host.clockOffset = 1_000_000;
    b.echo.wakeAt = 1_000_100;
    b.host.reschedule();
    b.host.pause(5_000);
    network.request(a.self, b.self, 1, 'waiting');
    time.run(4_000);
    expect(b.echo.heard).toEqual([]);
    time.run(4_000);
    expect([...b.echo.heard].sort()).toEqual(['tick 1005000', 'waiting']);
  });

  it('gives the same trace for the same seed only', () => {
    const trace = (seed: number) => {
      const { network, nodes, time } = build(4, { drop: 0.1, jitter: 5 }, seed);
      for (let i = 0; i < 50; i++) {
        const [from, to] = network.random.shuffle(nodes) as [Node, Node];
        network.request(from.self, to.self, i, 'm');
      }
      time.run(1000);
      return network.trace.hash;
    };
    expect(trace(1)).toBe(trace(1));
    expect(trace(1)).not.toBe(trace(2));
  });
});

type Node = ReturnType<typeof build>['nodes'][number];
