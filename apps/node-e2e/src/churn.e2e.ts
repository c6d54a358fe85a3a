/**
 * A ring under churn: it grows, every five seconds a node is killed hard and replaced by an empty one
 * while others publish and read, and at the end it shrinks to three. Nothing that was acknowledged may be
 * lost. Five nodes for a quarter of a minute in every run; DND_E2E_FULL=1 makes it twelve for two minutes.
 */
import { bytesOf } from './harness/content';
import { eventually } from './harness/eventually';
import type { Node } from './harness/node';
import { Scene } from './harness/scene';

const full = process.env['DND_E2E_FULL'] === '1';
const size = full ? 12 : 5;
const kills = full ? 24 : 3;
const killPeriod = 5_000;
const publishPause = full ? 500 : 250;
/** So long a dead node may not be known to be dead, and whoever asks it waits for a time-out. */
const unnoticed = 2_000;
/** The ring, its tracker and REST; peers are needed to publish, the page's own extras are not. */
const patience = full ? 300_000 : 150_000;

let scene: Scene;
const alive: Node[] = [];
const acknowledged: string[] = [];
let started = 0;

beforeAll(async () => {
  scene = await Scene.open('churn');
}, patience);
afterAll(() => scene.close());

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => void setTimeout(resolve, ms));

const any = <T>(list: readonly T[]): T =>
  list[Math.floor(Math.random() * list.length)];

async function grow(count: number): Promise<void> {
  const names = Array.from({ length: count }, () => `n${++started}`);
  alive.push(...(await Promise.all(names.map((name) => scene.start(name)))));
}

/** Publishes small files at any node; what is acknowledged by at least two disks counts. */
async function publishWhile(running: () => boolean): Promise<void> {
  for (let i = 0; running(); i++) {
    const name = `record-${i}.bin`;
    try {
      const { infoHash, replicas } = await any(alive).api.publish({
        files: { [name]: bytesOf(name, 500) },
      });
      if (replicas && replicas.stored >= 2) acknowledged.push(infoHash);
    } catch {
      // The node that was asked died, or could not get a quorum: nothing was promised.
    }
    await pause(publishPause);
  }
}

interface Read {
  readonly began: number;
  readonly milliseconds: number;
}

interface Reads {
  readonly answered: Read[];
  /** What was said instead of the .torrent; a node that is killed meanwhile says nothing that counts. */
  readonly refused: string[];
}

/** Reads .torrent files at any node and notes how long each took. */
async function readWhile(running: () => boolean, reads: Reads): Promise<void> {
  while (running()) {
    await pause(40);
    if (acknowledged.length === 0) continue;
    const node = any(alive);
    const began = performance.now();
    try {
      const { status, bytes } = await node.api.ask(
        'GET',
        `/api/catalogue/${any(acknowledged)}/torrent`,
      );
      const milliseconds = performance.now() - began;
      if (status === 200) reads.answered.push({ began, milliseconds });
      else reads.refused.push(bytes.toString());
    } catch (error) {
      if (alive.includes(node)) reads.refused.push(String(error));
    }
  }
}

/** Whether a read could have met a node that was dead and not yet known to be. */
const nearKill = ({ began, milliseconds }: Read, killed: number[]): boolean =>
  killed.some((at) => began < at + unnoticed && began + milliseconds > at);

function told(reads: readonly Read[]): string {
  const sorted = reads.map((read) => read.milliseconds).sort((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.floor((sorted.length - 1) * share)] ?? 0).toFixed(0);
  return `${sorted.length} reads, median ${at(0.5)} ms, 99 % within ${at(0.99)} ms`;
}

async function keepsAll(node: Node): Promise<void> {
  for (const infoHash of acknowledged) {
    await eventually(
      `${node.name} has ${infoHash}`,
      async () => {
        const { status, bytes } = await node.api.ask(
          'GET',
          `/api/catalogue/${infoHash}/torrent`,
        );
        if (status !== 200) throw new Error(bytes.toString());
        return true;
      },
      30_000,
    );
  }
}

it(
  `loses nothing while ${kills} of ${size} nodes are killed and replaced, and then shrinks to three`,
  async () => {
    await grow(3);
    await grow(size - 3);
    await Promise.all(alive.map((node) => node.seesRingOf(size, 60_000)));
    let running = true;
    const reads: Reads = { answered: [], refused: [] };
    const killed: number[] = [];
    const work = [publishWhile(() => running), readWhile(() => running, reads)];
    // The next one is killed whether the last one's successor has started or not.
    const replacing: Promise<void>[] = [];
    for (let k = 0; k < kills; k++) {
      await pause(killPeriod);
      const [victim] = alive.splice(
        Math.floor(Math.random() * alive.length),
        1,
      );
      killed.push(performance.now());
      await victim.kill();
      replacing.push(grow(1));
    }
    running = false;
    await Promise.all([...work, ...replacing]);
    await Promise.all(alive.map((node) => node.seesRingOf(size, 60_000)));
    expect(acknowledged.length).toBeGreaterThan(0);
    expect(reads.answered.length).toBeGreaterThan(0);
    expect(reads.refused).toEqual([]);
    await Promise.all(alive.map(keepsAll));
    while (alive.length > 3) await alive.pop()?.stop();
    await Promise.all(alive.map((node) => node.seesRingOf(3, 60_000)));
    await Promise.all(alive.map(keepsAll));
    const [late, other] = [true, false].map((near) =>
      reads.answered.filter((read) => nearKill(read, killed) === near),
    );
    console.log(
      `${acknowledged.length} publications kept; ${told(other)}; within ${unnoticed / 1000} s of a kill ${told(late)}`,
    );
  },
  patience,
);
