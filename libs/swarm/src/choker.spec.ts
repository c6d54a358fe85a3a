import { Bitfield } from '@dnd/metainfo';
import { chooseUnchoked, slotsFor } from './choker';
import type { ChokingRound } from './choker';
import { leastUseful } from './peer-turnover';
import { ScriptedSwarm } from './testing/scripted-swarm';
import { seededRandom } from './testing/seeded-random';
import type { SwarmPeer } from './swarm-peer';

function peersOf(count: number): SwarmPeer[] {
  const script = new ScriptedSwarm(() => 16_384, {
    pieceCount: 2,
    have: Bitfield.full(2),
    settings: { uploadSlots: 0 },
  });
  return Array.from({ length: count }, () => {
    const { peer } = script.join([]);
    peer.interested = true;
    return peer;
  });
}

function round(changes: Partial<ChokingRound> = {}): ChokingRound {
  return {
    now: 100_000,
    slots: 3,
    seeding: false,
    seedChoking: 'round-robin',
    newOptimist: true,
    random: seededRandom(1),
    ...changes,
  };
}

describe('tit for tat', () => {
  it('unchokes those that send most, and one by chance', () => {
    const peers = peersOf(8);
    peers.forEach((peer, i) => (peer.down.rate = i));
    const chosen = chooseUnchoked(peers, round());
    expect(chosen.size).toBe(3);
    expect(chosen.has(peers[7]) && chosen.has(peers[6])).toBe(true);
    expect(peers.filter((peer) => peer.optimistic)).toHaveLength(1);
  });

  it('keeps the optimistic one until it is time for another', () => {
    const peers = peersOf(8);
    chooseUnchoked(peers, round());
    const [optimist] = peers.filter((peer) => peer.optimistic);
    for (let i = 0; i < 20; i++) {
      const chosen = chooseUnchoked(peers, round({ newOptimist: false }));
      expect(chosen.has(optimist)).toBe(true);
    }
  });

  it('draws newcomers three times as often', () => {
    const peers = peersOf(6);
    const random = seededRandom(9);
    let newcomer = 0;
    for (let i = 0; i < 4_000; i++) {
      for (const peer of peers) peer.optimistic = false;
      // connectedAt is 1,000: with this `now` all are old but one.
      const fresh = peers.map((peer, n) =>
        n === 5
          ? Object.create(peer, { connectedAt: { value: 90_000 } })
          : peer,
      );
      chooseUnchoked(fresh, round({ slots: 1, random }));
      if (fresh[5].optimistic) newcomer++;
    }
    expect(newcomer / 4_000).toBeGreaterThan(0.33);
    expect(newcomer / 4_000).toBeLessThan(0.42);
  });

  it('puts snubbing peers last', () => {
    const peers = peersOf(5);
    peers.forEach((peer) => (peer.down.rate = 10));
    peers[0].down.rate = 1_000;
    peers[0].snubbing = true;
    const chosen = chooseUnchoked(
      peers,
      round({ slots: 4, newOptimist: false }),
    );
    const regular = [...chosen].filter((peer) => !peer.optimistic);
    expect(regular).not.toContain(peers[0]);
  });
});

describe('seed choking', () => {
  it('gives everybody a turn', () => {
    const peers = peersOf(9);
    const served = new Set<SwarmPeer>();
    for (let now = 10_000; now <= 400_000; now += 10_000) {
      const chosen = chooseUnchoked(peers, round({ now, seeding: true }));
      expect(chosen.size).toBe(3);
      for (const peer of peers) {
        const unchoke = chosen.has(peer);
        if (unchoke && peer.amChoking) peer.unchokedAt = now;
        if (!unchoke && !peer.amChoking) peer.chokedAt = now;
        peer.amChoking = !unchoke;
        if (unchoke) served.add(peer);
      }
    }
    expect(served.size).toBe(9);
  });

  it('or prefers the fastest', () => {
    const peers = peersOf(9);
    peers.forEach((peer, i) => (peer.up.rate = i));
    const chosen = chooseUnchoked(
      peers,
      round({ seeding: true, seedChoking: 'fastest' }),
    );
    expect(chosen).toEqual(new Set([peers[8], peers[7], peers[6]]));
  });
});

describe('slots', () => {
  it('grow with the rate within bounds', () => {
    expect(slotsFor(1_000, 16_384)).toBe(4);
    expect(slotsFor(100_000, 16_384)).toBe(8);
    expect(slotsFor(20e6, 1_048_576)).toBe(38);
    expect(slotsFor(20e6, 16 * 1_048_576)).toBe(4);
    expect(slotsFor(Infinity, 16_384)).toBe(64);
  });
});

describe('leastUseful', () => {
  it('names an old connection that moves nothing, never a busy or a young one', () => {
    const peers = peersOf(3);
    expect(leastUseful(peers, 10_000)).toBeUndefined();
    peers[0].up.rate = 5;
    peers[1].wanted = 3;
    expect(leastUseful(peers, 100_000)).toBe(peers[2]);
    expect(leastUseful([peers[0]], 100_000)).toBeUndefined();
  });
});
