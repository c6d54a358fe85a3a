import { Random, VirtualTime } from '@dnd/sim';
import { Holepunch, type Endpoint, type HolepunchOutput } from './holepunch';
import { HolepunchError, type HolepunchMessage } from './holepunch-message';
import { UtpEnd } from './testing/utp-link';
import { UtpMultiplexer } from './utp/utp-multiplexer';

const endpoint = (last: number, port = 6881): Endpoint => ({
  address: Uint8Array.of(10, 0, 0, last),
  port,
});

/** Peers are called by the last number of their address; all support it but 9, and 1 is we. */
function relay(connected: readonly number[] = [2, 3, 9]): Holepunch<number> {
  return new Holepunch<number>({
    at: ({ address }) => connected.find((each) => each === address[3]),
    endpointOf: (peer) => endpoint(peer),
    supports: (peer) => peer !== 9,
    isSelf: ({ address }) => address[3] === 1,
  });
}

const rendezvous = (last: number): HolepunchMessage => ({
  type: 'rendezvous',
  ...endpoint(last),
  error: 0,
});

describe('a relay', () => {
  it('tells both ends to dial each other', () => {
    const connect = { type: 'connect', error: HolepunchError.none };
    expect(relay().handle(2, rendezvous(3), 0)).toEqual([
      { type: 'send', to: 3, message: { ...connect, ...endpoint(2) } },
      { type: 'send', to: 2, message: { ...connect, ...endpoint(3) } },
    ]);
  });

  it.each<[string, number, keyof typeof HolepunchError]>([
    ['itself', 1, 'noSelf'],
    ['somebody it is not connected with', 7, 'notConnected'],
    ['whoever asks', 2, 'notConnected'],
    ['somebody who cannot', 9, 'noSupport'],
  ])('refuses to bring together with %s', (_whom, last, code) => {
    const message = {
      type: 'error',
      ...endpoint(last),
      error: HolepunchError[code],
    };
    expect(relay().handle(2, rendezvous(last), 0)).toEqual([
      { type: 'send', to: 2, message },
    ]);
  });

  it('acts on twenty messages of one peer in a minute', () => {
    const hole = relay();
    const acted = (now: number): number => {
      let count = 0;
      for (let i = 0; i < 100; i++)
        count += hole.handle(2, rendezvous(3), now).length / 2;
      return count;
    };
    expect([acted(0), acted(59_000), acted(60_000)]).toEqual([20, 0, 20]);
    expect(hole.handle(3, rendezvous(2), 0)).toHaveLength(2);
  });
});

describe('an end', () => {
  it('asks a relay that supports it, once a minute for an address', () => {
    const hole = relay();
    const asked = [{ type: 'send', to: 2, message: rendezvous(7) }];
    expect(hole.seek(endpoint(7), [9], 0)).toEqual([]);
    expect(hole.seek(endpoint(7), [9, 2, 3], 0)).toEqual(asked);
    expect(hole.seek(endpoint(7), [2], 59_999)).toEqual([]);
    expect(hole.seek(endpoint(7), [2], 60_000)).toEqual(asked);
  });

  it('dials when it is told to, but not itself or a peer that it has', () => {
    const hole = relay();
    const dialled = (last: number): HolepunchOutput<number>[] =>
      hole.handle(2, { ...rendezvous(last), type: 'connect' }, 0);
    expect(dialled(7)).toEqual([{ type: 'dial', endpoint: endpoint(7) }]);
    expect(dialled(1)).toEqual([]);
    expect(dialled(3)).toEqual([]);
  });

  it('does nothing on an error', () => {
    const message = { ...rendezvous(7), type: 'error' as const, error: 2 };
    expect(relay().handle(2, message, 0)).toEqual([]);
  });
});

/** Two ends behind firewalls that let in only answers, and a relay that both are connected with. */
class Firewalls {
  readonly time = new VirtualTime();
  readonly accepted: UtpEnd[] = [];
  readonly multiplexers: ReadonlyMap<number, UtpMultiplexer>;
  private readonly let = new Set<string>();
  private readonly random: Random;

  constructor(
    seed: number,
    private readonly loss: number,
  ) {
    this.random = new Random(seed);
    this.multiplexers = new Map([2, 3].map((me) => [me, this.end(me)]));
  }

  dial(me: number, other: number): UtpEnd {
    const end = new UtpEnd(() => this.time.now);
    const now = this.time.now;
    end.socket = this.multiplexers.get(me)?.connect(String(other), end, now);
    return end;
  }

  run(milliseconds: number): void {
    const until = this.time.now + milliseconds;
    for (let now = this.time.now; now <= until; now += 10) {
      this.time.at(now, () => {
        for (const each of this.multiplexers.values()) each.tick(now);
      });
    }
    while (this.time.now < until) this.time.step();
  }

  private end(me: number): UtpMultiplexer {
    return new UtpMultiplexer({
      send: (datagram, address) => {
        const other = Number(address);
        this.let.add(`${other}>${me}`);
        if (this.random.chance(this.loss)) return;
        const copy = datagram.slice();
        this.time.after(30, () => {
          if (this.let.has(`${me}>${other}`))
            this.multiplexers
              .get(other)
              ?.handle(copy, String(me), this.time.now);
        });
      },
      random16: () => this.random.int(65_536),
      onConnection: (socket) => {
        const end = new UtpEnd(() => this.time.now);
        end.socket = socket;
        this.accepted.push(end);
        return end;
      },
    });
  }
}

describe('two ends behind firewalls', () => {
  it('do not reach each other when one dials', () => {
    const world = new Firewalls(1, 0);
    const end = world.dial(2, 3);
    world.run(10_000);
    expect(end.connected).toBe(false);
  });

  it.each(
    [0, 0.1, 0.2].flatMap((loss) => [1, 2, 3].map((seed) => [loss, seed])),
  )(
    'reach each other when a relay has told both (loss %f, seed %i)',
    (loss, seed) => {
      const world = new Firewalls(seed, loss);
      const hole = relay();
      const [first] = relay([]).seek(endpoint(3), [1 + 1], 0);
      expect(first).toMatchObject({ type: 'send' });
      const ends: UtpEnd[] = [];
      for (const output of hole.handle(2, rendezvous(3), 0)) {
        if (output.type !== 'send') continue;
        const { to, message } = output;
        for (const { type } of relay([]).handle(1, message, 0))
          if (type === 'dial') ends.push(world.dial(to, message.address[3]));
      }
      world.run(15_000);
      expect(ends).toHaveLength(2);
      expect(ends.some(({ connected }) => connected)).toBe(true);
    },
  );
});
