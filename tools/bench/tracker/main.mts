/**
 * Announces at several trackers, one after the other in one run, and prints the CPU time that an
 * announce cost each of them:
 *
 *     npx nx build node && npx node tools/bench/tracker/main.mts [--swarms 10000] [--peers 50] [--seconds 8] [--runs 3] [--warm 0] [--only PATTERN]
 *
 * opentracker is taken from the system, npm's bittorrent-tracker from the folder that
 * BITTORRENT_TRACKER names (with Node options from BENCH_BITTORRENT_TRACKER_OPTIONS, where its native
 * parts need to be replaced); what is not installed is left out. Before a ring is measured it is under
 * load for `--warm` seconds: with the half of its interval over, peers are told to their owners anew all the time. The runs take turns, and the figures
 * are medians. `load` is the share of the machine that others used meanwhile: over 0.3 the figures are noisy.
 */
import { parseArgs } from 'node:util';
import { announceOverHttp } from './http-load.mts';
import { swarmSet, type LoadResult } from './swarm-set.mts';
import {
  bittorrentTracker,
  openTracker,
  ourNodes,
  type RunningTracker,
  type TrackerKind,
} from './trackers.mts';
import { announceOverUdp, populate } from './udp-load.mts';
import { cpuSeconds, machineSeconds, residentMegabytes } from '../usage.mts';

const { values } = parseArgs({
  options: {
    swarms: { type: 'string', default: '10000' },
    peers: { type: 'string', default: '50' },
    seconds: { type: 'string', default: '8' },
    runs: { type: 'string', default: '3' },
    warm: { type: 'string', default: '0' },
    nodes: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    modes: { type: 'string', default: 'udp,keep-alive,close' },
  },
});
const set = swarmSet(Number(values.swarms), Number(values.peers));
const seconds = Number(values.seconds);
const wanted = 50;
const modes = values.modes.split(',');

interface Figure {
  readonly name: string;
  readonly mode: string;
  readonly microseconds: number;
  readonly userMicroseconds: number;
  readonly ringMicroseconds: number;
  readonly perSecond: number;
  readonly load: LoadResult;
  readonly megabytes: number;
  readonly noise: number;
}

async function measure(
  kind: TrackerKind,
  mode: string,
  tracker: RunningTracker,
): Promise<Figure> {
  const { pid, port, others } = tracker;
  const before = {
    own: cpuSeconds(pid),
    ring: sum(others),
    machine: machineSeconds(),
    load: ownSeconds(),
  };
  const load =
    mode === 'udp'
      ? await announceOverUdp({ port, set, window: 16, wanted }, seconds)
      : await announceOverHttp(
          { port, set, keepAlive: mode === 'keep-alive', wanted },
          seconds,
        );
  const after = cpuSeconds(pid);
  const user = after.user - before.own.user;
  const own = user + after.system - before.own.system;
  const ring = sum(others) - before.ring;
  const noise =
    machineSeconds() -
    before.machine -
    own -
    ring -
    (ownSeconds() - before.load);
  return {
    name: kind.name,
    mode,
    microseconds: (own / load.answers) * 1e6,
    userMicroseconds: (user / load.answers) * 1e6,
    ringMicroseconds: (ring / load.answers) * 1e6,
    perSecond: load.answers / load.seconds,
    load,
    megabytes: residentMegabytes(pid),
    noise: noise / load.seconds,
  };
}

const sum = (pids: readonly number[]): number =>
  pids.reduce((all, pid) => {
    const { user, system } = cpuSeconds(pid);
    return all + user + system;
  }, 0);

function ownSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

async function runOne(kind: TrackerKind): Promise<Figure[]> {
  const tracker = await kind.start(set);
  try {
    const { lost, bad } = await populate({
      port: tracker.port,
      set,
      window: 16,
      wanted: 1,
    });
    if (lost + bad > 0)
      console.log(
        `${kind.name}: ${lost} announces lost and ${bad} bad while filling it`,
      );
    if (tracker.others.length > 0)
      await announceOverUdp(
        { port: tracker.port, set, window: 16, wanted },
        Number(values.warm),
      );
    const figures: Figure[] = [];
    for (const mode of modes) figures.push(await measure(kind, mode, tracker));
    return figures;
  } finally {
    await tracker.stop();
  }
}

const kinds = [
  openTracker,
  ourNodes(Number(values.nodes)),
  bittorrentTracker(process.env['BITTORRENT_TRACKER']),
].filter(({ name }) => name.includes(values.only));
for (const { name } of kinds.filter(({ installed }) => !installed))
  console.log(`${name} is not installed and left out`);
const figures: Figure[] = [];
for (let run = 0; run < Number(values.runs); run++)
  for (const kind of kinds)
    if (kind.installed) {
      const results = await runOne(kind);
      for (const result of results) console.log(line(result));
      figures.push(...results);
    }

console.log('\nmedians');
for (const mode of modes) {
  const medians = kinds.flatMap(({ name }) => {
    const of = figures
      .filter((each) => each.name === name && each.mode === mode)
      .sort((a, b) => a.microseconds - b.microseconds);
    return of.length > 0 ? [of[Math.floor((of.length - 1) / 2)]] : [];
  });
  const base = medians.find(({ name }) => name === openTracker.name);
  for (const each of medians)
    console.log(
      line(each),
      base ? `  × ${(each.microseconds / base.microseconds).toFixed(2)}` : '',
    );
}

function line({
  name,
  mode,
  microseconds,
  userMicroseconds,
  ringMicroseconds,
  perSecond,
  load,
  megabytes,
  noise,
}: Figure): string {
  return [
    name.padEnd(20),
    mode.padEnd(11),
    `${microseconds.toFixed(1).padStart(7)} µs CPU`,
    `(user ${userMicroseconds.toFixed(1)}, rest of the ring ${ringMicroseconds.toFixed(1)})`,
    `${perSecond.toFixed(0).padStart(7)}/s`,
    `${load.peersPerAnswer.toFixed(1)} peers`,
    `p50 ${load.p50.toFixed(2)} p99 ${load.p99.toFixed(2)} ms`,
    `${megabytes.toFixed(0)} MB`,
    `bad ${load.bad} lost ${load.lost}`,
    `others ${noise.toFixed(2)}`,
  ].join('  ');
}
