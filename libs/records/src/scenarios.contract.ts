/**
 * What happens to a simulated ring of records, by seed: people write, overwrite and delete while
 * machines fail, and afterwards nothing that was acknowledged may be missing. A scenario returns
 * what was wrong, in words; an empty list is a pass.
 */
import type { LinkFaults } from '@dnd/sim';
import { Trace } from '@dnd/sim';
import { defaultSettings } from '@dnd/chord';
import type { RecordKey } from './record';
import { digestOf } from './record';
import { SimulatedRing } from './simulated-ring.contract';
import type { SimulatedNode } from './simulated-node.contract';
import type { RingOptions } from './simulated-ring.contract';

type Variant = Pick<
  RingOptions,
  'variant' | 'lyingDisk' | 'realRing' | 'trace'
>;
export type Scenario = (seed: number, variant?: Variant) => string[];

/** Runs a scenario and throws what was wrong with the end of the trace, for which it is run again. */
export function mustPass(
  scenario: Scenario,
  seed: number,
  variant: Variant = {},
): void {
  const problems = scenario(seed, variant).slice(0, 5);
  if (problems.length === 0) return;
  const trace = new Trace(TRACE_LINES);
  scenario(seed, { ...variant, trace });
  throw new Error(`${problems.join('\n')}\n${trace.tail()}`);
}

const TRACE_LINES = 60;

/** Some records written by some nodes, each key by one of them. */
export class Writers {
  private readonly homes = new Map<string, SimulatedNode>();
  private count = 0;

  constructor(
    private readonly ring: SimulatedRing,
    private readonly items: number,
  ) {}

  /** One write: a new value mostly, sometimes a deletion. */
  write(): void {
    const { ring } = this;
    const item = `item ${ring.random.int(this.items)}`;
    const key = keyFor(item);
    if (ring.live.length === 0) return;
    let home = this.homes.get(item);
    if (!home) this.homes.set(item, (home = ring.random.pick(ring.live)));
    if (!home.alive || ring.ledger.isWriting(key)) return;
    const remove = ring.ledger.knows(key) && ring.random.chance(0.15);
    ring.ledger.put(home, key, remove ? undefined : `value ${++this.count}`);
  }

  /** `count` writes spread over some time. */
  spread(count: number, duration: number): void {
    for (let i = 0; i < count; i++)
      this.ring.time.after(this.ring.random.uniform() * duration, () =>
        this.write(),
      );
  }

  /** A node that came back writes what it wrote before. */
  moved(from: SimulatedNode, to: SimulatedNode): void {
    for (const [item, home] of this.homes)
      if (home === from) this.homes.set(item, to);
  }
}

export function keyFor(item: string): RecordKey {
  return { kind: 'name', place: digestOf(Buffer.from(item)), item };
}

function someFaults(ring: SimulatedRing): Partial<LinkFaults> {
  const { random } = ring;
  return {
    drop: random.pick([0, 0, 0.02, 0.1, 0.2]),
    duplicate: random.pick([0, 0.05]),
    heavyTail: random.pick([0, 0.02]),
    jitter: random.pick([0.3, 5, 40]),
    refuse: random.pick([0, 1]),
  };
}

const quiet: LinkFaults = {
  drop: 0,
  duplicate: 0,
  delay: 0.2,
  jitter: 0.3,
  heavyTail: 0,
  refuse: 1,
};

/** A played ring is there at once, a real one has to find itself. */
function settle(ring: SimulatedRing): void {
  ring.run(ring.options.realRing ? 12_000 : 1_500);
}

/** From a loss on, everything is to have its copies again within this time. */
export const REPAIRED_MS = 30_000;

export interface LossResult {
  readonly problems: readonly string[];
  /** From the loss until the owners of everything were equal again; Infinity for never in time. */
  readonly repairedAfter: number;
}

/**
 * One node is lost for good at any moment, another may restart, messages are lost for six seconds
 * more; half a minute later everything has three copies again, so that any two more may go; then
 * newcomers take their place.
 */
export function loss(seed: number, variant: Variant = {}): LossResult {
  const nodes = 4 + (seed % 4);
  const clockError = seed % 3 === 0 ? 60_000 : 0;
  const ring = new SimulatedRing({ seed, nodes, clockError, ...variant });
  const { random } = ring;
  settle(ring);
  ring.network.faults = { ...quiet, ...someFaults(ring) };
  const writers = new Writers(ring, 8);
  writers.spread(16, 4_000);
  ring.run(random.uniform() * 4_000);
  ring.lose(random.pick(ring.live));
  if (random.chance(0.3)) {
    const member = random.pick(ring.live);
    ring.crash(member);
    ring.run(random.uniform() * 2_000);
    writers.moved(member, ring.restart(member));
  }
  if (random.chance(0.3)) ring.add();
  const from = ring.time.now;
  ring.run(6_000);
  ring.network.faults = quiet;
  let repairedAfter = Infinity;
  for (let now = 6_000; now < REPAIRED_MS; now += 500) {
    // A write may still be on its way to its third copy: what counts is from when on all are equal.
    if (ring.ledger.unequal().length > 0) repairedAfter = Infinity;
    else if (repairedAfter === Infinity) repairedAfter = ring.time.now - from;
    ring.run(500);
  }
  const problems = [...ring.ledger.lost(), ...ring.ledger.broken()];
  ring.lose(random.pick(ring.live));
  if (ring.live.length > 1) ring.lose(random.pick(ring.live));
  problems.push(...ring.ledger.lost());
  ring.add();
  ring.run(3_000);
  problems.push(...ring.ledger.unreadable(2));
  return { problems, repairedAfter };
}

