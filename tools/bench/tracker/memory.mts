/**
 * What a million peers in 100,000 swarms cost the nodes of a ring of three in memory, and how long the
 * node that they announced at is kept from answering while all of them expire:
 *
 *     npx nx build node && npx node tools/bench/tracker/memory.mts [--swarms 100000] [--peers 10]
 *
 * The first node's clocks leap two hours ahead for the second part (see leap.mjs).
 */
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { swarmSet } from './swarm-set.mts';
import { ourNodes } from './trackers.mts';
import { populate } from './udp-load.mts';
import { residentMegabytes } from '../usage.mts';

const { values } = parseArgs({
  options: {
    swarms: { type: 'string', default: '100000' },
    peers: { type: 'string', default: '10' },
  },
});
const set = swarmSet(Number(values.swarms), Number(values.peers));
/** Milliseconds: what clients said has reached the owners, and garbage is collected. */
const settling = 30_000;
const expiring = 90_000;

process.env['BENCH_NODE_OPTIONS'] =
  `--expose-gc --import ${join(import.meta.dirname, 'leap.mjs')}`;
const tracker = await ourNodes(3).start(set);
try {
  const pids = [tracker.pid, ...tracker.others];
  const idle = pids.map(residentMegabytes);
  const { lost, bad, seconds } = await populate({
    port: tracker.port,
    set,
    window: 8,
    wanted: 1,
  });
  console.log(
    `${set.hashes.length * set.peers} peers in ${set.hashes.length} swarms after ${seconds.toFixed(0)} s; lost ${lost} bad ${bad}`,
  );
  await pause(settling);
  for (const pid of pids) process.kill(pid, 'SIGUSR2');
  await pause(3_000);
  pids.forEach((pid, i) =>
    console.log(
      `${i === 0 ? 'announced at' : 'an owner'}: ${residentMegabytes(pid).toFixed(0)} MB, idle ${idle[i].toFixed(0)} MB`,
    ),
  );
  process.kill(tracker.pid, 'SIGPWR');
  await pause(expiring);
  process.kill(tracker.pid, 'SIGUSR2');
  await pause(3_000);
  console.log(
    `after they expired: ${residentMegabytes(tracker.pid).toFixed(0)} MB`,
  );
  console.log(
    tracker
      .output()
      .match(/^leap: .*$/gm)
      ?.join('\n') ?? 'no figures',
  );
} finally {
  await tracker.stop();
}
