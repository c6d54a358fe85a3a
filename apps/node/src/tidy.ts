/**
 * Once the node rests, what a burst of work has left in memory is given back. V8 looks through its heap as
 * that grows, and what a thousand uploads have left behind would lie there for minutes.
 */
import { getHeapSpaceStatistics } from 'node:v8';
import { every } from './beat';

const period = 1_000;
/** At rest: so few bytes of new objects in each of so many periods. */
const restful = 1024 * 1024;
const restPeriods = 3;
/** Bytes that the memory for old objects has grown since the last time. */
const worth = 16 * 1024 * 1024;

/**
 * Begins to look after the heap; returns what ends that. `collect` is V8's thorough collection, which
 * takes a tenth of a second; without it (`--expose-gc`) nothing is done.
 */
export function tidyAtRest(collect = ownCollector(), look = heap): () => void {
  if (!collect) return () => undefined;
  let before = look();
  let sizeThen = 0;
  let rested = 0;
  return every(period, () => {
    const now = look();
    rested = now.used - before.used < restful ? rested + 1 : 0;
    before = now;
    if (rested < restPeriods || now.old - sizeThen < worth) return;
    collect();
    before = look();
    sizeThen = before.old;
  });
}

/** Bytes: of all objects, and taken for those that are not young any more. */
function heap(): { readonly used: number; readonly old: number } {
  let [used, old] = [0, 0];
  for (const {
    space_name,
    space_size,
    space_used_size,
  } of getHeapSpaceStatistics()) {
    used += space_used_size;
    if (!space_name.startsWith('new_')) old += space_size;
  }
  return { used, old };
}

/** It also gives back the memory that V8 keeps in store. */
function ownCollector(): (() => void) | undefined {
  const { gc } = globalThis as { gc?: (options: object) => void };
  return gc && (() => gc({ type: 'major', flavor: 'last-resort' }));
}