export function losses(seed: number, variant: Variant = {}): string[] {
  const { problems, repairedAfter } = loss(seed, variant);
  return repairedAfter === Infinity
    ? [...problems, 'not repaired in half a minute']
    : [...problems];
}

/** All machines lose power at once, and start again with what is on their disks. */
export function powerFailure(seed: number, variant: Variant = {}): string[] {
  const ring = new SimulatedRing({ seed, nodes: 3 + (seed % 3), ...variant });
  settle(ring);
  const writers = new Writers(ring, 10);
  writers.spread(25, 1_000);
  ring.run(200 + ring.random.uniform() * 900);
  const members = ring.live;
  for (const member of members) ring.crash(member);
  ring.run(1_000);
  for (const member of members) ring.restart(member);
  ring.run(20_000);
  return [
    ...ring.ledger.lost(),
    ...ring.ledger.unreadable(2),
    ...ring.ledger.broken(),
  ];
}

/** Many nodes join at once and are hard to reach at first; copies move to their places. */
export function migration(seed: number, variant: Variant = {}): string[] {
  const ring = new SimulatedRing({ seed, nodes: 3, ...variant });
  const { random } = ring;
  settle(ring);
  const writers = new Writers(ring, 10);
  writers.spread(20, 2_000);
  ring.run(3_000);
  const old = ring.live.map(({ ref }) => ref);
  const newcomers = Array.from({ length: 5 }, () => ring.add().ref);
  // All know of the newcomers, and for a while nobody reaches them.
  ring.network.partition([old, newcomers]);
  ring.run(15_000 + random.uniform() * 15_000);
  ring.network.heal();
  ring.run(1_000);
  const problems = ring.ledger.lost();
  ring.run(100_000);
  return [
    ...problems,
    ...ring.ledger.lost(),
    ...ring.ledger.unreadable(2),
    ...ring.ledger.misplaced(),
    ...ring.ledger.broken(),
  ];
}

/** The network falls apart while all go on writing, and heals. */
export function partitions(seed: number, variant: Variant = {}): string[] {
  const nodes = 4 + (seed % 5);
  const clockError = seed % 2 === 0 ? 20_000 : 0;
  const ring = new SimulatedRing({ seed, nodes, clockError, ...variant });
  settle(ring);
  const writers = new Writers(ring, 12);
  writers.spread(10, 2_000);
  ring.run(3_000);
  const members = ring.random.shuffle(ring.live);
  const cut = 1 + ring.random.int(members.length - 1);
  ring.partition([members.slice(0, cut), members.slice(cut)]);
  writers.spread(20, 30_000);
  ring.run(30_000 + ring.random.uniform() * 30_000);
  ring.heal();
  writers.spread(5, 5_000);
  return atRest(ring);
}

/** As real processes have it in `churn.e2e.ts`: a node lost for good every five seconds, for two minutes. */
export function serialLosses(seed: number, variant: Variant = {}): string[] {
  const ring = new SimulatedRing({ seed, nodes: 12, ...variant });
  const { random } = ring;
  settle(ring);
  ring.network.faults = { ...quiet, jitter: 5, refuse: random.pick([0, 1]) };
  const writers = new Writers(ring, 400);
  const kills = 24;
  writers.spread(20 * kills, 5_000 * kills);
  for (let i = 0; i < kills; i++) {
    ring.run(5_000);
    ring.lose(random.pick(ring.live));
    ring.time.after(1_500 + random.uniform() * 3_000, () => ring.add());
  }
  ring.run(40_000);
  return [...ring.ledger.lost(), ...ring.ledger.unreadable(1)];
}

/** A minute after all is well again the owners are equal; then nothing is lost, astray or broken. */
function atRest(ring: SimulatedRing): string[] {
  ring.run(60_000);
  const problems = ring.ledger.unequal();
  ring.run(50_000);
  return [
    ...problems,
    ...ring.ledger.lost(),
    ...ring.ledger.unreadable(2),
    ...ring.ledger.misplaced(),
    ...ring.ledger.broken(),
  ];
}

/** Everything at once, for so many virtual milliseconds. */
const ORDEAL_MS = 120_000;
/** After this much peace everything is repaired, and a node may be lost for good. */
const PEACE_MS = 45_000;

