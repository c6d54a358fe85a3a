/**
 * One simulated machine: a process that can be started, paused and killed, a disk that outlives
 * it, and a clock that may be wrong. It feeds the process one event at a time and wakes it when
 * it asked to be woken.
 */
import { SimDisk } from './disk';
import type { Endpoint, SimNetwork } from './network';
import type { Scheduled } from './virtual-time';

/**
 * A program as the simulation drives it. `A` refers to a node, `M` is a message, `B` a multicast.
 * `now` is the host's clock in milliseconds.
 */
export interface Process<A, M, B = M> {
  tick(now: number): void;
  /** Answer with `network.reply` of this `call`. */
  request(call: number, from: A, message: M, now: number): void;
  reply(call: number, message: M, now: number): void;
  unreachable(call: number, now: number): void;
  multicast?(message: B, now: number): void;
  /** When `tick` is due, by the host's clock. */
  readonly wakeAt: number;
}

type Delivery<A, M, B> = (process: Process<A, M, B>, now: number) => void;

export class SimHost<A extends Endpoint, M, B = M, V = unknown> {
  readonly disk: SimDisk<V>;
  /** Added to virtual time to give this host's clock, milliseconds; set it before a process starts. */
  clockOffset = 0;
  private running: Process<A, M, B> | undefined;
  private timer: Scheduled | undefined;
  private pausedUntil = 0;
  private life = 0;

  constructor(
    readonly address: string,
    private readonly network: SimNetwork<A, M, B, V>,
  ) {
    this.disk = new SimDisk(network.time, network.random.fork());
  }

  get process(): Process<A, M, B> | undefined {
    return this.running;
  }

  /** What this host's clock shows. */
  get clock(): number {
    return this.network.time.now + this.clockOffset;
  }

  get paused(): boolean {
    return this.network.time.now < this.pausedUntil;
  }

  start(process: Process<A, M, B>): void {
    this.life++;
    this.running = process;
    this.pausedUntil = 0;
    this.network.trace.record(this.network.time.now, `${this.address} start`);
    this.reschedule();
  }

  /** The process stands still (a suspended laptop, a long collection); messages wait for it. */
  pause(duration: number): void {
    this.pausedUntil = Math.max(
      this.pausedUntil,
      this.network.time.now + duration,
    );
    this.network.trace.record(this.network.time.now, `${this.address} pause`);
    this.reschedule();
  }

  /** The process is gone and with it what its disk had not synced. */
  crash(): void {
    this.stop();
    this.disk.crash();
  }

  /** The process ends in order. */
  stop(): void {
    this.life++;
    this.running = undefined;
    this.timer?.cancel();
    this.timer = undefined;
    this.network.trace.record(this.network.time.now, `${this.address} stop`);
  }

  /** Runs `event` on the process, now or when its pause ends. For the network, timers and specs. */
  deliver(what: string, event: Delivery<A, M, B>): void {
    const life = this.life;
    if (this.paused) {
      this.network.time.at(this.pausedUntil, () => {
        if (life === this.life) this.deliver(what, event);
      });
      return;
    }
    if (!this.running) return;
    this.network.trace.record(this.network.time.now, `${this.address} ${what}`);
    event(this.running, this.clock);
    this.reschedule();
    this.network.afterStep(this);
  }

  /** Looks again when the process wants to be woken; needed after calling the process directly. */
  reschedule(): void {
    const due = this.dueAt;
    // One set for an earlier time looks again by itself: most wakes are put off, few are put forward.
    if (this.timer && this.timer.time <= due) return;
    this.timer?.cancel();
    this.timer = undefined;
    if (due === Infinity) return;
    this.timer = this.network.time.at(due, () => {
      this.timer = undefined;
      if (this.dueAt > this.network.time.now) this.reschedule();
      else this.deliver('tick', (process, now) => process.tick(now));
    });
  }

  /** When the process is to be woken, in virtual time. */
  private get dueAt(): number {
    const wakeAt = this.running?.wakeAt ?? Infinity;
    return Math.max(wakeAt - this.clockOffset, this.pausedUntil);
  }
}
