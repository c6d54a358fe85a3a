/**
 * What a node does again and again it does together, all of it in one turn four times a second: an idle
 * process then wakes seldom, and to wake costs more CPU (some 0.1 ms) than most of what is done then.
 */

/** Milliseconds. */
export const beat = 250;

interface Task {
  readonly beats: number;
  readonly run: () => void;
}

const tasks = new Set<Task>();
let timer: NodeJS.Timeout | undefined;
let beats = 0;

/**
 * Runs `run` every `period` milliseconds, a multiple of `beat`, the first time within one period. Returns
 * what ends that. Does not keep the process alive.
 */
export function every(period: number, run: () => void): () => void {
  const task = { beats: Math.max(1, Math.round(period / beat)), run };
  tasks.add(task);
  timer ??= setInterval(runDue, beat).unref();
  return () => {
    tasks.delete(task);
    if (tasks.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

function runDue(): void {
  beats++;
  for (const { beats: each, run } of tasks) if (beats % each === 0) run();
}