/**
 * Crashes and restarts, pauses, partitions, lost and late messages and newcomers, while all go on
 * writing. After a time of peace a node is lost for good. In the end all that is down starts
 * again, and everything must be there, the same at all owners, and nowhere else.
 */
export function ordeal(seed: number, variant: Variant = {}): string[] {
  const nodes = 3 + (seed % 5);
  const clockError = seed % 3 === 0 ? 30_000 : 0;
  const ring = new SimulatedRing({ seed, nodes, clockError, ...variant });
  const { random } = ring;
  settle(ring);
  const writers = new Writers(ring, 12);
  const down: SimulatedNode[] = [];
  writers.spread(80, ORDEAL_MS);
  const end = ring.time.now + ORDEAL_MS;
  const startAll = (): void => {
    for (const member of down.splice(0))
      writers.moved(member, ring.restart(member));
  };
  while (ring.time.now < end) {
    ring.run(random.exponential(5_000));
    switch (random.int(8)) {
      case 0:
      case 1: {
        const member = random.pick(ring.live);
        // One at a time, so that a write finds two nodes.
        if (ring.live.length < 3) break;
        ring.crash(member);
        down.push(member);
        break;
      }
      case 2:
        startAll();
        break;
      case 3:
        random.pick(ring.live).host.pause(2_000 + random.uniform() * 20_000);
        break;
      case 4: {
        const mixed = random.shuffle(ring.live);
        const cut = 1 + random.int(mixed.length);
        ring.partition([mixed.slice(0, cut), mixed.slice(cut)]);
        break;
      }
      case 5:
        ring.network.faults = { ...quiet, ...someFaults(ring) };
        break;
      case 6:
        if (ring.live.length < 9) ring.add();
        break;
      default:
        ring.heal();
        ring.network.faults = quiet;
        startAll();
        ring.run(PEACE_MS);
        if (ring.live.length > 3) ring.lose(random.pick(ring.live));
    }
  }
  ring.heal();
  ring.network.faults = quiet;
  startAll();
  return atRest(ring);
}

export interface HealingOptions extends Variant {
  readonly seed: number;
  readonly nodes: number;
  readonly parts: number;
  /** Virtual milliseconds of writes while the network is apart. */
  readonly apartMs: number;
  /** Writes in that time. */
  readonly writes: number;
}

export interface HealingResult {
  readonly problems: readonly string[];
  readonly acknowledged: number;
  /** From healing until there was one whole ring, in milliseconds, and in beacon periods. */
  readonly oneRingAfter: number;
  readonly beaconPeriods: number;
  /** From healing until the owners of everything held the same. */
  readonly equalAfter: number;
}

/** The network falls into parts, all of which go on writing, and heals: real ring nodes. */
export function healing(options: HealingOptions): HealingResult {
  const { seed, nodes, parts, apartMs, writes, trace } = options;
  const ring = new SimulatedRing({
    seed,
    nodes: Math.min(nodes, 10),
    realRing: true,
    faults: { multicastDrop: 0.1 },
    ...(trace ? { trace } : {}),
  });
  while (ring.live.length < nodes) {
    for (let i = 0; i < 5 && ring.live.length < nodes; i++) ring.add();
    ring.run(500);
  }
  const problems: string[] = [];
  const until = (limit: number, step: number, done: () => boolean): number => {
    const from = ring.time.now;
    while (!done())
      if (ring.time.now - from >= limit) return Infinity;
      else ring.run(step);
    return ring.time.now - from;
  };
  if (until(120_000, 1_000, () => ring.ringFlaws().length === 0) === Infinity)
    problems.push('never one ring before the partition');
  ring.run(15_000);
  const writers = new Writers(ring, Math.max(12, writes >> 1));
  const groups: SimulatedNode[][] = Array.from({ length: parts }, () => []);
  ring.random.shuffle(ring.live).forEach((n, i) => groups[i % parts]?.push(n));
  ring.partition(groups);
  writers.spread(writes, apartMs);
  ring.run(apartMs);
  ring.heal();
  const healed = ring.time.now;
  const period = Math.max(defaultSettings.beaconMs, nodes * 50);
  const limit = Math.max(5 * period, 60_000);
  const oneRingAfter = until(limit, 100, () => ring.ringFlaws().length === 0);
  until(60_000, 500, () => ring.ledger.unequal().length === 0);
  const equal = ring.ledger.unequal();
  const equalAfter = equal.length > 0 ? Infinity : ring.time.now - healed;
  if (oneRingAfter > 5 * period)
    problems.push(`one ring after ${oneRingAfter} ms`);
  problems.push(...equal, ...ring.ledger.lost());
  problems.push(...ring.ledger.unreadable(2), ...ring.ledger.broken());
  return {
    problems,
    acknowledged: ring.ledger.counts.acknowledged,
    oneRingAfter,
    beaconPeriods: oneRingAfter / period,
    equalAfter,
  };
}
