/**
 * Completed downloads of swarms, counted for each node that heard of them. The largest count of a
 * node wins, so that telling one twice counts once, and a node that dies takes no count along.
 */

/** Nodes told apart for one swarm. */
export const MAX_ORIGINS = 64;

export class CompletedCounts {
  /** Swarm number → [origin, count, origin, count, ...]. */
  private readonly swarms = new Map<number, number[]>();

  /** [origin, count, ...] of a swarm. */
  of(swarm: number): readonly number[] {
    return this.swarms.get(swarm) ?? [];
  }

  add(swarm: number, origin: number): void {
    const counts = this.listOf(swarm);
    const at = placeOf(counts, origin);
    if (at >= 0) counts[at + 1]++;
  }

  /** Takes in what a node is said to have counted; true where that is news. */
  raise(swarm: number, origin: number, count: number): boolean {
    const counts = this.listOf(swarm);
    const at = placeOf(counts, origin);
    if (at < 0 || counts[at + 1] >= count) return false;
    counts[at + 1] = count;
    return true;
  }

  sum(swarm: number): number {
    const counts = this.of(swarm);
    let sum = 0;
    for (let k = 1; k < counts.length; k += 2) sum += counts[k];
    return Math.min(sum, 0xffffffff);
  }

  forget(swarm: number): void {
    this.swarms.delete(swarm);
  }

  private listOf(swarm: number): number[] {
    let counts = this.swarms.get(swarm);
    if (counts === undefined) {
      counts = [];
      this.swarms.set(swarm, counts);
    }
    return counts;
  }
}

/** Where `origin` stands in `counts`, added if need be; −1 where there are too many. */
function placeOf(counts: number[], origin: number): number {
  for (let k = 0; k < counts.length; k += 2) if (counts[k] === origin) return k;
  if (counts.length >= MAX_ORIGINS * 2) return -1;
  counts.push(origin, 0);
  return counts.length - 2;
}
