/**
 * Tells a new beacon from one that was heard before, or sent before one that was: whoever records
 * what a node said while it lived must not make the others believe that it lives still.
 */
import { freshness, type HeardBeacon } from './beacon';

/** Nodes remembered; the one heard longest ago makes room. */
const maxNodes = 4096;

export class Replays {
  private readonly last = new Map<
    string,
    { readonly sentAt: number; readonly heardAt: number }
  >();

  /** True when this beacon is the latest of its node so far, and notes it. `now` in milliseconds. */
  isNew({ beacon, sentAt }: HeardBeacon, now: number): boolean {
    const { id, host, port } = beacon.node;
    const name = `${id} ${host}:${port}`;
    const known = this.last.get(name);
    // By then the codec refuses what was said before; only a clock that was set back says less.
    const remembered = known && now - known.heardAt < 2 * freshness;
    if (remembered && sentAt <= known.sentAt) return false;
    this.last.delete(name);
    this.last.set(name, { sentAt, heardAt: now });
    const [oldest] = this.last.keys();
    if (this.last.size > maxNodes && oldest !== undefined)
      this.last.delete(oldest);
    return true;
  }
}
