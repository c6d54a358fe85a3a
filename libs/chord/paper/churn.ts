/**
 * A ring under constant change, as in the Chord paper (ToN 2003, section VI): one lookup a second
 * of a random key by a random node, joins and failures each Poisson. Every node is the production
 * node in the simulated network. A node that goes does so without a word.
 */
import type { ChordSettings } from '../src/index';
import { RingSimulation } from '../sim/ring-simulation';
import type { SimNode } from '../sim/ring-simulation';

export interface ChurnOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Joins a second, and failures a second. */
  readonly rate: number;
  readonly lookups: number;
  readonly lookupsPerSecond: number;
  readonly settings: Partial<ChordSettings>;
  readonly multicast: boolean;
}

export type Mistake = 'unanswered' | 'gone' | 'passed over' | 'other';

/** A node is new so long, milliseconds. */
const NEW_MS = 5_000;

export interface ChurnResult {
  readonly lookups: number;
  readonly meanHops: number;
  /** Part of the lookups whose first owner was asked too. */
  readonly confirmed: number;
  readonly meanTimeouts: number;
  readonly wrongOrFailed: number;
  /** Of these: without an answer, naming a node that is no more, passing over one that has just joined, other. */
  readonly mistakes: Readonly<Record<Mistake, number>>;
  /** Part of the lookups that needed at most one other node's answer. */
  readonly withinOneHop: number;
  readonly joins: number;
  readonly failures: number;
}

export function churn(options: ChurnOptions): ChurnResult {
  const { rate, lookups, settings, multicast, nodes, seed } = options;
  const ring = new RingSimulation({
    seed,
    settings,
    multicast,
    // The delay of the paper's simulation: exponential, mean 50 ms.
    faults: { delay: 1, jitter: 49, refuse: 1 },
  });
  grow(ring, nodes, multicast);
  const counted = { joins: 0, failures: 0, wrong: 0, hops: 0, timeouts: 0 };
  const mistakes = { unanswered: 0, gone: 0, 'passed over': 0, other: 0 };
  const joinedAt = new Map<string, number>();
  let oneHop = 0;
  let confirmed = 0;
  let done = 0;
  const repeat = (mean: number, what: () => void) => {
    if (mean === Infinity) return;
    const again = () => {
      what();
      ring.time.after(ring.random.exponential(mean), again);
    };
    ring.time.after(ring.random.exponential(mean), again);
  };
  repeat(1_000 / rate, () => {
    if (ring.nodes.length >= 2 * nodes) return;
    counted.joins++;
    const node = ring.add();
    joinedAt.set(node.self.id, ring.time.now);
    node.start(someMembers(ring));
  });
  repeat(1_000 / rate, () => {
    const { members } = ring;
    if (members.length <= nodes / 2 || members.length < 3) return;
    counted.failures++;
    ring.remove(ring.random.pick(members));
  });
  repeat(1_000 / options.lookupsPerSecond, () => {
    ring.random.pick(ring.members).lookup(ring.random.hex(40), (answer) => {
      done++;
      counted.hops += answer.hops;
      counted.timeouts += answer.timeouts;
      if (answer.hops <= 1) oneHop++;
      if (answer.confirmed) confirmed++;
      const [owner] = ring.owners(answer.key, 1);
      const named = answer.nodes[0];
      if (named?.id === owner || owner === undefined) return;
      counted.wrong++;
      const age = ring.time.now - (joinedAt.get(owner) ?? -Infinity);
      if (!named) mistakes.unanswered++;
      else if (!ring.byId(named.id)?.member) mistakes.gone++;
      else if (age < NEW_MS) mistakes['passed over']++;
      else mistakes.other++;
    });
  });
  while (done < lookups) ring.time.run(1_000);
  return {
    lookups: done,
    meanHops: counted.hops / done,
    confirmed: confirmed / done,
    meanTimeouts: counted.timeouts / done,
    wrongOrFailed: counted.wrong,
    mistakes,
    withinOneHop: oneHop / done,
    joins: counted.joins,
    failures: counted.failures,
  };
}

/** Starts the nodes one by one and lets them find their fingers. */
function grow(ring: RingSimulation, count: number, multicast: boolean): void {
  ring.add().start();
  ring.time.run(3_000);
  for (let i = 1; i < count; i++) {
    ring.add().start(multicast ? [] : someMembers(ring));
    ring.time.run(200);
  }
  const { stabiliseMs = 1_000, fingerMs = 5_000 } = ring.options.settings ?? {};
  const fingers = Math.log2(count) + 2;
  ring.time.run(
    Math.max(fingers * fingerMs * 1.2, 10 * stabiliseMs, count * 50),
  );
}

function someMembers(ring: RingSimulation): SimNode[] {
  const { members } = ring;
  return [ring.random.pick(members), ring.random.pick(members)];
}
