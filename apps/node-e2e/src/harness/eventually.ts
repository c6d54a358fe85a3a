/** Waiting for what comes about by itself: asked again and again, never by a fixed pause. */
import { setTimeout as pause } from 'node:timers/promises';

const period = 50;

/**
 * The first value of `check` that is neither undefined nor false. A check that throws is asked again
 * too; what it threw last is the cause of the error after `ms` milliseconds.
 */
export async function eventually<T>(
  what: string,
  check: () => Promise<T | undefined | false> | T | undefined | false,
  ms = 20_000,
): Promise<T> {
  const end = Date.now() + ms;
  let cause: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (Date.now() >= end) {
      const why = cause instanceof Error ? `: ${cause.message}` : '';
      throw new Error(`not within ${ms} ms: ${what}${why}`, { cause });
    }
    await pause(period);
  }
}
