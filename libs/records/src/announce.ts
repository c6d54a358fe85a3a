/**
 * Announces of this node's tracker to the owners of the swarms, many swarms in one message. All
 * three owners are told; the first is asked for peers, and the next one where it does not answer
 * or has only just joined.
 */
import type { NodeRef, RingId } from '@dnd/chord';
import { all, run, wait } from './flow';
import type { Flow } from './flow';
import type { Operation, SwarmAnnounce } from './io';
import type { Kernel } from './kernel';
import { MAX_ENTRIES } from './message';
import type { Answer, SwarmAnswer, SwarmPut } from './message';
import { PEER_BYTES } from './peer';
import { REPLICAS } from './record';
import { packPuts, unpackAnswers } from './swarm-pack';
import { MAX_PEERS_GIVEN } from './swarm-table';

/** Bytes of peers in one message. */
const MESSAGE_BYTES = 192 * 1024;
const MAX_SWARMS = 20_000;
const NO_PEERS = new Uint8Array(0);

type Announce = Extract<Operation, { type: 'announce' }>;

interface Group {
  readonly owners: readonly NodeRef[];
  readonly swarms: SwarmAnnounce[];
}

interface Sent {
  readonly answers: Map<RingId, SwarmAnswer>;
  readonly settled: boolean;
}

export class Announces {
  private lastSequence = 0;

  constructor(private readonly kernel: Kernel) {}

  start(op: Announce): void {
    if (op.swarms.length > MAX_SWARMS) {
      this.kernel.out.push({ type: 'failed', op: op.op, code: 'busy' });
      return;
    }
    run(this.announce(op.swarms), (result) =>
      this.kernel.done(op.op, { type: 'swarms', ...result }),
    );
  }

  private *announce(
    swarms: readonly SwarmAnnounce[],
  ): Flow<{ swarms: SwarmAnswer[]; missed: RingId[] }> {
    // Owners that are known are the same list for all of their share of the ring.
    const groups = new Map<readonly NodeRef[], Group>();
    for (const swarm of swarms) {
      const owners =
        this.kernel.knownOwners(swarm.swarm) ??
        (yield* wait<readonly NodeRef[]>((resume) =>
          this.kernel.lookup(swarm.swarm, resume),
        ));
      const group = groups.get(owners) ?? { owners, swarms: [] };
      group.swarms.push(swarm);
      groups.set(owners, group);
    }
    const parts = [...groups.values()].flatMap((group) =>
      cut(group.swarms).map((part) => this.part(group.owners, part)),
    );
    const results = yield* all(parts);
    const answers = new Map(results.flatMap((part) => [...part]));
    return {
      swarms: [...answers.values()],
      missed: swarms.map((s) => s.swarm).filter((id) => !answers.has(id)),
    };
  }

  /** One message's worth of swarms that have the same owners. */
  private *part(
    owners: readonly NodeRef[],
    swarms: readonly SwarmAnnounce[],
  ): Flow<Map<RingId, SwarmAnswer>> {
    const sequence = this.nextSequence();
    const live = [
      ...owners.filter((node) => !this.kernel.suspected(node.id)),
      ...owners.filter((node) => this.kernel.suspected(node.id)),
    ];
    const [first, ...others] = owners.slice(0, REPLICAS);
    if (!first) return new Map();
    const asked = live[0] ?? first;
    const told = [first, ...others].filter((node) => node.id !== asked.id);
    // The others need not be waited for: each is asked twice before it is given up.
    for (const node of told)
      run(this.send(node, quiet(swarms), sequence), () => undefined);
    const answers = new Map<RingId, SwarmAnswer>();
    let open: readonly SwarmPut[] = swarms;
    for (const node of live) {
      const sent = yield* this.send(node, open, sequence);
      for (const [id, answer] of sent.answers)
        answers.set(id, mergeAnswers(answers.get(id), answer));
      if (sent.settled) return answers;
      open = swarms.map((swarm) => ({
        ...swarm,
        peers: NO_PEERS,
        completed: 0,
      }));
    }
    return answers;
  }

  /** Sends swarms to one node until it has answered all or fails. */
  private *send(
    node: NodeRef,
    swarms: readonly SwarmPut[],
    sequence: number,
  ): Flow<Sent> {
    const answers = new Map<RingId, SwarmAnswer>();
    let open = swarms;
    let settled = true;
    let attempts = 2;
    while (open.length > 0) {
      const part = open;
      const message = {
        type: 'announce' as const,
        sequence,
        swarms: packPuts(part),
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
      for (const swarm of unpackAnswers(answer.swarms))
        answers.set(swarm.swarm, swarm);
      // What did not fit in the answer is asked again; its peers have arrived.
      open = part
        .filter(({ swarm }) => !answers.has(swarm))
        .map((swarm) => ({ ...swarm, peers: NO_PEERS, completed: 0 }));
      if (open.length === part.length) return { answers, settled: false };
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

function quiet(swarms: readonly SwarmAnnounce[]): SwarmPut[] {
  return swarms
    .filter((swarm) => swarm.peers.length > 0)
    .map((swarm) => ({ ...swarm, want: 0 }));
}

function cut(swarms: readonly SwarmAnnounce[]): SwarmAnnounce[][] {
  const parts: SwarmAnnounce[][] = [];
  let part: SwarmAnnounce[] = [];
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
    peers,
  };
}
