/**
 * Once the node rests, what a burst of work has left in memory is given back. V8 looks through its heap as
 * that grows, and what a thousand uploads have left behind would lie there for minutes.
 */
import { getHeapSpaceStatistics } from 'node:v8';
import { every } from './beat';

const period = 1_000;
/** At rest: less CPU time, microseconds, in each of so many periods. A transfer makes no objects to speak of, so they tell nothing. */
const restful = 100_000;
const restPeriods = 3;
/** Bytes that the memory for old objects has grown since the last time. */
const worth = 16 * 1024 * 1024;

/**
 * Begins to look after the heap; returns what ends that. `collect` is V8's thorough collection, which
 * takes a tenth of a second; without it (`--expose-gc`) nothing is done.
 */
export function tidyAtRest(collect = ownCollector(), look = own): () => void {
  if (!collect) return () => undefined;
  let before = look();
  let sizeThen = 0;
  let rested = 0;
  return every(period, () => {
    const now = look();
    rested = now.cpu - before.cpu < restful ? rested + 1 : 0;
    before = now;
    if (rested < restPeriods || now.old - sizeThen < worth) return;
    collect();
    before = look();
    sizeThen = before.old;
  });
}

/** Microseconds of CPU time so far, and bytes taken for objects that are not young any more. */
function own(): { readonly cpu: number; readonly old: number } {
  const { user, system } = process.cpuUsage();
  let old = 0;
  for (const { space_name, space_size } of getHeapSpaceStatistics())
    if (!space_name.startsWith('new_')) old += space_size;
  return { cpu: user + system, old };
}

/** It also gives back the memory that V8 keeps in store. */
function ownCollector(): (() => void) | undefined {
  const { gc } = globalThis as { gc?: (options: object) => void };
  return gc && (() => gc({ type: 'major', flavor: 'last-resort' }));
}
