/** What trackers say of themselves, as the REST interface shows it. */
import type { Load } from './load';
import type { TrackerNodeDto, TrackerTotalDto } from './tracker.dto';

export function nodeOf(address: string, load: Load): TrackerNodeDto {
  const { p50, p99, malformed, refused, junk, ...rates } = load;
  return {
    address,
    ...rates,
    latency: { p50, p99 },
    errorsPerMinute: { malformed, refused, junk },
  };
}

/** Sums over the ring; of its latency the slowest node's. */
export function totalOf(ring: readonly TrackerNodeDto[]): TrackerTotalDto {
  const sum = (of: (node: TrackerNodeDto) => number): number =>
    ring.reduce((total, node) => total + of(node), 0);
  const most = (of: (node: TrackerNodeDto) => number): number =>
    Math.max(...ring.map(of));
  return {
    announcesPerSecond: sum((node) => node.announcesPerSecond),
    scrapesPerSecond: sum((node) => node.scrapesPerSecond),
    swarms: sum((node) => node.swarms),
    peers: sum((node) => node.peers),
    seeds: sum((node) => node.seeds),
    latency: {
      p50: most((node) => node.latency.p50),
      p99: most((node) => node.latency.p99),
    },
    errorsPerMinute: {
      malformed: sum((node) => node.errorsPerMinute.malformed),
      refused: sum((node) => node.errorsPerMinute.refused),
      junk: sum((node) => node.errorsPerMinute.junk),
    },
  };
}
