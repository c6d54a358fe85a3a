import {
  expireAll,
  fullTable,
  httpAnnounces,
  udpAnnounces,
} from './tracker.bench';

const tiny = { swarms: 3, peersPerSwarm: 60, announces: 20 };

it('announces over UDP', () => {
  // 20 bytes of head and 50 peers of 6 bytes.
  expect(udpAnnounces(tiny)()).toMatchObject({ operations: 20, proof: 320 });
});

it('announces over HTTP', () => {
  expect(httpAnnounces(tiny)().proof).toBeGreaterThan(300);
});

it('fills a table and empties it in slices', () => {
  const table = fullTable(1000, 10);
  expect(table.stats).toMatchObject({
    swarms: 1000,
    peers: 10_000,
    seeds: 1000,
  });
  const { operations, proof } = expireAll(table, (sweep) => sweep());
  expect(operations).toBe(10_000);
  expect(proof).toBeGreaterThan(1);
  expect(table.stats).toMatchObject({ swarms: 0, peers: 0, seeds: 0 });
});
