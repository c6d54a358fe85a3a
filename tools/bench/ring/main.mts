/**
 * Writes, reads and a hundred thousand records at a ring of real processes on loopback:
 *
 *     npx nx build node && npx node tools/bench/ring/main.mts [--nodes 3] [--puts 2000] [--seconds 5] [--records 100000]
 *
 * The client is one connection to one node's seam, as a tracker's. A put is acknowledged once two disks
 * have it; a read asks two replicas. Memory is a node's twenty seconds after its start, and the start is
 * measured from the process's beginning to its ready line, with and without them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import type { ChildProcess } from 'node:child_process';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Packr } from 'msgpackr';
import { ended, freePort, runNode, started } from '../programs.mts';
import { cpuSeconds, residentMegabytes } from '../usage.mts';
import { SeamClient } from './seam-client.mts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '3' },
    puts: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '5' },
    records: { type: 'string', default: '100000' },
  },
});
const IN_FLIGHT = 64;
const BATCH = 500;
const packr = new Packr({ useRecords: false });
const hash = (text: string): string =>
  createHash('sha1').update(text).digest('hex');

interface Member {
  readonly storage: string;
  readonly ring: number;
  readonly rpc: number;
  child: ChildProcess;
  startSeconds: number;
}

function write(name: string): Record<string, unknown> {
  const item = hash(name);
  const value = packr.pack({ h: item, t: 1_700_000_000_000 });
  return { kind: 'name', place: hash(`place of ${name}`), item, value };
}

async function start(
  where: { storage: string; ring: number; rpc: number },
  others: readonly Member[],
): Promise<Member> {
  const flags = {
    storage: where.storage,
    roles: 'dht',
    'ring-port': where.ring,
    'rpc-port': where.rpc,
    multicast: 'off',
    'log-level': 'error',
  };
  const joins = others.map(({ ring }) => `--join=127.0.0.1:${ring}`);
  const began = performance.now();
  const child = runNode(flags, ...joins);
  await started(child, /^Ready: /m);
  return {
    ...where,
    child,
    startSeconds: (performance.now() - began) / 1_000,
  };
}

const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms));

function row(name: string, figure: string): void {
  console.log(`| ${name} | ${figure} |`);
}

function at(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(share * (sorted.length - 1))] as number).toFixed(2);
}

/** Milliseconds that each of so many calls took, sorted. */
async function timed(
  count: number,
  call: (i: number) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await call(i);
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b);
}

/** Calls in `IN_FLIGHT` lanes for some seconds; how many a second. */
async function perSecond(
  seconds: number,
  call: (i: number) => Promise<unknown>,
): Promise<number> {
  const began = performance.now();
  const end = began + seconds * 1_000;
  let done = 0;
  const lane = async (): Promise<void> => {
    while (performance.now() < end) await call(done++);
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, lane));
  return done / ((performance.now() - began) / 1_000);
}

async function measureCalls(client: SeamClient, pid: number): Promise<void> {
  const puts = Number(values.puts);
  const put = (i: number) => client.call('dht.put', [[write(`record ${i}`)]]);
  const get = (i: number) => {
    const { kind, place, item } = write(`record ${(i * 7_919) % puts}`);
    return client.call('dht.get', [kind, place, item]);
  };
  await timed(200, (i) => put(-i - 1));
  const writes = await timed(puts, put);
  row('a put, one at a time, ms: median', at(writes, 0.5));
  row('… 99 %', at(writes, 0.99));
  const seconds = Number(values.seconds);
  const rate = await perSecond(seconds, (i) => put(puts + i));
  row(`puts a second, ${IN_FLIGHT} in flight`, rate.toFixed(0));
  await perSecond(1, get);
  const reads = await timed(puts, get);
  row('a read, one at a time, ms: median', at(reads, 0.5));
  row('… 99 %', at(reads, 0.99));
  const before = cpuSeconds(pid);
  const read = await perSecond(seconds, get);
  const after = cpuSeconds(pid);
  const cpu = after.user + after.system - before.user - before.system;
  row(`reads a second, ${IN_FLIGHT} in flight`, read.toFixed(0));
  row(
    '… CPU of the node, µs a read',
    ((cpu / seconds / read) * 1e6).toFixed(0),
  );
  if (!(await get(1))) throw new Error('a read found nothing');
}

async function measureRecords(
  ring: Member[],
  emptyMegabytes: number,
): Promise<void> {
  const [first] = ring as [Member];
  const records = Number(values.records);
  const client = await SeamClient.open(first.rpc);
  for (let i = 0; i < records; i += BATCH) {
    const items = Array.from({ length: Math.min(BATCH, records - i) }, (_, j) =>
      write(`many ${i + j}`),
    );
    await client.call('dht.put', [items]);
  }
  client.close();
  await pause(5_000);
  await ended([first.child]);
  const again = await start(first, ring.slice(1));
  ring[0] = again;
  row(
    'start with them, s (without)',
    `${again.startSeconds.toFixed(2)} (${first.startSeconds.toFixed(2)})`,
  );
  await pause(20_000);
  const resident = residentMegabytes(again.child.pid as number);
  row(
    'memory some time after such a start, MB (without)',
    `${resident.toFixed(0)} (${emptyMegabytes.toFixed(0)})`,
  );
  const before = cpuSeconds(again.child.pid as number);
  await pause(30_000);
  const after = cpuSeconds(again.child.pid as number);
  const cpu = after.user + after.system - before.user - before.system;
  row(
    'CPU of the idle node, ms in ten seconds',
    ((cpu / 3) * 1_000).toFixed(0),
  );
}

const folder = mkdtempSync(join(tmpdir(), 'bench-ring-'));
const ring: Member[] = [];
try {
  for (let i = 0; i < Number(values.nodes); i++) {
    const storage = join(folder, String(i));
    const [port, rpc] = [await freePort(), await freePort()];
    ring.push(await start({ storage, ring: port, rpc }, ring));
  }
  await pause(5_000);
  console.log(`\nA ring of ${ring.length}\n`);
  row('figure', 'value');
  row('---', '---');
  const [first] = ring as [Member];
  const empty = residentMegabytes(first.child.pid as number);
  const client = await SeamClient.open(first.rpc);
  await measureCalls(client, first.child.pid as number);
  client.close();
  if (Number(values.records) > 0) await measureRecords(ring, empty);
} finally {
  await ended(ring.map(({ child }) => child));
  rmSync(folder, { recursive: true, force: true });
}
