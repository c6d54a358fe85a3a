/** How evenly keys fall on nodes, each of which runs several virtual nodes (Chord, ToN 2003, section VI-B). */
import type { Random } from '@dnd/sim';

export interface Spread {
  /** Keys of the node at the first and at the 99th percentile. */
  readonly low: number;
  readonly high: number;
}

export function keysPerNode(
  nodes: number,
  virtual: number,
  keys: number,
  random: Random,
): Spread {
  const total = nodes * virtual;
  const points = Float64Array.from({ length: total }, () => random.uniform());
  const order = Array.from({ length: total }, (_, i) => i).sort(
    (a, b) => (points[a] as number) - (points[b] as number),
  );
  points.sort();
  const held = new Float64Array(nodes);
  for (let i = 0; i < keys; i++) {
    const at = firstFrom(points, random.uniform()) % total;
    const node = (order[at] as number) % nodes;
    held[node] = (held[node] as number) + 1;
  }
  held.sort();
  const at = (share: number) => held[Math.floor(share * (nodes - 1))] as number;
  return { low: at(0.01), high: at(0.99) };
}

function firstFrom(points: Float64Array, key: number): number {
  let [low, high] = [0, points.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle] as number) < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
