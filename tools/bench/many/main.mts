/**
 * What many seeding torrents cost one node: memory, the time to add them and to start again with them,
 * and CPU while nobody asks for anything. First a node with none, then the same with all:
 *
 *     npx nx bench-many node -- [--torrents 1000] [--idle 30]
 *
 * The torrents are of 16 KiB, one file and one piece each, and lie in Storage when they are added.
 * `idle` is in seconds. Memory is resident memory, a minute after the last of them is seeded.
 */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ended, freePort, runNode, started } from '../programs.mts';
import { cpuSeconds, residentMegabytes } from '../usage.mts';

const { values } = parseArgs({
  options: {
    torrents: { type: 'string', default: '1000' },
    idle: { type: 'string', default: '30' },
  },
});
const count = Number(values.torrents);
const idleSeconds = Number(values.idle);
const size = 16_384;
/** Milliseconds. */
const settling = 60_000;
const looking = 50;

const storage = mkdtempSync(join(tmpdir(), 'bench-many-'));

/** A file in Storage and its .torrent. */
function torrent(index: number): Buffer {
  const name = `small-${String(index).padStart(5, '0')}.bin`;
  const content = randomBytes(size);
  writeFileSync(join(storage, name), content);
  const info = Buffer.concat([
    Buffer.from(
      `d6:lengthi${size}e4:name${name.length}:${name}12:piece lengthi${size}e6:pieces20:`,
    ),
    createHash('sha1').update(content).digest(),
    Buffer.from('e'),
  ]);
  return Buffer.concat([Buffer.from('d4:info'), info, Buffer.from('e')]);
}

interface Running {
  readonly pid: number;
  readonly api: string;
  /** Seconds from its beginning until its page answers and all that is there is seeded, and until it says that it is ready. */
  readonly seeding: number;
  readonly ready: number;
  stop(): Promise<void>;
}

/** With `torrents` in its Storage. */
async function start(torrents: number): Promise<Running> {
  const begin = performance.now();
  const seconds = (): number => (performance.now() - begin) / 1_000;
  const flags = {
    storage,
    port: await freePort(),
    'tracker-port': 0,
    'peer-port': 0,
    'ring-port': 0,
    'rpc-port': 0,
  };
  const child = runNode(flags, '--no-lsd');
  const api = `http://127.0.0.1:${flags.port}/api`;
  const [seeding, ready] = await Promise.all([
    allSeeding(api, torrents).then(seconds),
    started(child, /^Open .*$/m).then(seconds),
  ]);
  return {
    pid: child.pid as number,
    api,
    seeding,
    ready,
    stop: () => ended([child]),
  };
}

/** Resolves when the API answers and tells of so many. */
async function allSeeding(api: string, torrents: number): Promise<void> {
  for (;;) {
    const answer = await fetch(`${api}/downloads`).catch(() => undefined);
    if (answer?.ok) {
      const list = (await answer.json()) as { items: { state: string }[] };
      const seeding = list.items.filter(({ state }) => state === 'seeding');
      if (seeding.length >= torrents) return;
    }
    await pause(looking);
  }
}

/** Percent of one core. */
async function idleCpu({ pid }: Running): Promise<number> {
  const before = cpuSeconds(pid);
  await pause(idleSeconds * 1_000);
  const after = cpuSeconds(pid);
  const used = after.user + after.system - before.user - before.system;
  return (used / idleSeconds) * 100;
}

async function tellOf(node: Running, words: string): Promise<number> {
  await pause(settling);
  const memory = residentMegabytes(node.pid);
  const { user, system } = cpuSeconds(node.pid);
  const idle = await idleCpu(node);
  console.log(
    `${words}: ${memory.toFixed(0)} MB, ${(user + system).toFixed(1)} CPU s so far, idle ${idle.toFixed(2)} %`,
  );
  return memory;
}

function tellStart(words: string, { seeding, ready }: Running): void {
  console.log(
    `${words}: at work after ${seeding.toFixed(2)} s, ready after ${ready.toFixed(2)} s`,
  );
}

let node: Running | undefined;
try {
  // The first start ever makes keys and databases.
  node = await start(0);
  await node.stop();
  node = await start(0);
  tellStart('none', node);
  const none = await tellOf(node, 'none');
  const torrents = Array.from({ length: count }, (_, i) => torrent(i));
  const begin = performance.now();
  for (const each of torrents) {
    const body = new FormData();
    body.append('torrent', new Blob([new Uint8Array(each)]), 'a.torrent');
    const answer = await fetch(`${node.api}/downloads`, {
      method: 'POST',
      body,
    });
    if (answer.status !== 201) throw new Error(await answer.text());
  }
  await allSeeding(node.api, count);
  const adding = (performance.now() - begin) / 1_000;
  console.log(`${count} added in ${adding.toFixed(1)} s`);
  const added = await tellOf(node, 'added');
  await node.stop();
  node = await start(count);
  tellStart('started again', node);
  const restarted = await tellOf(node, 'started again');
  console.log(
    `${count} torrents cost ${(added - none).toFixed(0)} MB when added, ${(restarted - none).toFixed(0)} MB after a start`,
  );
} finally {
  await node?.stop();
  rmSync(storage, { recursive: true, force: true });
}
