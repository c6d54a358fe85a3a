/** CPU time and memory of processes, from /proc. */
import { readFileSync } from 'node:fs';

const ticksPerSecond = 100;

export interface CpuSeconds {
  readonly user: number;
  readonly system: number;
}

/** CPU seconds used so far. */
export function cpuSeconds(pid: number): CpuSeconds {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    user: Number(fields[11]) / ticksPerSecond,
    system: Number(fields[12]) / ticksPerSecond,
  };
}

/** Megabytes resident. */
export function residentMegabytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

/** CPU seconds that the whole machine was busy. */
export function machineSeconds(): number {
  const [user, nice, system, , , irq, softirq] = readFileSync(
    '/proc/stat',
    'latin1',
  )
    .split('\n')[0]
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / ticksPerSecond;
}
