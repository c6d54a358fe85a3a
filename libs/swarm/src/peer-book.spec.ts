import { PeerBook, keyOf } from './peer-book';
import type { PeerAddress } from './peer-book';
import { seededRandom } from './testing/seeded-random';

function book(
  options: Partial<ConstructorParameters<typeof PeerBook>[0]> = {},
) {
  return new PeerBook({ random: seededRandom(3), ...options });
}

const at = (n: number): PeerAddress => ({ host: `10.0.0.${n}`, port: 6881 });

describe('PeerBook', () => {
  it('remembers every source of an address, once', () => {
    const peers = book();
    peers.add(at(1), 'tracker');
    peers.add(at(1), 'pex');
    expect(peers.size).toBe(1);
    expect(peers.sourcesOf(at(1))).toEqual(['tracker', 'pex']);
  });

  it.each([0, -1, 65_536, 1.5, NaN])('refuses port %s', (port) => {
    expect(book().add({ host: '10.0.0.1', port }, 'pex')).toBe(false);
  });

  it('believes only the sources it is to believe', () => {
    const peers = book();
    peers.believe(new Set(['tracker', 'manual'] as const));
    expect(peers.add(at(1), 'dht')).toBe(false);
    expect(peers.add(at(1), 'tracker')).toBe(true);
  });

  it('forgets whom only sources told of that it is not to believe any more, and no ban', () => {
    const peers = book();
    peers.add(at(1), 'pex');
    peers.add(at(2), 'pex');
    peers.add(at(2), 'tracker');
    peers.add(at(3), 'magnet');
    peers.add(at(4), 'manual');
    peers.ban('10.0.0.5');
    peers.next(0);
    peers.connected(at(4));
    peers.believe(new Set(['tracker', 'manual'] as const));
    const known = [...peers.known()].map(({ host, sources, state }) => ({
      host,
      sources,
      state,
    }));
    expect(known).toEqual([
      { host: '10.0.0.2', sources: ['tracker'], state: 'idle' },
      { host: '10.0.0.4', sources: ['manual'], state: 'connected' },
    ]);
    expect(peers.add(at(1), 'pex')).toBe(false);
    expect(peers.add(at(5), 'tracker')).toBe(false);
  });

  it('dials by trust, then by canonical priority, each once', () => {
    const peers = book({ priority: ({ host }) => Number(host.split('.')[3]) });
    peers.add(at(1), 'dht');
    peers.add(at(2), 'tracker');
    peers.add(at(3), 'tracker');
    peers.add(at(4), 'manual');
    const order = [1, 2, 3, 4].map(() => peers.next(0)?.host);
    expect(order).toEqual(['10.0.0.4', '10.0.0.3', '10.0.0.2', '10.0.0.1']);
    expect(peers.next(0)).toBeUndefined();
  });

  it('tries a failing address ever more rarely, others before it', () => {
    const peers = book();
    peers.add(at(1), 'tracker');
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      const address = peers.next(now);
      expect(address).toEqual({ ...at(1), failures: i });
      peers.failed(at(1), now);
      expect(peers.next(now)).toBeUndefined();
      waits.push(peers.nextAt - now);
      now = peers.nextAt;
    }
    expect(waits[0]).toBeGreaterThan(10_000);
    expect(waits[5]).toBeGreaterThan(10 * waits[0]);
    peers.add(at(2), 'dht');
    expect(peers.next(now)).toMatchObject(at(2));
  });

  it('dials again after a connection that ended, later when it was pointless', () => {
    const peers = book();
    peers.add(at(1), 'tracker');
    peers.next(0);
    peers.connected(at(1));
    expect(peers.next(1_000_000)).toBeUndefined();
    peers.disconnected(at(1), 0);
    expect(peers.next(5_000)).toBeUndefined();
    expect(peers.next(11_000)).toMatchObject(at(1));
    peers.disconnected(at(1), 11_000, true);
    expect(peers.next(600_000)).toBeUndefined();
  });

  it('leaves one that breaks the protocol alone for longer each time', () => {
    const peers = book();
    peers.add(at(1), 'tracker');
    let now = 0;
    const waits: number[] = [];
    for (let i = 0; i < 10; i++) {
      expect(peers.next(now)).toMatchObject(at(1));
      peers.connected(at(1));
      peers.offended(at(1), now);
      peers.revive();
      expect(peers.next(now)).toBeUndefined();
      waits.push(peers.nextAt - now);
      now = peers.nextAt;
    }
    expect(waits[0]).toBeGreaterThan(10_000);
    expect(waits[5]).toBeGreaterThan(10 * waits[0]);
    expect(waits[9]).toBeLessThanOrEqual(3_600_000);
  });

  it('dials at once those that were of no use when there is something to ask for again', () => {
    const peers = book();
    for (const host of ['10.0.0.1', '10.0.0.2'])
      peers.add({ host, port: 1 }, 'manual');
    const [useless, failing] = [peers.next(0), peers.next(0)];
    if (!useless || !failing) throw new Error('both are due');
    peers.disconnected(useless, 0, true);
    peers.failed(failing, 0);
    expect(peers.next(1)).toBeUndefined();
    peers.revive();
    expect(peers.next(1)).toEqual(useless);
    expect(peers.next(1)).toBeUndefined();
  });

  it('bans a host or one address of it', () => {
    const peers = book();
    peers.add({ host: '::1', port: 5 }, 'pex');
    peers.add({ host: '::1', port: 6 }, 'pex');
    peers.ban('::1', 5);
    expect(peers.size).toBe(1);
    expect(peers.isBanned({ host: '::1', port: 6 })).toBe(false);
    peers.ban('::1');
    expect(peers.size).toBe(0);
    expect(peers.add({ host: '::1', port: 7 }, 'manual')).toBe(false);
    peers.unban('::1');
    expect(peers.add({ host: '::1', port: 7 }, 'manual')).toBe(true);
    expect(peers.banned).toEqual([keyOf({ host: '::1', port: 5 })]);
  });

  it('holds no more bans than it may', () => {
    const peers = book({ banCapacity: 3 });
    for (let n = 0; n < 10; n++) peers.ban(`10.0.0.${n}`);
    expect(peers.banned).toEqual(['10.0.0.7', '10.0.0.8', '10.0.0.9']);
  });

  it('is bounded: what failed, then what is trusted least, makes room', () => {
    const peers = book({ capacity: 3 });
    for (const n of [1, 2, 3]) peers.add(at(n), 'dht');
    expect(peers.add(at(4), 'dht')).toBe(false);
    expect(peers.add(at(5), 'tracker')).toBe(true);
    expect(peers.size).toBe(3);
    for (let i = 0; i < 3; i++) {
      const address = peers.next(i * 1e9);
      if (address !== undefined) peers.failed(address, i * 1e9);
    }
    expect(peers.size).toBe(3);
    expect([...peers.known()].map(({ host }) => host)).toContain('10.0.0.5');
  });
});
