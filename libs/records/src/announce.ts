/**
 * Announces of this node's tracker to the owners of the swarms, many swarms in one message. All
 * three owners are told; the first is asked, for peers or only for what is new, and the next one
 * where it does not answer or has only just joined.
 */
import type { NodeRef, RingId } from '@dnd/chord';
import { all, run, wait } from './flow';
import type { Flow } from './flow';
import type { Heard, Operation } from './io';
import type { Kernel } from './kernel';
import { MAX_ENTRIES, MAX_GLANCES } from './message';
import type { Answer, RecordsBody, SwarmAnswer, SwarmPut } from './message';
import { PEER_BYTES } from './peer';
import { REPLICAS } from './record';
import {
  arePuts,
  areStates,
  countAnswers,
  eachState,
  packAnswers,
  packPuts,
  pickStates,
  unpackAnswers,
  unpackPuts,
} from './swarm-pack';
import { MAX_PEERS_GIVEN } from './swarm-table';

/** Bytes of peers in one message. */
const MESSAGE_BYTES = 192 * 1024;
const MAX_SWARMS = 20_000;
const NO_PEERS = new Uint8Array(0);

type Announce = Extract<Operation, { type: 'announce' }>;
type Glance = Extract<Operation, { type: 'glance' }>;
type News = Extract<Operation, { type: 'news' }>;

/** What one owner answered. */
interface Glanced {
  readonly swarms: Uint8Array;
  readonly heard: Heard;
}

interface Sent {
  /** From `packAnswers`. */
  readonly answers: readonly Uint8Array[];
  readonly settled: boolean;
}

export class Announces {
  private lastSequence = 0;

  constructor(private readonly kernel: Kernel) {}

  announce({ op, swarms }: Announce): void {
    if (arePuts(swarms, MAX_SWARMS))
      run(this.tell(unpackPuts(swarms)), (answers) =>
        this.kernel.done(op, { type: 'swarms', swarms: answers }),
      );
    else this.kernel.out.push({ type: 'failed', op, code: 'invalid' });
  }

  glance({ op, swarms }: Glance): void {
    if (areStates(swarms, MAX_SWARMS)) this.gather(op, this.look(swarms));
    else this.kernel.out.push({ type: 'failed', op, code: 'invalid' });
  }

  news({ op, heard, most }: News): void {
    const wanted = Math.min(most, MAX_GLANCES);
    this.gather(op, all(heard.map((owner) => this.hear(owner, wanted))));
  }

  /** Nobody waits for an owner that is probably dead: another one is glanced at in its place. */
  private *hear({ node, at }: Heard, most: number): Flow<Glanced | undefined> {
    if (this.kernel.suspected(node.id)) return undefined;
    return yield* this.askOne(node, { type: 'news', since: at, most });
  }

  private gather(
    op: number,
    flow: Flow<readonly (Glanced | undefined)[]>,
  ): void {
    run(flow, (answers) => {
      const glanced = answers.filter((answer) => answer !== undefined);
      this.kernel.done(op, {
        type: 'glanced',
        swarms: Buffer.concat(glanced.map(({ swarms }) => swarms)),
        heard: glanced.map(({ heard }) => heard),
        whole: glanced.length === answers.length,
      });
    });
  }

  /** What owners answer goes back as it came: it is looked at only where it is not all. */
  private *tell(swarms: readonly SwarmPut[]): Flow<Uint8Array> {
    const groups = yield* this.byOwners(swarms, ({ swarm }) => swarm);
    const parts = [...groups].flatMap(([owners, group]) =>
      cut(group).map((part) => this.part(owners, part)),
    );
    const answers = yield* all(parts);
    return Buffer.concat(answers.flat());
  }

  private *look(known: Uint8Array): Flow<readonly (Glanced | undefined)[]> {
    const ids: RingId[] = [];
    eachState(known, (swarm) => ids.push(swarm));
    const groups = yield* this.byOwners([...ids.keys()], (i) => ids[i]);
    const parts: Flow<Glanced | undefined>[] = [];
    for (const [owners, group] of groups)
      for (let at = 0; at < group.length; at += MAX_GLANCES) {
        const part = group.slice(at, at + MAX_GLANCES);
        parts.push(this.lookAt(owners, pickStates(known, part)));
      }
    return yield* all(parts);
  }

  private *lookAt(
    owners: readonly NodeRef[],
    swarms: Uint8Array,
  ): Flow<Glanced | undefined> {
    for (const node of this.unsuspectedFirst(owners)) {
      const glanced = yield* this.askOne(node, { type: 'glance', swarms });
      if (glanced) return glanced;
    }
    return undefined;
  }

  /** Undefined where nothing, or not all, comes back. */
  private *askOne(
    node: NodeRef,
    message: RecordsBody,
  ): Flow<Glanced | undefined> {
    const answer = yield* wait<Answer>((resume) =>
      this.kernel.ask(node, message, resume),
    );
    if (answer?.type !== 'glanced' || !answer.settled || !answer.whole)
      return undefined;
    const { swarms, at } = answer;
    return { swarms, heard: { node, at } };
  }

