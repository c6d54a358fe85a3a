/** Peers of a swarm over a long time, with clocks that are wrong, pauses, losses and partitions. */
import type { Heard } from './io';
import { digestOf } from './record';
import { GONE, packPeers, unpackPeers } from './peer';
import {
  packAnswers,
  packPuts,
  packQuestions,
  unpackAnswers,
} from './swarm-pack';
import type { SwarmAnswer } from './message';
import type { SimulatedNode } from './simulated-node.contract';
import { SimulatedRing } from './simulated-ring.contract';

const TTL_MS = 180_000;
/** What R8 allows beyond a peer's time. */
const ALLOWED_MS = 10_000;

function packed(port: number, flags = 0): Uint8Array {
  const address = Uint8Array.of(10, 1, 2, 3);
  const id = new Uint8Array(20).fill(port & 255);
  return packPeers([{ address, port, id, flags, ttl: TTL_MS }]);
}

/** What a node knows that follows a swarm, and how often it has asked. */
export interface Following {
  leechers: number;
  glances: number;
  news: number;
}

/** Announces peers and watches what is handed out. */
export class Tracker {
  /** When each peer's time is over, by port. */
  readonly until = new Map<number, number>();
  /** When the time of those who left would have been over. */
  readonly left = new Map<number, number>();
  readonly problems: string[] = [];
  handedOut = 0;
  latest = 0;

  constructor(
    private readonly ring: SimulatedRing,
    private readonly swarm: string,
  ) {}

  announce(port: number): void {
    const { ring, swarm } = this;
    this.until.set(port, ring.time.now + TTL_MS);
    this.left.delete(port);
    this.send(ring.random.pick(ring.live), packed(port), swarm);
  }

  leave(port: number): void {
    const until = this.until.get(port);
    if (until !== undefined) this.left.set(port, until);
    this.until.delete(port);
    this.send(
      this.ring.random.pick(this.ring.live),
      packed(port, GONE),
      this.swarm,
    );
  }

  check(node: SimulatedNode): void {
    const { ring } = this;
    this.ask(node, (ports) => {
      for (const port of ports) {
        this.handedOut++;
        const until = this.until.get(port);
        const left = this.left.get(port);
        const now = ring.time.now;
        if (until !== undefined)
          this.latest = Math.max(this.latest, now - until);
        if (until !== undefined && now > until + ALLOWED_MS)
          this.problems.push(`${port} is handed out ${now - until} ms late`);
        if (left !== undefined && now > left + TTL_MS + ALLOWED_MS)
          this.problems.push(
            `${port} came back ${now - left} ms after it left`,
          );
      }
    });
  }

  ask(node: SimulatedNode, done: (ports: number[]) => void): void {
    const { swarm } = this;
    const swarms = packQuestions([Buffer.from(swarm, 'hex')], 200);
    node.start({ type: 'announce', swarms }, (result) => {
      if (result.type !== 'done' || result.result.type !== 'swarms') return;
      const [answer] = unpackAnswers(result.result.swarms);
      if (answer) done(unpackPeers(answer.peers).map((peer) => peer.port));
    });
  }

  /** The swarm as it is now, where it is not as `known`. */
  glance(
    node: SimulatedNode,
    known: Partial<SwarmAnswer>,
    done: (now?: SwarmAnswer) => void,
  ): void {
    node.start({ type: 'glance', swarms: this.known(known) }, (result) => {
      if (result.type !== 'done' || result.result.type !== 'glanced') return;
      done(unpackAnswers(result.result.swarms)[0]);
    });
  }

  /** Follows the swarm at a node: a glance, then news every 700 ms as long as all owners answer with all they have. */
  follow(node: SimulatedNode): Following {
    const following: Following = { leechers: 0, glances: 0, news: 0 };
    let heard: readonly Heard[] = [];
    const ask = (): void => {
      const glance = heard.length === 0;
      if (glance) following.glances++;
      else following.news++;
      node.start(
        glance
          ? { type: 'glance', swarms: this.known(following) }
          : { type: 'news', heard, most: 100 },
        (result) => {
          if (result.type !== 'done' || result.result.type !== 'glanced')
            return;
          const { swarms, whole } = result.result;
          heard = whole ? result.result.heard : [];
          for (const { swarm, leechers } of unpackAnswers(swarms))
            if (swarm === this.swarm) following.leechers = leechers;
        },
      );
      this.ring.time.after(700, ask);
    };
    ask();
    return following;
  }

  private known(numbers: Partial<SwarmAnswer>): Uint8Array {
    const none = { seeds: 0, leechers: 0, completed: 0, print: 0 };
    const peers = new Uint8Array(0);
    return packAnswers([{ swarm: this.swarm, ...none, ...numbers, peers }]);
  }

  private send(node: SimulatedNode, peers: Uint8Array, swarm: string): void {
    const announce = { swarm, peers, want: 0, seeds: true, completed: 0 };
    const swarms = packPuts([announce]);
    node.start({ type: 'announce', swarms }, () => undefined);
  }
}

export interface HoursResult {
  readonly problems: readonly string[];
  readonly handedOut: number;
  /** The longest that a peer was handed out beyond its time, milliseconds; 0 for never. */
  readonly latest: number;
}

/** A ring of four whose clocks are up to a minute wrong, for so many virtual minutes. */
export function hours(seed: number, minutes: number): HoursResult {
  const ring = new SimulatedRing({ seed, nodes: 4, clockError: 60_000 });
  ring.run(2_000);
  ring.network.faults = {
    ...ring.network.faults,
    drop: 0.05,
    duplicate: 0.05,
    heavyTail: 0.05,
    jitter: 20,
  };
  const tracker = new Tracker(ring, digestOf(Buffer.from(`swarm ${seed}`)));
  const { random } = ring;
  for (let i = 0; i < minutes; i++) {
    for (let j = 0; j < 3; j++) {
      const port = 1_000 + random.int(12);
      if (random.chance(0.25)) tracker.leave(port);
      else tracker.announce(port);
    }
    if (random.chance(0.05))
      random.pick(ring.live).host.pause(5_000 + random.uniform() * 25_000);
    if (random.chance(0.02)) {
      const [one, ...others] = random.shuffle(ring.live);
      if (one) ring.partition([[one], others]);
    } else if (random.chance(0.2)) ring.heal();
    ring.run(60_000);
    tracker.check(random.pick(ring.live));
  }
  const { handedOut, problems, latest } = tracker;
  if (handedOut < minutes / 2) problems.push('too few peers');
  return { problems, handedOut, latest };
}
