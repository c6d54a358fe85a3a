import { ScriptedSwarm } from './testing/scripted-swarm';
import { downloadBlocks, uploadBlocks } from './swarm.bench';
import { peerStats, swarmStats } from './swarm-stats';

describe('figures for the user', () => {
  it('tell what is done, what is wanted and how rare the rest is', () => {
    const size = () => 16_384;
    const script = new ScriptedSwarm(size, {
      pieceCount: 4,
      priority: Uint8Array.of(4, 4, 4, 0),
    });
    const seed = script.join('all');
    script.join([0], { unchokes: false });
    seed.answers(1);
    script.check();
    script.pass(2_000);
    const stats = swarmStats(script.swarm, size);
    expect(stats).toMatchObject({
      downloaded: 16_384,
      completedBytes: 16_384,
      wantedBytes: 3 * 16_384,
      peers: 2,
      seeds: 1,
      rarest: 1,
      piecesInFlight: 2,
      corrupt: 0,
      wasted: 0,
    });
    expect(stats.downloadRate).toBeGreaterThan(0);
    expect(stats.eta).toBeCloseTo((2 * 16_384) / stats.downloadRate, 6);
    expect(peerStats(seed.peer)).toMatchObject({
      downloaded: 16_384,
      progress: 1,
      requests: 2,
      choking: false,
      amInterested: true,
      seed: true,
    });
  });
});

describe('benchmarks', () => {
  it('run, and do what they measure', () => {
    expect(downloadBlocks(256)().proof).toBe(4);
    expect(uploadBlocks(256)().proof).toBe(256 * 16_384);
  });
});