  /** Owners that are known are the same list for all of their share of the ring. */
  private *byOwners<T>(
    items: readonly T[],
    swarmOf: (item: T) => RingId,
  ): Flow<Map<readonly NodeRef[], T[]>> {
    const groups = new Map<readonly NodeRef[], T[]>();
    for (const item of items) {
      const swarm = swarmOf(item);
      const owners =
        this.kernel.knownOwners(swarm) ??
        (yield* wait<readonly NodeRef[]>((resume) =>
          this.kernel.lookup(swarm, resume),
        ));
      const group = groups.get(owners);
      if (group) group.push(item);
      else groups.set(owners, [item]);
    }
    return groups;
  }

  private unsuspectedFirst(owners: readonly NodeRef[]): NodeRef[] {
    return [
      ...owners.filter((node) => !this.kernel.suspected(node.id)),
      ...owners.filter((node) => this.kernel.suspected(node.id)),
    ];
  }

  /** One message's worth of swarms that have the same owners. */
  private *part(
    owners: readonly NodeRef[],
    swarms: readonly SwarmPut[],
  ): Flow<readonly Uint8Array[]> {
    const sequence = this.nextSequence();
    const live = this.unsuspectedFirst(owners);
    const [first, ...others] = owners.slice(0, REPLICAS);
    if (!first) return [];
    const asked = live[0] ?? first;
    const told = [first, ...others].filter((node) => node.id !== asked.id);
    // The others need not be waited for: each is asked twice before it is given up.
    for (const node of told)
      run(this.send(node, quiet(swarms), sequence), () => undefined);
    const merged = new Map<RingId, SwarmAnswer>();
    let open = swarms;
    for (const node of live) {
      const { answers, settled } = yield* this.send(node, open, sequence);
      if (settled && merged.size === 0) return answers;
      for (const answer of answers.flatMap(unpackAnswers))
        merged.set(
          answer.swarm,
          mergeAnswers(merged.get(answer.swarm), answer),
        );
      if (settled) break;
      open = swarms.map(asking);
    }
    return [packAnswers([...merged.values()])];
  }

  /** Sends swarms to one node until it has answered all or fails. */
  private *send(
    node: NodeRef,
    swarms: readonly SwarmPut[],
    sequence: number,
  ): Flow<Sent> {
    const answers: Uint8Array[] = [];
    let open = swarms;
    let settled = true;
    let attempts = 2;
    while (open.length > 0) {
      const message = {
        type: 'announce' as const,
        sequence,
        swarms: packPuts(open),
      };
      const answer = yield* wait<Answer>((resume) =>
        this.kernel.ask(node, message, resume),
      );
      if (
        answer?.type === 'refused' &&
        answer.code === 'clock' &&
        --attempts > 0
      ) {
        // Their answer has corrected our clock.
        this.lastSequence = 0;
        sequence = this.nextSequence();
        continue;
      }
      if (answer === undefined && --attempts > 0) continue;
      if (answer?.type !== 'announced' || answer.swarms.length === 0)
        return { answers, settled: false };
      settled &&= answer.settled;
      answers.push(answer.swarms);
      // What did not fit in the answer is asked again; its peers have arrived.
      open = open.slice(countAnswers(answer.swarms)).map(asking);
    }
    return { answers, settled };
  }

  /** Grows with each message, and with the time of day, so that a restart does not go back. */
  private nextSequence(): number {
    this.lastSequence = Math.max(
      this.lastSequence + 1,
      Math.max(0, Math.floor(this.kernel.time)),
    );
    return this.lastSequence;
  }
}

/** Tells only. */
function quiet(swarms: readonly SwarmPut[]): SwarmPut[] {
  return swarms
    .filter((swarm) => swarm.peers.length > 0)
    .map((swarm) => ({ ...swarm, want: 0 }));
}

/** Asks only. */
const asking = (swarm: SwarmPut): SwarmPut => ({
  ...swarm,
  peers: NO_PEERS,
  completed: 0,
});

function cut(swarms: readonly SwarmPut[]): SwarmPut[][] {
  const parts: SwarmPut[][] = [];
  let part: SwarmPut[] = [];
  let bytes = 0;
  for (const swarm of swarms) {
    const size = swarm.peers.length + 64;
    if (
      part.length >= MAX_ENTRIES ||
      (bytes + size > MESSAGE_BYTES && bytes > 0)
    ) {
      parts.push(part);
      part = [];
      bytes = 0;
    }
    part.push(swarm);
    bytes += size;
  }
  if (part.length > 0) parts.push(part);
  return parts;
}

/** Joins two replicas' answers about one swarm: the larger counts, each address once. */
export function mergeAnswers(
  a: SwarmAnswer | undefined,
  b: SwarmAnswer,
): SwarmAnswer {
  if (!a) return b;
  const seen = new Set<string>();
  const rows: Uint8Array[] = [];
  for (const { peers } of [a, b])
    for (let at = 0; at + PEER_BYTES <= peers.length; at += PEER_BYTES) {
      const row = peers.subarray(at, at + PEER_BYTES);
      const endpoint = row.subarray(0, 18).join();
      if (seen.has(endpoint) || rows.length >= MAX_PEERS_GIVEN) continue;
      seen.add(endpoint);
      rows.push(row);
    }
  const peers = new Uint8Array(rows.length * PEER_BYTES);
  rows.forEach((row, i) => peers.set(row, i * PEER_BYTES));
  return {
    swarm: a.swarm,
    seeds: Math.max(a.seeds, b.seeds),
    leechers: Math.max(a.leechers, b.leechers),
    completed: Math.max(a.completed, b.completed),
    print: a.print,
    peers,
  };
}
