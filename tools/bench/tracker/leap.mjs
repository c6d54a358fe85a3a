/**
 * Loaded into a node under test: SIGUSR2 collects garbage and says how large the heap is; SIGPWR lets
 * the clocks leap two hours ahead, so that all that can expire does. From then on the longest time in which nothing else ran is
 * told with each SIGUSR2.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const leap = 2 * 3_600_000;
const delays = monitorEventLoopDelay({ resolution: 5 });
let leapt = false;

process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  const mb = (bytes) => (bytes / 1e6).toFixed(0);
  console.log(
    `leap: heap ${mb(heapUsed)} MB, outside of it ${mb(external)} MB, of that buffers ${mb(arrayBuffers)} MB`,
  );
  if (leapt)
    console.log(
      `leap: longest pause ${(delays.max / 1e6).toFixed(1)} ms, 99.9 % within ${(delays.percentile(99.9) / 1e6).toFixed(1)} ms`,
    );
});

process.on('SIGPWR', () => {
  const { now } = Date;
  const elapsed = performance.now.bind(performance);
  Date.now = () => now() + leap;
  performance.now = () => elapsed() + leap;
  leapt = true;
  delays.enable();
});
