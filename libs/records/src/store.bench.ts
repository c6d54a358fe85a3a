/**
 * `nx bench records`: what a node pays for a hundred thousand records: memory, the start, and a
 * round of anti-entropy that finds nothing to do. The two other nodes of its ring are played: they
 * hold the same.
 */
import type { NodeRef } from '@dnd/chord';
import { Random } from '@dnd/sim';
import type { RecordsInput } from './io';
import { digestOf } from './record';
import type { RecordMeta } from './record';
import { Records } from './records';
import { RecordTable } from './record-table';
import { makeStamp } from './stamp';

export interface StoreFigures {
  /** Megabytes of heap for the table. */
  readonly megabytes: number;
  /** Milliseconds of CPU to take in all rows at the start. */
  readonly loadMs: number;
  /** Milliseconds of CPU for one idle round, with the answers to the others' rounds. */
  readonly roundMs: number;
  /** Requests sent in one idle round. */
  readonly requests: number;
}

const PART = 5_000;
const KINDS = ['torrent', 'catalogue', 'name'] as const;

/** As many rows of each kind as publications have. */
function* rows(count: number): Generator<RecordMeta[]> {
  let part: RecordMeta[] = [];
  for (let i = 0; i < count; i++) {
    const item = digestOf(Buffer.from(`${Math.floor(i / 3)}`));
    const kind = KINDS[i % 3] ?? 'name';
    const place =
      kind === 'catalogue' ? digestOf(Buffer.from(item.slice(0, 2))) : item;
    const stamp = makeStamp(1_700_000_000_000 + i, 0, item);
    part.push({ kind, place, item, stamp, digest: item, size: 300 });
    if (part.length === PART || i === count - 1) {
      yield part;
      part = [];
    }
  }
}

/** CPU milliseconds so far. */
function cpu(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function heap(): number {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 2 ** 20;
}

const node = (digit: string, port: number): NodeRef => ({
  id: digit.repeat(40),
  host: '10.0.0.1',
  port,
  incarnation: 1,
});

export function measureStore(count: number, rounds: number): StoreFigures {
  const [self, second, third] = [node('4', 1), node('9', 2), node('e', 3)];
  let now = 1_000;
  const theirs = new RecordTable();
  for (const part of rows(count)) for (const row of part) theirs.set(row);
  const before = heap();
  const records = new Records({
    self,
    random: new Random(1).uniform,
    validate: () => true,
    wallOffset: 1_700_000_100_000,
  });
  let loadMs = 0;
  for (const part of rows(count)) {
    // As the program hands them over: made for the purpose, and dropped.
    const began = cpu();
    records.handle({ type: 'loaded', records: part, last: false }, now);
    loadMs += cpu() - began;
  }
  let requests = 0;
  const feed = (input: RecordsInput): void => {
    for (const output of records.handle(input, now)) {
      if (output.type !== 'request') continue;
      requests++;
      const sealed = {
        clock: now + 1_700_000_100_000,
        agreed: true,
        sent: now,
      };
      const { type } = output.message;
      const body =
        type === 'digest'
          ? { type: 'leaves' as const, leaves: null }
          : type === 'confirm'
            ? { type: 'confirmed' as const, differ: [] }
            : { type: 'swarms' as const, origins: [], swarms: [], more: false };
      feed({
        type: 'reply',
        call: output.call,
        message: { ...body, ...sealed },
      });
    }
  };
  feed({ type: 'loaded', records: [], last: true });
  const megabytes = heap() - before;
  feed({
    type: 'view',
    predecessor: third,
    successors: [second, third],
    stableSince: 0,
  });
  /** The rounds of the two others, as this node sees them. */
  const others = (): void => {
    for (const [from, start] of [
      [second, self],
      [third, second],
    ] as const) {
      const digest = theirs.rangeDigest(start.id, from.id);
      const range = { from: start.id, to: from.id, digest };
      const sealed = {
        clock: now + 1_700_000_100_000,
        agreed: true,
        sent: now,
      };
      const message = { type: 'digest' as const, ...range, ...sealed };
      feed({ type: 'request', call: 1, from, message });
    }
  };
  const runTo = (end: number): void => {
    while (records.wakeAt <= end) {
      now = Math.max(now, records.wakeAt);
      feed({ type: 'tick' });
    }
    now = end;
  };
  const round = (): void => {
    others();
    runTo(now + 10_000);
  };
  for (let i = 0; i < 5; i++) round();
  requests = 0;
  const began = cpu();
  for (let i = 0; i < rounds; i++) round();
  const roundMs = (cpu() - began) / rounds;
  return { megabytes, loadMs, roundMs, requests: requests / rounds };
}
